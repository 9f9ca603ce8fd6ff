/** What a phase 1 transform stands for: hash, cipher, group and authentication method. RFC 2409 appendix A. */
import type { DhGroup, HashName } from "../crypto/api.ts";
import { dhSpec } from "../crypto/suite.ts";
import type { OakleyAttributes } from "../wire/isakmp.ts";
import { OakleyEncryption, OakleyHash } from "../wire/isakmpNumbers.ts";
import { attributeOf } from "../wire/tagged.ts";

/** A cipher in CBC mode. Lengths in octets. */
export interface Ikev1Cipher {
  readonly cipher: "aes" | "3des" | "des";
  readonly key: number;
  readonly block: 8 | 16;
}

export interface Ikev1Suite {
  /** Also of the PRF, which is its HMAC: no other PRF was ever defined. */
  readonly hash: HashName;
  readonly cipher: Ikev1Cipher;
  readonly group: DhGroup;
  /** Number of the registry "IKE Authentication Methods". */
  readonly authentication: number;
}

const HASHES: ReadonlyMap<number, HashName> = new Map<number, HashName>([
  [OakleyHash.MD5, "md5"],
  [OakleyHash.SHA1, "sha1"],
  [OakleyHash.SHA2_256, "sha256"],
  [OakleyHash.SHA2_384, "sha384"],
  [OakleyHash.SHA2_512, "sha512"],
]);

export function oakleyHash(number: number | undefined): HashName | undefined {
  return number === undefined ? undefined : HASHES.get(number);
}

/** `keyBits`: required for AES, forbidden for the ciphers with but one length (RFC 2409 appendix A). */
export function oakleyCipher(encryption: number | undefined, keyBits: number | undefined): Ikev1Cipher | undefined {
  if (encryption === OakleyEncryption.AES_CBC) {
    return keyBits === 128 || keyBits === 192 || keyBits === 256
      ? { cipher: "aes", key: keyBits / 8, block: 16 }
      : undefined;
  }
  if (keyBits !== undefined) return undefined;
  if (encryption === OakleyEncryption["3DES_CBC"]) return { cipher: "3des", key: 24, block: 8 };
  return encryption === OakleyEncryption.DES_CBC ? { cipher: "des", key: 8, block: 8 } : undefined;
}

/** Undefined where the attributes name an algorithm that is not implemented, or leave one open. */
export function suiteOf(attributes: OakleyAttributes): Ikev1Suite | undefined {
  const hash = oakleyHash(attributeOf(attributes, "HASH"));
  const cipher = oakleyCipher(attributeOf(attributes, "ENCRYPTION"), attributeOf(attributes, "KEY_LENGTH"));
  const group = dhSpec(attributeOf(attributes, "GROUP") ?? 0);
  const authentication = attributeOf(attributes, "AUTHENTICATION");
  if (hash === undefined || cipher === undefined || group === undefined || authentication === undefined)
    return undefined;
  return { hash, cipher, group: group.id, authentication };
}
