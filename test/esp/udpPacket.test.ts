import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIpv4 } from "../../src/base/ipv4.ts";
import { buildPacket, ipHeader } from "../../src/esp/ipHeader.ts";
import { buildUdpPacket, readUdp } from "../../src/esp/udpPacket.ts";
import { encodeUdp, IpProtocol } from "../../src/wire/ip.ts";

const FIELDS = { tos: 0xc0, identification: 7, isDf: false, ttl: 255 };
const u32 = fc.integer({ min: 0, max: 0xffffffff });
const port = fc.integer({ min: 0, max: 65535 });
const payload = fc.uint8Array({ maxLength: 90 });

describe("UDP in IPv4 at once", () => {
  it("has the octets of the declared formats", () => {
    fc.assert(
      fc.property(u32, u32, port, port, payload, (source, destination, from, to, octets) => {
        const udp = encodeUdp(formatIpv4(source), formatIpv4(destination), from, to, octets);
        const expected = buildPacket({ ...FIELDS, source, destination, protocol: IpProtocol.UDP }, udp);
        expect(buildUdpPacket({ ...FIELDS, source, destination }, from, to, octets)).toEqual(expected);
      }),
    );
  });

  it("is read as it was built, and not at all with another octet in it", () => {
    fc.assert(
      fc.property(
        u32,
        u32,
        payload,
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (source, destination, octets, at, flip) => {
          const packet = buildUdpPacket({ ...FIELDS, source, destination }, 500, 848, octets);
          const header = ipHeader(packet)!;
          expect(readUdp(packet, header)).toEqual({ sourcePort: 500, destinationPort: 848, payload: octets });
          packet[20 + (at % (packet.length - 20))]! ^= flip;
          const isUnsummed = packet[26] === 0 && packet[27] === 0;
          expect(readUdp(packet, header) === undefined).toBe(!isUnsummed);
        },
      ),
    );
  });
});
