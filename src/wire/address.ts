/** IP addresses as text (`192.0.2.1`, `2001:db8::1`) and as octets in network order. */
import { type Bytes, EMPTY, uintFrom, type Writer } from "../base/bytes.ts";
import { formatIpv4, parseIpv4 } from "../base/ipv4.ts";
import { bytes, type Codec, mapped, u32 } from "./kit.ts";

export function formatAddress(octets: Bytes): string {
  if (octets.length === 4) return formatIpv4(uintFrom(octets));
  return formatIpv6(octets);
}

/** RFC 5952: lower case, the longest run of two or more zero groups (the first of equals) becomes `::`. */
function formatIpv6(octets: Bytes): string {
  const groups: number[] = [];
  for (let i = 0; i < 16; i += 2) groups.push((octets[i]! << 8) | octets[i + 1]!);
  let best = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i++) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length++;
    if (length > bestLength) {
      best = i;
      bestLength = length;
    }
    i += Math.max(0, length - 1);
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(":");
  if (best < 0) return text(groups);
  return `${text(groups.slice(0, best))}::${text(groups.slice(best + bestLength))}`;
}

/** Octets of an address: 4 for IPv4, 16 for IPv6; undefined where the text is neither. */
export function parseAddress(text: string): Bytes | undefined {
  return text.includes(":") ? parseIpv6(text) : parseDotted(text);
}

/** Four decimal numbers. Written without splitting: it is on the path of every packet that a router builds. */
function parseDotted(text: string): Bytes | undefined {
  const out = new Uint8Array(4);
  let index = 0;
  let digits = 0;
  let value = 0;
  for (let i = 0; i <= text.length; i++) {
    const code = i < text.length ? text.charCodeAt(i) : DOT;
    if (code === DOT) {
      if (digits === 0 || index > 3) return undefined;
      out[index++] = value;
      digits = 0;
      value = 0;
    } else {
      value = value * 10 + code - 48;
      digits++;
      if (code < 48 || code > 57 || digits > 3 || value > 255) return undefined;
    }
  }
  return index === 4 ? out : undefined;
}
const DOT = 46;

function parseIpv6(text: string): Bytes | undefined {
  const halves = text.split("::");
  if (halves.length > 2) return undefined;
  const groupsOf = (half: string): number[] | undefined => {
    if (half === "") return [];
    const groups: number[] = [];
    for (const part of half.split(":")) {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
    return groups;
  };
  const head = groupsOf(halves[0]!);
  const tail = halves.length === 2 ? groupsOf(halves[1]!) : [];
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(missing).fill(0), ...tail];
  const out = new Uint8Array(16);
  groups.forEach((group, i) => {
    out[2 * i] = group >>> 8;
    out[2 * i + 1] = group & 255;
  });
  return out;
}

/** Octets of an address that is known to be one, such as an interface's own. */
export function addressOctets(text: string): Bytes {
  const octets = parseAddress(text);
  if (octets === undefined) throw new Error(`${text} is no IP address`);
  return octets;
}

/** Writes the octets of an address; nothing where the text is none. */
export function writeAddress(w: Writer, text: string): void {
  const ipv4 = parseIpv4(text);
  if (ipv4 !== undefined) w.u32(ipv4);
  else w.bytes(parseAddress(text) ?? EMPTY);
}

/** Number of ones in the mask where the address lies in the network, else -1; so where they are not of one family. */
export function matchingBits(network: string, mask: string, address: string): number {
  const ipv4 = parseIpv4(address);
  if (ipv4 === undefined) return matchingBits6(network, mask, address);
  const net = parseIpv4(network);
  const ones = parseIpv4(mask);
  if (net === undefined || ones === undefined || ((net ^ ipv4) & ones) !== 0) return -1;
  return countOnes(ones);
}

function matchingBits6(network: string, mask: string, text: string): number {
  const net = parseAddress(network);
  const ones = parseAddress(mask);
  const address = parseAddress(text);
  if (net?.length !== 16 || ones?.length !== 16 || address?.length !== 16) return -1;
  let bits = 0;
  for (let i = 0; i < 16; i++) {
    if (((net[i]! ^ address[i]!) & ones[i]!) !== 0) return -1;
    bits += countOnes(ones[i]!);
  }
  return bits;
}

function countOnes(number: number): number {
  let count = 0;
  for (let rest = number; rest !== 0; rest &= rest - 1) count++;
  return count;
}

/** An address field of 4 or 16 octets. The short one goes by way of a number: no view of its octets is made. */
export function addressField(size: 4 | 16): Codec<string> {
  const asText = (text: string) => text;
  const codec =
    size === 4
      ? mapped(u32, formatIpv4, ipv4Number, asText)
      : mapped(bytes(size), formatAddress, addressOctets, asText);
  return { ...codec, shape: { form: "address", size } };
}

function ipv4Number(text: string): number {
  const number = parseIpv4(text);
  if (number === undefined) throw new Error(`${text} is no IPv4 address`);
  return number;
}
