/**
 * Payload bodies of GDOI: the group's SA payload with its policies, and the key download. RFC 6407 section 5, RFC 8263
 * section 2 for the acknowledgement attribute.
 *
 *     | SA                                                      |
 *     | DOI 2, situation 0, type of the first policy, reserved  |
 *     | SAK (KEK policy) | GAP (group policy) | SAT (a TEK) ... |   each with a generic payload header
 */
import { toHex } from "../base/bytes.ts";
import * as G from "./gdoiNumbers.ts";
import { IpProtocol } from "./ip.ts";
import { IpsecAttributes, identityText } from "./isakmp.ts";
import {
  firstNumber,
  payloadSet,
  payloadsShape,
  readPayloads,
  type UnknownIsakmpPayload,
  writePayloads,
} from "./isakmpChain.ts";
import { AhTransform, Doi, EspTransform, GdoiPayloadType, IsakmpIdType } from "./isakmpNumbers.ts";
import { keyDownload, lkhArrays } from "./keyPackets.ts";
import {
  bytes,
  type Codec,
  choice,
  hexNumber,
  type Infer,
  lengthOf,
  type NumberSpace,
  nameOf,
  rest,
  sizedBytes,
  struct,
  u8,
  u16,
  u32,
  zero,
} from "./kit.ts";
import { attributes } from "./tagged.ts";

/** Source or destination in a policy: the length is one octet, and there is no protocol. RFC 6407 section 5.3. */
export const GdoiIdentity = struct(
  "Identity",
  "RFC 6407 5.3",
  { type: u8.named(IsakmpIdType), port: u16, length: lengthOf(u8, "data"), data: sizedBytes("data") },
  (value) => `${identityText(value.type, value.data)}${value.port === 0 ? "" : ` port ${value.port}`}`,
);
export type GdoiIdentity = Infer<typeof GdoiIdentity>;

/**
 * Policy of the rekey SA. The SPI is the cookie pair of its messages. The field list of RFC 6407 has a protocol octet in
 * front of the destination, its figure has none, and no implementation does (erratum 3598 is about the same slip).
 * The four reserved octets held the POP fields of RFC 3547.
 */
export const SaKek = struct(
  "SA KEK",
  "RFC 6407 5.3",
  {
    protocol: u8.named(IpProtocol),
    source: GdoiIdentity,
    destination: GdoiIdentity,
    spi: bytes(16),
    reserved: zero(4),
    attributes: attributes("Attribute", "RFC 6407 5.3", {
      KEK_MANAGEMENT_ALGORITHM: [G.KekAttribute.KEK_MANAGEMENT_ALGORITHM, "tv", G.KekManagement],
      KEK_ALGORITHM: [G.KekAttribute.KEK_ALGORITHM, "tv", G.KekAlgorithm],
      KEK_KEY_LENGTH: [G.KekAttribute.KEK_KEY_LENGTH, "tv"],
      KEK_KEY_LIFETIME: [G.KekAttribute.KEK_KEY_LIFETIME, "either"],
      SIG_HASH_ALGORITHM: [G.KekAttribute.SIG_HASH_ALGORITHM, "tv", G.SigHash],
      SIG_ALGORITHM: [G.KekAttribute.SIG_ALGORITHM, "tv", G.SigAlgorithm],
      SIG_KEY_LENGTH: [G.KekAttribute.SIG_KEY_LENGTH, "tv"],
      KEK_ACK_REQUESTED: [G.KekAttribute.KEK_ACK_REQUESTED, "tv", G.KekAck],
    }),
  },
  (value) => `SPI ${toHex(value.spi)}`,
);
export type SaKek = Infer<typeof SaKek>;

/** Group-wide policy: delays in seconds; a member asks for sender ids with the third. RFC 6407 section 5.4. */
export const Gap = struct("Group associated policy", "RFC 6407 5.4", {
  attributes: attributes("Attribute", "RFC 6407 5.4", {
    ACTIVATION_TIME_DELAY: [G.GapAttribute.ACTIVATION_TIME_DELAY, "tv"],
    DEACTIVATION_TIME_DELAY: [G.GapAttribute.DEACTIVATION_TIME_DELAY, "tv"],
    SENDER_ID_REQUEST: [G.GapAttribute.SENDER_ID_REQUEST, "tv"],
  }),
});
export type Gap = Infer<typeof Gap>;

function tekPolicy(transforms: NumberSpace) {
  return struct(
    "SA TEK",
    "RFC 6407 5.5",
    {
      protocol: u8.named(G.TekProtocol),
      ipProtocol: u8,
      source: GdoiIdentity,
      destination: GdoiIdentity,
      transform: u8.named({ space: transforms }),
      spi: u32.shown(hexNumber(4)),
      attributes: IpsecAttributes,
    },
    (value) => `${nameOf(transforms, value.transform)}, SPI ${hexNumber(4)(value.spi)}`,
  );
}
const SaTekEsp = tekPolicy(EspTransform.space);
const SaTekAh = tekPolicy(AhTransform.space);
/** Of a protocol that is neither ESP nor AH, such as those of IEC 61850 (RFC 8052): kept as octets. */
const SaTekOther = struct("SA TEK", "RFC 6407 5.5", { protocol: u8.named(G.TekProtocol), data: rest });

