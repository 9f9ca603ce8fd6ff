import { describe, expect, it } from "vitest";
import { isSpent, type Tamperer, type Tampering, tamper } from "../../../sim/fault/fault.ts";
import { type Bytes, equal } from "../../../src/base/bytes.ts";
import { buildPacket, ipHeader } from "../../../src/esp/ipHeader.ts";

const header = { tos: 0, identification: 1, isDf: false, ttl: 9, protocol: 17, source: 1, destination: 2 };

/** UDP from port 848 to 848 with an IKE header of the given exchange type. */
function ike(exchange: number, source = 1): Bytes {
  const payload = new Uint8Array(8 + 28 + 4);
  payload.set([0x03, 0x50, 0x03, 0x50, 0, payload.length, 0, 0]);
  payload[8 + 18] = exchange;
  return buildPacket({ ...header, source }, payload);
}

function tampering(change: Partial<Tampering>): Tamperer {
  return { fault: { kind: "tamper", match: {}, nth: 1, change: { kind: "drop" }, ...change }, seen: 0 };
}

describe("tampering", () => {
  it("concerns the n-th packet that matches, and as many behind it as it says", () => {
    const tamperer = tampering({ match: { exchange: 34, port: 848 }, nth: 2, count: 2 });
    const copies = [34, 39, 34, 34, 34].map((type) => tamper([tamperer], "l", "a", ike(type)).length);
    expect(copies).toEqual([1, 1, 0, 0, 1]);
    expect(isSpent(tamperer)).toBe(true);
  });

  it.each([
    ["the link", { link: "other" }],
    ["the sender", { match: { from: "b" } }],
    ["the protocol", { match: { protocol: 50 } }],
    ["the source", { match: { source: 2 } }],
    ["the destination", { match: { destination: 1 } }],
    ["the port", { match: { port: 500 } }],
    ["the exchange", { match: { exchange: 35 } }],
  ] as const)("leaves a packet alone when %s does not match", (_, change) => {
    const packet = ike(34);
    expect(tamper([tampering(change)], "l", "a", packet)).toEqual([packet]);
  });

  it("flips one bit behind the IP header and leaves the sender's octets as they are", () => {
    const packet = ike(34);
    const before = packet.slice();
    const [copy] = tamper([tampering({ change: { kind: "flip", bit: 9 } })], "l", "a", packet);
    expect(equal(packet, before)).toBe(true);
    expect(copy![21]).toBe(packet[21]! ^ 0x40);
    expect(copy!.filter((octet, i) => octet !== packet[i]).length).toBe(1);
  });

  it("cuts the payload so that what is left is an IP packet", () => {
    const [copy] = tamper([tampering({ change: { kind: "truncate", octets: 10 } })], "l", "a", ike(34));
    expect(ipHeader(copy!)).toMatchObject({ totalOctets: 30, protocol: 17 });
  });

  it("doubles a packet as a packet of its own", () => {
    const packet = ike(34);
    const copies = tamper([tampering({ change: { kind: "duplicate" } })], "l", "a", packet);
    expect(copies.length).toBe(2);
    expect(copies[1]).not.toBe(copies[0]);
    expect(equal(copies[0]!, copies[1]!)).toBe(true);
  });

  it("lets the first of two have its way, and both count", () => {
    const first = tampering({});
    const second = tampering({ nth: 2, change: { kind: "duplicate" } });
    expect([1, 2].map(() => tamper([first, second], "l", "a", ike(34)).length)).toEqual([0, 2]);
  });
});
