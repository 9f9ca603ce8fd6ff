/**
 * Proposals in strongSwan's words, `aes256-sha256-modp2048`: several words of a kind are alternatives in that order. What
 * the words leave out is filled in as strongSwan does: the PRFs of an IKE proposal are those of its integrity
 * algorithms. An AEAD cipher has none of these, so its PRF must be named.
 */
import type { ChildProposal, IkeProposal } from "../ikev2/api.ts";
import { Dh, Encr, Integ, Prf, SequenceNumbers } from "../wire/ikev2Numbers.ts";

type Word =
  | { readonly kind: "encr"; readonly id: number; readonly keyBits: number; readonly aead: boolean }
  | { readonly kind: "integ" | "prf" | "dh"; readonly id: number };

const AES_BITS = [128, 192, 256] as const;

/** `aes128`, `aes128ctr`, `aes128gcm16` and its other names. */
function aesWords(): [string, Word][] {
  const families: readonly (readonly [suffix: string, id: number, aead: boolean])[] = [
    ["", Encr.AES_CBC, false],
    ["ctr", Encr.AES_CTR, false],
    ["gcm8", Encr.AES_GCM_8, true],
    ["gcm64", Encr.AES_GCM_8, true],
    ["gcm12", Encr.AES_GCM_12, true],
    ["gcm96", Encr.AES_GCM_12, true],
    ["gcm16", Encr.AES_GCM_16, true],
    ["gcm128", Encr.AES_GCM_16, true],
    ["gcm", Encr.AES_GCM_16, true],
    ["gmac", Encr.AES_GMAC, true],
  ];
  return families.flatMap(([suffix, id, aead]) =>
    AES_BITS.map((keyBits): [string, Word] => [`aes${keyBits}${suffix}`, { kind: "encr", id, keyBits, aead }]),
  );
}

function words(kind: "integ" | "prf" | "dh", ids: Readonly<Record<string, number>>): [string, Word][] {
  return Object.entries(ids).map(([name, id]): [string, Word] => [name, { kind, id }]);
}

const WORDS: ReadonlyMap<string, Word> = new Map<string, Word>([
  ...aesWords(),
  ["aes", { kind: "encr", id: Encr.AES_CBC, keyBits: 128, aead: false }],
  ["3des", { kind: "encr", id: Encr["3DES"], keyBits: 0, aead: false }],
  ["null", { kind: "encr", id: Encr.NULL, keyBits: 0, aead: false }],
  ["chacha20poly1305", { kind: "encr", id: Encr.CHACHA20_POLY1305, keyBits: 0, aead: true }],
  ...words("integ", {
    md5: Integ.HMAC_MD5_96,
    sha: Integ.HMAC_SHA1_96,
    sha1: Integ.HMAC_SHA1_96,
    sha256: Integ.HMAC_SHA2_256_128,
    sha2_256: Integ.HMAC_SHA2_256_128,
    sha384: Integ.HMAC_SHA2_384_192,
    sha2_384: Integ.HMAC_SHA2_384_192,
    sha512: Integ.HMAC_SHA2_512_256,
    sha2_512: Integ.HMAC_SHA2_512_256,
    aesxcbc: Integ.AES_XCBC_96,
    aescmac: Integ.AES_CMAC_96,
  }),
  ...words("prf", {
    prfmd5: Prf.HMAC_MD5,
    prfsha1: Prf.HMAC_SHA1,
    prfsha256: Prf.HMAC_SHA2_256,
    prfsha384: Prf.HMAC_SHA2_384,
    prfsha512: Prf.HMAC_SHA2_512,
    prfaesxcbc: Prf.AES128_XCBC,
    prfaescmac: Prf.AES128_CMAC,
  }),
  ...words("dh", {
    modp768: Dh.MODP_768,
    modp1024: Dh.MODP_1024,
    modp1536: Dh.MODP_1536,
    modp2048: Dh.MODP_2048,
    modp3072: Dh.MODP_3072,
    modp4096: Dh.MODP_4096,
    ecp256: Dh.ECP_256,
    ecp384: Dh.ECP_384,
    ecp521: Dh.ECP_521,
    x25519: Dh.CURVE25519,
    curve25519: Dh.CURVE25519,
  }),
]);

const PRF_OF_INTEG: ReadonlyMap<number, number> = new Map([
  [Integ.HMAC_MD5_96, Prf.HMAC_MD5],
  [Integ.HMAC_SHA1_96, Prf.HMAC_SHA1],
  [Integ.HMAC_SHA2_256_128, Prf.HMAC_SHA2_256],
  [Integ.HMAC_SHA2_384_192, Prf.HMAC_SHA2_384],
  [Integ.HMAC_SHA2_512_256, Prf.HMAC_SHA2_512],
  [Integ.AES_XCBC_96, Prf.AES128_XCBC],
  [Integ.AES_CMAC_96, Prf.AES128_CMAC],
]);

/** What is wrong with a proposal, in a sentence for the operator. */
export interface ProposalProblem {
  readonly problem: string;
}

/** Words by kind, or the problem. A mix of AEAD and other ciphers must be written as two proposals. */
interface Sorted {
  readonly encr: readonly { readonly id: number; readonly keyBits: number }[];
  readonly aead: boolean;
  readonly integ: readonly number[];
  readonly prf: readonly number[];
  readonly dh: readonly number[];
}

function sortWords(text: string): Sorted | ProposalProblem {
  const found: Word[] = [];
  for (const name of text.trim().toLowerCase().split("-")) {
    const word = WORDS.get(name);
    if (word === undefined) return { problem: `${text}: unknown algorithm "${name}"` };
    found.push(word);
  }
  const ciphers = found.filter((word) => word.kind === "encr");
  if (ciphers.length === 0) return { problem: `${text}: a cipher is missing` };
  const aead = ciphers[0]!.aead;
  if (ciphers.some((cipher) => cipher.aead !== aead)) {
    return { problem: `${text}: AEAD and other ciphers belong into proposals of their own` };
  }
  const ids = (kind: Word["kind"]) => found.filter((word) => word.kind === kind).map(({ id }) => id);
  const integ = ids("integ");
  if (aead && integ.length > 0) return { problem: `${text}: an AEAD cipher goes without integrity algorithm` };
  if (!aead && integ.length === 0) return { problem: `${text}: an integrity algorithm is missing` };
  const encr = ciphers.map(({ id, keyBits }) => ({ id, keyBits }));
  return { encr, aead, integ, prf: ids("prf"), dh: ids("dh") };
}

/** One proposal of an IKE SA. */
export function ikeProposal(text: string): IkeProposal | ProposalProblem {
  const sorted = sortWords(text);
  if ("problem" in sorted) return sorted;
  const { encr, integ, dh } = sorted;
  const prf = sorted.prf.length > 0 ? sorted.prf : integ.flatMap((id) => PRF_OF_INTEG.get(id) ?? []);
  if (prf.length === 0) return { problem: `${text}: a PRF is missing, such as prfsha256` };
  if (dh.length === 0) return { problem: `${text}: a key exchange group is missing, such as modp2048` };
  return { encr, prf, integ, dh, kwa: [] };
}

/** One proposal of a Child SA (ESP, 32-bit sequence numbers); groups are for perfect forward secrecy. */
export function espProposal(text: string): ChildProposal | ProposalProblem {
  const sorted = sortWords(text);
  if ("problem" in sorted) return sorted;
  const { encr, integ, dh, prf } = sorted;
  if (prf.length > 0) return { problem: `${text}: ESP has no PRF` };
  return { encr, integ, dh, sn: [SequenceNumbers.SEQUENTIAL_32] };
}
