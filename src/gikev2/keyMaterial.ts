/** The layout of key material: which octets of it are which key. RFC 9838 section 3.4. */
import type { Bytes } from "../base/bytes.ts";
import { concat } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Rng } from "../base/rng.ts";
import { NO_SECRET, secret } from "../base/secret.ts";
import type { IkeKeyEntry } from "../crypto/keyEntry.ts";
import { encrKeyOctets, saKeyOctets } from "../crypto/prf.ts";
import { kwaSpec } from "../crypto/suite.ts";
import type { DialectName, RekeySa } from "./dialect.ts";
import type { DataSuite, KekKeys, KekSuite } from "./policy.ts";
import { specsOf } from "./policy.ts";

/** Octets of a data SA's key material: cipher key with salt, integrity key. The suite must be one that we have. */
export function tekOctets(suite: DataSuite): number {
  const specs = specsOf(suite);
  assert(specs !== undefined, () => `no data suite ${suite.encr}/${suite.encrKeyBits}/${suite.integ}`);
  return saKeyOctets(specs.encr, specs.integ);
}

/** Octets of GSK_e | GSK_a | GSK_w. */
export function kekOctets(suite: KekSuite): number {
  return tekOctets(suite) + wrapOctets(suite);
}

/** Octets of GSK_w, and of the keys of a key hierarchy. */
export function wrapOctets(suite: KekSuite): number {
  const wrap = kwaSpec(suite.kwa);
  assert(wrap !== undefined, () => `no key wrap algorithm ${suite.kwa}`);
  return wrap.key;
}

/** GSK_e | GSK_a | GSK_w. */
export function joinKekKeys(keys: KekKeys): Bytes {
  return concat(keys.encr.secret, keys.integ.secret, keys.wrap.secret);
}

/** Fresh keys for a rekey SA. */
export function newKekKeys(rng: Rng, suite: KekSuite): KekKeys {
  return splitKekKeys(suite, rng.bytes(kekOctets(suite)));
}

/** What opens the messages of a rekey SA, in either dialect: both directions carry the same keys. */
export function rekeyKeyEntry({ spi, suite, keys }: RekeySa, dialect: DialectName): IkeKeyEntry {
  return {
    kind: "ike",
    spiInitiator: spi.slice(0, 16),
    spiResponder: spi.slice(16),
    encr: suite.encr,
    encrKeyBits: suite.encrKeyBits,
    integ: suite.integ,
    encrInitiator: keys.encr,
    encrResponder: keys.encr,
    integInitiator: keys.integ,
    integResponder: keys.integ,
    dialect,
  };
}

/** `material`: exactly `kekOctets(suite)` octets, of which the keys are copies. */
export function splitKekKeys(suite: KekSuite, material: Bytes): KekKeys {
  const integAt = encrKeyOctets(specsOf(suite)!.encr);
  const wrapAt = tekOctets(suite);
  return {
    encr: secret(material.slice(0, integAt)),
    integ: integAt === wrapAt ? NO_SECRET : secret(material.slice(integAt, wrapAt)),
    wrap: secret(material.slice(wrapAt)),
  };
}
