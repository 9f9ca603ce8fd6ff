/**
 * Payload bodies of G-IKEv2 as draft-yeung-g-ikev2 has them, the dialect of Cisco's devices. IDg is an identification
 * payload; GSA and KD carry the payload numbers of RFC 9838 with other contents: policies in attributes as in GDOI, keys in
 * clear inside of the encrypted payload.
 *
 * The text of version 07 is not to be had. What stands here is the layout of version 08, which agrees with 04 but where a
 * comment says otherwise; all numbers that are in doubt are in the tables below. There is no SEQ payload in any version:
 * KEK_MESSAGE_ID takes its place.
 */
import { toHex } from "../base/bytes.ts";
import { TrafficSelector, Transform } from "./ikev2.ts";
import { AuthMethod, Encr, Integ } from "./ikev2Numbers.ts";
import { keyDownload, lkhArrays } from "./keyPackets.ts";
import {
  bytes,
  type Codec,
  chain,
  choice,
  type Infer,
  lengthOfStruct,
  list,
  numberSpace,
  rest,
  struct,
  u8,
  u16,
  u32,
  zero,
} from "./kit.ts";
import { attributes } from "./tagged.ts";

const DRAFT = "draft-yeung-g-ikev2";

/** 241 to 255 are for private use; X_BYPASS is ours alone. */
export const PolicyType = numberSpace("GSA Policy Types", `${DRAFT} 4.3.1`, { KEK: 1, GAP: 2, TEK: 3, X_BYPASS: 242 });

/** Not the numbers of IKEv2, where ESP is 3. */
export const TekProtocol = numberSpace("GSA TEK Protocol-IDs", `${DRAFT} 4.5`, { ESP: 1, AH: 2 });

/**
 * KEK_MESSAGE_ID is a basic attribute in the draft's table, which leaves two octets, and a number of four octets in its
 * text: it is sent in the long form, as version 16 has it, and taken in both.
 */
export const KekAttribute = numberSpace("KEK Policy Attributes", `${DRAFT} 4.4`, {
  KEK_MANAGEMENT_ALGORITHM: 1,
  KEK_ENCR_ALGORITHM: 2,
  KEK_KEY_LENGTH: 3,
  KEK_KEY_LIFETIME: 4,
  KEK_INTEGRITY_ALGORITHM: 5,
  KEK_AUTH_METHOD: 6,
  KEK_AUTH_ALGORITHM: 7,
  KEK_MESSAGE_ID: 8,
});

export const KekManagement = numberSpace("KEK Management Algorithms", `${DRAFT} 4.4.1`, { LKH: 1 });

/** As version 08 refers to it; 04 had a list of its own: 1 SHA2-256, 2 SHA2-384, 3 SHA2-512. */
export const KekAuthHash = numberSpace("IKEv2 Hash Algorithms", "RFC 7427 7", {
  SHA1: 1,
  SHA2_256: 2,
  SHA2_384: 3,
  SHA2_512: 4,
});

/** LIFE_DURATION in seconds, 28,800 where it is absent; without MODE the SA is a tunnel. */
export const TekAttribute = numberSpace("TEK Policy Attributes", `${DRAFT} 4.5`, { LIFE_DURATION: 1, MODE: 2 });

export const TekMode = numberSpace("TEK Modes", `${DRAFT} 4.5`, { TRANSPORT: 1 });

export const GapAttribute = numberSpace("Group Associated Policy Attributes", `${DRAFT} 4.6`, {
  ACTIVATION_TIME_DELAY: 1,
  DEACTIVATION_TIME_DELAY: 2,
});

