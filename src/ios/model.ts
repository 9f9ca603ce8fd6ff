/**
 * What a router's configuration says, as plain data. Every value is the effective one: objects start from the table in
 * defaults.ts, and `no` or `default` puts the table's value back, so nobody downstream repeats a default. An optional
 * field that is absent is a feature that is not configured.
 *
 * IPv4 addresses, masks and wildcards are unsigned 32-bit numbers (`formatIpv4` of src/base/ipv4.ts gives the text), IPv6
 * addresses are text. Names keep their case, as IOS does; interface names are canonical (`GigabitEthernet0/0`). Maps keep
 * the order in which the objects were first configured.
 */
import type { Ipv4 } from "../base/ipv4.ts";
import type { Secret } from "../base/secret.ts";
import type { CryptoIdentity, IsakmpConfig } from "./model/isakmp.ts";

/** Where something was configured. Line and column count from 1; the column is that of the first character. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** The name of another object, and the place that names it. */
export interface Reference {
  readonly name: string;
  readonly at: Place;
}

/** A value that was typed, with its place. */
export interface Placed<T> {
  readonly value: T;
  readonly at: Place;
}

export interface IosConfig {
  hostname?: string;
  /** `ip host NAME ADDRESS`. */
  hosts: Map<string, Placed<Ipv4>>;
  /** By canonical name. */
  interfaces: Map<string, IosInterface>;
  staticRoutes: StaticRoute[];
  /** By process number. */
  ospf: Map<number, OspfProcess>;
  /** Standard and extended, by name or by number in text form. */
  accessLists: Map<string, AccessList>;
  /** By label. */
  rsaKeys: Map<string, RsaKey>;
  /** By label. */
  ecKeys: Map<string, EcKey>;
  pki: PkiConfig;
  isakmp: IsakmpConfig;
  /** `crypto identity`: whom a key server lets into a group, by name. */
  identities: Map<string, CryptoIdentity>;
  ikev2: Ikev2Config;
  transformSets: Map<string, TransformSet>;
  ipsecProfiles: Map<string, IpsecProfile>;
  ipsecDfBit: "clear" | "copy" | "set";
  ipsecFragmentation: "before-encryption" | "after-encryption";
  /** GETVPN groups, by name. */
  groups: Map<string, GkmGroup>;
  cryptoMaps: Map<string, CryptoMap>;
  nat: NatConfig;
}

// ---------------------------------------------------------------------------------------------- interfaces, routing

export interface InterfaceAddress {
  readonly address: Ipv4;
  readonly mask: Ipv4;
  readonly at: Place;
}

export interface IosInterface {
  /** Canonical: type in full and number, such as `GigabitEthernet0/0` or `Loopback0`. */
  readonly name: string;
  readonly at: Place;
  description?: string;
  address?: InterfaceAddress;
  secondaryAddresses: InterfaceAddress[];
  /** `ip address dhcp`: legal, but nobody here hands out addresses. */
  dhcp: boolean;
  shutdown: boolean;
  /** `bandwidth`, in kilobits per second; informs routing metrics only. */
  bandwidthKbit?: number;
  /** `mtu`, octets of the link's payload. */
  mtu: number;
  /** `ip mtu`, octets of the largest IPv4 packet; the link's MTU when absent. */
  ipMtu?: number;
  /** `crypto map NAME`. */
  cryptoMap?: Reference;
  ospfCost?: number;
  /** `ip nat inside` or `ip nat outside`. */
  nat?: "inside" | "outside";
  /** `ip ospf PROCESS area AREA`. */
  ospfArea?: { readonly process: number; readonly area: number; readonly at: Place };
}

export interface StaticRoute {
  readonly network: Ipv4;
  readonly mask: Ipv4;
  /** Address of the next router, the interface to leave by, or both. */
  readonly nextHop?: Ipv4;
  /** Canonical interface name; `Null0` discards. */
  readonly interface?: string;
  /** Administrative distance, 1 to 255. */
  readonly distance: number;
  readonly at: Place;
}

export interface OspfNetwork {
  readonly address: Ipv4;
  readonly wildcard: Ipv4;
  readonly area: number;
  readonly at: Place;
}

export interface OspfProcess {
  readonly process: number;
  readonly at: Place;
  routerId?: Ipv4;
  networks: OspfNetwork[];
  passiveDefault: boolean;
  /** Canonical names: passive, or active ones where `passiveDefault` is set. */
  passiveExceptions: string[];
}

