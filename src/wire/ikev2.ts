/**
 * IKEv2 payload bodies: what follows the generic payload header. RFC 7296 section 3.
 */
import { fromUtf8, toHex } from "../base/bytes.ts";
import { addressField, formatAddress } from "./address.ts";
import * as N from "./ikev2Numbers.ts";
import {
  bytes,
  type Codec,
  chain,
  chainMarker,
  choice,
  counted,
  type Infer,
  lengthOf,
  lengthOfStruct,
  type NumberSpace,
  nameOf,
  rest,
  sizedBytes,
  struct,
  u8,
  u16,
  zero,
} from "./kit.ts";
import { attributes } from "./tagged.ts";

/** What the IDs of a type of transform mean. */
export const TRANSFORM_IDS: ReadonlyMap<number, NumberSpace> = new Map([
  [N.TransformType.ENCR, N.Encr.space],
  [N.TransformType.PRF, N.Prf.space],
  [N.TransformType.INTEG, N.Integ.space],
  [N.TransformType.DH, N.Dh.space],
  [N.TransformType.SN, N.SequenceNumbers.space],
  [N.TransformType.KWA, N.Kwa.space],
  [N.TransformType.GCAUTH, N.GcAuth.space],
]);

/** `AES_GCM_16`, or the bare number where the type or the ID is unknown. */
export function transformName(type: number, id: number): string {
  const space = TRANSFORM_IDS.get(type);
  return space === undefined ? String(id) : nameOf(space, id);
}

export const TransformAttributes = attributes("Attribute", "RFC 7296 3.3.5", {
  KEY_LENGTH: [N.TransformAttribute.KEY_LENGTH, "tv"],
  SIGNATURE_ALGORITHM_IDENTIFIER: [N.TransformAttribute.SIGNATURE_ALGORITHM_IDENTIFIER, rest],
});

export const Transform = struct(
  "Transform",
  "RFC 7296 3.3.2",
  {
    lastSubstruc: chainMarker(3),
    reserved: zero(1),
    length: lengthOfStruct(u16),
    type: u8.named(N.TransformType),
    reserved2: zero(1),
    id: u16,
    attributes: TransformAttributes,
  },
  (t) => `${nameOf(N.TransformType.space, t.type)} ${transformName(t.type, t.id)}${keyLengthText(t)}`,
);
export type Transform = Infer<typeof Transform>;

function keyLengthText(transform: { readonly attributes: readonly { kind: string; value: unknown }[] }): string {
  const bits = transform.attributes.find((attribute) => attribute.kind === "KEY_LENGTH");
  return bits === undefined ? "" : ` ${bits.value} bits`;
}

export const Proposal = struct(
  "Proposal",
  "RFC 7296 3.3.1",
  {
    lastSubstruc: chainMarker(2),
    reserved: zero(1),
    length: lengthOfStruct(u16),
    number: u8,
    protocol: u8.named(N.Protocol),
    spiSize: lengthOf(u8, "spi"),
    transformCount: lengthOf(u8, "transforms"),
    spi: sizedBytes("spi"),
    transforms: chain(Transform, 3, "Transform", "transforms"),
  },
  (p) => `${p.number}: ${nameOf(N.Protocol.space, p.protocol)}, ${p.transforms.length} transforms`,
);
export type Proposal = Infer<typeof Proposal>;

export const Sa = struct("Security association", "RFC 7296 3.3", { proposals: chain(Proposal, 2, "Proposal") });
export type Sa = Infer<typeof Sa>;

export const Ke = struct("Key exchange", "RFC 7296 3.4", { group: u16.named(N.Dh), reserved: zero(2), data: rest });
export type Ke = Infer<typeof Ke>;

/** Identity as a person reads it: `ipv4 192.0.2.1`, `fqdn gm1.example`, `key-id 1111` (4 octets are shown as a number). */
export function formatIdentity(id: { readonly type: number; readonly data: Uint8Array }): string {
  const { type, data } = id;
  if ((type === N.IdType.IPV4_ADDR && data.length === 4) || (type === N.IdType.IPV6_ADDR && data.length === 16)) {
    return formatAddress(data);
  }
  if (type === N.IdType.FQDN || type === N.IdType.RFC822_ADDR) return fromUtf8(data);
  const name = nameOf(N.IdType.space, type);
  return `${name} ${toHex(data)}`;
}

export const Id = struct(
  "Identification",
  "RFC 7296 3.5",
  { type: u8.named(N.IdType), reserved: zero(3), data: rest },
  formatIdentity,
);
export type Id = Infer<typeof Id>;

export const Cert = struct("Certificate", "RFC 7296 3.6", { encoding: u8.named(N.CertEncoding), data: rest });
export type Cert = Infer<typeof Cert>;

export const CertReq = struct("Certificate request", "RFC 7296 3.7", {
  encoding: u8.named(N.CertEncoding),
  authorities: rest,
});
export type CertReq = Infer<typeof CertReq>;

