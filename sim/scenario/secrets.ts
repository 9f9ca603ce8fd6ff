/**
 * Diffie-Hellman where both ends are devices of one run: the secret of two private keys is the same from both sides, so
 * the side that comes second finds it by the two keys. A value that no device here has made, such as a tampered one, is
 * nobody's, and what belongs to it is computed.
 */
import { type Bytes, equal } from "../../src/base/bytes.ts";
import type { Crypto, DhGroup } from "../../src/crypto/api.ts";
import { markOf } from "./twins.ts";

/** A key pair that was made here. */
interface KeyPair {
  readonly group: DhGroup;
  readonly privateKey: Bytes;
  readonly value: Bytes;
}

interface Agreement {
  readonly one: KeyPair;
  readonly other: KeyPair;
  readonly secret: Bytes | undefined;
}

/** Key pairs at a time; of two in one place the later stays. */
const PLACES = 1 << 15;

const placeOf = (mark: number): number => mark & (PLACES - 1);

export function sharedSecrets(crypto: Pick<Crypto, "dhPublic" | "dhShared">): Pick<Crypto, "dhPublic" | "dhShared"> {
  const byPrivate: (KeyPair | undefined)[] = [];
  const byValue: (KeyPair | undefined)[] = [];
  const agreements: (Agreement | undefined)[] = [];

  function pairOf(group: DhGroup, privateKey: Bytes): KeyPair {
    const place = placeOf(markOf(privateKey));
    const known = byPrivate[place];
    if (known?.group === group && equal(known.privateKey, privateKey)) return known;
    const made = { group, privateKey: privateKey.slice(), value: crypto.dhPublic(group, privateKey) };
    byPrivate[place] = made;
    byValue[placeOf(markOf(made.value))] = made;
    return made;
  }

  return {
    dhPublic: (group, privateKey) => pairOf(group, privateKey).value.slice(),
    dhShared(group, privateKey, peer) {
      const other = byValue[placeOf(markOf(peer))];
      if (other?.group !== group || !equal(other.value, peer)) return crypto.dhShared(group, privateKey, peer);
      // Whoever computes the secret first asks for the public value next.
      const one = pairOf(group, privateKey);
      const place = placeOf(markOf(one.value) ^ markOf(peer));
      const known = agreements[place];
      if (known?.one === other && known.other === one) {
        agreements[place] = undefined;
        return known.secret;
      }
      const secret = crypto.dhShared(group, privateKey, peer);
      agreements[place] = { one, other, secret: secret?.slice() };
      return secret;
    },
  };
}
