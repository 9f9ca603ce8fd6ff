/**
 * IANA "Internet Key Exchange Version 2 (IKEv2) Parameters" transform IDs as descriptions of algorithms. A number that
 * is not listed yields undefined: the receiver's rules decide what to do about it. The registry's names as constants
 * belong to the wire formats; here a number is only looked up.
 */
import type { DhGroup, HashName } from "./api.ts";
import { CURVES, DH_GROUPS } from "./dhGroup.ts";

export type EncrKind = "null" | "cbc-aes" | "cbc-3des" | "ctr-aes" | "aes-gcm" | "aes-gmac" | "chacha20-poly1305";

/** How the IV on the wire comes about. `counter`: never twice under one key (RFC 6054); `random`: not to be foreseen. */
export type IvKind = "none" | "counter" | "random";

/** A cipher with one key length. All lengths in octets. */
export interface EncrSpec {
  readonly id: number;
  /** IANA's name with the key length where there is a choice, such as `ENCR_AES_GCM_16_256`. */
  readonly name: string;
  readonly kind: EncrKind;
  /** As in the Key Length attribute, in bits; 0 where the attribute is forbidden. */
  readonly keyBits: number;
  readonly key: number;
  /** Follows the key in key material and opens the nonce (RFC 4106 section 8.1). */
  readonly salt: number;
  /** On the wire. */
  readonly iv: number;
  readonly ivKind: IvKind;
  /** The plaintext of the cipher is padded to a multiple of this: 1 for stream ciphers (ESP itself asks for 4). */
  readonly block: number;
  /** Of the cipher itself; 0 where an integrity algorithm must be added. */
  readonly icv: number;
  readonly aead: boolean;
}

/** One of the message authentication codes that PRFs and integrity algorithms are made of. */
export type Mac = { readonly kind: "hmac"; readonly hash: HashName } | { readonly kind: "cmac" | "xcbc" };

export interface PrfSpec {
  readonly id: number;
  readonly name: string;
  readonly mac: Mac;
  /** Octets of output, which are also the preferred key length. */
  readonly output: number;
}

export interface IntegSpec {
  readonly id: number;
  readonly name: string;
  readonly mac: Mac;
  readonly key: number;
  /** Octets of the MAC that travel. */
  readonly icv: number;
}

export interface DhSpec {
  readonly id: DhGroup;
  readonly name: string;
  /** Octets of the KE payload's data. */
  readonly public: number;
  /** Octets of the shared secret. */
  readonly shared: number;
}

/** A key wrapping algorithm of RFC 9838 section 4.4.2.1.4: AES key wrap with padding. */
export interface KwaSpec {
  readonly id: number;
  readonly name: string;
  readonly key: number;
}

type EncrFamily = Omit<EncrSpec, "keyBits" | "key">;

/** A cipher with one key length, in octets: the Key Length attribute is forbidden. */
function fixedKey(family: EncrFamily, key: number): EncrSpec[] {
  return [{ ...family, keyBits: 0, key }];
}

/** AES with its three key lengths: the attribute is mandatory. */
function aesKeys(family: EncrFamily): EncrSpec[] {
  return [128, 192, 256].map((bits) => ({ ...family, name: `${family.name}_${bits}`, keyBits: bits, key: bits / 8 }));
}

const AEAD = { salt: 4, iv: 8, ivKind: "counter", block: 1, aead: true } as const;
const CBC = { salt: 0, ivKind: "random", icv: 0, aead: false } as const;
const CTR = { salt: 4, iv: 8, ivKind: "counter", block: 1, icv: 0, aead: false } as const;
const NULL = { salt: 0, iv: 0, ivKind: "none", block: 1, icv: 0, aead: false } as const;

const ENCR_SPECS: ReadonlyMap<number, EncrSpec> = new Map(
  [
    fixedKey({ id: 3, name: "ENCR_3DES", kind: "cbc-3des", ...CBC, iv: 8, block: 8 }, 24),
    fixedKey({ id: 11, name: "ENCR_NULL", kind: "null", ...NULL }, 0),
    aesKeys({ id: 12, name: "ENCR_AES_CBC", kind: "cbc-aes", ...CBC, iv: 16, block: 16 }),
    aesKeys({ id: 13, name: "ENCR_AES_CTR", kind: "ctr-aes", ...CTR }),
    aesKeys({ id: 18, name: "ENCR_AES_GCM_8", kind: "aes-gcm", ...AEAD, icv: 8 }),
    aesKeys({ id: 19, name: "ENCR_AES_GCM_12", kind: "aes-gcm", ...AEAD, icv: 12 }),
    aesKeys({ id: 20, name: "ENCR_AES_GCM_16", kind: "aes-gcm", ...AEAD, icv: 16 }),
    aesKeys({ id: 21, name: "ENCR_NULL_AUTH_AES_GMAC", kind: "aes-gmac", ...AEAD, icv: 16 }),
    fixedKey({ id: 28, name: "ENCR_CHACHA20_POLY1305", kind: "chacha20-poly1305", ...AEAD, icv: 16 }, 32),
  ]
    .flat()
    .map((spec) => [encrKey(spec.id, spec.keyBits), spec]),
);

