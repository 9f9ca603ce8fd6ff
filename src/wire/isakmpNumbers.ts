/**
 * Code points of ISAKMP (RFC 2408), IKEv1 (RFC 2409) and the IPsec DOI (RFC 2407), with the later entries of their
 * registries. Several number spaces belong to the domain of interpretation: exchange 32 is Quick Mode under DOI 1 and
 * GROUPKEY-PULL under DOI 2.
 */
import { numberSpace } from "./kit.ts";

export const Doi = numberSpace("Domain of Interpretation", "RFC 2407 1, RFC 6407 2.1", {
  ISAKMP: 0,
  IPSEC: 1,
  GDOI: 2,
});

const COMMON_EXCHANGES = {
  BASE: 1,
  IDENTITY_PROTECTION: 2,
  AUTHENTICATION_ONLY: 3,
  AGGRESSIVE: 4,
  INFORMATIONAL: 5,
  TRANSACTION: 6,
} as const;

/** Identity Protection is Main Mode. */
export const IsakmpExchange = numberSpace("ISAKMP Exchange Types", "RFC 2408 3.1, RFC 2409 A", {
  ...COMMON_EXCHANGES,
  QUICK_MODE: 32,
  NEW_GROUP_MODE: 33,
});

export const GdoiExchange = numberSpace("ISAKMP Exchange Types of DOI 2", "RFC 6407 3.2.1 and 4.2, RFC 8263 3.1", {
  ...COMMON_EXCHANGES,
  GROUPKEY_PULL: 32,
  GROUPKEY_PUSH: 33,
  GROUPKEY_PUSH_ACK: 35,
  // The first for private use (RFC 2408 section 3.1): what stands for Cisco's own acknowledgement is ours.
  X_GROUPKEY_PUSH_ACK: 240,
});

/** Payloads 2 and 3 stand inside of SA only. */
const COMMON_PAYLOADS = {
  NONE: 0,
  SA: 1,
  P: 2,
  T: 3,
  KE: 4,
  ID: 5,
  CERT: 6,
  CERTREQ: 7,
  HASH: 8,
  SIG: 9,
  NONCE: 10,
  N: 11,
  D: 12,
  VID: 13,
  "NAT-D": 20,
  "NAT-OA": 21,
  "NAT-D draft": 130,
  "NAT-OA draft": 131,
} as const;

export const IsakmpPayloadType = numberSpace("ISAKMP Payload Types", "RFC 2408 3.1, RFC 3947 3.2", COMMON_PAYLOADS);

export const GdoiPayloadType = numberSpace("ISAKMP Payload Types of DOI 2", "RFC 6407 5", {
  ...COMMON_PAYLOADS,
  SAK: 15,
  SAT: 16,
  KD: 17,
  SEQ: 18,
  GAP: 22,
});

/** Flag bits of the ISAKMP header. RFC 2408 section 3.1. */
export const ISAKMP_ENCRYPTED = 0x01;
export const ISAKMP_COMMIT = 0x02;
export const ISAKMP_AUTHENTICATED = 0x04;

export const IsakmpProtocol = numberSpace("IPsec Security Protocol Identifiers", "RFC 2407 4.4.1", {
  ISAKMP: 1,
  AH: 2,
  ESP: 3,
  IPCOMP: 4,
});

export const IsakmpTransform = numberSpace("IPsec ISAKMP Transform Identifiers", "RFC 2407 4.4.2", { KEY_IKE: 1 });

export const AhTransform = numberSpace("IPsec AH Transform Identifiers", "RFC 2407 4.4.3, RFC 4543 9", {
  MD5: 2,
  SHA1: 3,
  DES: 4,
  SHA2_256: 5,
  SHA2_384: 6,
  SHA2_512: 7,
  GMAC_128: 11,
  GMAC_192: 12,
  GMAC_256: 13,
});

export const EspTransform = numberSpace("IPsec ESP Transform Identifiers", "RFC 2407 4.4.4, RFC 4106 8, RFC 4543 9", {
  DES: 2,
  "3DES": 3,
  NULL: 11,
  AES_CBC: 12,
  AES_CTR: 13,
  AES_CCM_8: 14,
  AES_CCM_12: 15,
  AES_CCM_16: 16,
  AES_GCM_8: 18,
  AES_GCM_12: 19,
  AES_GCM_16: 20,
  NULL_AES_GMAC: 23,
});

