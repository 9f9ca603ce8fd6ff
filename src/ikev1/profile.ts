/** Which profile and which pre-shared key a peer gets: the keyring and profile rules of Cisco IOS. */
import { type Bytes, equal } from "../base/bytes.ts";
import { parseAddress } from "../wire/address.ts";
import { type Id, identityText } from "../wire/isakmp.ts";
import { IsakmpIdType } from "../wire/isakmpNumbers.ts";
import type { Ikev1Profile, ProfileMatch, PskEntry } from "./api.ts";

/** Protocol and port are no part of who somebody is. */
function sameId(a: Id, b: Id): boolean {
  return a.type === b.type && equal(a.data, b.data);
}

export function formatId(id: Id): string {
  return identityText(id.type, id.data);
}

/** The first profile that takes this identity. */
export function matchProfile(profiles: readonly Ikev1Profile[], identity: Id): Ikev1Profile | undefined {
  return profiles.find((profile) => matchesIdentity(profile.match, identity));
}

export function matchesIdentity(match: ProfileMatch, identity: Id): boolean {
  if (match.anyRemote || match.remoteIdentities.some((known) => sameId(known, identity))) return true;
  if (identity.type !== IsakmpIdType.IPV4_ADDR && identity.type !== IsakmpIdType.IPV6_ADDR) return false;
  return match.remoteAddresses.some(({ network, mask }) => maskBits(network, mask, identity.data) >= 0);
}

/**
 * The key for a peer: by its address, the longest mask first; else by its identity where that is known; else an entry
 * for all addresses.
 */
export function findKey(keys: readonly PskEntry[], address: string, identity: Id | undefined): PskEntry | undefined {
  const octets = parseAddress(address);
  let best: PskEntry | undefined;
  let bestBits = -1;
  for (const entry of keys) {
    if (entry.address === undefined || octets === undefined) continue;
    const bits = maskBits(entry.address.network, entry.address.mask, octets);
    if (bits > bestBits) {
      best = entry;
      bestBits = bits;
    }
  }
  if (bestBits > 0 || identity === undefined) return best;
  return keys.find((entry) => entry.identity !== undefined && sameId(entry.identity, identity)) ?? best;
}

/** Number of ones in the mask where the address lies in the network, else -1. */
function maskBits(network: string, mask: string, address: Bytes): number {
  const net = parseAddress(network);
  const ones = parseAddress(mask);
  if (net === undefined || ones === undefined || net.length !== address.length || ones.length !== address.length) {
    return -1;
  }
  let bits = 0;
  for (let i = 0; i < net.length; i++) {
    if (((net[i]! ^ address[i]!) & ones[i]!) !== 0) return -1;
    for (let octet = ones[i]!; octet > 0; octet &= octet - 1) bits += 1;
  }
  return bits;
}
