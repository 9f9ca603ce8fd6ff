/**
 * Network address translation as IOS does it for sources on the inside: one address for another, an address of a pool, or
 * a port of an address that many share (PAT, `overload`). RFC 3022.
 *
 *     inside local 10.1.1.2:500  ->  [ NAT ]  ->  inside global 203.0.113.1:500  ->  outside 198.51.100.9:500
 *
 * PAT keeps the port where nobody else has it towards the same outside end, and else takes the first free one of the same
 * range (1 to 511, 512 to 1023, 1024 to 65535), as IOS does. An entry of PAT belongs to one outside end: others get no
 * answer through it. ESP has no ports: towards one peer a single host of the inside may use it at a time, which is what
 * boxes without a look at the SPI do; a second one is dropped, not mixed up. Fragments have to be put together before.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import type { Ipv4 } from "../../src/base/ipv4.ts";
import { type Micros, SECOND } from "../../src/base/micros.ts";
import { matchAcl } from "../../src/ios/acl.ts";
import type { AccessList } from "../../src/ios/model.ts";
import { IpProtocol } from "../../src/wire/ip.ts";
import { type End, type Ends, endsOf, hasPorts, quotedIn, sealIcmp, setEnd } from "./rewrite.ts";

export interface NatRules {
  readonly statics: readonly NatStaticRule[];
  readonly sources: readonly NatSourceRule[];
  /** Silence after which an entry is forgotten. `address`: of entries for whole addresses, and of ESP. */
  readonly timeouts: Readonly<Record<"address" | "udp" | "tcp" | "icmp", Micros>>;
}

export interface NatStaticRule {
  readonly local: Ipv4;
  readonly global: Ipv4;
  readonly ports?: { readonly protocol: number; readonly local: number; readonly global: number };
}

export interface NatSourceRule {
  readonly acl: AccessList;
  /** First and last; both ends included. */
  readonly first: Ipv4;
  readonly last: Ipv4;
  readonly overload: boolean;
}

/** Protocol 0: the whole address, whatever the protocol. `outside`: only with PAT. */
export interface NatEntry {
  readonly protocol: number;
  readonly local: End;
  readonly global: End;
  readonly outside: End | undefined;
  readonly isStatic: boolean;
  /** Undefined: it never goes. */
  expiresAt: Micros | undefined;
}

/** Plain data. */
export interface Nat {
  readonly rules: NatRules;
  /** In the order in which they were made; keys by the inside local end and the outside end. */
  readonly entries: Map<string, NatEntry>;
  /** The same entries by the inside global end and the outside end. */
  readonly byGlobal: Map<string, NatEntry>;
}

/**
 * Why a packet was not let through.
 * - `noEntry` from outside, and nobody on the inside has asked for it
 * - `noPort` all ports towards that outside end are taken
 * - `noAddress` the pool is used up
 * - `protocol` without ports, and the address is shared
 * - `espBusy` another host of the inside has ESP with that peer
 */
export type NatDrop = "noEntry" | "noPort" | "noAddress" | "protocol" | "espBusy";

export type Translation =
  /** No rule is about it: it goes on as it is. */
  | { readonly kind: "untouched" }
  /** `entry`: present where it is new. */
  | { readonly kind: "translated"; readonly packet: Bytes; readonly entry?: NatEntry }
  | { readonly kind: "dropped"; readonly reason: NatDrop };

const UNTOUCHED: Translation = { kind: "untouched" };
const ANY: End = { address: 0, port: 0 };

export function createNat(rules: NatRules): Nat {
  return { rules, entries: new Map(), byGlobal: new Map() };
}

function key(protocol: number, inside: End, outside: End = ANY): string {
  return `${protocol} ${inside.address}:${inside.port} ${outside.address}:${outside.port}`;
}

/** A whole packet from the inside to the outside; its source changes. */
export function translateOut(nat: Nat, packet: Bytes, now: Micros): Translation {
  const quoted = quotedIn(packet);
  if (quoted !== undefined) return errorOut(nat, packet, quoted, now);
  const ends = endsOf(packet);
  const found = entryOut(nat, ends, now) ?? makeEntry(nat, ends, now);
  if (found === undefined) return UNTOUCHED;
  if (typeof found === "string") return { kind: "dropped", reason: found };
  const isNew = touch(nat, found, now);
  const copy = packet.slice();
  setEnd(copy, "source", translated(found.global, ends.source, found));
  return { kind: "translated", packet: copy, ...(isNew && { entry: found }) };
}

/** A whole packet from the outside; its destination changes. `isOwn`: its destination is an address of the box itself. */
export function translateIn(nat: Nat, packet: Bytes, isOwn: boolean, now: Micros): Translation {
  const quoted = quotedIn(packet);
  if (quoted !== undefined) return errorIn(nat, packet, quoted, now);
  const ends = endsOf(packet);
  const found = entryIn(nat, ends, now);
  if (found === undefined) {
    return isOwn || !ownsGlobal(nat, ends.destination.address) ? UNTOUCHED : { kind: "dropped", reason: "noEntry" };
  }
  const isNew = touch(nat, found, now);
  const copy = packet.slice();
  setEnd(copy, "destination", translated(found.local, ends.destination, found));
  return { kind: "translated", packet: copy, ...(isNew && { entry: found }) };
}

