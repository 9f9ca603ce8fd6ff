/**
 * Payload bodies of ISAKMP and IKEv1: what follows the generic payload header. RFC 2408 section 3, RFC 2409, and the
 * identities and attributes of RFC 2407.
 */
import { type Bytes, fromUtf8, toHex, uintFrom } from "../base/bytes.ts";
import { formatAddress } from "./address.ts";
import { Dh } from "./ikev2Numbers.ts";
import * as N from "./isakmpNumbers.ts";
import {
  bytes,
  bytesShown,
  type Codec,
  chain,
  chainMarker,
  counted,
  type Infer,
  lengthOf,
  lengthOfStruct,
  type NumberSpace,
  nameOf,
  rest,
  type Scope,
  sizedBytes,
  struct,
  u8,
  u16,
  u32,
  zero,
} from "./kit.ts";
import { attributes } from "./tagged.ts";

/** Phase 1 attributes; RFC 2409 says which are basic (TV) and which variable (either form). */
const OakleyAttributes = attributes("Attribute", "RFC 2409 A", {
  ENCRYPTION: [N.OakleyAttribute.ENCRYPTION, "tv", N.OakleyEncryption],
  HASH: [N.OakleyAttribute.HASH, "tv", N.OakleyHash],
  AUTHENTICATION: [N.OakleyAttribute.AUTHENTICATION, "tv", N.OakleyAuthentication],
  GROUP: [N.OakleyAttribute.GROUP, "tv", Dh],
  GROUP_TYPE: [N.OakleyAttribute.GROUP_TYPE, "tv"],
  GROUP_PRIME: [N.OakleyAttribute.GROUP_PRIME, "either"],
  GROUP_GENERATOR_ONE: [N.OakleyAttribute.GROUP_GENERATOR_ONE, "either"],
  GROUP_GENERATOR_TWO: [N.OakleyAttribute.GROUP_GENERATOR_TWO, "either"],
  GROUP_CURVE_A: [N.OakleyAttribute.GROUP_CURVE_A, "either"],
  GROUP_CURVE_B: [N.OakleyAttribute.GROUP_CURVE_B, "either"],
  LIFE_TYPE: [N.OakleyAttribute.LIFE_TYPE, "tv", N.LifeType],
  LIFE_DURATION: [N.OakleyAttribute.LIFE_DURATION, "either"],
  PRF: [N.OakleyAttribute.PRF, "tv"],
  KEY_LENGTH: [N.OakleyAttribute.KEY_LENGTH, "tv"],
  FIELD_SIZE: [N.OakleyAttribute.FIELD_SIZE, "tv"],
  GROUP_ORDER: [N.OakleyAttribute.GROUP_ORDER, "either"],
});
export type OakleyAttributes = Infer<typeof OakleyAttributes>;

/** Attributes of an ESP or AH SA; GDOI adds the last two. RFC 2407 section 4.5, RFC 6407 section 5.5.1.1. */
export const IpsecAttributes = attributes("Attribute", "RFC 2407 4.5", {
  SA_LIFE_TYPE: [N.IpsecAttribute.SA_LIFE_TYPE, "tv", N.LifeType],
  SA_LIFE_DURATION: [N.IpsecAttribute.SA_LIFE_DURATION, "either"],
  GROUP_DESCRIPTION: [N.IpsecAttribute.GROUP_DESCRIPTION, "tv", Dh],
  ENCAPSULATION_MODE: [N.IpsecAttribute.ENCAPSULATION_MODE, "tv", N.EncapsulationMode],
  AUTHENTICATION_ALGORITHM: [N.IpsecAttribute.AUTHENTICATION_ALGORITHM, "tv", N.IpsecAuthentication],
  KEY_LENGTH: [N.IpsecAttribute.KEY_LENGTH, "tv"],
  KEY_ROUNDS: [N.IpsecAttribute.KEY_ROUNDS, "tv"],
  COMPRESS_DICTIONARY_SIZE: [N.IpsecAttribute.COMPRESS_DICTIONARY_SIZE, "tv"],
  COMPRESS_PRIVATE_ALGORITHM: [N.IpsecAttribute.COMPRESS_PRIVATE_ALGORITHM, "either"],
  ECN_TUNNEL: [N.IpsecAttribute.ECN_TUNNEL, "tv"],
  EXTENDED_SEQUENCE_NUMBER: [N.IpsecAttribute.EXTENDED_SEQUENCE_NUMBER, "tv"],
  ADDRESS_PRESERVATION: [N.IpsecAttribute.ADDRESS_PRESERVATION, "tv", N.AddressPreservation],
  SA_DIRECTION: [N.IpsecAttribute.SA_DIRECTION, "tv", N.SaDirection],
});
export type IpsecAttributes = Infer<typeof IpsecAttributes>;

