/** Holders of certificates for the campaign: an authority, one below it, a member and a key server, RSA and ECDSA. */
import { createRng } from "../../sim/core/rng.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import type { Trust } from "../../src/pki/chain.ts";
import type { Trustpoint } from "../../src/pki/trustpoint.ts";
import { crlOf, END, type Holder, issue, keyOf, NOW, root } from "../pki/authority.ts";

export const CA = root("cn=Fuzz Root,o=Test", keyOf("fuzz root", 1024));
export const SUB = issue("cn=Fuzz Sub,o=Test", CA, { authority: { pathLength: 0 } }, keyOf("fuzz sub", 1024));
export const RSA_GM = issue("cn=gm1,o=Members", SUB, {}, keyOf("fuzz gm", 1024));
export const RSA_KS = issue("cn=ks1,o=Servers", CA, {}, keyOf("fuzz ks", 1024));
export const EC_GM = issue("cn=gm2,o=Members", SUB, {}, keyOf("fuzz gm2", "P-256"));
export const EC_KS = issue("cn=ks2,o=Servers", CA, {}, keyOf("fuzz ks2", "P-384"));
export const EC521_GM = issue("cn=gm3,o=Members", SUB, {}, keyOf("fuzz gm3", "P-521"));
export const EC521_KS = issue("cn=ks3,o=Servers", CA, {}, keyOf("fuzz ks3", "P-521"));
export const CRLS = [crlOf(CA, [], NOW - 10, END), crlOf(SUB, [], NOW - 10, END)];

/** A certificate of our authority for an RSA key of 16,384 bits, which nobody may compute with. */
export const OVERSIZED: Bytes = issue("cn=gm1,o=Members", CA, {
  publicKey: { type: "rsa", n: createRng("oversized").bytes(2048).fill(0xff, 0, 1), e: Uint8Array.of(1, 0, 1) },
}).octets;

export const TRUST: Trust = { anchors: [CA.certificate], crls: CRLS, revocation: "crl" };

/** A trustpoint of `own`, whose chain goes along. */
export function trustpointOf(own: readonly Holder[]): Trustpoint {
  const chain = own.map(({ certificate }) => certificate);
  const identity = { key: own[0]!.key, chain };
  return { name: "TP", use: "both", anchor: CA.certificate, identity, crls: CRLS, revocation: "crl" };
}
