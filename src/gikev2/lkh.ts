/**
 * A logical key hierarchy in arrays of keys that lead from one that a member holds up to the KEK: the form of GDOI (RFC 6407
 * section 5.6.3), which draft-yeung took over (version 08 section 4.7.3).
 *
 *     DOWNLOAD   leaf, node, ..., KEK                 in clear inside of a registration: all that the member will hold
 *     UPDATE     | held | node under held, next node under that one, ..., KEK under the last |      one for each subtree
 *
 * A key of the tree is what the KEK is: the IV and the key of a CBC cipher, and what the KEK has beside them. It encrypts
 * with the IV that is stored with it; neither text has a word on that, nor on padding, which is zeros. No other
 * implementation is known.
 */
import type { Bytes } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import { secret } from "../base/secret.ts";
import type { Crypto } from "../crypto/api.ts";
import type { LkhKey } from "../wire/keyPackets.ts";
import type { KeyHierarchy, TreeKey } from "./policy.ts";

/** The cipher of a KEK, and how long the keys of its tree are. */
export interface LkhForm {
  readonly cipher: "aes" | "3des" | "des";
  readonly block: 8 | 16;
  /** Octets of the cipher's key, which follows the IV. */
  readonly key: number;
  /** Octets of a key of the tree, the KEK among them. */
  readonly octets: number;
  /** The number that the protocol has for the cipher. */
  readonly keyType: number;
}

interface DownloadArray {
  readonly version: number;
  /** Uppermost last: the KEK. */
  readonly keys: readonly LkhKey[];
}

/** `lkhId`, `handle`: of the key, held already, that encrypts the first one of `keys`. */
interface UpdateArray extends DownloadArray {
  readonly lkhId: number;
  readonly handle: number;
}

/** An attribute of an LKH packet; others may stand beside the arrays. */
interface Attribute {
  readonly kind: string;
  readonly value: unknown;
}

const VERSION = 1;
/** LKH ID and handle of the KEK, which is nobody's node. */
const ROOT = 0;
const HANDLES = 2 ** 32;
const LKH_IDS = 2 ** 16;

/** Octets of an encrypted key. */
function dataOctets({ octets, block }: LkhForm): number {
  return Math.ceil(octets / block) * block;
}

function crypted(crypto: Crypto, form: LkhForm, under: Bytes, data: Bytes, way: "cbcEncrypt" | "cbcDecrypt"): Bytes {
  const { cipher, block, key } = form;
  return crypto[way](cipher, under.subarray(block, block + key), under.subarray(0, block), data);
}

// ------------------------------------------------------------------------------------------------------------ writing

/**
 * The arrays that bring `kek` (as long as every key of the tree) by way of `hierarchy`: a download where one of its keys
 * stands under none, updates otherwise. `crypto`: for updates.
 */
export function lkhArrays(
  crypto: Crypto | undefined,
  form: LkhForm,
  kek: Bytes,
  hierarchy: KeyHierarchy,
): readonly Attribute[] {
  const root: TreeKey = { id: ROOT, key: secret(kek) };
  const leaf = hierarchy.links.find(({ outer }) => outer === undefined)?.inner;
  return leaf === undefined ? updates(crypto, form, hierarchy, root) : [download(form, hierarchy, leaf, root)];
}

function download(form: LkhForm, hierarchy: KeyHierarchy, leaf: TreeKey, root: TreeKey): Attribute {
  const keys = [leaf, ...wayUp(hierarchy, leaf), root].map((one) => entry(form, one, one.key.secret));
  return { kind: "LKH_DOWNLOAD_ARRAY", value: { version: VERSION, keys } satisfies DownloadArray };
}