export const OakleyAttribute = numberSpace("IKE Attributes", "RFC 2409 A", {
  ENCRYPTION: 1,
  HASH: 2,
  AUTHENTICATION: 3,
  GROUP: 4,
  GROUP_TYPE: 5,
  GROUP_PRIME: 6,
  GROUP_GENERATOR_ONE: 7,
  GROUP_GENERATOR_TWO: 8,
  GROUP_CURVE_A: 9,
  GROUP_CURVE_B: 10,
  LIFE_TYPE: 11,
  LIFE_DURATION: 12,
  PRF: 13,
  KEY_LENGTH: 14,
  FIELD_SIZE: 15,
  GROUP_ORDER: 16,
});

export const OakleyEncryption = numberSpace("IKE Encryption Algorithms", "RFC 2409 A, RFC 3602 5.3", {
  DES_CBC: 1,
  IDEA_CBC: 2,
  BLOWFISH_CBC: 3,
  RC5_CBC: 4,
  "3DES_CBC": 5,
  CAST_CBC: 6,
  AES_CBC: 7,
});

export const OakleyHash = numberSpace("IKE Hash Algorithms", "RFC 2409 A, RFC 4868 3", {
  MD5: 1,
  SHA1: 2,
  TIGER: 3,
  SHA2_256: 4,
  SHA2_384: 5,
  SHA2_512: 6,
});

export const OakleyAuthentication = numberSpace("IKE Authentication Methods", "RFC 2409 A, RFC 4754 3", {
  PRE_SHARED_KEY: 1,
  DSS_SIGNATURE: 2,
  RSA_SIGNATURE: 3,
  RSA_ENCRYPTION: 4,
  REVISED_RSA_ENCRYPTION: 5,
  ECDSA_256: 9,
  ECDSA_384: 10,
  ECDSA_521: 11,
});

export const LifeType = numberSpace("Life Types", "RFC 2409 A, RFC 2407 4.5", { SECONDS: 1, KILOBYTES: 2 });

export const IpsecAttribute = numberSpace("IPsec Security Association Attributes", "RFC 2407 4.5, RFC 6407 5.5.1.1", {
  SA_LIFE_TYPE: 1,
  SA_LIFE_DURATION: 2,
  GROUP_DESCRIPTION: 3,
  ENCAPSULATION_MODE: 4,
  AUTHENTICATION_ALGORITHM: 5,
  KEY_LENGTH: 6,
  KEY_ROUNDS: 7,
  COMPRESS_DICTIONARY_SIZE: 8,
  COMPRESS_PRIVATE_ALGORITHM: 9,
  ECN_TUNNEL: 10,
  EXTENDED_SEQUENCE_NUMBER: 11,
  ADDRESS_PRESERVATION: 14,
  SA_DIRECTION: 15,
});

export const EncapsulationMode = numberSpace("Encapsulation Modes", "RFC 2407 4.5, RFC 3947 5.1", {
  TUNNEL: 1,
  TRANSPORT: 2,
  UDP_TUNNEL: 3,
  UDP_TRANSPORT: 4,
});

export const IpsecAuthentication = numberSpace("Authentication Algorithms", "RFC 2407 4.5, RFC 4868 3", {
  HMAC_MD5: 1,
  HMAC_SHA1: 2,
  DES_MAC: 3,
  KPDK: 4,
  HMAC_SHA2_256: 5,
  HMAC_SHA2_384: 6,
  HMAC_SHA2_512: 7,
  AES_XCBC: 9,
});

export const AddressPreservation = numberSpace("Address Preservation", "RFC 6407 5.5.1.1.1", {
  NONE: 1,
  SOURCE: 2,
  DESTINATION: 3,
  BOTH: 4,
});

export const SaDirection = numberSpace("SA Direction", "RFC 6407 5.5.1.1.2", {
  SENDER: 1,
  RECEIVER: 2,
  SYMMETRIC: 3,
});

