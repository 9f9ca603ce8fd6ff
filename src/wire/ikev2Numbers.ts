/** Code points of IKEv2 and G-IKEv2, one table per IANA registry ("IKEv2 Parameters"). */
import { nameOf, numberSpace } from "./kit.ts";

export const Exchange = numberSpace("IKEv2 Exchange Types", "RFC 7296 3.1, RFC 9838 9.2", {
  IKE_SA_INIT: 34,
  IKE_AUTH: 35,
  CREATE_CHILD_SA: 36,
  INFORMATIONAL: 37,
  IKE_SESSION_RESUME: 38,
  GSA_AUTH: 39,
  GSA_REGISTRATION: 40,
  GSA_REKEY: 41,
  GSA_INBAND_REKEY: 42,
  IKE_INTERMEDIATE: 43,
  IKE_FOLLOWUP_KE: 44,
});

export const PayloadType = numberSpace("IKEv2 Payload Types", "RFC 7296 3.2, RFC 9838 9.2", {
  NONE: 0,
  SA: 33,
  KE: 34,
  IDi: 35,
  IDr: 36,
  CERT: 37,
  CERTREQ: 38,
  AUTH: 39,
  NONCE: 40,
  N: 41,
  D: 42,
  V: 43,
  TSi: 44,
  TSr: 45,
  SK: 46,
  CP: 47,
  EAP: 48,
  GSPM: 49,
  IDg: 50,
  GSA: 51,
  KD: 52,
  SKF: 53,
  // Private use, ours alone: see the switch `seqPayload` of draft-yeung.
  X_SEQ: 128,
});

export const Protocol = numberSpace("IKEv2 Security Protocol Identifiers", "RFC 7296 3.3.1, RFC 9838 9.2", {
  NONE: 0,
  IKE: 1,
  AH: 2,
  ESP: 3,
  GIKE_UPDATE: 6,
});

export const TransformType = numberSpace("Transform Type Values", "RFC 7296 3.3.2, RFC 9838 9.2", {
  ENCR: 1,
  PRF: 2,
  INTEG: 3,
  DH: 4,
  SN: 5,
  KWA: 13,
  GCAUTH: 14,
});

export const Encr = numberSpace("Transform Type 1: Encryption Algorithm", "RFC 7296 3.3.2", {
  DES: 2,
  "3DES": 3,
  NULL: 11,
  AES_CBC: 12,
  AES_CTR: 13,
  AES_GCM_8: 18,
  AES_GCM_12: 19,
  AES_GCM_16: 20,
  AES_GMAC: 21,
  CHACHA20_POLY1305: 28,
});

export const Prf = numberSpace("Transform Type 2: Pseudorandom Function", "RFC 7296 3.3.2", {
  HMAC_MD5: 1,
  HMAC_SHA1: 2,
  AES128_XCBC: 4,
  HMAC_SHA2_256: 5,
  HMAC_SHA2_384: 6,
  HMAC_SHA2_512: 7,
  AES128_CMAC: 8,
});

export const Integ = numberSpace("Transform Type 3: Integrity Algorithm", "RFC 7296 3.3.2", {
  NONE: 0,
  HMAC_MD5_96: 1,
  HMAC_SHA1_96: 2,
  AES_XCBC_96: 5,
  AES_CMAC_96: 8,
  HMAC_SHA2_256_128: 12,
  HMAC_SHA2_384_192: 13,
  HMAC_SHA2_512_256: 14,
});

export const Dh = numberSpace("Transform Type 4: Key Exchange Method", "RFC 7296 3.3.2", {
  NONE: 0,
  MODP_768: 1,
  MODP_1024: 2,
  MODP_1536: 5,
  MODP_2048: 14,
  MODP_3072: 15,
  MODP_4096: 16,
  ECP_256: 19,
  ECP_384: 20,
  ECP_521: 21,
  MODP_2048_256: 24,
  CURVE25519: 31,
});

export const SequenceNumbers = numberSpace("Transform Type 5: Sequence Numbers", "RFC 9827 3-5", {
  SEQUENTIAL_32: 0,
  PARTIALLY_TRANSMITTED_64: 1,
  UNSPECIFIED_32: 2,
});

export const Kwa = numberSpace("Transform Type 13: Key Wrap Algorithm", "RFC 9838 9.2", {
  KW_5649_128: 1,
  KW_5649_192: 2,
  KW_5649_256: 3,
  KW_ARX: 4,
});

export const GcAuth = numberSpace("Transform Type 14: Group Controller Authentication Method", "RFC 9838 9.2", {
  IMPLICIT: 1,
  DIGITAL_SIGNATURE: 2,
});

export const TransformAttribute = numberSpace("IKEv2 Transform Attribute Types", "RFC 7296 3.3.5, RFC 9838 9.2", {
  KEY_LENGTH: 14,
  SIGNATURE_ALGORITHM_IDENTIFIER: 18,
});