/** An entry for a whole address leaves ports alone. */
function translated(end: End, before: End, { protocol }: NatEntry): End {
  return protocol === 0 ? { address: end.address, port: before.port } : end;
}

/** Somebody inside complains of a packet that came from outside: its destination there was a translated one. */
function errorOut(nat: Nat, packet: Bytes, quoted: Bytes, now: Micros): Translation {
  const about = endsOf(quoted);
  const entry = findBy(nat.entries, about.protocol, about.destination, about.source, now);
  const sender = entryOut(nat, endsOf(packet), now);
  if (entry === undefined && sender === undefined) return UNTOUCHED;
  const copy = packet.slice();
  if (entry !== undefined) setEnd(quotedIn(copy)!, "destination", translated(entry.global, about.destination, entry));
  // A router of the inside that has no address of its own outside speaks by that of the host.
  setEnd(copy, "source", { address: (sender ?? entry)!.global.address, port: 0 });
  sealIcmp(copy);
  return { kind: "translated", packet: copy };
}

/** Somebody outside complains of a packet that came from inside: its source there was a translated one. */
function errorIn(nat: Nat, packet: Bytes, quoted: Bytes, now: Micros): Translation {
  const about = endsOf(quoted);
  const entry = findBy(nat.byGlobal, about.protocol, about.source, about.destination, now);
  if (entry === undefined) return UNTOUCHED;
  const copy = packet.slice();
  setEnd(quotedIn(copy)!, "source", translated(entry.local, about.source, entry));
  setEnd(copy, "destination", { address: entry.local.address, port: 0 });
  sealIcmp(copy);
  return { kind: "translated", packet: copy };
}

function entryOut(nat: Nat, ends: Ends, now: Micros): NatEntry | undefined {
  return findBy(nat.entries, ends.protocol, ends.source, ends.destination, now) ?? staticOut(nat, ends);
}

function entryIn(nat: Nat, ends: Ends, now: Micros): NatEntry | undefined {
  return findBy(nat.byGlobal, ends.protocol, ends.destination, ends.source, now) ?? staticIn(nat, ends);
}

/** By port and outside end, by port alone, or by the whole address; one whose time is over is none. */
function findBy(
  map: ReadonlyMap<string, NatEntry>,
  protocol: number,
  inside: End,
  outside: End,
  now: Micros,
): NatEntry | undefined {
  const found =
    map.get(key(protocol, inside, outside)) ??
    map.get(key(protocol, inside)) ??
    map.get(key(0, { address: inside.address, port: 0 }));
  return found?.expiresAt !== undefined && found.expiresAt <= now ? undefined : found;
}

function staticOut({ rules }: Nat, { protocol, source }: Ends): NatEntry | undefined {
  const rule = rules.statics.find(
    ({ local, ports }) =>
      local === source.address && (ports === undefined || (ports.protocol === protocol && ports.local === source.port)),
  );
  return rule && staticEntry(rule);
}

function staticIn({ rules }: Nat, { protocol, destination }: Ends): NatEntry | undefined {
  const rule = rules.statics.find(
    ({ global, ports }) =>
      global === destination.address &&
      (ports === undefined || (ports.protocol === protocol && ports.global === destination.port)),
  );
  return rule && staticEntry(rule);
}

function staticEntry({ local, global, ports }: NatStaticRule): NatEntry {
  const { protocol = 0, local: localPort = 0, global: globalPort = 0 } = ports ?? {};
  return {
    protocol,
    local: { address: local, port: localPort },
    global: { address: global, port: globalPort },
    outside: undefined,
    isStatic: true,
    expiresAt: undefined,
  };
}

/** Undefined where no list permits the packet. */
function makeEntry(nat: Nat, ends: Ends, now: Micros): NatEntry | NatDrop | undefined {
  const { source, destination, protocol } = ends;
  const rule = nat.rules.sources.find(({ acl }) => matchAcl(acl, packetOf(ends)) === "permit");
  if (rule === undefined) return undefined;
  if (!rule.overload) return wholeAddress(nat, rule, source, now);
  if (protocol === IpProtocol.ESP) return espEntry(nat, rule, source, destination, now);
  if (!hasPorts(protocol)) return "protocol";
  const outside = destination;
  for (let address = rule.first; address <= rule.last; address++) {
    const port = freePort(nat, protocol, address, source, outside, now);
    if (port !== undefined) return newEntry(protocol, source, { address, port }, outside);
  }
  return "noPort";
}

function packetOf({ protocol, source, destination }: Ends) {
  const isIcmp = protocol === IpProtocol.ICMP;
  const addresses = { protocol, source: source.address, destination: destination.address };
  if (isIcmp || !hasPorts(protocol)) return addresses;
  return { ...addresses, sourcePort: source.port, destinationPort: destination.port };
}