/** One array for each key that members hold already. */
function updates(
  crypto: Crypto | undefined,
  form: LkhForm,
  hierarchy: KeyHierarchy,
  root: TreeKey,
): readonly Attribute[] {
  assert(crypto !== undefined, "updates of a key hierarchy in a registration");
  const fresh = new Set(hierarchy.links.map(({ inner }) => inner.id));
  const below = [...hierarchy.links.map(({ outer }) => outer!), ...hierarchy.tops];
  const held = new Map(below.filter(({ id }) => !fresh.has(id)).map((one) => [one.id, one]));
  return [...held.values()].map((start) => {
    const way = [...wayUp(hierarchy, start), root];
    const keys = way.map((one, i) => {
      const under = way[i - 1] ?? start;
      const plain = new Uint8Array(dataOctets(form));
      plain.set(one.key.secret);
      return entry(form, one, crypted(crypto, form, under.key.secret, plain, "cbcEncrypt"));
    });
    return {
      kind: "LKH_UPDATE_ARRAY",
      value: { version: VERSION, ...numbersOf(start.id), keys } satisfies UpdateArray,
    };
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

function entry({ octets, keyType }: LkhForm, { id, key }: TreeKey, data: Bytes): LkhKey {
  assert(key.secret.length === octets, () => `key of a tree of ${key.secret.length} octets`);
  return { ...numbersOf(id), keyType, created: 0, expires: 0, data };
}

// ------------------------------------------------------------------------------------------------------------ reading

/** What a member needs to follow updates. `path`: the keys that it holds, uppermost first. */
export interface HeldPath {
  readonly crypto: Crypto;
  readonly path: readonly TreeKey[];
}

export interface LkhContents {
  /** As long as every key of the tree. */
  readonly kek: Bytes;
  /** The path from now on. */
  readonly path: readonly TreeKey[];
}

/**
 * What the arrays of an LKH packet come to; the numbers of the path are LKH ID and handle in one. `held`: in a rekey.
 * Undefined where no array leads to the KEK from what is held: the member has been put out. `malformed` is called, and
 * throws, where the arrays are none.
 */
export function readLkhArrays(
  form: LkhForm,
  attributes: readonly Attribute[],
  held: HeldPath | undefined,
  malformed: (problem: string) => never,
): LkhContents | undefined {
  const downloads = attributes.filter(({ kind }) => kind === "LKH_DOWNLOAD_ARRAY");
  const arrays = attributes.filter(({ kind }) => kind === "LKH_UPDATE_ARRAY").map(({ value }) => value as UpdateArray);
  if (downloads.length + Math.sign(arrays.length) !== 1) malformed("arrays of a key hierarchy");
  const check = ({ version, keys }: DownloadArray, octets: number): void => {
    if (version !== VERSION || keys.length === 0)
      malformed(`version ${version} with ${keys.length} keys of a hierarchy`);
    if (keys.some(({ keyType, data }) => keyType !== form.keyType || data.length !== octets)) {
      malformed("a key of a hierarchy that is none of the KEK's cipher");
    }
  };
  if (downloads.length === 1) {
    const array = downloads[0]!.value as DownloadArray;
    check(array, form.octets);
    return downloaded(array);
  }
  if (held === undefined) malformed("updates of a key hierarchy in a registration");
  for (const array of arrays) {
    check(array, dataOctets(form));
    const at = held.path.findIndex(({ id }) => id === idOf(array));
    if (at >= 0) return climb(form, array.keys, held, at);
  }
  return undefined;
}

function downloaded({ keys }: DownloadArray): LkhContents {
  const [kek, ...path] = [...keys].reverse();
  return { kek: kek!.data, path: path.map((one) => ({ id: idOf(one), key: secret(one.data.slice()) })) };
}

/** What was above the key that is held has been replaced; it and all below it stay. */
function climb(form: LkhForm, keys: readonly LkhKey[], { crypto, path }: HeldPath, at: number): LkhContents {
  const fresh: TreeKey[] = [];
  let under: Bytes = path[at]!.key.secret;
  for (const one of keys) {
    under = crypted(crypto, form, under, one.data, "cbcDecrypt").slice(0, form.octets);
    fresh.unshift({ id: idOf(one), key: secret(under) });
  }
  const [, ...nodes] = fresh;
  return { kek: under, path: [...nodes, ...path.slice(at)] };
}

function idOf({ lkhId, handle }: Pick<LkhKey, "lkhId" | "handle">): number {
  return lkhId * HANDLES + handle;
}
