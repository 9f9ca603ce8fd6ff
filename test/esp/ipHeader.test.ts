import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { equal, toHex } from "../../src/base/bytes.ts";
import { formatIpv4 } from "../../src/base/ipv4.ts";
import { encrSpec, integSpec } from "../../src/crypto/suite.ts";
import { createReassembly, fragment, REASSEMBLY_TIME, reassemble } from "../../src/esp/fragment.ts";
import { buildPacket, ipHeader, withTtlDecremented } from "../../src/esp/ipHeader.ts";
import { plaintextMtu } from "../../src/esp/mtu.ts";
import { Ipv4 } from "../../src/wire/ip.ts";

const fields = fc.record({
  tos: fc.nat(255),
  identification: fc.nat(65_535),
  isDf: fc.boolean(),
  hasMore: fc.boolean(),
  fragmentOffset: fc.nat(8191).map((n) => n * 8),
  ttl: fc.integer({ min: 2, max: 255 }),
  protocol: fc.nat(255),
  source: fc.nat(0xffffffff),
  destination: fc.nat(0xffffffff),
});
const octets = (maxLength: number) => fc.uint8Array({ maxLength });

describe("an IPv4 header", () => {
  it("read and built by offsets agrees with the declared format", () => {
    fc.assert(
      fc.property(fields, octets(40), (given, payload) => {
        const packet = buildPacket(given, payload);
        expect(ipHeader(packet)).toMatchObject(given);
        const declared = Ipv4.decode(packet);
        expect(declared).toMatchObject({
          tos: given.tos,
          identification: given.identification,
          ttl: given.ttl,
          protocol: given.protocol,
          source: formatIpv4(given.source),
          destination: formatIpv4(given.destination),
        });
        expect(toHex(Ipv4.encode(declared))).toBe(toHex(packet));
      }),
    );
  });

  it("keeps a correct checksum when the TTL goes down", () => {
    fc.assert(
      fc.property(fields, (given) => {
        const packet = withTtlDecremented(buildPacket(given, new Uint8Array(3)));
        expect(ipHeader(packet)).toMatchObject({ ...given, ttl: given.ttl - 1 });
      }),
    );
  });

  it("is not seen in octets that are no whole packet", () => {
    const packet = buildPacket(
      { tos: 0, identification: 1, isDf: false, ttl: 5, protocol: 17, source: 1, destination: 2 },
      new Uint8Array(12),
    );
    for (let length = 0; length < packet.length; length++) expect(ipHeader(packet.subarray(0, length))).toBeUndefined();
    for (const at of [0, 2, 8, 10, 12, 19]) {
      const copy = packet.slice();
      copy[at]! ^= 0x40;
      expect(ipHeader(copy)).toBeUndefined();
    }
  });
});

describe("fragments", () => {
  it("fit the MTU and give the packet back in any order", () => {
    fc.assert(
      fc.property(
        octets(3000),
        fc.integer({ min: 68, max: 1500 }),
        fc.infiniteStream(fc.nat()),
        (payload, mtu, order) => {
          const header = { tos: 8, identification: 9, isDf: false, ttl: 5, protocol: 17, source: 1, destination: 2 };
          const packet = buildPacket(header, payload, Uint8Array.of(1, 1, 1, 0));
          const parts = [...fragment(packet, mtu)!];
          for (const part of parts) expect(part.length).toBeLessThanOrEqual(mtu);
          const state = createReassembly();
          const whole = [];
          while (parts.length > 0) {
            const [part] = parts.splice(order.next().value! % parts.length, 1);
            const result = reassemble(state, ipHeader(part!)!, part!, 0);
            if (result !== undefined) whole.push(result);
          }
          expect(whole.map((one) => equal(one, packet))).toEqual([true]);
          expect(state.pending.size).toBe(0);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("are forgotten when the rest does not come, and refused when they overlap", () => {
    const header = { tos: 0, identification: 9, isDf: false, ttl: 5, protocol: 17, source: 1, destination: 2 };
    const [first, second] = fragment(buildPacket(header, new Uint8Array(100)), 84)!;
    const late = createReassembly();
    expect(reassemble(late, ipHeader(first!)!, first!, 0)).toBeUndefined();
    expect(reassemble(late, ipHeader(second!)!, second!, REASSEMBLY_TIME)).toBeUndefined();
    const overlap = buildPacket({ ...header, fragmentOffset: 56 }, new Uint8Array(44));
    const state = createReassembly();
    reassemble(state, ipHeader(first!)!, first!, 0);
    expect(reassemble(state, ipHeader(overlap)!, overlap, 0)).toBeUndefined();
    expect(state.pending.size).toBe(0);
  });

  it("are not made of a packet with DF", () => {
    const header = { tos: 0, identification: 9, isDf: true, ttl: 5, protocol: 17, source: 1, destination: 2 };
    expect(fragment(buildPacket(header, new Uint8Array(100)), 84)).toBeUndefined();
  });
});

it.each([
  ["AES-CBC with HMAC-SHA1-96", 12, 128, 2, 0, 1438],
  ["the same with time-based anti-replay", 12, 128, 2, 12, 1422],
  ["AES-CBC with HMAC-SHA2-256-128", 12, 256, 12, 0, 1438],
  ["AES-GCM", 20, 128, 0, 0, 1446],
])("the plaintext MTU of %s is what IOS prints", (_, encr, keyBits, integ, metadata, expected) => {
  const protection = { encr: encrSpec(encr, keyBits)!, integ: integSpec(integ) };
  expect(plaintextMtu(1500, protection, metadata)).toBe(expected);
});
