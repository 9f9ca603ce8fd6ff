/**
 * Keys of one SA as a run exports them on request: what Wireshark's tables hold and what our own inspector opens packets
 * with. Machines hand them out beside their events; they never enter a trace.
 */
import type { Secret } from "../base/secret.ts";

/** An IKE SA, or a multicast rekey SA (then both directions carry the same keys). Numbers are IANA transform IDs. */
export interface IkeKeyEntry {
  readonly kind: "ike";
  /** 16 hexadecimal digits each. */
  readonly spiInitiator: string;
  readonly spiResponder: string;
  readonly encr: number;
  /** Key length in bits, without salt; 0 where the cipher has but one. */
  readonly encrKeyBits: number;
  /** 0 with an AEAD cipher. */
  readonly integ: number;
  /** Cipher key with its salt last, initiator to responder and back. */
  readonly encrInitiator: Secret;
  readonly encrResponder: Secret;
  readonly integInitiator: Secret;
  readonly integResponder: Secret;
  /** Octets SK_d, for key material and unwrapping of keys; absent on a rekey SA. */
  readonly skD?: Secret;
  /** PRF transform ID that goes with `skD`. */
  readonly prf?: number;
  /** How the group payloads of this SA are to be read; absent where nobody knows. */
  readonly dialect?: "rfc9838" | "yeung-07";
}

export interface EspKeyEntry {
  readonly kind: "esp";
  /** 8 hexadecimal digits. */
  readonly spi: string;
  /** Outer addresses, `*` for any (address preservation). */
  readonly source: string;
  readonly destination: string;
  readonly encr: number;
  readonly encrKeyBits: number;
  readonly integ: number;
  readonly encrKey: Secret;
  readonly integKey: Secret;
}

/** An SA of IKEv1. Algorithms, IVs and the responder's cookie are to be found in its messages. */
export interface Ikev1KeyEntry {
  readonly kind: "ikev1";
  /** 16 hexadecimal digits. */
  readonly cookieInitiator: string;
  /** Key of the cipher, as expanded from SKEYID_e. */
  readonly encrKey: Secret;
}

/** The rekey SA of a GDOI group: what every GROUPKEY-PUSH under this KEK opens with. */
export interface GdoiKeyEntry {
  readonly kind: "gdoi";
  /** The cookie pair, 32 hexadecimal digits. */
  readonly spi: string;
  /** Number of the registry "KEK Algorithms", RFC 6407 section 5.3.2. */
  readonly algorithm: number;
  /** The IV, then the key, as KEK_ALGORITHM_KEY holds them. */
  readonly encrKey: Secret;
}

export type KeyEntry = IkeKeyEntry | EspKeyEntry | Ikev1KeyEntry | GdoiKeyEntry;
