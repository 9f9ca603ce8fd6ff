/** Datagrams of a live run as a trace of two hosts, for the same capture writer that simulated runs use. */
import { type Bytes, concat } from "../../src/base/bytes.ts";
import type { Datagram, Endpoint } from "../../src/base/machine.ts";
import type { Micros } from "../../src/base/micros.ts";
import type { KeyEntry } from "../../src/crypto/keyEntry.ts";
import { encodeUdp, IpProtocol, Ipv4, Ipv6 } from "../../src/wire/ip.ts";
import { writeKeyTables } from "../capture/keyTables.ts";
import { pcapngChunks } from "../capture/pcapng.ts";
import { wiresharkProfile } from "../capture/wireshark/profile.ts";
import { Trace } from "../core/trace.ts";
import { TRACE_VERSION, type TraceHead } from "../core/traceTypes.ts";

const SELF = 0;
const TTL = 64;
const WELL_KNOWN: readonly number[] = [500, 4500];

export interface LiveCapture {
  readonly trace: Trace;
  readonly keys: KeyEntry[];
  /** Ports other than 500 and 4500, which no dissector knows for IKE. */
  readonly ports: Set<number>;
  /** The peer as last seen. */
  peer: string;
  self: string;
}

export function createLiveCapture(): LiveCapture {
  return { trace: new Trace({ fingerprint: false }), keys: [], ports: new Set(), peer: "", self: "" };
}

/** `sent`: by us. The packet is what the kernel puts around the datagram, but for the identification. */
export function noteDatagram(capture: LiveCapture, datagram: Datagram, sent: boolean, now: Micros): void {
  const { local, remote, octets } = datagram;
  const [from, to] = sent ? [local, remote] : [remote, local];
  capture.self = local.address;
  capture.peer = remote.address;
  for (const { port } of [from, to]) if (!WELL_KNOWN.includes(port)) capture.ports.add(port);
  const data = { link: "live", interface: "udp", octets: octets.length };
  capture.trace.append(now, SELF, sent ? "packet.sent" : "packet.received", -1, ipPacket(from, to, octets), data);
}

function ipPacket(from: Endpoint, to: Endpoint, octets: Bytes): Bytes {
  const payload = encodeUdp(from.address, to.address, from.port, to.port, octets);
  const ends = { source: from.address, destination: to.address, payload };
  if (from.address.includes(":")) {
    return Ipv6.encode({ ...ends, versionAndClass: 0, flowLabel: 0, nextHeader: IpProtocol.UDP, hopLimit: TTL });
  }
  const fixed = { tos: 0, identification: 0, flagsAndOffset: 0, ttl: TTL, options: new Uint8Array(0) };
  return Ipv4.encode({ ...ends, ...fixed, protocol: IpProtocol.UDP });
}

/** The capture file. */
export function captureFile({ trace, self, peer }: LiveCapture): Bytes {
  const head: TraceHead = {
    version: TRACE_VERSION,
    scenario: "live ike",
    seed: "none",
    run: 0,
    devices: [
      { name: "getvpn", role: "host", addresses: self === "" ? [] : [self] },
      { name: "peer", role: "host", addresses: peer === "" ? [] : [peer] },
    ],
    links: [],
    notes: [],
  };
  return concat(...pcapngChunks(head, trace));
}

/** Wireshark's tables and our dissector; ports of our own are told to it as carrying the non-ESP marker. */
export function keyFiles({ keys, ports }: LiveCapture): ReadonlyMap<string, string> {
  const files = new Map([...writeKeyTables(keys).files, ...wiresharkProfile()]);
  const rows = [...ports].map((port) => `decode_as_entry: udp.port,${port},(none),UDPENCAP\n`);
  files.set("decode_as_entries", (files.get("decode_as_entries") ?? "") + rows.join(""));
  return files;
}
