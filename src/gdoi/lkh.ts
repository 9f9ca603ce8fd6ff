/**
 * A logical key hierarchy as GDOI writes it: arrays of keys that lead from one that a member holds up to the KEK. RFC 6407
 * section 5.6.3.
 *
 *     DOWNLOAD   leaf, node, ..., KEK                       in clear inside the PULL: all that the member will hold
 *     UPDATE     | held | node under held, next node under that one, ..., KEK under the last |      one for each subtree
 *
 * A key of the tree is what the KEK is: IV and key of the KEK's cipher. It encrypts with the IV that is stored with it; the
 * RFC has no word on that, nor on padding, which only AES-192 needs (zeros). No other implementation is known.
 */
import { type Bytes, concat, fromHex } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import { secret } from "../base/secret.ts";
import type { Crypto } from "../crypto/api.ts";
import type { KekKeys, KekPolicy, KekSuite, KeyHierarchy, TreeKey } from "../gikev2/policy.ts";
import type { KeyDownload } from "../wire/gdoi.ts";
import { KeyPacketType, type LkhKey } from "../wire/keyPackets.ts";
import { malformed } from "./gdoiError.ts";
import { kekCipher, kekFromWire, kekToWire } from "./kek.ts";

type Packet = KeyDownload["packets"][number];
type Attribute = { readonly kind: string; readonly value: unknown };

const VERSION = 1;
/** LKH ID and handle of the KEK, which is nobody's node. */
const ROOT = 0;
const HANDLES = 2 ** 32;
const LKH_IDS = 2 ** 16;

/** Octets of every key of a tree for this KEK. */
export function treeKeyOctets(suite: KekSuite): number {
  const cipher = kekCipher(suite);
  assert(cipher !== undefined, `no KEK suite ${suite.encr}/${suite.encrKeyBits}`);
  return cipher.block + cipher.key;
}

function dataOctets(suite: KekSuite): number {
  const { block } = kekCipher(suite)!;
  return Math.ceil(treeKeyOctets(suite) / block) * block;
}

function crypted(crypto: Crypto, suite: KekSuite, under: Bytes, data: Bytes, way: "cbcEncrypt" | "cbcDecrypt"): Bytes {
  const { cipher, block } = kekCipher(suite)!;
  return crypto[way](cipher, under.subarray(block), under.subarray(0, block), data);
}

// ------------------------------------------------------------------------------------------------------------ writing

/**
 * The packet that brings `keys` by way of `hierarchy`: a download where one of its keys stands under none, updates
 * otherwise. `verifier`: the public key that rekeys are checked with, DER, where it goes along.
 */
export function lkhPacket(
  crypto: Crypto | undefined,
  kek: KekPolicy,
  keys: KekKeys,
  hierarchy: KeyHierarchy,
  verifier: Bytes | undefined,
): Packet {
  const { suite } = kek;
  const root: TreeKey = { id: ROOT, key: secret(kekToWire(suite, keys)) };
  const leaf = hierarchy.links.find(({ outer }) => outer === undefined)?.inner;
  const arrays =
    leaf === undefined ? updates(crypto, suite, hierarchy, root) : [download(suite, hierarchy, leaf, root)];
  const attributes: Attribute[] = [...arrays];
  if (verifier !== undefined) attributes.push({ kind: "SIG_ALGORITHM_KEY", value: verifier });
  return { type: KeyPacketType.LKH, spi: fromHex(kek.spi), attributes: attributes as Packet["attributes"] };
}

function download(suite: KekSuite, hierarchy: KeyHierarchy, leaf: TreeKey, root: TreeKey): Attribute {
  const keys = [leaf, ...wayUp(hierarchy, leaf), root].map((one) => entry(suite, one, one.key.secret));
  return { kind: "LKH_DOWNLOAD_ARRAY", value: { version: VERSION, keys } };
}

/** One array for each key that members hold already. */
function updates(
  crypto: Crypto | undefined,
  suite: KekSuite,
  hierarchy: KeyHierarchy,
  root: TreeKey,
): readonly Attribute[] {
  assert(crypto !== undefined, "updates of a key hierarchy in a PULL");
  const fresh = new Set(hierarchy.links.map(({ inner }) => inner.id));
  const below = [...hierarchy.links.map(({ outer }) => outer!), ...hierarchy.tops];
  const held = new Map(below.filter(({ id }) => !fresh.has(id)).map((one) => [one.id, one]));
  return [...held.values()].map((start) => {
    const way = [...wayUp(hierarchy, start), root];
    const keys = way.map((one, i) => {
      const under = way[i - 1] ?? start;
      const plain = new Uint8Array(dataOctets(suite));
      plain.set(one.key.secret);
      return entry(suite, one, crypted(crypto, suite, under.key.secret, plain, "cbcEncrypt"));
    });
    return { kind: "LKH_UPDATE_ARRAY", value: { version: VERSION, ...numbersOf(start.id), keys } };
  });
}