export const IsakmpIdType = numberSpace("IPsec Identification Types", "RFC 2407 4.6.2.1, RFC 8052 2.2", {
  IPV4_ADDR: 1,
  FQDN: 2,
  USER_FQDN: 3,
  IPV4_ADDR_SUBNET: 4,
  IPV6_ADDR: 5,
  IPV6_ADDR_SUBNET: 6,
  IPV4_ADDR_RANGE: 7,
  IPV6_ADDR_RANGE: 8,
  DER_ASN1_DN: 9,
  DER_ASN1_GN: 10,
  KEY_ID: 11,
  LIST: 12,
  OID: 13,
});

export const IsakmpCertEncoding = numberSpace("ISAKMP Certificate Encodings", "RFC 2408 3.9", {
  NONE: 0,
  PKCS7: 1,
  PGP: 2,
  DNS_SIGNED_KEY: 3,
  X509_SIGNATURE: 4,
  X509_KEY_EXCHANGE: 5,
  KERBEROS: 6,
  CRL: 7,
  ARL: 8,
  SPKI: 9,
  X509_ATTRIBUTE: 10,
});

export const IsakmpNotifyType = numberSpace(
  "ISAKMP Notify Message Types",
  "RFC 2408 3.14.1, RFC 2407 4.6.3, RFC 3706 5.2",
  {
    "INVALID-PAYLOAD-TYPE": 1,
    "DOI-NOT-SUPPORTED": 2,
    "SITUATION-NOT-SUPPORTED": 3,
    "INVALID-COOKIE": 4,
    "INVALID-MAJOR-VERSION": 5,
    "INVALID-MINOR-VERSION": 6,
    "INVALID-EXCHANGE-TYPE": 7,
    "INVALID-FLAGS": 8,
    "INVALID-MESSAGE-ID": 9,
    "INVALID-PROTOCOL-ID": 10,
    "INVALID-SPI": 11,
    "INVALID-TRANSFORM-ID": 12,
    "ATTRIBUTES-NOT-SUPPORTED": 13,
    "NO-PROPOSAL-CHOSEN": 14,
    "BAD-PROPOSAL-SYNTAX": 15,
    "PAYLOAD-MALFORMED": 16,
    "INVALID-KEY-INFORMATION": 17,
    "INVALID-ID-INFORMATION": 18,
    "INVALID-CERT-ENCODING": 19,
    "INVALID-CERTIFICATE": 20,
    "CERT-TYPE-UNSUPPORTED": 21,
    "INVALID-CERT-AUTHORITY": 22,
    "INVALID-HASH-INFORMATION": 23,
    "AUTHENTICATION-FAILED": 24,
    "INVALID-SIGNATURE": 25,
    "ADDRESS-NOTIFICATION": 26,
    "NOTIFY-SA-LIFETIME": 27,
    "CERTIFICATE-UNAVAILABLE": 28,
    "UNSUPPORTED-EXCHANGE-TYPE": 29,
    "UNEQUAL-PAYLOAD-LENGTHS": 30,
    CONNECTED: 16384,
    "RESPONDER-LIFETIME": 24576,
    "REPLAY-STATUS": 24577,
    "INITIAL-CONTACT": 24578,
    "R-U-THERE": 36136,
    "R-U-THERE-ACK": 36137,
  },
);

/** What vendors and drafts announce about themselves: octets in hexadecimal to a name. */
export const VENDOR_IDS: ReadonlyMap<string, string> = new Map([
  ["afcad71368a1f1c96b8696fc77570100", "dead peer detection (RFC 3706)"],
  ["4a131c81070358455c5728f20e95452f", "NAT traversal (RFC 3947)"],
  ["7d9419a65310ca6f2c179d9215529d56", "NAT traversal, draft 03"],
  ["90cb80913ebb696e086381b5ec427b1f", "NAT traversal, draft 02"],
  ["cd60464335df21f87cfdb2fc68b6a448", "NAT traversal, draft 02"],
  ["12f5f28c457168a9702d9fe274cc0100", "Cisco Unity"],
  ["09002689dfd6b712", "XAUTH"],
  ["4048b7d56ebce88525e7de7f00d6c2d380000000", "IKE fragmentation"],
]);
