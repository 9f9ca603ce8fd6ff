import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aclRules } from "../../../sim/device/aclRules.ts";
import { firstMatch } from "../../../src/esp/selector.ts";
import { type AclPacket, matchAcl } from "../../../src/ios/acl.ts";
import type { AccessList } from "../../../src/ios/model.ts";
import { parseConfig } from "../../../src/ios/parse.ts";
import { ip } from "./lab.ts";

function listOf(lines: readonly string[]): AccessList {
  const text = `ip access-list extended L\n${lines.map((line) => ` ${line}`).join("\n")}\n`;
  const { config, problems } = parseConfig(text, "test.cfg");
  if (problems.length > 0) throw new Error(JSON.stringify(problems));
  return config.accessLists.get("L")!;
}

/** Small numbers, so that addresses and ports meet the entries often. */
const packet: fc.Arbitrary<AclPacket> = fc.record({
  protocol: fc.constantFrom(6, 17),
  source: fc.nat(1023).map((n) => ip("10.0.0.0") + n),
  destination: fc.nat(1023).map((n) => ip("10.0.0.0") + n),
  sourcePort: fc.nat(12),
  destinationPort: fc.nat(12),
});

const address = fc
  .tuple(fc.nat(1023), fc.constantFrom(0, 1, 3, 255, 1023, 0x105, 0x200, 0x2aa))
  .map(([n, wildcard]) => `10.0.${n >> 8}.${n & 255} 0.0.${wildcard >> 8}.${wildcard & 255}`);
const side = fc.oneof(address, fc.constant("any"));
const ports = fc.constantFrom("", "eq 5", "neq 5", "gt 5", "lt 5", "range 3 7");
const entry = fc
  .tuple(fc.constantFrom("permit", "deny"), fc.constantFrom("udp", "tcp"), side, ports, side, ports)
  .map((parts) => parts.filter((part) => part !== "").join(" "));

describe("rules made of an access list", () => {
  it("decide as the list does, also with holes in wildcards and with every port operator", () => {
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 4 }),
        fc.array(packet, { minLength: 40 }),
        (lines, packets) => {
          const list = listOf(lines);
          const rules = aclRules(list);
          for (const one of packets) {
            const flow = { ...one, sourcePort: one.sourcePort, destinationPort: one.destinationPort };
            const action = firstMatch(rules, flow)?.action;
            const expected = { permit: "protect", deny: "bypass", none: undefined }[matchAcl(list, one)];
            expect(action).toBe(expected);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("cover everything with `any`, and nothing with ports that cannot be", () => {
    const [rule] = aclRules(listOf(["permit ip any any"]));
    expect(rule).toMatchObject({ action: "protect", selector: { protocol: 0, sourceLast: 0xffffffff } });
    expect(aclRules(listOf(["permit udp any gt 65535 any"]))).toEqual([]);
  });
});