/** Policy of one data SA with ESP (protocol 1) or AH (2). RFC 6407 section 5.5. */
export type SaTekPolicy = Infer<typeof SaTekEsp>;
export type SaTek = SaTekPolicy | Infer<typeof SaTekOther>;

export function isTekPolicy(tek: SaTek): tek is SaTekPolicy {
  return "spi" in tek;
}

const TEKS: ReadonlyMap<number, Codec<SaTek>> = new Map<number, Codec<SaTek>>([
  [G.TekProtocol.ESP, SaTekEsp as Codec<SaTek>],
  [G.TekProtocol.AH, SaTekAh as Codec<SaTek>],
]);
export const SaTek: Codec<SaTek> = choice<SaTek>(
  (value) => TEKS.get(value.protocol) ?? (SaTekOther as Codec<SaTek>),
  TEKS,
  SaTekOther as Codec<SaTek>,
);

/** In the order in which RFC 6407 section 5.2.1 wants them: SAK, GAP, SATs. */
export type GroupPolicy =
  | { readonly kind: "SAK"; readonly body: SaKek }
  | { readonly kind: "GAP"; readonly body: Gap }
  | { readonly kind: "SAT"; readonly body: SaTek }
  | UnknownIsakmpPayload;

const POLICIES = payloadSet(GdoiPayloadType.space, [
  ["SAK", GdoiPayloadType.SAK, SaKek],
  ["SAT", GdoiPayloadType.SAT, SaTek],
  ["GAP", GdoiPayloadType.GAP, Gap],
]);

/** Type of the first policy in two octets, two reserved ones, then the policies. RFC 6407 section 5.2. */
const policies: Codec<readonly GroupPolicy[]> = {
  shape: { form: "payloads", title: "SA attribute next payload", payloads: payloadsShape(POLICIES) },
  write(w, values) {
    w.u16(firstNumber(values, POLICIES));
    w.u16(0);
    writePayloads(w, values, POLICIES);
  },
  read(r, tree) {
    const at = r.at;
    const first = r.u16();
    tree?.leaf("SA attribute next payload", at, r.at, `${nameOf(GdoiPayloadType.space, first)} (${first})`);
    zero(2).read(r, tree, "Reserved", {}, at);
    return readPayloads<GroupPolicy>(r, first, POLICIES, tree);
  },
};

/** SA payload of phase 2 under DOI 2. */
export const GroupSa = struct(
  "Group security association",
  "RFC 6407 5.2",
  { doi: u32.named(Doi), situation: u32, policies },
  (value) => nameOf(Doi.space, value.doi),
);
export type GroupSa = Infer<typeof GroupSa>;

const { download: LkhDownload, update: LkhUpdate } = lkhArrays(G.KekAlgorithm.space, "RFC 6407 5.6.3");

const PACKETS = {
  TEK: attributes("Attribute", "RFC 6407 5.6.1", {
    TEK_ALGORITHM_KEY: [G.TekKeyAttribute.TEK_ALGORITHM_KEY, rest],
    TEK_INTEGRITY_KEY: [G.TekKeyAttribute.TEK_INTEGRITY_KEY, rest],
    TEK_SOURCE_AUTH_KEY: [G.TekKeyAttribute.TEK_SOURCE_AUTH_KEY, rest],
  }),
  KEK: attributes("Attribute", "RFC 6407 5.6.2", {
    KEK_ALGORITHM_KEY: [G.KekKeyAttribute.KEK_ALGORITHM_KEY, rest],
    SIG_ALGORITHM_KEY: [G.KekKeyAttribute.SIG_ALGORITHM_KEY, rest],
  }),
  LKH: attributes("Attribute", "RFC 6407 5.6.3", {
    LKH_DOWNLOAD_ARRAY: [G.LkhAttribute.LKH_DOWNLOAD_ARRAY, LkhDownload],
    LKH_UPDATE_ARRAY: [G.LkhAttribute.LKH_UPDATE_ARRAY, LkhUpdate],
    SIG_ALGORITHM_KEY: [G.LkhAttribute.SIG_ALGORITHM_KEY, rest],
  }),
  SID: attributes("Attribute", "RFC 6407 5.6.4", {
    NUMBER_OF_SID_BITS: [G.SidAttribute.NUMBER_OF_SID_BITS, "tv"],
    SID_VALUE: [G.SidAttribute.SID_VALUE, "either"],
  }),
};

/** Keys of the SAs that the SA payload announced, matched by SPI; a SID packet has none. RFC 6407 section 5.6. */
export const KeyDownload = keyDownload("RFC 6407 5.6", PACKETS);
export type KeyDownload = Infer<typeof KeyDownload>;

/** The number of a PUSH under its KEK; in a PULL the last number used. RFC 6407 section 5.7. */
export const Sequence = struct("Sequence number", "RFC 6407 5.7", { number: u32 }, (value) => String(value.number));
export type Sequence = Infer<typeof Sequence>;
