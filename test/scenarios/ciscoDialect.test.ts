import { describe, expect, test } from "vitest";
import { keyRing } from "../../sim/capture/keyRing.ts";
import { native } from "../../src/crypto/native.ts";
import type { Field } from "../../src/wire/field.ts";
import { dissectIke } from "../../src/wire/ikeMessage.ts";
import { RFC9838 } from "../../src/wire/payloads.ts";
import { diskScenario, finishedRun } from "./diskScenario.ts";

const IP_UDP = 28;

function problemsOf(field: Field): readonly string[] {
  return [...(field.problem === undefined ? [] : [field.problem]), ...field.children.flatMap(problemsOf)];
}

describe("the lab in the Cisco dialect", () => {
  const run = finishedRun(diskScenario("cisco-dialect.yaml"));
  const entries = run.keys();
  const messages: Uint8Array[] = [];
  for (const { device, packet } of run.trace.ofKind("packet.sent")) {
    const octets = run.trace.packet(packet);
    // What the cloud passes on was sent by a router before.
    if (octets[9] === 17 && run.head.devices[device]!.role !== "cloud") messages.push(octets.subarray(IP_UDP));
  }
  const count = (exchange: number, flags: number) =>
    messages.filter((octets) => octets[18] === exchange && octets[19] === flags).length;

  test("pushes each of two rekeys to four members, which answer, and knows no inband rekey", () => {
    expect([count(41, 0x08), count(41, 0x20)]).toEqual([8, 8]);
    expect(messages.filter((octets) => octets[18] === 42)).toEqual([]);
  });

  test("exports keys that name the dialect, and every message opens with them without a problem", () => {
    for (const entry of entries) if (entry.kind === "ike") expect(entry.dialect).toBe("yeung-07");
    const { openIke } = keyRing(native, entries);
    expect(messages.flatMap((octets) => problemsOf(dissectIke(octets, RFC9838, openIke)))).toEqual([]);
  });
});