function newEntry(protocol: number, local: End, global: End, outside: End | undefined): NatEntry {
  return { protocol, local, global, outside, isStatic: false, expiresAt: 0 };
}

function wholeAddress(nat: Nat, rule: NatSourceRule, { address: local }: End, now: Micros): NatEntry | NatDrop {
  for (let address = rule.first; address <= rule.last; address++) {
    const global = { address, port: 0 };
    if (findBy(nat.byGlobal, 0, global, ANY, now) === undefined) {
      return newEntry(0, { address: local, port: 0 }, global, undefined);
    }
  }
  return "noAddress";
}

function espEntry(nat: Nat, rule: NatSourceRule, local: End, outside: End, now: Micros): NatEntry | NatDrop {
  const global = { address: rule.first, port: 0 };
  const other = findBy(nat.byGlobal, IpProtocol.ESP, global, outside, now);
  return other === undefined ? newEntry(IpProtocol.ESP, local, global, outside) : "espBusy";
}

const PORT_RANGES = [
  [1, 511],
  [512, 1_023],
  [1_024, 65_535],
] as const;

/** The port itself where nobody has it towards that outside end, else the first free one of its range. */
function freePort(
  nat: Nat,
  protocol: number,
  address: Ipv4,
  { port }: End,
  outside: End,
  now: Micros,
): number | undefined {
  // Both ends of an echo have the identifier for a port.
  const far = (candidate: number): End =>
    protocol === IpProtocol.ICMP ? { address: outside.address, port: candidate } : outside;
  const isFree = (candidate: number): boolean =>
    findBy(nat.byGlobal, protocol, { address, port: candidate }, far(candidate), now) === undefined &&
    !nat.rules.statics.some(
      ({ global, ports }) => global === address && ports?.protocol === protocol && ports.global === candidate,
    );
  if (isFree(port)) return port;
  const [first, last] = PORT_RANGES.find(([, end]) => port <= end)!;
  for (let candidate = first; candidate <= last; candidate++) if (isFree(candidate)) return candidate;
  return undefined;
}

/** Keeps an entry alive. True where it was not in the table yet. */
function touch(nat: Nat, entry: NatEntry, now: Micros): boolean {
  const { protocol, local, global, outside } = entry;
  const name = key(protocol, local, outside);
  const known = nat.entries.get(name);
  const isNew = known === undefined || (known.expiresAt !== undefined && known.expiresAt <= now);
  if (!entry.isStatic) entry.expiresAt = now + timeoutOf(nat, protocol);
  if (isNew) {
    nat.entries.set(name, entry);
    nat.byGlobal.set(key(protocol, global, globalOutside(entry)), entry);
  }
  return isNew;
}

/** From outside, the identifier of an echo is the translated one at both ends. */
function globalOutside({ protocol, global, outside }: NatEntry): End | undefined {
  if (outside === undefined || protocol !== IpProtocol.ICMP) return outside;
  return { address: outside.address, port: global.port };
}

function timeoutOf({ rules: { timeouts } }: Nat, protocol: number): Micros {
  switch (protocol) {
    case IpProtocol.UDP:
      return timeouts.udp;
    case IpProtocol.TCP:
      return timeouts.tcp;
    case IpProtocol.ICMP:
      return timeouts.icmp;
    default:
      return timeouts.address;
  }
}

/** Whether an address belongs to somebody behind the box: packets to it that fit no entry are not for the box itself. */
export function ownsGlobal({ rules }: Nat, address: Ipv4): boolean {
  return (
    rules.statics.some(({ global }) => global === address) ||
    rules.sources.some(({ first, last }) => address >= first && address <= last)
  );
}

/** Removes the entries whose time is over, and returns them, oldest first. */
export function expireEntries(nat: Nat, now: Micros): readonly NatEntry[] {
  const gone: NatEntry[] = [];
  for (const [name, entry] of nat.entries) {
    if (entry.expiresAt === undefined || entry.expiresAt > now) continue;
    nat.entries.delete(name);
    const global = key(entry.protocol, entry.global, globalOutside(entry));
    if (nat.byGlobal.get(global) === entry) nat.byGlobal.delete(global);
    gone.push(entry);
  }
  return gone;
}

/** When the next entry ends; undefined where none ever does. */
export function nextExpiry({ entries }: Nat): Micros | undefined {
  let first: Micros | undefined;
  for (const { expiresAt } of entries.values()) {
    if (expiresAt !== undefined && (first === undefined || expiresAt < first)) first = expiresAt;
  }
  return first;
}

/** `seconds`: as IOS configures them. */
export function natTimeouts(seconds: {
  readonly timeoutSeconds: number;
  readonly udpSeconds: number;
  readonly tcpSeconds: number;
  readonly icmpSeconds: number;
}): NatRules["timeouts"] {
  const { timeoutSeconds, udpSeconds, tcpSeconds, icmpSeconds } = seconds;
  return {
    address: timeoutSeconds * SECOND,
    udp: udpSeconds * SECOND,
    tcp: tcpSeconds * SECOND,
    icmp: icmpSeconds * SECOND,
  };
}
