import { describe, expect, test } from "vitest";
import { noble } from "../../src/crypto/noble.ts";
import { diskScenario, finishedRun } from "./diskScenario.ts";

const IP_HEADER = 20;
const IP_UDP = 28;
const ICMP = 1;
const UDP = 17;
const ESP = 50;

function packetsOf(file: string) {
  const run = finishedRun(diskScenario(file));
  // What the cloud passes on was sent by a router before.
  const sent = [...run.trace.ofKind("packet.sent")].filter(({ device }) => run.head.devices[device]!.role !== "cloud");
  const packets = sent.map(({ packet }) => run.trace.packet(packet));
  const ofProtocol = (protocol: number) => packets.filter((octets) => octets[9] === protocol);
  const udp = ofProtocol(UDP).map((octets) => octets.subarray(IP_UDP));
  const exchanges = (version: number, exchange: number) =>
    udp.filter((octets) => octets[17] === version && octets[18] === exchange).length;
  return { run, ofProtocol, exchanges };
}

describe("lesson.yaml", () => {
  const { run, ofProtocol, exchanges } = packetsOf("lesson.yaml");

  test("speaks IKEv1 alone: Main Mode and a PULL for each member, one PUSH and its answer", () => {
    expect([exchanges(0x10, 2), exchanges(0x10, 32)]).toEqual([4 * 6, 4 * 4]);
    expect(exchanges(0x10, 33)).toBe(4);
    expect(exchanges(0x10, 35) + exchanges(0x10, 240)).toBe(4);
    expect([34, 35, 39, 40, 41].map((exchange) => exchanges(0x20, exchange))).toEqual([0, 0, 0, 0, 0]);
  });

  test("lets no ping cross the WAN in clear", () => {
    expect(ofProtocol(ICMP)).toEqual([]);
    expect(ofProtocol(ESP).length).toBeGreaterThan(1600);
  });

  test("exports one KEK, the SAs of phase 1 and the TEKs", () => {
    const kinds = run.keys().map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(["ikev1", "gdoi", "esp"]));
    expect(new Set(run.keys().flatMap((entry) => (entry.kind === "gdoi" ? entry.spi : []))).size).toBe(1);
  });
});

describe("dual-protocol.yaml", () => {
  const { run, ofProtocol, exchanges } = packetsOf("dual-protocol.yaml");

  test("rekeys two members in each protocol", () => {
    expect([exchanges(0x10, 33), exchanges(0x20, 41) / 2]).toEqual([2, 2]);
  });

  test("has one TEK at a time on the wire, whoever sends", () => {
    const spis = new Map<string, Set<string>>();
    for (const octets of ofProtocol(ESP)) {
      const spi = [...octets.subarray(IP_HEADER, IP_HEADER + 4)].join(".");
      spis.set(spi, (spis.get(spi) ?? new Set()).add([...octets.subarray(12, 16)].join(".")));
    }
    expect([...spis.values()].map(({ size }) => size)).toEqual([4, 4]);
    expect(run.keys().some(({ kind }) => kind === "gdoi")).toBe(true);
  });
});

describe("key-tree.yaml", () => {
  const { run } = packetsOf("key-tree.yaml");

  test("puts a member out with one message in the protocol that it speaks, and tells the others of new keys", () => {
    const started = [...run.trace.ofKind("ks.rekeyStarted")].slice(0, 6);
    expect(started.map(({ data }) => `${data!.protocol} ${data!.kek ? "KEK" : "TEK"} ${data!.members}`)).toEqual([
      "gdoi KEK 15",
      "gdoi TEK 15",
      "gikev2 TEK 16",
      "gikev2 KEK 15",
      "gikev2 TEK 15",
      "gdoi TEK 15",
    ]);
  });

  test("is the same run with the portable back end and without shared results", () => {
    const other = finishedRun(diskScenario("key-tree.yaml"), { crypto: noble, memo: false });
    expect(other.report().fingerprint).toBe(run.report().fingerprint);
  });
});