// ---------------------------------------------------------------------------------------------- address translation

/** `ip nat`: sources on the inside are translated on their way out. */
export interface NatConfig {
  pools: Map<string, NatPool>;
  statics: NatStatic[];
  /** In the order in which they were typed; the first list that permits a packet decides. */
  sources: NatSource[];
  /** Of whole addresses. */
  timeoutSeconds: number;
  udpSeconds: number;
  tcpSeconds: number;
  icmpSeconds: number;
}

export interface NatPool {
  readonly name: string;
  readonly at: Place;
  readonly first: Ipv4;
  readonly last: Ipv4;
  readonly mask: Ipv4;
}

/** One address for another, or one port of an address for one of another. */
export interface NatStatic {
  readonly at: Place;
  readonly local: Ipv4;
  readonly global: Ipv4;
  readonly ports?: { readonly protocol: "tcp" | "udp"; readonly local: number; readonly global: number };
}

/** What the list permits gets an address of the pool or that of the interface; one of the two is there. */
export interface NatSource {
  readonly at: Place;
  readonly acl: Reference;
  readonly pool?: Reference;
  readonly interface?: Reference;
  /** Many share an address and are told apart by their ports. */
  readonly overload: boolean;
}

// ---------------------------------------------------------------------------------------------- access lists

/** An address matches when it agrees with `address` in all bits where `wildcard` is zero. Holes are allowed. */
export interface AddressMatch {
  readonly address: Ipv4;
  readonly wildcard: Ipv4;
}

export type PortMatch =
  | { readonly operator: "eq" | "neq"; readonly ports: readonly number[] }
  | { readonly operator: "gt" | "lt"; readonly port: number }
  | { readonly operator: "range"; readonly from: number; readonly to: number };

export interface AclEntry {
  /** 10, 20, 30 ... unless the author numbered it. */
  readonly sequence: number;
  readonly action: "permit" | "deny";
  /** IANA protocol number; `ip` matches every protocol. */
  readonly protocol: number | "ip";
  readonly source: AddressMatch;
  readonly sourcePort?: PortMatch;
  readonly destination: AddressMatch;
  readonly destinationPort?: PortMatch;
  readonly icmpType?: number;
  readonly icmpCode?: number;
  /** Logging changes nothing about the match. */
  readonly log?: "log" | "log-input";
  /** `remark` lines directly above. */
  readonly remarks: readonly string[];
  readonly at: Place;
}

export interface AccessList {
  readonly name: string;
  readonly kind: "standard" | "extended";
  readonly at: Place;
  /** Ordered by sequence number. */
  entries: AclEntry[];
  /** `remark` lines below the last entry. */
  trailingRemarks: string[];
}

// ---------------------------------------------------------------------------------------------- keys and IKE

/** `crypto key generate rsa`: the run derives the key itself from its seed and the label. */
export interface RsaKey {
  readonly label: string;
  readonly modulusBits: number;
  readonly exportable: boolean;
  readonly at: Place;
}

/** `crypto key generate ec`: like an RSA key, the run derives it. */
export interface EcKey {
  readonly label: string;
  readonly curveBits: 256 | 384 | 521;
  readonly exportable: boolean;
  readonly at: Place;
}

export type RevocationMethod = "crl" | "none" | "ocsp";

export interface PkiTrustpoint {
  readonly name: string;
  readonly at: Place;
  /** What stands behind `enrollment`, one entry for each topic; changes nothing, as the scenario's authority issues. */
  enrollment: string[];
  subjectName?: Placed<string>;
  subjectAltName?: string;
  /** Goes into the subject as its host name; `none`: not. */
  fqdn?: string;
  /** Asked one after the other until one has an answer. */
  revocationCheck: RevocationMethod[];
  rsaKeyPair?: Reference & { readonly modulusBits?: number };
  ecKeyPair?: Reference;
}

export interface CertificateMapLine {
  readonly field:
    | "alt-subject-name"
    | "expires-on"
    | "issuer-name"
    | "name"
    | "serial-number"
    | "subject-name"
    | "unstructured-subject-name"
    | "valid-start";
  /** Contains, equals, their opposites; times: before, from then on, equal, not equal. */
  readonly operator: "co" | "nc" | "eq" | "ne" | "lt" | "ge";
  readonly text: string;
  readonly at: Place;
}

