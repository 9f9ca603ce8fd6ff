import { describe, expect, it } from "vitest";
import { concat, u16, u32 } from "../../../src/base/bytes.ts";
import { packetFacts } from "../../../web/model/packetFacts.ts";
import { ip } from "../syntheticTrace.ts";

const ike = (exchange: number, flags: number, version = 0x20) =>
  concat(new Uint8Array(16), Uint8Array.of(46, version, exchange, flags), u32(3), u32(28));
const udp = (source: number, target: number, payload: Uint8Array) =>
  concat(u16(source), u16(target), u16(8 + payload.length), u16(0), payload);

describe("packetFacts", () => {
  it.each([
    [34, 0x08, "registration", "IKE_SA_INIT request"],
    [39, 0x20, "registration", "GSA_AUTH response"],
    [41, 0x00, "rekey", "GSA_REKEY request"],
    [41, 0x20, "ack", "GSA_REKEY response"],
    [42, 0x00, "rekey", "GSA_INBAND_REKEY request"],
    [42, 0x20, "ack", "GSA_INBAND_REKEY response"],
    [37, 0x20, "other", "INFORMATIONAL response"],
    [99, 0x00, "other", "IKE exchange 99 request"],
  ])("reads exchange %d with flags %d as %s", (exchange, flags, kind, label) => {
    const facts = packetFacts(ip(17, "10.0.0.1", "239.1.1.1", udp(848, 848, ike(exchange, flags))));
    expect(facts).toMatchObject({
      class: kind,
      label,
      sequence: 3,
      source: "10.0.0.1",
      target: "239.1.1.1",
      multicast: true,
    });
  });

  it("tells IKE from ESP on port 4500 by the marker of four zero octets", () => {
    const marked = packetFacts(ip(17, "10.0.0.1", "10.0.0.2", udp(4500, 4500, concat(u32(0), ike(35, 0)))));
    const bare = packetFacts(ip(17, "10.0.0.1", "10.0.0.2", udp(4500, 4500, concat(u32(0x1234), u32(7), u32(0)))));
    expect(marked.label).toBe("IKE_AUTH request");
    expect(bare).toMatchObject({ class: "data", spi: "0x00001234", sequence: 7 });
  });

  it("knows GDOI's exchanges by the major version of the header", () => {
    expect(packetFacts(ip(17, "1.1.1.1", "2.2.2.2", udp(848, 848, ike(33, 0, 0x10))))).toMatchObject({
      class: "rekey",
      label: "GROUPKEY-PUSH",
    });
    // Of RFC 8263, and the one that IOS routers send each other.
    for (const exchange of [35, 240]) {
      const facts = packetFacts(ip(17, "1.1.1.1", "2.2.2.2", udp(848, 848, ike(exchange, 0, 0x10))));
      expect(facts).toMatchObject({ class: "ack", label: "GROUPKEY-PUSH-ACK" });
    }
  });

  it("calls what is readable on the path clear, and ICMP by its type", () => {
    expect(packetFacts(ip(1, "1.1.1.1", "2.2.2.2", Uint8Array.of(8, 0)))).toMatchObject({
      class: "clear",
      label: "ICMP echo request",
    });
  });

  it("reads IPv6 addresses in their short form", () => {
    const header = new Uint8Array(48);
    header[0] = 0x60;
    header[6] = 50;
    header.set([0x20, 0x01, 0x0d, 0xb8], 8);
    header[23] = 1;
    header[24] = 0xff;
    expect(packetFacts(header)).toMatchObject({ class: "data", source: "2001:db8::1", multicast: true });
  });

  it("never fails, whatever the octets are", () => {
    const whole = ip(17, "1.1.1.1", "2.2.2.2", udp(848, 848, ike(39, 0)));
    for (let length = 0; length < whole.length; length++) {
      expect(() => packetFacts(whole.subarray(0, length))).not.toThrow();
    }
    expect(packetFacts(new Uint8Array(0)).class).toBe("other");
  });
});
