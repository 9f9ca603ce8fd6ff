/** The keys of an IKE SA: from a suite and a shared secret to what messages are protected with. RFC 7296 section 2.14. */
import { type Bytes, fromHex } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import { NO_SECRET, secret } from "../base/secret.ts";
import type { Crypto } from "../crypto/api.ts";
import type { KeyEntry } from "../crypto/keyEntry.ts";
import { ikeKeys, rekeySkeyseed, type IkeSuite as SuiteSpecs, skeyseed } from "../crypto/prf.ts";
import { encrSpec, integSpec, prfSpec } from "../crypto/suite.ts";
import type { DialectName, IkeSuite } from "./api.ts";
import type { SaKeySet } from "./state.ts";

/** Descriptions of the suite's algorithms; the suite must have passed `select` or `checkAnswer`. */
export function suiteSpecs(suite: IkeSuite): SuiteSpecs {
  const encr = encrSpec(suite.encr, suite.encrKeyBits);
  const prf = prfSpec(suite.prf);
  assert(encr !== undefined && prf !== undefined, "a suite was agreed on that is not implemented");
  return { encr, prf, integ: integSpec(suite.integ) };
}

export interface KeyInput {
  readonly suite: IkeSuite;
  readonly ni: Bytes;
  readonly nr: Bytes;
  /** As in the header: 16 hexadecimal digits. */
  readonly spiInitiator: string;
  readonly spiResponder: string;
  /** g^ir as `dhShared` returns it. */
  readonly shared: Bytes;
}

/** Keys of a first IKE SA. */
export function deriveKeys(crypto: Crypto, input: KeyInput): SaKeySet {
  const { suite, ni, nr, spiInitiator, spiResponder, shared } = input;
  const derive = (): SaKeySet => {
    const specs = suiteSpecs(suite);
    return keySetOf(crypto, input, skeyseed(crypto, specs.prf, ni, nr, shared));
  };
  if (crypto.share === undefined) return derive();
  const { encr, encrKeyBits, prf, integ, dh, kwa } = suite;
  const words = [spiInitiator, spiResponder, encr, encrKeyBits, prf, integ, dh, kwa];
  return crypto.share({ octets: [shared, ni, nr], words, among: "two" }, derive);
}

/** Keys of an IKE SA that replaces another: made under the old SK_d with the old PRF. RFC 7296 section 2.18. */
export function deriveRekeyed(crypto: Crypto, old: Pick<SaKeySet, "d" | "prf">, input: KeyInput): SaKeySet {
  const seed = rekeySkeyseed(crypto, old.prf, old.d.secret, input.shared, input.ni, input.nr);
  return keySetOf(crypto, input, seed);
}

/** Keys that follow from a SKEYSEED, whichever way that came about. */
export function keySetOf(crypto: Crypto, input: KeyInput, seed: Bytes): SaKeySet {
  const specs = suiteSpecs(input.suite);
  const keys = ikeKeys(
    crypto,
    specs,
    seed,
    input.ni,
    input.nr,
    spiOctets(input.spiInitiator),
    spiOctets(input.spiResponder),
  );
  return {
    suite: input.suite,
    protection: { encr: specs.encr, integ: specs.integ },
    prf: specs.prf,
    d: secret(keys.d),
    ai: specs.integ === undefined ? NO_SECRET : secret(keys.ai),
    ar: specs.integ === undefined ? NO_SECRET : secret(keys.ar),
    ei: secret(keys.ei),
    er: secret(keys.er),
    pi: secret(keys.pi),
    pr: secret(keys.pr),
  };
}

/** What is left to keep of the keys when both sides are authenticated. */
export function withoutAuthKeys(keys: SaKeySet): SaKeySet {
  const { suite, protection, prf, d, ai, ar, ei, er } = keys;
  return { suite, protection, prf, d, ai, ar, ei, er, pi: NO_SECRET, pr: NO_SECRET };
}

/** The eight octets of an SPI in hexadecimal. */
export function spiOctets(spi: string): Bytes {
  return fromHex(spi);
}

/** What a run exports for Wireshark and for our own inspector. */
export function keyEntry(
  keys: SaKeySet,
  spiInitiator: string,
  spiResponder: string,
  dialect: DialectName | undefined,
): KeyEntry {
  return {
    kind: "ike",
    spiInitiator,
    spiResponder,
    encr: keys.suite.encr,
    encrKeyBits: keys.suite.encrKeyBits,
    integ: keys.suite.integ,
    encrInitiator: keys.ei,
    encrResponder: keys.er,
    integInitiator: keys.ai,
    integResponder: keys.ar,
    skD: keys.d,
    prf: keys.suite.prf,
    // An endpoint that names no dialect may serve groups of both.
    ...(dialect === undefined || dialect === "ikev2" ? {} : { dialect }),
  };
}