/** From a key, which is not of it, up to the node right below the KEK. Every key of a tree stands below one other. */
function wayUp({ links }: KeyHierarchy, from: TreeKey): readonly TreeKey[] {
  const way: TreeKey[] = [];
  for (let at = from; ; ) {
    const next = links.find(({ outer }) => outer?.id === at.id)?.inner;
    if (next === undefined) return way;
    way.push(next);
    at = next;
  }
}

/** The numbers of our tree are never used twice: the handle has all of them, the LKH ID what fits. */
function numbersOf(id: number): { readonly lkhId: number; readonly handle: number } {
  return { lkhId: id % LKH_IDS, handle: id % HANDLES };
}

function entry(suite: KekSuite, { id, key }: TreeKey, data: Bytes): LkhKey {
  assert(key.secret.length === treeKeyOctets(suite), `key of a tree of ${key.secret.length} octets`);
  return { ...numbersOf(id), keyType: kekCipher(suite)!.algorithm, created: 0, expires: 0, data };
}

// ------------------------------------------------------------------------------------------------------------ reading

/** What a member needs to follow updates. `path`: the keys that it holds, uppermost first. */
export interface HeldPath {
  readonly crypto: Crypto;
  readonly path: readonly TreeKey[];
}

export interface ReadLkh {
  readonly kek: KekKeys;
  /** The path from now on. */
  readonly path: readonly TreeKey[];
}

interface UpdateArray {
  readonly version: number;
  readonly lkhId: number;
  readonly handle: number;
  readonly keys: readonly LkhKey[];
}

/**
 * The KEK of an LKH packet, and the path from now on: its numbers are LKH ID and handle in one. Undefined where no array
 * leads there from what is held: the member has been put out. Throws GdoiError.
 */
export function readLkh(suite: KekSuite, packet: Packet, held: HeldPath | undefined): ReadLkh | undefined {
  const attributes = packet.attributes as readonly Attribute[];
  const downloads = attributes.filter(({ kind }) => kind === "LKH_DOWNLOAD_ARRAY");
  const arrays = attributes.filter(({ kind }) => kind === "LKH_UPDATE_ARRAY").map(({ value }) => value as UpdateArray);
  if (downloads.length + Math.sign(arrays.length) !== 1) malformed("arrays of a key hierarchy");
  if (downloads.length === 1) return readDownload(suite, downloads[0]!.value as Omit<UpdateArray, "lkhId" | "handle">);
  if (held === undefined) malformed("updates of a key hierarchy in a PULL");
  for (const array of arrays) {
    checkArray(suite, array, dataOctets(suite));
    const at = held.path.findIndex(({ id }) => id === idOf(array));
    if (at >= 0) return climb(suite, array.keys, held, at);
  }
  return undefined;
}

function checkArray(suite: KekSuite, { version, keys }: Pick<UpdateArray, "version" | "keys">, octets: number): void {
  if (version !== VERSION || keys.length === 0) malformed(`version ${version} with ${keys.length} keys of a hierarchy`);
  const { algorithm } = kekCipher(suite)!;
  if (keys.some(({ keyType, data }) => keyType !== algorithm || data.length !== octets)) {
    malformed("a key of a hierarchy that is none of the KEK's cipher");
  }
}

function readDownload(suite: KekSuite, array: Pick<UpdateArray, "version" | "keys">): ReadLkh {
  checkArray(suite, array, treeKeyOctets(suite));
  const [kek, ...path] = [...array.keys].reverse();
  return {
    kek: kekFromWire(suite, kek!.data),
    path: path.map((one) => ({ id: idOf(one), key: secret(one.data.slice()) })),
  };
}

/** What was above the key that is held has been replaced; it and all below it stay. */
function climb(suite: KekSuite, keys: readonly LkhKey[], { crypto, path }: HeldPath, at: number): ReadLkh {
  const fresh: TreeKey[] = [];
  let under = path[at]!.key.secret;
  for (const one of keys) {
    const plain = crypted(crypto, suite, under, one.data, "cbcDecrypt").slice(0, treeKeyOctets(suite));
    fresh.unshift({ id: idOf(one), key: secret(plain) });
    under = plain;
  }
  const [, ...nodes] = fresh;
  return { kek: kekFromWire(suite, concat(under)), path: [...nodes, ...path.slice(at)] };
}

function idOf({ lkhId, handle }: Pick<LkhKey, "lkhId" | "handle">): number {
  return lkhId * HANDLES + handle;
}
