/** What key server and member read alike from an IOS configuration: group identities, access lists, suites. */
import type { ConfigProblem } from "../base/errors.ts";
import { formatIpv4 } from "../base/ipv4.ts";
import type { HashName } from "../crypto/api.ts";
import type { Selector } from "../esp/api.ts";
import type {
  AccessList,
  AclEntry,
  AddressMatch,
  EspHash,
  GroupIdentity,
  KekCipher,
  PortMatch,
  SignatureHash,
  TransformSet,
} from "../ios/model.ts";
import { Encr, Integ, Kwa } from "../wire/ikev2Numbers.ts";
import type { GroupId } from "./groupId.ts";
import { iosProblem } from "./iosProblem.ts";
import type { DataSuite, KekSuite } from "./policy.ts";

export function groupIdOf(identity: GroupIdentity): GroupId {
  return identity.kind === "number"
    ? { kind: "number", number: identity.number }
    : { kind: "address", address: formatIpv4(identity.address) };
}

// --------------------------------------------------------------------------------------------------------------- suites

const ESP_INTEG: Readonly<Record<EspHash, number>> = {
  md5: Integ.HMAC_MD5_96,
  sha: Integ.HMAC_SHA1_96,
  sha256: Integ.HMAC_SHA2_256_128,
  sha384: Integ.HMAC_SHA2_384_192,
  sha512: Integ.HMAC_SHA2_512_256,
};

const ESP_ENCR: Readonly<Record<string, { readonly id: number; readonly sized: boolean; readonly aead: boolean }>> = {
  "esp-aes": { id: Encr.AES_CBC, sized: true, aead: false },
  "esp-3des": { id: Encr["3DES"], sized: false, aead: false },
  "esp-gcm": { id: Encr.AES_GCM_16, sized: true, aead: true },
  "esp-gmac": { id: Encr.AES_GMAC, sized: true, aead: true },
  "esp-null": { id: Encr.NULL, sized: false, aead: false },
};

/** Suite of a transform set; undefined, with a problem, for what has no model: DES, SEAL, AH, ciphers without integrity. */
export function suiteOfTransformSet(set: TransformSet, problems: ConfigProblem[]): DataSuite | undefined {
  const cipher = set.cipher === undefined ? undefined : ESP_ENCR[set.cipher];
  const integ = set.espHash === undefined ? 0 : ESP_INTEG[set.espHash];
  if (cipher === undefined || set.ahHash !== undefined || cipher.aead !== (integ === 0)) {
    problems.push(iosProblem("iosUnsupported", set.at, `Transform set ${set.name} is not modelled for groups.`));
    return undefined;
  }
  return { encr: cipher.id, encrKeyBits: cipher.sized ? set.keyBits : 0, integ };
}

const AES_BITS: readonly number[] = [256, 192, 128];

/** Every suite that a group could have here: what a member without restrictions accepts. */
export const DATA_SUITES: readonly DataSuite[] = AES_BITS.flatMap((encrKeyBits) => [
  ...[Encr.AES_GCM_16, Encr.AES_GMAC].map((encr) => ({ encr, encrKeyBits, integ: 0 })),
  ...Object.values(ESP_INTEG).map((integ) => ({ encr: Encr.AES_CBC, encrKeyBits, integ })),
]);

const KEK_ENCR: Readonly<Record<KekCipher, readonly [encr: number, bits: number] | undefined>> = {
  "des-cbc": undefined,
  "3des-cbc": [Encr["3DES"], 0],
  "aes-128": [Encr.AES_CBC, 128],
  "aes-192": [Encr.AES_CBC, 192],
  "aes-256": [Encr.AES_CBC, 256],
};

export const SIGNATURE_HASH: Readonly<Record<SignatureHash, HashName>> = {
  sha: "sha1",
  sha256: "sha256",
  sha384: "sha384",
  sha512: "sha512",
};

/**
 * A KEK of GDOI has no integrity algorithm of its own, a rekey SA of G-IKEv2 needs one beside a CBC cipher: HMAC with the
 * hash that signs. Undefined for DES, which has no place in IKEv2.
 */