export interface PkiMapEntry {
  readonly sequence: number;
  readonly at: Place;
  /** All of them must hold. */
  lines: CertificateMapLine[];
}

export interface PkiCertificateMap {
  readonly name: string;
  readonly at: Place;
  /** By sequence number: alternatives. */
  entries: Map<number, PkiMapEntry>;
}

export interface PkiConfig {
  trustpoints: Map<string, PkiTrustpoint>;
  certificateMaps: Map<string, PkiCertificateMap>;
}

/** A key as typed. Encryption type 6 is ciphertext under the box's master key, which we cannot undo. */
export interface TypedKey {
  readonly encryption: 0 | 6;
  readonly key: Secret;
  readonly at: Place;
}

export type DhGroup = 1 | 2 | 5 | 14 | 15 | 16 | 19 | 20 | 21 | 24;

export type {
  CryptoIdentity,
  IsakmpConfig,
  IsakmpEncryption,
  IsakmpKey,
  IsakmpKeyring,
  IsakmpMatch,
  IsakmpPolicy,
  IsakmpProfile,
  IsakmpSelf,
  LocalAddress,
} from "./model/isakmp.ts";

export type Ikev2Encryption =
  | "3des"
  | "des"
  | "aes-cbc-128"
  | "aes-cbc-192"
  | "aes-cbc-256"
  | "aes-gcm-128"
  | "aes-gcm-256";
export type Ikev2Hash = "md5" | "sha1" | "sha256" | "sha384" | "sha512";

/** Lists are in order of preference. An empty `prf` means: the same as `integrity`. */
export interface Ikev2Proposal {
  readonly name: string;
  readonly at: Place;
  encryption: Ikev2Encryption[];
  integrity: Ikev2Hash[];
  prf: Ikev2Hash[];
  groups: DhGroup[];
}

export interface Ikev2Policy {
  readonly name: string;
  readonly at: Place;
  matchFvrf?: string;
  matchLocalAddresses: Ipv4[];
  proposals: Reference[];
}

export type IkeIdentity =
  | { readonly kind: "address"; readonly address: Ipv4 }
  | { readonly kind: "address6"; readonly address: string }
  | { readonly kind: "fqdn" | "email" | "key-id"; readonly text: string }
  | { readonly kind: "dn" };

/** What a peer's identity has to be. `domain` compares the part behind the first dot or behind the at sign. */
export type IdentityMatch =
  | { readonly kind: "address"; readonly address: Ipv4; readonly mask: Ipv4 }
  | { readonly kind: "address6"; readonly address: string }
  | { readonly kind: "fqdn" | "email"; readonly text: string; readonly domain: boolean }
  | { readonly kind: "key-id"; readonly text: string }
  | { readonly kind: "any" };

export interface Ikev2Peer {
  readonly name: string;
  readonly at: Place;
  address?: Ipv4;
  /** All ones when only an address was typed. */
  mask?: Ipv4;
  address6?: string;
  hostname?: string;
  identity?: IkeIdentity;
  /** The key that we authenticate ourselves with. One `pre-shared-key K` line sets both. */
  localKey?: TypedKey;
  /** The key that the peer has to prove. */
  remoteKey?: TypedKey;
}

export interface Ikev2Keyring {
  readonly name: string;
  readonly at: Place;
  peers: Map<string, Ikev2Peer>;
}

export type AuthenticationMethod = "pre-share" | "rsa-sig" | "ecdsa-sig" | "eap";

export interface ProfileAuthentication {
  readonly method: AuthenticationMethod;
  /** `pre-share key K`: a key in the profile instead of a keyring. */
  readonly key?: TypedKey;
  readonly at: Place;
}

export interface Ikev2Profile {
  readonly name: string;
  readonly at: Place;
  matchFvrf?: string;
  matchLocalAddresses: Placed<Ipv4>[];
  /** Canonical names. */
  matchLocalInterfaces: Reference[];
  matchRemote: Placed<IdentityMatch>[];
  matchCertificates: Reference[];
  /** Absent: the address with a pre-shared key, the distinguished name with a signature. */
  identityLocal?: IkeIdentity;
  authenticationLocal?: ProfileAuthentication;
  authenticationRemote: ProfileAuthentication[];
  keyring?: Reference;
  keyringAaa?: Reference;
  trustpoints: { readonly name: string; readonly use: "sign" | "verify" | "both"; readonly at: Place }[];
  lifetimeSeconds: number;
  dpd?: Ikev2Dpd;
  /** `initial-contact force`. */
  forceInitialContact: boolean;
}

