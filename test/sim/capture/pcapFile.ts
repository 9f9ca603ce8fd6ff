/** Captures made by tests. */
import { type Bytes, concat } from "../../../src/base/bytes.ts";
import { encodeUdp, Ipv4 } from "../../../src/wire/ip.ts";

/** A little-endian pcap; packets one second apart. */
export function pcapOf(linkType: number, frames: readonly Bytes[]): Bytes {
  const header = new DataView(new ArrayBuffer(24));
  header.setUint32(0, 0xa1b2c3d4, true);
  header.setUint16(4, 2, true);
  header.setUint16(6, 4, true);
  header.setUint32(16, 65535, true);
  header.setUint32(20, linkType, true);
  const records = frames.flatMap((frame, index) => {
    const record = new DataView(new ArrayBuffer(16));
    record.setUint32(0, index, true);
    record.setUint32(8, frame.length, true);
    record.setUint32(12, frame.length, true);
    return [new Uint8Array(record.buffer), frame];
  });
  return concat(new Uint8Array(header.buffer), ...records);
}

/** An IPv4 packet with a UDP datagram between 192.0.2.1 and 192.0.2.2. */
export function udpPacket(port: number, payload: Bytes): Bytes {
  const [source, destination] = ["192.0.2.1", "192.0.2.2"];
  return Ipv4.encode({
    tos: 0,
    identification: 1,
    flagsAndOffset: 0,
    ttl: 64,
    protocol: 17,
    source,
    destination,
    options: new Uint8Array(0),
    payload: encodeUdp(source, destination, port, port, payload),
  });
}
