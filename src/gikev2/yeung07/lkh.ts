/**
 * The key hierarchy of draft-yeung: GDOI's arrays (version 08 section 4.7.3), with an IV in front of a key whose mode needs
 * one. What the draft leaves open stands at the switch `keyHierarchy`.
 */
import { type Bytes, concat } from "../../base/bytes.ts";
import { assert } from "../../base/errors.ts";
import { secret } from "../../base/secret.ts";
import type { Crypto } from "../../crypto/api.ts";
import type { EncrKind } from "../../crypto/suite.ts";
import type { LkhForm } from "../lkh.ts";
import { type HeldPath, lkhArrays, readLkhArrays } from "../lkh.ts";
import type { GroupKeys, KekKeys, KekPolicy, KekSuite, KeyHierarchy } from "../policy.ts";
import { specsOf } from "../policy.ts";
import type { Yeung07Switches } from "./switches.ts";

/** One key encrypts many others, each with the IV that is stored with it: no mode but CBC stands that. */
const CIPHERS: ReadonlyMap<EncrKind, LkhForm["cipher"]> = new Map([
  ["cbc-aes", "aes"],
  ["cbc-3des", "3des"],
]);

/** Undefined where a KEK of this suite has no tree. */
function formOf(suite: KekSuite): LkhForm | undefined {
  const specs = specsOf(suite);
  const cipher = specs && CIPHERS.get(specs.encr.kind);
  if (specs === undefined || cipher === undefined) return undefined;
  const { iv, key } = specs.encr;
  assert(iv === 8 || iv === 16, () => `a block of ${iv} octets`);
  return { cipher, block: iv, key, octets: iv + key + (specs.integ?.key ?? 0), keyType: suite.encr };
}

/** Octets of a key of the tree; undefined where a KEK of this suite has none. */
export function treeKeyOctets(suite: KekSuite, { keyHierarchy }: Yeung07Switches): number | undefined {
  return keyHierarchy === "none" ? undefined : formOf(suite)?.octets;
}

type Attribute = ReturnType<typeof lkhArrays>[number];

/** Attributes of an LKH packet. `crypto`: for a rekey. `spi`: of the KEK; what stands before KEK_ENCR_KEY begins it. */
export function lkhAttributes(
  crypto: Crypto | undefined,
  { suite }: KekPolicy,
  spi: Bytes,
  { encr, integ }: KekKeys,
  hierarchy: KeyHierarchy,
): readonly Attribute[] {
  const form = formOf(suite);
  assert(form !== undefined, () => `no key hierarchy for a KEK of suite ${suite.encr}/${suite.encrKeyBits}`);
  const kek = concat(spi.subarray(0, form.block), encr.secret, integ.secret);
  return lkhArrays(crypto, form, kek, hierarchy);
}

/**
 * The KEK, and the path from now on. `held`: in a rekey. Undefined where nothing leads to the KEK from what is held.
 * `malformed` is called for what cannot be read.
 */
export function readLkh(
  suite: KekSuite,
  attributes: readonly Attribute[],
  held: HeldPath | undefined,
  wrap: KekKeys["wrap"],
  malformed: (problem: string) => never,
): (Pick<GroupKeys, "path"> & { readonly kek: KekKeys }) | undefined {
  const form = formOf(suite);
  if (form === undefined) malformed("a key hierarchy for a KEK that has none");
  const read = readLkhArrays(form, attributes, held, malformed);
  if (read === undefined) return undefined;
  const { block, key } = form;
  const encr = secret(read.kek.slice(block, block + key));
  return { kek: { encr, integ: secret(read.kek.slice(block + key)), wrap }, path: read.path };
}