/** KEK_AUTH_KEY has no number in 04 and 08; 3 is that of 16. TEK_SOURCE_AUTH_KEY is in 04 only. */
export const KeyAttribute = {
  tek: numberSpace("TEK Key Attributes", `${DRAFT} 4.7.1`, {
    TEK_ALGORITHM_KEY: 1,
    TEK_INTEGRITY_KEY: 2,
    TEK_SOURCE_AUTH_KEY: 3,
  }),
  kek: numberSpace("KEK Key Attributes", `${DRAFT} 4.7.2`, { KEK_ENCR_KEY: 1, KEK_INTEGRITY_KEY: 2, KEK_AUTH_KEY: 3 }),
  lkh: numberSpace("LKH Key Attributes", `${DRAFT} 4.7.3`, {
    LKH_DOWNLOAD_ARRAY: 1,
    LKH_UPDATE_ARRAY: 2,
    AUTH_ALGORITHM_KEY: 3,
  }),
  sid: numberSpace("SID Attributes", `${DRAFT} 4.7.4`, { NUMBER_OF_SID_BITS: 1, SID_VALUE: 2 }),
};

/** Policy of the rekey SA; its SPI is the pair of SPIs in the header of GSA_REKEY, the initiator's first. */
export const KekPolicy = struct(
  "KEK policy",
  `${DRAFT} 4.4`,
  {
    type: u8.named(PolicyType),
    reserved: zero(1),
    length: lengthOfStruct(u16),
    spi: bytes(16),
    source: TrafficSelector,
    destination: TrafficSelector,
    attributes: attributes("Attribute", `${DRAFT} 4.4`, {
      KEK_MANAGEMENT_ALGORITHM: [KekAttribute.KEK_MANAGEMENT_ALGORITHM, "tv", KekManagement],
      KEK_ENCR_ALGORITHM: [KekAttribute.KEK_ENCR_ALGORITHM, "tv", Encr],
      KEK_KEY_LENGTH: [KekAttribute.KEK_KEY_LENGTH, "tv"],
      KEK_KEY_LIFETIME: [KekAttribute.KEK_KEY_LIFETIME, u32],
      KEK_INTEGRITY_ALGORITHM: [KekAttribute.KEK_INTEGRITY_ALGORITHM, "tv", Integ],
      KEK_AUTH_METHOD: [KekAttribute.KEK_AUTH_METHOD, "tv", AuthMethod],
      KEK_AUTH_ALGORITHM: [KekAttribute.KEK_AUTH_ALGORITHM, "tv", KekAuthHash],
      KEK_MESSAGE_ID: [KekAttribute.KEK_MESSAGE_ID, "either"],
    }),
  },
  (value) => `SPI ${toHex(value.spi)}`,
);
export type KekPolicy = Infer<typeof KekPolicy>;

/**
 * Policy of one data SA. The draft's figure shows one transform, which serves an AEAD cipher; CBC with a hash needs two,
 * chained as in a proposal (version 16 has a list).
 */
export const TekPolicy = struct(
  "TEK policy",
  `${DRAFT} 4.5`,
  {
    type: u8.named(PolicyType),
    reserved: zero(1),
    length: lengthOfStruct(u16),
    protocol: u8.named(TekProtocol),
    spi: bytes(4),
    source: TrafficSelector,
    destination: TrafficSelector,
    transforms: chain(Transform, 3, "Transform"),
    attributes: attributes("Attribute", `${DRAFT} 4.5`, {
      LIFE_DURATION: [TekAttribute.LIFE_DURATION, u32],
      MODE: [TekAttribute.MODE, "tv", TekMode],
    }),
  },
  (value) => `SPI ${toHex(value.spi)}`,
);
export type TekPolicy = Infer<typeof TekPolicy>;

/** Delays in seconds from the receipt of new SAs: until they are used for sending, until the old ones are removed. */
export const GapPolicy = struct("Group associated policy", `${DRAFT} 4.6`, {
  type: u8.named(PolicyType),
  reserved: zero(1),
  length: lengthOfStruct(u16),
  attributes: attributes("Attribute", `${DRAFT} 4.6`, {
    ACTIVATION_TIME_DELAY: [GapAttribute.ACTIVATION_TIME_DELAY, "tv"],
    DEACTIVATION_TIME_DELAY: [GapAttribute.DEACTIVATION_TIME_DELAY, "tv"],
  }),
});
export type GapPolicy = Infer<typeof GapPolicy>;