/** Both numbers have 16 bits on the wire. */
function encrKey(id: number, keyBits: number): number {
  return id * 0x10000 + keyBits;
}

/**
 * `keyBits`: the Key Length attribute, undefined or 0 where there is none. Undefined for an unknown cipher, for a length
 * it does not have, and where the attribute is missing or forbidden (RFC 7296 section 3.3.5).
 */
export function encrSpec(id: number, keyBits: number | undefined): EncrSpec | undefined {
  return ENCR_SPECS.get(encrKey(id, keyBits ?? 0));
}

function hmac(hash: HashName): Mac {
  return { kind: "hmac", hash };
}

const PRF_SPECS: ReadonlyMap<number, PrfSpec> = byId<PrfSpec>([
  { id: 1, name: "PRF_HMAC_MD5", mac: hmac("md5"), output: 16 },
  { id: 2, name: "PRF_HMAC_SHA1", mac: hmac("sha1"), output: 20 },
  { id: 4, name: "PRF_AES128_XCBC", mac: { kind: "xcbc" }, output: 16 },
  { id: 5, name: "PRF_HMAC_SHA2_256", mac: hmac("sha256"), output: 32 },
  { id: 6, name: "PRF_HMAC_SHA2_384", mac: hmac("sha384"), output: 48 },
  { id: 7, name: "PRF_HMAC_SHA2_512", mac: hmac("sha512"), output: 64 },
  { id: 8, name: "PRF_AES128_CMAC", mac: { kind: "cmac" }, output: 16 },
]);

export function prfSpec(id: number): PrfSpec | undefined {
  return PRF_SPECS.get(id);
}

const INTEG_SPECS: ReadonlyMap<number, IntegSpec> = byId<IntegSpec>([
  { id: 1, name: "AUTH_HMAC_MD5_96", mac: hmac("md5"), key: 16, icv: 12 },
  { id: 2, name: "AUTH_HMAC_SHA1_96", mac: hmac("sha1"), key: 20, icv: 12 },
  { id: 5, name: "AUTH_AES_XCBC_96", mac: { kind: "xcbc" }, key: 16, icv: 12 },
  { id: 8, name: "AUTH_AES_CMAC_96", mac: { kind: "cmac" }, key: 16, icv: 12 },
  { id: 12, name: "AUTH_HMAC_SHA2_256_128", mac: hmac("sha256"), key: 32, icv: 16 },
  { id: 13, name: "AUTH_HMAC_SHA2_384_192", mac: hmac("sha384"), key: 48, icv: 24 },
  { id: 14, name: "AUTH_HMAC_SHA2_512_256", mac: hmac("sha512"), key: 64, icv: 32 },
]);

/** Undefined also for 0 (NONE): there is nothing to compute. */
export function integSpec(id: number): IntegSpec | undefined {
  return INTEG_SPECS.get(id);
}

const KWA_SPECS: ReadonlyMap<number, KwaSpec> = byId<KwaSpec>([
  { id: 1, name: "KW_5649_128", key: 16 },
  { id: 2, name: "KW_5649_192", key: 24 },
  { id: 3, name: "KW_5649_256", key: 32 },
]);

export function kwaSpec(id: number): KwaSpec | undefined {
  return KWA_SPECS.get(id);
}

const DH_NAMES: readonly [DhGroup, string][] = [
  [1, "MODP-768"],
  [2, "MODP-1024"],
  [5, "MODP-1536"],
  [14, "MODP-2048"],
  [15, "MODP-3072"],
  [16, "MODP-4096"],
  [19, "ECP-256"],
  [20, "ECP-384"],
  [21, "ECP-521"],
  [24, "MODP-2048-256"],
  [31, "Curve25519"],
];

const DH_SPECS: ReadonlyMap<number, DhSpec> = byId(
  DH_NAMES.map(([id, name]) => {
    const group = DH_GROUPS[id];
    if (group.kind === "x25519") return { id, name, public: 32, shared: 32 };
    if (group.kind === "modp") return { id, name, public: group.primeOctets.length, shared: group.primeOctets.length };
    const { size } = CURVES[group.curve];
    return { id, name, public: 2 * size, shared: size };
  }),
);

export function dhSpec(id: number): DhSpec | undefined {
  return DH_SPECS.get(id);
}

function byId<T extends { readonly id: number }>(rows: readonly T[]): ReadonlyMap<number, T> {
  return new Map(rows.map((row) => [row.id, row]));
}