export interface Ikev2Dpd {
  readonly seconds: number;
  readonly retrySeconds: number;
  readonly mode: "on-demand" | "periodic";
}

export interface Ikev2Config {
  proposals: Map<string, Ikev2Proposal>;
  policies: Map<string, Ikev2Policy>;
  keyrings: Map<string, Ikev2Keyring>;
  profiles: Map<string, Ikev2Profile>;
  dpd?: Ikev2Dpd;
  /** `crypto ikev2 http-url cert`, on unless told: certificates are asked for and taken by hash and URL. */
  httpUrlCert: boolean;
  window: number;
  /** Half-open SAs beyond which cookies are asked for. */
  cookieChallenge?: number;
  /** Octets of the largest datagram; absent: no fragmentation. */
  fragmentationMtu?: number;
  maxInNegotiation?: number;
  maxSa?: number;
}

// ---------------------------------------------------------------------------------------------- IPsec

export type EspCipher = "esp-aes" | "esp-3des" | "esp-des" | "esp-gcm" | "esp-gmac" | "esp-seal" | "esp-null";
export type EspHash = "md5" | "sha" | "sha256" | "sha384" | "sha512";

export interface TransformSet {
  readonly name: string;
  readonly at: Place;
  cipher?: EspCipher;
  /** 128, 192 or 256 for esp-aes, esp-gcm and esp-gmac; 64 for DES, 192 for 3DES, 160 for SEAL, 0 for null. */
  keyBits: number;
  espHash?: EspHash;
  /** Authentication header; not usable for groups. */
  ahHash?: EspHash;
  mode: "tunnel" | "transport";
}

export interface IpsecProfile {
  readonly name: string;
  readonly at: Place;
  transformSets: Reference[];
  lifetimeSeconds: number;
  ikev2Profile?: Reference;
  pfsGroup?: DhGroup;
}

// ---------------------------------------------------------------------------------------------- groups

export type GroupIdentity =
  | { readonly kind: "number"; readonly number: number; readonly at: Place }
  | { readonly kind: "address"; readonly address: Ipv4; readonly at: Place };

export type ServerAddress =
  | { readonly kind: "ipv4"; readonly address: Ipv4; readonly at: Place }
  | { readonly kind: "ipv6"; readonly address: string; readonly at: Place }
  | { readonly kind: "hostname"; readonly family: "ipv4" | "ipv6"; readonly name: string; readonly at: Place };

export interface GkmGroup {
  readonly name: string;
  readonly at: Place;
  readonly family: "ipv4" | "ipv6";
  /** The word that the author used; upgraded images print `gkm` in any case. */
  readonly keyword: "gdoi" | "gkm";
  identity?: GroupIdentity;
  passive: boolean;
  /** Key servers of a group member, most preferred first. */
  servers: ServerAddress[];
  client: GkmClient;
  /** Present on a key server: `server local`. */
  server?: LocalServer;
}

export type KekCipher = "3des-cbc" | "des-cbc" | "aes-128" | "aes-192" | "aes-256";
export type SignatureHash = "sha" | "sha256" | "sha384" | "sha512";

export interface GkmClient {
  /** `client protocol`; `profile` is present with gikev2. */
  protocol: "gdoi" | "gikev2";
  profile?: Reference;
  registrationInterface?: Reference;
  bypassPolicy: boolean;
  /** What the member accepts for the KEK; empty: everything. */
  rekeyEncryption: KekCipher[];
  rekeyHash: SignatureHash[];
  /** What the member accepts for TEKs; empty: everything. */
  transformSets: Reference[];
  /** Absent: off. */
  recoveryCheckSeconds?: number;
  statusTrack?: number;
  failCloseRevert: boolean;
  pfs: boolean;
  transportEncryptKey?: "group-key" | "pair-wise-key";
}

export type ReplayMethod =
  | { readonly method: "counter"; readonly windowSize: number }
  | { readonly method: "time"; readonly windowSeconds: number }
  | { readonly method: "none" };

export interface SaIpsec {
  /** 1 to 65535; entries apply in this order. */
  readonly number: number;
  readonly at: Place;
  profile?: Reference;
  /** Access list that selects what to protect. */
  acl?: Reference;
  aclFamily: "ipv4" | "ipv6";
  replay: ReplayMethod;
  /** `tag cts sgt`. */
  tagSgt: boolean;
}