export const IdType = numberSpace("IKEv2 Identification Payload ID Types", "RFC 7296 3.5", {
  IPV4_ADDR: 1,
  FQDN: 2,
  RFC822_ADDR: 3,
  IPV6_ADDR: 5,
  DER_ASN1_DN: 9,
  DER_ASN1_GN: 10,
  KEY_ID: 11,
  FC_NAME: 12,
  NULL: 13,
});

export const CertEncoding = numberSpace("IKEv2 Certificate Encodings", "RFC 7296 3.6", {
  PKCS7: 1,
  PGP: 2,
  DNS_SIGNED_KEY: 3,
  X509_SIGNATURE: 4,
  KERBEROS: 6,
  CRL: 7,
  ARL: 8,
  SPKI: 9,
  X509_ATTRIBUTE: 10,
  RAW_RSA: 11,
  HASH_URL_CERTIFICATE: 12,
  HASH_URL_BUNDLE: 13,
});

export const AuthMethod = numberSpace("IKEv2 Authentication Method", "RFC 7296 3.8", {
  RSA_SIGNATURE: 1,
  SHARED_KEY: 2,
  DSS_SIGNATURE: 3,
  ECDSA_256: 9,
  ECDSA_384: 10,
  ECDSA_521: 11,
  SECURE_PASSWORD: 12,
  NULL: 13,
  DIGITAL_SIGNATURE: 14,
});

/** Error types end at 16383. */
export const NotifyType = numberSpace("IKEv2 Notify Message Types", "RFC 7296 3.10.1, RFC 9838 4.7", {
  UNSUPPORTED_CRITICAL_PAYLOAD: 1,
  INVALID_IKE_SPI: 4,
  INVALID_MAJOR_VERSION: 5,
  INVALID_SYNTAX: 7,
  INVALID_MESSAGE_ID: 9,
  INVALID_SPI: 11,
  NO_PROPOSAL_CHOSEN: 14,
  INVALID_KE_PAYLOAD: 17,
  AUTHENTICATION_FAILED: 24,
  SINGLE_PAIR_REQUIRED: 34,
  NO_ADDITIONAL_SAS: 35,
  INTERNAL_ADDRESS_FAILURE: 36,
  FAILED_CP_REQUIRED: 37,
  TS_UNACCEPTABLE: 38,
  INVALID_SELECTORS: 39,
  TEMPORARY_FAILURE: 43,
  CHILD_SA_NOT_FOUND: 44,
  INVALID_GROUP_ID: 45,
  AUTHORIZATION_FAILED: 46,
  STATE_NOT_FOUND: 47,
  TS_MAX_QUEUE: 48,
  REGISTRATION_FAILED: 49,
  INITIAL_CONTACT: 16384,
  SET_WINDOW_SIZE: 16385,
  ADDITIONAL_TS_POSSIBLE: 16386,
  IPCOMP_SUPPORTED: 16387,
  NAT_DETECTION_SOURCE_IP: 16388,
  NAT_DETECTION_DESTINATION_IP: 16389,
  COOKIE: 16390,
  USE_TRANSPORT_MODE: 16391,
  HTTP_CERT_LOOKUP_SUPPORTED: 16392,
  REKEY_SA: 16393,
  ESP_TFC_PADDING_NOT_SUPPORTED: 16394,
  NON_FIRST_FRAGMENTS_ALSO: 16395,
  MOBIKE_SUPPORTED: 16396,
  ADDITIONAL_IP4_ADDRESS: 16397,
  ADDITIONAL_IP6_ADDRESS: 16398,
  NO_ADDITIONAL_ADDRESSES: 16399,
  UPDATE_SA_ADDRESSES: 16400,
  COOKIE2: 16401,
  NO_NATS_ALLOWED: 16402,
  AUTH_LIFETIME: 16403,
  MULTIPLE_AUTH_SUPPORTED: 16404,
  ANOTHER_AUTH_FOLLOWS: 16405,
  REDIRECT_SUPPORTED: 16406,
  EAP_ONLY_AUTHENTICATION: 16417,
  CHILDLESS_IKEV2_SUPPORTED: 16418,
  GROUP_SENDER: 16429,
  IKEV2_FRAGMENTATION_SUPPORTED: 16430,
  SIGNATURE_HASH_ALGORITHMS: 16431,
  // Private use, ours alone; receivers that do not know them pass them over (RFC 7296 section 3.10.1).
  X_GROUP_OF_REKEY: 40961,
  X_SIGNED_AGAIN: 40962,
  X_WANTED_KEYS: 40963,
});

export const TrafficSelectorType = numberSpace("IKEv2 Traffic Selector Types", "RFC 7296 3.13.1", {
  TS_IPV4_ADDR_RANGE: 7,
  TS_IPV6_ADDR_RANGE: 8,
});

/** Flag bits of the IKEv2 header. RFC 7296 section 3.1. */
export const FLAG_INITIATOR = 0x08;
export const FLAG_VERSION = 0x10;
export const FLAG_RESPONSE = 0x20;

export function nameOfNotify(type: number): string {
  return nameOf(NotifyType.space, type);
}
