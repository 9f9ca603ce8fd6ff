/**
 * What Wireshark 4.0 calls the algorithms in its key tables. An unknown name makes it refuse the whole table, so what is
 * not listed here is left out. Not known to it: ChaCha20-Poly1305 anywhere, AES-CCM in ESP.
 */

/** A row of a cipher table. Numbers are IANA transform IDs of type 1. */
export interface CipherName {
  readonly name: string;
  readonly encr: number;
  /** Key length in bits without salt; 0 where the cipher has but one; undefined where the name fits all lengths. */
  readonly keyBits?: number;
  /** Octets of salt at the end of the key. */
  readonly salt: number;
}

export interface IntegrityName {
  readonly name: string;
  /** IANA transform ID of type 3; 0 for none. */
  readonly integ: number;
}

const AES_BITS = [128, 192, 256] as const;
/** Transform IDs by octets of ICV. */
const CCM = new Map([
  [8, 14],
  [12, 15],
  [16, 16],
]);
const GCM = new Map([
  [8, 18],
  [12, 19],
  [16, 20],
]);

function perLength(make: (bits: number) => CipherName): CipherName[] {
  return AES_BITS.map((bits) => make(bits));
}

function perIcv(family: ReadonlyMap<number, number>, make: (icv: number, encr: number) => CipherName[]): CipherName[] {
  return [...family].flatMap(([icv, encr]) => make(icv, encr));
}

/** Ciphers of ikev2_decryption_table. */
export const IKE_CIPHERS: readonly CipherName[] = [
  { name: "3DES [RFC2451]", encr: 3, keyBits: 0, salt: 0 },
  { name: "NULL [RFC2410]", encr: 11, keyBits: 0, salt: 0 },
  ...perLength((bits) => ({ name: `AES-CBC-${bits} [RFC3602]`, encr: 12, keyBits: bits, salt: 0 })),
  ...perLength((bits) => ({ name: `AES-CTR-${bits} [RFC5930]`, encr: 13, keyBits: bits, salt: 4 })),
  ...perIcv(CCM, (icv, encr) =>
    perLength((bits) => ({ name: `AES-CCM-${bits} with ${icv} octet ICV [RFC5282]`, encr, keyBits: bits, salt: 3 })),
  ),
  ...perIcv(GCM, (icv, encr) =>
    perLength((bits) => ({ name: `AES-GCM-${bits} with ${icv} octet ICV [RFC5282]`, encr, keyBits: bits, salt: 4 })),
  ),
];

export const IKE_INTEGRITIES: readonly IntegrityName[] = [
  { name: "NONE [RFC4306]", integ: 0 },
  { name: "HMAC_SHA1_96 [RFC2404]", integ: 2 },
  { name: "HMAC_SHA2_256_128 [RFC4868]", integ: 12 },
  { name: "HMAC_SHA2_384_192 [RFC4868]", integ: 13 },
  { name: "HMAC_SHA2_512_256 [RFC4868]", integ: 14 },
];

/** Ciphers of esp_sa; the first name of a cipher is the one that is written. */
export const ESP_CIPHERS: readonly CipherName[] = [
  { name: "TripleDES-CBC [RFC2451]", encr: 3, keyBits: 0, salt: 0 },
  { name: "NULL", encr: 11, keyBits: 0, salt: 0 },
  { name: "AES-CBC [RFC3602]", encr: 12, salt: 0 },
  { name: "AES-CTR [RFC3686]", encr: 13, salt: 4 },
  ...perIcv(GCM, (icv, encr) => [{ name: `AES-GCM with ${icv} octet ICV [RFC4106]`, encr, salt: 4 }]),
  // Decrypts without a look at the ICV; found in folders that people made by hand.
  { name: "AES-GCM [RFC4106]", encr: 20, salt: 4 },
];

export const ESP_INTEGRITIES: readonly IntegrityName[] = [
  { name: "NULL", integ: 0 },
  { name: "HMAC-SHA-1-96 [RFC2404]", integ: 2 },
  { name: "HMAC-SHA-256-128 [RFC4868]", integ: 12 },
  { name: "HMAC-SHA-384-192 [RFC4868]", integ: 13 },
  { name: "HMAC-SHA-512-256 [RFC4868]", integ: 14 },
  { name: "ANY 128 bit authentication [no checking]", integ: 0 },
];
