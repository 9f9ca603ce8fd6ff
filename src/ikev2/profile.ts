/**
 * Which profile and which pre-shared key a peer gets: the keyring and profile rules of Cisco IOS.
 */
import { equal } from "../base/bytes.ts";
import type { Certificate } from "../pki/certificate.ts";
import { matchesMap } from "../pki/certificateMap.ts";
import { domainOf } from "../pki/identity.ts";
import { formatAddress, matchingBits } from "../wire/address.ts";
import type { Id } from "../wire/ikev2.ts";
import { IdType } from "../wire/ikev2Numbers.ts";
import type { AuthProfile, ProfileMatch, PskEntry } from "./api.ts";

function sameId(a: Id, b: Id): boolean {
  return a.type === b.type && equal(a.data, b.data);
}

/** What a profile is chosen by. `certificate`: what the peer shows, proved or not; undefined where it shows none. */
export interface Claimant {
  readonly identity: Id;
  readonly certificate?: Certificate;
  /** The address that the peer has called. */
  readonly local?: string;
}

/** The first profile that matches. Several matching profiles are a mistake of the configuration. */
export function matchProfile(profiles: readonly AuthProfile[], claimant: Claimant): AuthProfile | undefined {
  return profiles.find((profile) => matchesClaimant(profile.match, claimant));
}

/**
 * Statements of one type are alternatives, types must all hold. Addresses and other identities are statements of one
 * type, certificate maps and local addresses types of their own. A profile without a statement about the peer matches
 * nobody.
 */
export function matchesClaimant(match: ProfileMatch, { identity, certificate, local }: Claimant): boolean {
  const { certificateMaps = [], localAddresses = [], fvrf = "global" } = match;
  if (fvrf !== "global" && fvrf !== "any") return false;
  if (localAddresses.length > 0 && (local === undefined || !localAddresses.includes(local))) return false;
  if (certificateMaps.length === 0) return matchesIdentity(match, identity);
  if (certificate === undefined || !certificateMaps.some((map) => matchesMap(map, certificate))) return false;
  return !namesIdentities(match) || matchesIdentity(match, identity);
}

function namesIdentities({ anyRemote, remoteAddresses, remoteIdentities, remoteDomains = [] }: ProfileMatch): boolean {
  return anyRemote || remoteAddresses.length + remoteIdentities.length + remoteDomains.length > 0;
}

/** An address statement looks at the identity, not at where the packet came from. */
function matchesIdentity(match: ProfileMatch, identity: Id): boolean {
  if (match.anyRemote || match.remoteIdentities.some((known) => sameId(known, identity))) return true;
  if (match.remoteDomains?.some(({ type, domain }) => identity.type === type && domainOf(identity) === domain)) {
    return true;
  }
  if (identity.type !== IdType.IPV4_ADDR && identity.type !== IdType.IPV6_ADDR) return false;
  const { length } = identity.data;
  if (length !== 4 && length !== 16) return false;
  const address = formatAddress(identity.data);
  return match.remoteAddresses.some(({ network, mask }) => matchingBits(network, mask, address) >= 0);
}

/**
 * The key for a peer: by its address, the longest mask first; else by its identity; else an entry for all addresses.
 * `identity` is unknown to an initiator that has not heard of the peer yet.
 */
export function findKey(keys: readonly PskEntry[], address: string, identity: Id | undefined): PskEntry | undefined {
  let best: PskEntry | undefined;
  let bestBits = -1;
  for (const entry of keys) {
    if (entry.address === undefined) continue;
    const bits = matchingBits(entry.address.network, entry.address.mask, address);
    if (bits > bestBits) {
      best = entry;
      bestBits = bits;
    }
  }
  if (bestBits > 0) return best;
  const named = identity === undefined ? undefined : keys.find((entry) => isFor(entry, identity));
  return named ?? best;
}

function isFor(entry: PskEntry, identity: Id): boolean {
  return entry.identity !== undefined && sameId(entry.identity, identity);
}
