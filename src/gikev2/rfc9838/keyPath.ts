/**
 * The way from what a member holds to the key of a rekey SA. RFC 9838 section 3.3, which does not depend on how a key
 * server arranges its tree.
 *
 * A member holds its Working Key Path: keys by number, the uppermost first. Each copy of the SA's key names the key that
 * it is wrapped under; that one may be held, may be wrapped in the same message under another, and so on, until a key is
 * reached that the member has: GSK_w of the SA that carries the message (number 0) or one of its path. Where no copy leads
 * there, the member has been excluded. Appendix A.4 calls the attribute that wraps a key GM_KEY; it is WRAP_KEY (note 11
 * of docs/rfc9838-notes.md).
 */
import type { Secret } from "../../base/secret.ts";
import { secret } from "../../base/secret.ts";
import type { Crypto } from "../../crypto/api.ts";
import type { WrappedKey } from "../../wire/rfc9838.ts";
import type { TreeKey } from "../policy.ts";

export interface KeySearch {
  /** GSK_w of the SA that carries the message. */
  readonly kwk: Secret;
  /** Working Key Path of the member. */
  readonly path: readonly TreeKey[];
  /** SA_KEY attributes of the rekey SA: one key, wrapped several times. */
  readonly copies: readonly WrappedKey[];
  /** WRAP_KEY attributes of the message. */
  readonly links: readonly WrappedKey[];
  /** Octets of the two kinds of keys when unwrapped. */
  readonly size: { readonly saKey: number; readonly treeKey: number };
}

export interface FoundKey {
  readonly material: Secret;
  /** The new Working Key Path; absent: the old one stays. */
  readonly path?: readonly TreeKey[];
}

/** A key that can be used, and what had to be unwrapped for it, uppermost first. `end`: where in the path it ended. */
interface Way {
  readonly key: Secret;
  readonly fresh: readonly TreeKey[];
  readonly end: number | "kwk";
}

export function findKey(crypto: Crypto, search: KeySearch): FoundKey | undefined {
  for (const { keyId, kwkId, wrapped } of search.copies) {
    const way = keyId === 0 ? wayTo(crypto, search, kwkId, undefined) : undefined;
    const material = way && unwrap(crypto, way.key, wrapped, search.size.saKey);
    if (way === undefined || material === undefined) continue;
    if (way.fresh.length === 0) return { material };
    // What was above the key that is held has been replaced; below it nothing has changed.
    return { material, path: way.end === "kwk" ? way.fresh : [...way.fresh, ...search.path.slice(way.end)] };
  }
  return undefined;
}

/** `tried`: numbers that led nowhere or are being followed, so that a ring of wrapped keys ends; made once it is needed. */
function wayTo(crypto: Crypto, search: KeySearch, id: number, tried: Set<number> | undefined): Way | undefined {
  if (id === 0) return { key: search.kwk, fresh: NOTHING_FRESH, end: "kwk" };
  const held = search.path.findIndex((one) => one.id === id);
  if (held >= 0) return { key: search.path[held]!.key, fresh: NOTHING_FRESH, end: held };
  if (tried?.has(id)) return undefined;
  const now = tried ?? new Set<number>();
  now.add(id);
  for (const link of search.links) {
    const way = link.keyId === id ? wayTo(crypto, search, link.kwkId, now) : undefined;
    const key = way && unwrap(crypto, way.key, link.wrapped, search.size.treeKey);
    if (way !== undefined && key !== undefined) return { key, fresh: [{ id, key }, ...way.fresh], end: way.end };
  }
  return undefined;
}

const NOTHING_FRESH: readonly TreeKey[] = [];

function unwrap(crypto: Crypto, key: Secret, wrapped: Uint8Array, octets: number): Secret | undefined {
  const material = crypto.unwrapKey(key.secret, wrapped);
  return material?.length === octets ? secret(material) : undefined;
}