function transform<A>(ids: NumberSpace, attributeList: Codec<A>) {
  return struct(
    "Transform",
    "RFC 2408 3.6",
    {
      nextPayload: chainMarker(3),
      reserved: zero(1),
      length: lengthOfStruct(u16),
      number: u8,
      id: u8.named({ space: ids }),
      reserved2: zero(2),
      attributes: attributeList,
    },
    (value) => `${value.number}: ${nameOf(ids, value.id)}`,
  );
}

const NO_IDS: NumberSpace = { title: "Transform Identifiers", source: "RFC 2407 4.4", names: new Map() };
const Phase1Transform = transform(N.IsakmpTransform.space, OakleyAttributes);
const AhTransform = transform(N.AhTransform.space, IpsecAttributes);
const EspTransform = transform(N.EspTransform.space, IpsecAttributes);
const OtherTransform = transform(NO_IDS, IpsecAttributes);
export type Phase1Transform = Infer<typeof Phase1Transform>;
export type IpsecTransform = Infer<typeof EspTransform>;
/** Of protocol ISAKMP in phase 1, of the IPsec protocols in phase 2. */
export type Transform = Phase1Transform | IpsecTransform;

const TRANSFORMS: ReadonlyMap<number, Codec<Transform>> = new Map<number, Codec<Transform>>([
  [N.IsakmpProtocol.ISAKMP, Phase1Transform as Codec<Transform>],
  [N.IsakmpProtocol.AH, AhTransform as Codec<Transform>],
  [N.IsakmpProtocol.ESP, EspTransform as Codec<Transform>],
]);

/** The protocol of the proposal says what its transforms and their attributes mean. */
const transforms: Codec<readonly Transform[]> = {
  shape: {
    form: "choice",
    by: "protocol",
    table: new Map([...TRANSFORMS].map(([protocol, item]) => [protocol, transformsOf(item).shape])),
    other: transformsOf(OtherTransform as Codec<Transform>).shape,
  },
  write: (w, values, scope) => transformChain(scope!).write(w, values, scope),
  read: (r, tree, name, scope) => transformChain(scope).read(r, tree, name, scope),
};

function transformChain(scope: Scope): Codec<readonly Transform[]> {
  return transformsOf(TRANSFORMS.get(scope.protocol as number) ?? (OtherTransform as Codec<Transform>));
}

function transformsOf(item: Codec<Transform>): Codec<readonly Transform[]> {
  return chain(item, 3, "Transform", "transforms");
}

/** Phase 1 ignores the SPI. RFC 2408 section 3.5. */
export const Proposal = struct(
  "Proposal",
  "RFC 2408 3.5",
  {
    nextPayload: chainMarker(2),
    reserved: zero(1),
    length: lengthOfStruct(u16),
    number: u8,
    protocol: u8.named(N.IsakmpProtocol),
    spiSize: lengthOf(u8, "spi"),
    transformCount: lengthOf(u8, "transforms"),
    spi: sizedBytes("spi"),
    transforms,
  },
  (value) =>
    `${value.number}: ${nameOf(N.IsakmpProtocol.space, value.protocol)}, ${value.transforms.length} transforms`,
);
export type Proposal = Infer<typeof Proposal>;

/** Of phase 1 in every DOI, and of Quick Mode. GDOI's phase 2 has one of its own. */
export const Sa = struct(
  "Security association",
  "RFC 2408 3.4",
  { doi: u32.named(N.Doi), situation: u32, proposals: chain(Proposal, 2, "Proposal") },
  (value) => nameOf(N.Doi.space, value.doi),
);
export type Sa = Infer<typeof Sa>;