/** A deny entry of the key server's list, in its place among the TEK policies: such traffic goes in clear. */
export const BypassPolicy = struct("Bypass policy", "private use", {
  type: u8.named(PolicyType),
  reserved: zero(1),
  length: lengthOfStruct(u16),
  source: TrafficSelector,
  destination: TrafficSelector,
});
export type BypassPolicy = Infer<typeof BypassPolicy>;

const OtherPolicy = struct("Policy", `${DRAFT} 4.3.1`, {
  type: u8.named(PolicyType),
  reserved: zero(1),
  length: lengthOfStruct(u16),
  data: rest,
});

/** `type` says which; policies of other types keep their octets. */
export type Policy = KekPolicy | TekPolicy | GapPolicy | BypassPolicy | Infer<typeof OtherPolicy>;

const POLICIES: ReadonlyMap<number, Codec<Policy>> = new Map<number, Codec<Policy>>([
  [PolicyType.KEK, KekPolicy as Codec<Policy>],
  [PolicyType.GAP, GapPolicy as Codec<Policy>],
  [PolicyType.TEK, TekPolicy as Codec<Policy>],
  [PolicyType.X_BYPASS, BypassPolicy as Codec<Policy>],
]);
const PolicyCodec = choice<Policy>(
  (value) => POLICIES.get(value.type) ?? (OtherPolicy as Codec<Policy>),
  POLICIES,
  OtherPolicy as Codec<Policy>,
);

export function isKekPolicy(policy: Policy): policy is KekPolicy {
  return policy.type === PolicyType.KEK;
}

export function isTekPolicy(policy: Policy): policy is TekPolicy {
  return policy.type === PolicyType.TEK;
}

export function isGapPolicy(policy: Policy): policy is GapPolicy {
  return policy.type === PolicyType.GAP;
}

export function isBypassPolicy(policy: Policy): policy is BypassPolicy {
  return policy.type === PolicyType.X_BYPASS;
}

/** At most one KEK policy, any number of the others; at least one KEK or TEK. */
export const Gsa = struct("Group security association", `${DRAFT} 4.3`, {
  policies: list(PolicyCodec, "Policy", 256),
});
export type Gsa = Infer<typeof Gsa>;

const { download, update } = lkhArrays(Encr.space, `${DRAFT} 4.7.3`);
const { tek, kek, lkh, sid } = KeyAttribute;

/**
 * Keys by type of packet. TEK_ALGORITHM_KEY is key material as the transform takes it, with an AEAD cipher's salt last;
 * KEK_ENCR_KEY may have an IV in front of the key where its mode wants one; the SPI of a SID packet is empty.
 */
export const Kd = keyDownload(`${DRAFT} 4.7`, {
  TEK: attributes("Attribute", `${DRAFT} 4.7.1`, {
    TEK_ALGORITHM_KEY: [tek.TEK_ALGORITHM_KEY, rest],
    TEK_INTEGRITY_KEY: [tek.TEK_INTEGRITY_KEY, rest],
    TEK_SOURCE_AUTH_KEY: [tek.TEK_SOURCE_AUTH_KEY, rest],
  }),
  KEK: attributes("Attribute", `${DRAFT} 4.7.2`, {
    KEK_ENCR_KEY: [kek.KEK_ENCR_KEY, rest],
    KEK_INTEGRITY_KEY: [kek.KEK_INTEGRITY_KEY, rest],
    KEK_AUTH_KEY: [kek.KEK_AUTH_KEY, rest],
  }),
  LKH: attributes("Attribute", `${DRAFT} 4.7.3`, {
    LKH_DOWNLOAD_ARRAY: [lkh.LKH_DOWNLOAD_ARRAY, download],
    LKH_UPDATE_ARRAY: [lkh.LKH_UPDATE_ARRAY, update],
    AUTH_ALGORITHM_KEY: [lkh.AUTH_ALGORITHM_KEY, rest],
  }),
  SID: attributes("Attribute", `${DRAFT} 4.7.4`, {
    NUMBER_OF_SID_BITS: [sid.NUMBER_OF_SID_BITS, "either"],
    SID_VALUE: [sid.SID_VALUE, "either"],
  }),
});
export type Kd = Infer<typeof Kd>;