export interface Redundancy {
  readonly at: Place;
  localPriority: number;
  peers: Placed<Ipv4>[];
  protocolVersion: "base" | "optimize";
  /** Octets of the largest announcement. */
  pdu?: number;
}

export interface KssidRange {
  readonly from: number;
  readonly to: number;
  readonly at: Place;
}

export interface LocalServer {
  readonly at: Place;
  /** Source of everything that the key server sends. */
  address?: Placed<Ipv4>;
  /** Serves GDOI members. */
  gdoi: boolean;
  /** Serves G-IKEv2 members with this profile; absent: it does not. */
  gikev2?: Reference;
  /** KEK lifetime. */
  rekeyLifetimeSeconds: number;
  rekeyAlgorithm: KekCipher;
  rekeySigHash: SignatureHash;
  /** Seconds between copies of one rekey. */
  rekeyRetransmitSeconds: number;
  /** Copies after the first one. */
  rekeyRetransmitCount: number;
  /** `rekey retransmit S periodic`: until the next rekey. */
  rekeyRetransmitPeriodic: boolean;
  /** RSA label of the signing key; absent: no KEK, no rekeys. */
  rekeyAuthentication?: Reference;
  rekeyTransport: "unicast" | "multicast";
  /** Access list whose destination is the multicast address of the rekeys. */
  rekeyAddress?: Reference;
  rekeyAcknowledgement: "any" | "cisco" | "interoperable";
  /** Access list of the members that may register; GDOI only. */
  authorizationAddress?: Reference;
  /** `crypto identity` of the members that may register; GDOI only. */
  authorizationIdentity?: Reference;
  registrationInterface?: Reference;
  registrationCrlTrustpoint?: Reference;
  saReceiveOnly: boolean;
  /** IP D3P window in milliseconds. */
  saD3pWindowMillis?: number;
  saPairWiseKeying: boolean;
  pairWiseSafetyLimit?: number;
  /** By number, in ascending order. */
  saIpsec: Map<number, SaIpsec>;
  redundancy?: Redundancy;
  /** Bits of the sender identifier. */
  groupSize: "small-8" | "small-12" | "small-16" | "medium" | "large";
  /** KSSIDs assigned to this key server. */
  identifiers: KssidRange[];
  pfs: boolean;
  splitResiliency: boolean;
}

// ---------------------------------------------------------------------------------------------- crypto maps

export interface GkmMapEntry {
  readonly sequence: number;
  readonly keyword: "gdoi" | "gkm";
  readonly at: Place;
  group?: Reference;
  /** Local access list, deny entries only. */
  acl?: Reference;
  /** `set isakmp-profile`: what to register with by GDOI, instead of that of the map. */
  isakmpProfile?: Reference;
}

/** `ipsec-isakmp`: a pair of SAs with one peer, made when the first packet needs it. */
export interface TunnelMapEntry {
  readonly sequence: number;
  readonly at: Place;
  peer?: Placed<Ipv4>;
  transformSets: Reference[];
  ikev2Profile?: Reference;
  pfsGroup?: DhGroup;
  lifetimeSeconds: number;
  /** Permit entries go through the SAs. */
  acl?: Reference;
}

export interface FailClose {
  readonly at: Place;
  activated: boolean;
  acl?: Reference;
}

export interface CryptoMap {
  readonly name: string;
  readonly family: "ipv4" | "ipv6";
  readonly at: Place;
  /** By sequence number, in ascending order. */
  entries: Map<number, GkmMapEntry>;
  /** By sequence number, in ascending order. */
  tunnels: Map<number, TunnelMapEntry>;
  /** Entries of other kinds: not modelled. */
  otherEntries: Map<number, Place>;
  failClose?: FailClose;
  /** `local-address`: canonical interface name. */
  localAddress?: Reference;
  /** `isakmp-profile`, for all entries. */
  isakmpProfile?: Reference;
}

// ---------------------------------------------------------------------------------------------- reports

/**
 * A line that is not in the model. `understood`: legal IOS that this program knows and leaves aside, `why` says on what
 * grounds. `unknown`: nothing here recognises it; it lies outside of everything that concerns group keying.
 */
export interface IgnoredLine {
  readonly file: string;
  readonly line: number;
  readonly text: string;
  readonly reason: "understood" | "unknown";
  readonly why: string;
}