export const Auth = struct("Authentication", "RFC 7296 3.8", {
  method: u8.named(N.AuthMethod),
  reserved: zero(3),
  data: rest,
});
export type Auth = Infer<typeof Auth>;

export const Nonce = struct("Nonce", "RFC 7296 3.9", { data: rest });
export type Nonce = Infer<typeof Nonce>;

export const Notify = struct(
  "Notify",
  "RFC 7296 3.10",
  {
    protocol: u8.named(N.Protocol),
    spiSize: lengthOf(u8, "spi"),
    type: u16.named(N.NotifyType),
    spi: sizedBytes("spi"),
    data: rest,
  },
  (n) => nameOf(N.NotifyType.space, n.type),
);
export type Notify = Infer<typeof Notify>;

/** `spiSize` stands in the value: an empty list may announce 0, 4 or 16 octets. */
export const Delete = struct(
  "Delete",
  "RFC 7296 3.11",
  {
    protocol: u8.named(N.Protocol),
    spiSize: u8,
    count: lengthOf(u16, "spis"),
    spis: counted(bytes("spiSize"), "spis", "SPI"),
  },
  (d) => `${nameOf(N.Protocol.space, d.protocol)} ${d.spis.map(toHex).join(" ")}`,
);
export type Delete = Infer<typeof Delete>;

export const VendorId = struct("Vendor ID", "RFC 7296 3.12", { data: rest });
export type VendorId = Infer<typeof VendorId>;

function selector<S extends 4 | 16>(size: S) {
  return struct(
    "Traffic selector",
    "RFC 7296 3.13.1",
    {
      type: u8.named(N.TrafficSelectorType),
      ipProtocol: u8,
      length: lengthOfStruct(u16),
      startPort: u16,
      endPort: u16,
      startAddress: addressField(size),
      endAddress: addressField(size),
    },
    formatSelector,
  );
}

/** `10.0.0.0-10.255.255.255 proto 17 port 848`. */
function formatSelector(ts: SelectorFields): string {
  const range = ts.startAddress === ts.endAddress ? ts.startAddress : `${ts.startAddress}-${ts.endAddress}`;
  const protocol = ts.ipProtocol === 0 ? "" : ` proto ${ts.ipProtocol}`;
  const any = ts.startPort === 0 && ts.endPort === 65535;
  const ports = any ? "" : ` port ${ts.startPort === ts.endPort ? ts.startPort : `${ts.startPort}-${ts.endPort}`}`;
  return range + protocol + ports;
}

interface SelectorFields {
  readonly ipProtocol: number;
  readonly startPort: number;
  readonly endPort: number;
  readonly startAddress: string;
  readonly endAddress: string;
}

const Selector4 = selector(4);
const Selector6 = selector(16);

/** A selector of a type that is not known: its octets survive. */
const SelectorOther = struct("Traffic selector", "RFC 7296 3.13.1", {
  type: u8.named(N.TrafficSelectorType),
  ipProtocol: u8,
  length: lengthOfStruct(u16),
  data: rest,
});

export type AddressSelector = Infer<typeof Selector4>;
export type TrafficSelector = AddressSelector | Infer<typeof SelectorOther>;

function selectorCodec(type: number): Codec<TrafficSelector> {
  if (type === N.TrafficSelectorType.TS_IPV4_ADDR_RANGE) return Selector4 as Codec<TrafficSelector>;
  if (type === N.TrafficSelectorType.TS_IPV6_ADDR_RANGE) return Selector6 as Codec<TrafficSelector>;
  return SelectorOther as Codec<TrafficSelector>;
}

/** One selector; its type decides how wide the addresses are. */
export const TrafficSelector: Codec<TrafficSelector> = choice<TrafficSelector>(
  (value) => selectorCodec(value.type),
  new Map([7, 8].map((type) => [type, selectorCodec(type)])),
  SelectorOther as Codec<TrafficSelector>,
);

export const TrafficSelectors = struct("Traffic selectors", "RFC 7296 3.13", {
  count: lengthOf(u8, "selectors"),
  reserved: zero(3),
  selectors: counted(TrafficSelector, "selectors", "Traffic selector"),
});
export type TrafficSelectors = Infer<typeof TrafficSelectors>;

/** Configuration and EAP payloads are carried, not interpreted. */
export const Opaque = struct("Data", "", { data: rest });
export type Opaque = Infer<typeof Opaque>;

/** Encrypted payload as it travels: IV, ciphertext and ICV. Their sizes depend on the SA, so they are one field here. */
export const Sk = struct("Encrypted and authenticated", "RFC 7296 3.14", { body: rest });
export type Sk = Infer<typeof Sk>;

export const Skf = struct("Encrypted fragment", "RFC 7383 2.5", { number: u16, total: u16, body: rest });
export type Skf = Infer<typeof Skf>;
