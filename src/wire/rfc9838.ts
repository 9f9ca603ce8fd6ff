/**
 * Payload bodies of G-IKEv2 as RFC 9838 has them: IDg is an identification payload, GSA and KD hold the substructures
 * below. The dialect of draft-yeung uses the same payload numbers for other contents and is declared apart.
 */

import { TrafficSelector, Transform } from "./ikev2.ts";
import { Protocol } from "./ikev2Numbers.ts";
import {
  type Codec,
  chain,
  choice,
  type Infer,
  lengthOf,
  lengthOfStruct,
  list,
  nameOf,
  numberSpace,
  rest,
  sizedBytes,
  struct,
  u8,
  u16,
  u32,
  zero,
} from "./kit.ts";
import { attributes } from "./tagged.ts";

export const GsaAttribute = numberSpace("Group SA Policy Attributes", "RFC 9838 4.4.2.2", {
  GSA_KEY_LIFETIME: 1,
  GSA_INITIAL_MESSAGE_ID: 2,
  GSA_NEXT_SPI: 3,
});

export const GwpAttribute = numberSpace("Group-wide Policy Attributes", "RFC 9838 4.4.3.1", {
  GWP_ATD: 1,
  GWP_DTD: 2,
  GWP_SENDER_ID_BITS: 3,
  X_BYPASS: 16384,
});

export const GroupKeyAttribute = numberSpace("Group Key Bag Attributes", "RFC 9838 4.5.2", { SA_KEY: 1 });

export const MemberKeyAttribute = numberSpace("Member Key Bag Attributes", "RFC 9838 4.5.3", {
  WRAP_KEY: 1,
  AUTH_KEY: 2,
  GM_SENDER_ID: 3,
});

/**
 * Policy of one SA: protocol 6 (GIKE_UPDATE, SPI 16 octets) is the rekey SA, 3 (ESP) and 2 (AH, SPI 4 octets) are data
 * SAs. RFC 9838 section 4.4.2.
 */
export const SaPolicy = struct(
  "Group SA policy",
  "RFC 9838 4.4.2",
  {
    protocol: u8.named(Protocol),
    spiSize: lengthOf(u8, "spi"),
    length: lengthOfStruct(u16),
    spi: sizedBytes("spi"),
    source: TrafficSelector,
    destination: TrafficSelector,
    transforms: chain(Transform, 3, "Transform"),
    attributes: attributes("Attribute", "RFC 9838 4.4.2.2", {
      GSA_KEY_LIFETIME: [GsaAttribute.GSA_KEY_LIFETIME, u32],
      GSA_INITIAL_MESSAGE_ID: [GsaAttribute.GSA_INITIAL_MESSAGE_ID, u32],
      GSA_NEXT_SPI: [GsaAttribute.GSA_NEXT_SPI, rest],
    }),
  },
  (policy) => nameOf(Protocol.space, policy.protocol),
);
export type SaPolicy = Infer<typeof SaPolicy>;

/**
 * Traffic that members send in clear. RFC 9838 can say what an SA protects, but not what a `deny` line of a key server's
 * access list exempts; this attribute of the private-use range says it, and is ours alone. `before` counts the data SA
 * policies of the payload that stand in front of the entry.
 */
export const Bypass = struct("Bypass entry", "private use", {
  before: u16,
  source: TrafficSelector,
  destination: TrafficSelector,
});
export type Bypass = Infer<typeof Bypass>;

/** Group-wide policy: activation and deactivation delay in seconds, sender-ID bits. RFC 9838 section 4.4.3. */
export const GroupWidePolicy = struct("Group-wide policy", "RFC 9838 4.4.3", {
  protocol: u8.named(Protocol),
  reserved: zero(1),
  length: lengthOfStruct(u16),
  attributes: attributes("Attribute", "RFC 9838 4.4.3.1", {
    GWP_ATD: [GwpAttribute.GWP_ATD, "tv"],
    GWP_DTD: [GwpAttribute.GWP_DTD, "tv"],
    GWP_SENDER_ID_BITS: [GwpAttribute.GWP_SENDER_ID_BITS, "tv"],
    X_BYPASS: [GwpAttribute.X_BYPASS, Bypass],
  }),
});
export type GroupWidePolicy = Infer<typeof GroupWidePolicy>;

export type Policy = SaPolicy | GroupWidePolicy;

/** The first octet decides: 0 is the group-wide policy, anything else a protocol with an SPI. RFC 9838 section 4.4.1. */
const PolicyCodec: Codec<Policy> = byFirstOctet<Policy>(GroupWidePolicy as Codec<Policy>, SaPolicy as Codec<Policy>);

export const Gsa = struct("Group security association", "RFC 9838 4.4", {
  policies: list(PolicyCodec, "Policy", 256),
});
export type Gsa = Infer<typeof Gsa>;

export function isGroupWide(policy: Policy): policy is GroupWidePolicy {
  return policy.protocol === Protocol.NONE;
}

/**
 * Value of SA_KEY and WRAP_KEY: key material wrapped for the holder of the key-wrap key `kwkId` (0: GSK_w of the SA that
 * carries the message); `keyId` 0 names the SA's own key material. RFC 9838 section 4.5.4.
 */
export const WrappedKey = struct("Wrapped key", "RFC 9838 4.5.4", { keyId: u32, kwkId: u32, wrapped: rest }, (key) =>
  key.keyId === 0 ? `SA key under KWK ${key.kwkId}` : `key ${key.keyId} under KWK ${key.kwkId}`,
);
export type WrappedKey = Infer<typeof WrappedKey>;

export const GroupKeyBag = struct(
  "Group key bag",
  "RFC 9838 4.5.2",
  {
    protocol: u8.named(Protocol),
    spiSize: lengthOf(u8, "spi"),
    length: lengthOfStruct(u16),
    spi: sizedBytes("spi"),
    attributes: attributes("Attribute", "RFC 9838 4.5.2", { SA_KEY: [GroupKeyAttribute.SA_KEY, WrappedKey] }),
  },
  (bag) => nameOf(Protocol.space, bag.protocol),
);
export type GroupKeyBag = Infer<typeof GroupKeyBag>;

export const MemberKeyBag = struct("Member key bag", "RFC 9838 4.5.3", {
  protocol: u8.named(Protocol),
  reserved: zero(1),
  length: lengthOfStruct(u16),
  attributes: attributes("Attribute", "RFC 9838 4.5.3", {
    WRAP_KEY: [MemberKeyAttribute.WRAP_KEY, WrappedKey],
    AUTH_KEY: [MemberKeyAttribute.AUTH_KEY, rest],
    GM_SENDER_ID: [MemberKeyAttribute.GM_SENDER_ID, rest],
  }),
});
export type MemberKeyBag = Infer<typeof MemberKeyBag>;

export type KeyBag = GroupKeyBag | MemberKeyBag;

export const Kd = struct("Key download", "RFC 9838 4.5", {
  bags: list(byFirstOctet<KeyBag>(MemberKeyBag as Codec<KeyBag>, GroupKeyBag as Codec<KeyBag>), "Key bag", 4096),
});
export type Kd = Infer<typeof Kd>;

export function isMemberBag(bag: KeyBag): bag is MemberKeyBag {
  return bag.protocol === Protocol.NONE;
}

function byFirstOctet<T extends { readonly protocol: number }>(zeroFirst: Codec<T>, otherwise: Codec<T>): Codec<T> {
  return choice<T>(
    (value) => (value.protocol === Protocol.NONE ? zeroFirst : otherwise),
    new Map([[Protocol.NONE as number, zeroFirst]]),
    otherwise,
  );
}