export function kekSuiteOf(cipher: KekCipher, hash: SignatureHash): KekSuite | undefined {
  const encr = KEK_ENCR[cipher];
  if (encr === undefined) return undefined;
  return { encr: encr[0], encrKeyBits: encr[1], integ: ESP_INTEG[hash], kwa: Kwa.KW_5649_256 };
}

// --------------------------------------------------------------------------------------------------------- access lists

export interface SelectedEntry {
  readonly action: "permit" | "deny";
  readonly selector: Selector;
}

const PORT_MOST = 65_535;
/** A wildcard with more separate networks than this is refused. */
const NETWORKS_MOST = 64;

/** Entries in order; one with several ports or with holes in its wildcard becomes several. */
export function entriesOf(list: AccessList, problems: ConfigProblem[]): SelectedEntry[] {
  return list.entries.flatMap((entry) => {
    const selectors = selectorsOf(entry);
    if (selectors !== undefined) return selectors.map((selector) => ({ action: entry.action, selector }));
    problems.push(
      iosProblem("iosUnsupported", entry.at, `Access list ${list.name}: the entry is not modelled for groups.`),
    );
    return [];
  });
}

interface Range {
  readonly first: number;
  readonly last: number;
}

/** Undefined for selection by ICMP type and for wildcards that are torn into too many networks. */
function selectorsOf(entry: AclEntry): Selector[] | undefined {
  const sources = addressRanges(entry.source);
  const destinations = addressRanges(entry.destination);
  if (entry.icmpType !== undefined || sources === undefined || destinations === undefined) return undefined;
  const protocol = entry.protocol === "ip" ? 0 : entry.protocol;
  const selectors: Selector[] = [];
  for (const source of sources) {
    for (const destination of destinations) {
      for (const sourcePort of portRanges(entry.sourcePort)) {
        for (const destinationPort of portRanges(entry.destinationPort)) {
          selectors.push({
            sourceFirst: source.first,
            sourceLast: source.last,
            destinationFirst: destination.first,
            destinationLast: destination.last,
            protocol,
            sourcePortFirst: sourcePort.first,
            sourcePortLast: sourcePort.last,
            destinationPortFirst: destinationPort.first,
            destinationPortLast: destinationPort.last,
          });
        }
      }
    }
  }
  return selectors;
}

/** The ones at the right end of a wildcard are the size of each network; every other one doubles their number. */
function addressRanges({ address, wildcard }: AddressMatch): Range[] | undefined {
  const size = 2 ** trailingOnes(wildcard);
  const base = (address & ~wildcard) >>> 0;
  let firsts = [base];
  for (let bit = size; bit < 2 ** 32; bit *= 2) {
    if ((wildcard & bit) >>> 0 === 0) continue;
    firsts = [...firsts, ...firsts.map((first) => first + bit)];
    if (firsts.length > NETWORKS_MOST) return undefined;
  }
  return firsts.map((first) => ({ first, last: first + size - 1 }));
}

function trailingOnes(wildcard: number): number {
  let count = 0;
  while (count < 32 && ((wildcard >>> count) & 1) === 1) count += 1;
  return count;
}

function portRanges(match: PortMatch | undefined): Range[] {
  if (match === undefined) return [{ first: 0, last: PORT_MOST }];
  switch (match.operator) {
    case "eq":
      return match.ports.map((port) => ({ first: port, last: port }));
    case "neq":
      return between(match.ports);
    case "gt":
      return match.port < PORT_MOST ? [{ first: match.port + 1, last: PORT_MOST }] : [];
    case "lt":
      return match.port > 0 ? [{ first: 0, last: match.port - 1 }] : [];
    case "range":
      return [{ first: match.from, last: match.to }];
  }
}

/** What is left of all ports without these. */
function between(ports: readonly number[]): Range[] {
  const ranges: Range[] = [];
  let first = 0;
  for (const port of [...ports].sort((a, b) => a - b)) {
    if (port > first) ranges.push({ first, last: port - 1 });
    first = port + 1;
  }
  if (first <= PORT_MOST) ranges.push({ first, last: PORT_MOST });
  return ranges;
}
