/** Private keys of Diffie-Hellman exchanges, drawn so that a host can know them beforehand. */
import { type Bytes, toHex } from "../base/bytes.ts";
import type { Rng } from "../base/rng.ts";
import { DH_PRIVATE_LENGTH, type DhGroup } from "./api.ts";

export interface KeyStreams {
  readonly rng: Rng;
  /** Of private keys alone. Absent: they are drawn from `rng`, among all else. */
  readonly keys?: Rng;
}

/**
 * The private key of one exchange. Who opens an exchange takes the next of its stream. A responder, which is given the
 * `peer`'s public value, takes the first of a fork that this value names: in whatever order its peers come, each of them
 * meets the same key, so that whoever has the two streams can work the exchange out before it takes place.
 */
export function drawPrivateKey({ rng, keys }: KeyStreams, group: DhGroup, peer?: Bytes): Bytes {
  const length = DH_PRIVATE_LENGTH[group];
  if (keys === undefined) return rng.bytes(length);
  return (peer === undefined ? keys : keys.fork(responderStream(peer))).bytes(length);
}

/** Octets of the peer's value that name the fork. */
const NAMING_OCTETS = 16;

function responderStream(peer: Bytes): string {
  return toHex(peer.subarray(0, NAMING_OCTETS));
}
