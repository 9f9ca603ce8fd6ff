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

describe.each([
  ["lab.yaml", "yeung-07", { pushed: 8, inband: 0 }],
  ["rfc9838.yaml", "rfc9838", { pushed: 0, inband: 8 }],
] as const)("%s, in %s", (file, dialect, { pushed, inband }) => {
  const run = finishedRun(diskScenario(file));
  const entries = run.keys();
  const messages: Uint8Array[] = [];
  for (const { device, packet } of run.trace.ofKind("packet.sent")) {
    const octets = run.trace.packet(packet);
    // What the cloud passes on was sent by a router before.
    if (octets[9] === 17 && run.head.devices[device]!.role !== "cloud") messages.push(octets.subarray(IP_UDP));
  }
  const count = (exchange: number, flags: number) =>
    messages.filter((octets) => octets[18] === exchange && octets[19] === flags).length;

  test("brings each of two rekeys to four members, which answer, in one way and not in the other", () => {
    expect([count(41, 0x08), count(41, 0x20)]).toEqual([pushed, pushed]);
    expect([count(42, 0x00), count(42, 0x28)]).toEqual([inband, inband]);
  });

  test("exports keys that name the dialect, and every message opens with them without a problem", () => {
    for (const entry of entries) if (entry.kind === "ike") expect(entry.dialect).toBe(dialect);
    const { openIke } = keyRing(native, entries);
    expect(messages.flatMap((octets) => problemsOf(dissectIke(octets, RFC9838, openIke)))).toEqual([]);
  });
});
