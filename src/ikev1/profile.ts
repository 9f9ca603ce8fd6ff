/**
 * Which profile and which pre-shared key a peer gets: the keyring and profile rules of Cisco IOS. With Main Mode a
 * responder needs the key before it hears the name, so it looks through the keyrings of all profiles; once the name has
 * told the profile, the key must have come from a keyring of it, or the exchange is given up (IOS: "Key not found in
 * keyrings of profile"). Of several keys for an address that with the longest mask is taken, of equal ones the first. That
 * IOS compares masks across keyrings, and has the global one in front, is from memory.
 */
import { type Bytes, equal } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { type Certificate, decodeCertificate } from "../pki/certificate.ts";
import { matchesMap } from "../pki/certificateMap.ts";
import { domainOf, nameOfIdentity } from "../pki/identity.ts";
import { hasAttributes } from "../pki/name.ts";
import { ORGANIZATIONAL_UNIT } from "../pki/oid.ts";
import { formatAddress, matchingBits } from "../wire/address.ts";
import { type Id, identityText } from "../wire/isakmp.ts";
import { IsakmpIdType } from "../wire/isakmpNumbers.ts";
import { GLOBAL_KEYRING, type Ikev1Profile, type ProfileMatch, type PskEntry } from "./api.ts";

/** Protocol and port are no part of who somebody is. */
function sameId(a: Id, b: Id): boolean {
  return a.type === b.type && equal(a.data, b.data);
}

export function formatId(id: Id): string {
  return identityText(id.type, id.data);
}

/** What a profile is chosen by. */
export interface Claimant {
  readonly identity: Id;
  /** Our address that the peer has called or was called from. */
  readonly local: string;
  /** DER, of a peer with a signature that may be false still; undefined with a pre-shared key. */
  readonly certificate: Bytes | undefined;
}

/** The first profile that takes this peer. */
export function matchProfile(profiles: readonly Ikev1Profile[], claimant: Claimant): Ikev1Profile | undefined {
  return profiles.find((profile) => matchesClaimant(profile.match, claimant));
}

export function matchesClaimant(match: ProfileMatch, { identity, local, certificate }: Claimant): boolean {
  if (match.localAddresses?.includes(local) === false) return false;
  return matchesIdentity(match, identity) || matchesCertificate(match, certificate);
}

function matchesIdentity(match: ProfileMatch, identity: Id): boolean {
  const { type } = identity;
  if (match.anyRemote || match.remoteIdentities.some((known) => sameId(known, identity))) return true;
  if (match.remoteDomains?.some((known) => known.type === type && known.domain === domainOf(identity))) return true;
  if (type === IsakmpIdType.DER_ASN1_DN) return isOfUnit(match.remoteUnits ?? [], identity);
  if (type !== IsakmpIdType.IPV4_ADDR && type !== IsakmpIdType.IPV6_ADDR) return false;
  const { length } = identity.data;
  if (length !== 4 && length !== 16) return false;
  const address = formatAddress(identity.data);
  return match.remoteAddresses.some(({ network, mask }) => matchingBits(network, mask, address) >= 0);
}

function isOfUnit(units: readonly string[], identity: Id): boolean {
  const name = units.length === 0 ? undefined : nameOfIdentity(identity);
  return name !== undefined && units.some((value) => hasAttributes(name, [{ type: ORGANIZATIONAL_UNIT, value }]));
}

function matchesCertificate({ certificateMaps = [] }: ProfileMatch, octets: Bytes | undefined): boolean {
  if (certificateMaps.length === 0 || octets === undefined) return false;
  const certificate = readCertificate(octets);
  return certificate !== undefined && certificateMaps.some((map) => matchesMap(map, certificate));
}

/** Undefined for octets that are no certificate: whoever judges the peer will say so. */
function readCertificate(octets: Bytes): Certificate | undefined {
  try {
    return decodeCertificate(octets);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** What a key is looked for by. */
export interface KeySearch {
  readonly local: string;
  readonly remote: string;
  /** Of the peer, where it has told it. */
  readonly identity: Id | undefined;
  /** Absent: any keyring. */
  readonly keyrings: readonly string[] | undefined;
}

/**
 * The key for a peer: by its address, the longest mask first; else by its identity where that is known; else an entry
 * for all addresses.
 */
export function findKey(keys: readonly PskEntry[], search: KeySearch): PskEntry | undefined {
  const { remote, identity } = search;
  let best: PskEntry | undefined;
  let bestBits = -1;
  for (const entry of keys) {
    if (entry.address === undefined || !isWithin(entry, search)) continue;
    const bits = matchingBits(entry.address.network, entry.address.mask, remote);
    if (bits > bestBits) {
      best = entry;
      bestBits = bits;
    }
  }
  if (bestBits > 0 || identity === undefined) return best;
  const isFor = (entry: PskEntry) => entry.identity !== undefined && sameId(entry.identity, identity);
  return keys.find((entry) => isFor(entry) && isWithin(entry, search)) ?? best;
}

/** A key for names: there it is before the name is known. */
export function hasNamedKey(keys: readonly PskEntry[], search: KeySearch): boolean {
  return keys.some((entry) => entry.identity !== undefined && isWithin(entry, search));
}

function isWithin({ keyring, localAddress }: PskEntry, { local, keyrings }: KeySearch): boolean {
  if (localAddress !== undefined && localAddress !== local) return false;
  return keyrings === undefined || keyrings.includes(keyring ?? GLOBAL_KEYRING);
}