/** `192.0.2.0 mask 255.255.255.0`, `gm1.example`, `KEY_ID 1234`; undefined where the length does not fit the type. */
export function identityText(type: number, data: Bytes): string {
  const name = nameOf(N.IsakmpIdType.space, type);
  const T = N.IsakmpIdType;
  const pair = (size: number, between: string): string | undefined =>
    data.length === 2 * size
      ? `${formatAddress(data.subarray(0, size))}${between}${formatAddress(data.subarray(size))}`
      : undefined;
  const one = (size: number): string | undefined => (data.length === size ? formatAddress(data) : undefined);
  const texts: Readonly<Record<number, () => string | undefined>> = {
    [T.IPV4_ADDR]: () => one(4),
    [T.IPV6_ADDR]: () => one(16),
    [T.FQDN]: () => fromUtf8(data),
    [T.USER_FQDN]: () => fromUtf8(data),
    [T.IPV4_ADDR_SUBNET]: () => pair(4, " mask "),
    [T.IPV6_ADDR_SUBNET]: () => pair(16, " mask "),
    [T.IPV4_ADDR_RANGE]: () => pair(4, "-"),
    [T.IPV6_ADDR_RANGE]: () => pair(16, "-"),
    [T.KEY_ID]: () => (data.length === 4 ? `${name} ${uintFrom(data)}` : undefined),
  };
  return texts[type]?.() ?? `${name} ${toHex(data)}`;
}

/** RFC 2408 calls the octets of protocol and port "DOI specific". RFC 2407 section 4.6.2. */
export const Id = struct(
  "Identification",
  "RFC 2407 4.6.2",
  { type: u8.named(N.IsakmpIdType), protocol: u8, port: u16, data: rest },
  (value) => identityText(value.type, value.data),
);
export type Id = Infer<typeof Id>;

export const Cert = struct("Certificate", "RFC 2408 3.9", { encoding: u8.named(N.IsakmpCertEncoding), data: rest });
export type Cert = Infer<typeof Cert>;

/** `authority`: the DER name of a CA, empty for any. */
export const CertRequest = struct("Certificate request", "RFC 2408 3.10", {
  encoding: u8.named(N.IsakmpCertEncoding),
  authority: rest,
});
export type CertRequest = Infer<typeof CertRequest>;

export const Notify = struct(
  "Notification",
  "RFC 2408 3.14",
  {
    doi: u32.named(N.Doi),
    protocol: u8.named(N.IsakmpProtocol),
    spiSize: lengthOf(u8, "spi"),
    type: u16.named(N.IsakmpNotifyType),
    spi: sizedBytes("spi"),
    data: rest,
  },
  (value) => nameOf(N.IsakmpNotifyType.space, value.type),
);
export type Notify = Infer<typeof Notify>;

/** The numbers of `protocol` are the DOI's: under GDOI 1 is ESP, 2 AH and 0 the KEK (RFC 6407 section 5.9). */
export const Delete = struct(
  "Delete",
  "RFC 2408 3.15",
  {
    doi: u32.named(N.Doi),
    protocol: u8,
    spiSize: u8,
    count: lengthOf(u16, "spis"),
    spis: counted(bytes("spiSize"), "spis", "SPI"),
  },
  (value) => `${nameOf(N.Doi.space, value.doi)} protocol ${value.protocol}: ${value.spis.map(toHex).join(" ")}`,
);
export type Delete = Infer<typeof Delete>;

/** KE, HASH, SIG, NONCE and NAT-D are octets without structure. */
function octets(title: string, rfc: string) {
  return struct(title, rfc, { data: rest });
}

export const Ke = octets("Key exchange", "RFC 2408 3.7");
export const Hash = octets("Hash", "RFC 2408 3.11");
export const Signature = octets("Signature", "RFC 2408 3.12");
export const Nonce = octets("Nonce", "RFC 2408 3.13");
export const NatD = octets("NAT discovery", "RFC 3947 3.2");
export type Octets = Infer<typeof Ke>;

function vendorText(data: Bytes): string {
  const hex = toHex(data);
  const name = N.VENDOR_IDS.get(hex);
  return name === undefined ? hex : `${hex}, ${name}`;
}

const vendorId: Codec<Bytes> = { ...bytesShown(vendorText), shape: { form: "bytes", names: N.VENDOR_IDS } };

export const VendorId = struct("Vendor ID", "RFC 2408 3.16", { data: vendorId }, (value) => vendorText(value.data));

/** The address that the sender knew itself or its peer by. RFC 3947 section 5.2. */
export const NatOa = struct(
  "NAT original address",
  "RFC 3947 5.2",
  { type: u8.named(N.IsakmpIdType), reserved: zero(3), data: rest },
  (value) => identityText(value.type, value.data),
);
export type NatOa = Infer<typeof NatOa>;
