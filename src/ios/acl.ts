/** Access lists at work: matching packets, turning entries around, and their texts in configuration and `show` output. */
import { formatIpv4, type Ipv4 } from "../base/ipv4.ts";
import type { AccessList, AclEntry, AddressMatch, PortMatch } from "./model.ts";
import { icmpText, portText, protocolText } from "./names.ts";

/** What an access list sees of a packet. Ports are absent where the protocol has none or a fragment hides them. */
export interface AclPacket {
  /** IANA protocol number. */
  readonly protocol: number;
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly icmpType?: number;
  readonly icmpCode?: number;
}

/** The decision of the first entry that fits; `none` where none does (what that means is the caller's affair). */
export function matchAcl(list: Pick<AccessList, "entries">, packet: AclPacket): "permit" | "deny" | "none" {
  return findEntry(list, packet)?.action ?? "none";
}

/** The first entry that fits. */
export function findEntry(list: Pick<AccessList, "entries">, packet: AclPacket): AclEntry | undefined {
  return list.entries.find((entry) => matchEntry(entry, packet));
}

export function matchEntry(entry: AclEntry, packet: AclPacket): boolean {
  return (
    (entry.protocol === "ip" || entry.protocol === packet.protocol) &&
    matchAddress(entry.source, packet.source) &&
    matchAddress(entry.destination, packet.destination) &&
    matchPort(entry.sourcePort, packet.sourcePort) &&
    matchPort(entry.destinationPort, packet.destinationPort) &&
    (entry.icmpType === undefined || entry.icmpType === packet.icmpType) &&
    (entry.icmpCode === undefined || entry.icmpCode === packet.icmpCode)
  );
}

/** Bits that are one in the wildcard do not count, wherever they stand. */
export function matchAddress(match: AddressMatch, address: Ipv4): boolean {
  return ((address ^ match.address) & ~match.wildcard) === 0;
}

/** A packet without a port fits no entry that asks for one. */
function matchPort(match: PortMatch | undefined, port: number | undefined): boolean {
  if (match === undefined) return true;
  if (port === undefined) return false;
  switch (match.operator) {
    case "eq":
      return match.ports.includes(port);
    case "neq":
      return !match.ports.includes(port);
    case "gt":
      return port > match.port;
    case "lt":
      return port < match.port;
    case "range":
      return port >= match.from && port <= match.to;
  }
}

/** The same flow seen from the other end: addresses and ports change sides. */
export function reverseEntry(entry: AclEntry): AclEntry {
  const { source, sourcePort, destination, destinationPort } = entry;
  return {
    ...entry,
    source: destination,
    sourcePort: destinationPort,
    destination: source,
    destinationPort: sourcePort,
  };
}

export function reversePacket(packet: AclPacket): AclPacket {
  const { source, sourcePort, destination, destinationPort } = packet;
  return {
    ...packet,
    source: destination,
    sourcePort: destinationPort,
    destination: source,
    destinationPort: sourcePort,
  };
}

/** True when every entry protects both directions alike, as a group's list has to. */
export function isSymmetric(list: Pick<AccessList, "entries">): boolean {
  const keys = new Set(list.entries.map((entry) => formatEntry(entry)));
  return list.entries.every((entry) => keys.has(formatEntry(reverseEntry(entry))));
}

// ---------------------------------------------------------------------------------------------- texts

const ANY = 0xffffffff;

function formatAddress({ address, wildcard }: AddressMatch): string {
  if (wildcard === ANY) return "any";
  return wildcard === 0 ? `host ${formatIpv4(address)}` : `${formatIpv4(address)} ${formatIpv4(wildcard)}`;
}

function portWords(match: PortMatch, text: (port: number) => string): string[] {
  if ("ports" in match) return match.ports.map(text);
  return "port" in match ? [text(match.port)] : [text(match.from), text(match.to)];
}

function formatPort(match: PortMatch | undefined, protocol: number | "ip"): string {
  if (match === undefined) return "";
  return ` ${match.operator} ${portWords(match, (port) => portText(port, protocol)).join(" ")}`;
}

/** The entry as the running configuration prints it, without sequence number: `permit udp any eq 848 any`. */
export function formatEntry(entry: AclEntry): string {
  const { action, protocol, source, sourcePort, destination, destinationPort, icmpType, icmpCode, log } = entry;
  const from = formatAddress(source) + formatPort(sourcePort, protocol);
  const to = formatAddress(destination) + formatPort(destinationPort, protocol) + icmpText(icmpType, icmpCode);
  return `${action} ${protocolText(protocol)} ${from} ${to}${log === undefined ? "" : ` ${log}`}`;
}

/** The entry of a standard list: `permit 10.0.0.0 0.255.255.255`, with a lone address for a host. */
function formatStandardEntry({ action, source, log }: AclEntry): string {
  const address = source.wildcard === 0 ? formatIpv4(source.address) : formatAddress(source);
  return `${action} ${address}${log === undefined ? "" : ` ${log}`}`;
}

const SHOWN_OPERATORS = { eq: "=", neq: "!=", gt: ">", lt: "<", range: "range" } as const;

function showPort(match: PortMatch | undefined): string {
  if (match === undefined) return "";
  return ` port ${SHOWN_OPERATORS[match.operator]} ${portWords(match, String).join(" ")}`;
}

/**
 * The entry as the group's `show` commands print it, ports as numbers: `access-list  permit ip any any` for a downloaded
 * list, `access-list A1  deny udp any port = 848 any` for a configured one. `blanks`: before the action; two in most
 * views, three in the group view of 17.x, one in the list that a member configures itself.
 */
export function showEntry(entry: AclEntry, listName = "", blanks = 2): string {
  const { action, protocol, source, sourcePort, destination, destinationPort, icmpType, icmpCode } = entry;
  const from = formatAddress(source) + showPort(sourcePort);
  const to = formatAddress(destination) + showPort(destinationPort) + icmpText(icmpType, icmpCode);
  const name = listName === "" ? "" : ` ${listName}`;
  return `access-list${name}${" ".repeat(blanks)}${action} ${protocolText(protocol)} ${from} ${to}`;
}

/** A list as the running configuration prints it, one line per element, inner lines with a blank before them. */
export function formatAccessList(list: AccessList): string[] {
  const text = list.kind === "standard" ? formatStandardEntry : formatEntry;
  const lines = [`ip access-list ${list.kind} ${list.name}`];
  for (const entry of list.entries) {
    for (const remark of entry.remarks) lines.push(` remark ${remark}`);
    lines.push(` ${text(entry)}`);
  }
  return [...lines, ...list.trailingRemarks.map((remark) => ` remark ${remark}`)];
}
