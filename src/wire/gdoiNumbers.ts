/** Code points of GDOI: the IANA registry "Group Domain of Interpretation (GDOI) Payload Type Values". */
import { numberSpace } from "./kit.ts";

export const KekAttribute = numberSpace("SA KEK Payload Attributes", "RFC 6407 5.3, RFC 8263 8", {
  KEK_MANAGEMENT_ALGORITHM: 1,
  KEK_ALGORITHM: 2,
  KEK_KEY_LENGTH: 3,
  KEK_KEY_LIFETIME: 4,
  SIG_HASH_ALGORITHM: 5,
  SIG_ALGORITHM: 6,
  SIG_KEY_LENGTH: 7,
  KEK_ACK_REQUESTED: 9,
});

export const KekManagement = numberSpace("KEK Management Algorithms", "RFC 6407 5.3.1", { LKH: 1 });

export const KekAlgorithm = numberSpace("KEK Algorithms", "RFC 6407 5.3.2", { DES_CBC: 1, "3DES_CBC": 2, AES_CBC: 3 });

export const SigHash = numberSpace("SIG Hash Algorithms", "RFC 6407 5.3.5", {
  MD5: 1,
  SHA1: 2,
  SHA256: 3,
  SHA384: 4,
  SHA512: 5,
});

export const SigAlgorithm = numberSpace("SIG Algorithms", "RFC 6407 5.3.6", {
  RSA: 1,
  DSS: 2,
  ECDSS: 3,
  ECDSA_256: 4,
  ECDSA_384: 5,
  ECDSA_521: 6,
});

/** The base key of the acknowledgement's hash and its PRF. */
export const KekAck = numberSpace("KEK Acknowledgement Types", "RFC 8263 2", {
  KEK_SHA256: 1,
  LKH_SHA256: 2,
  KEK_SHA512: 3,
  LKH_SHA512: 4,
  /** Private use, ours: the form that stands for Cisco's own acknowledgement (src/gdoi/ack.ts). */
  X_KEK_SHA256_ENCRYPTED: 240,
});

export const GapAttribute = numberSpace("Group Associated Policy Attributes", "RFC 6407 5.4", {
  ACTIVATION_TIME_DELAY: 1,
  DEACTIVATION_TIME_DELAY: 2,
  SENDER_ID_REQUEST: 3,
});

/** Not the numbers of the IPsec DOI, where AH is 2 and ESP 3. */
export const TekProtocol = numberSpace("SA TEK Payload Protocol-IDs", "RFC 6407 5.5", {
  KEK: 0,
  ESP: 1,
  AH: 2,
  IEC_61850: 3,
});

export const TekKeyAttribute = numberSpace("TEK Download Types", "RFC 6407 5.6.1", {
  TEK_ALGORITHM_KEY: 1,
  TEK_INTEGRITY_KEY: 2,
  TEK_SOURCE_AUTH_KEY: 3,
});

export const KekKeyAttribute = numberSpace("KEK Download Types", "RFC 6407 5.6.2", {
  KEK_ALGORITHM_KEY: 1,
  SIG_ALGORITHM_KEY: 2,
});

export const LkhAttribute = numberSpace("LKH Download Types", "RFC 6407 5.6.3", {
  LKH_DOWNLOAD_ARRAY: 1,
  LKH_UPDATE_ARRAY: 2,
  SIG_ALGORITHM_KEY: 3,
});

export const SidAttribute = numberSpace("SID Download Types", "RFC 6407 5.6.4", {
  NUMBER_OF_SID_BITS: 1,
  SID_VALUE: 2,
});
