/** What a configuration says of IKEv1, and of the names that members of a GDOI group have. */
import type { Ipv4 } from "../../base/ipv4.ts";
import type { DhGroup, Place, Placed, Reference, TypedKey } from "../model.ts";

export type IsakmpEncryption = "des" | "3des" | "aes-128" | "aes-192" | "aes-256";

export interface IsakmpPolicy {
  /** 1 to 10000; the lowest is tried first. */
  readonly priority: number;
  readonly at: Place;
  encryption: IsakmpEncryption;
  hash: "sha" | "md5" | "sha256" | "sha384" | "sha512";
  authentication: "rsa-sig" | "rsa-encr" | "pre-share";
  group: DhGroup;
  lifetimeSeconds: number;
}

export interface IsakmpKey {
  readonly key: TypedKey;
  /** Peers by address: those equal to `address` under `mask`; 0.0.0.0 without a mask is every peer. */
  readonly address?: Ipv4;
  readonly mask?: Ipv4;
  readonly hostname?: string;
  readonly at: Place;
}

/** `crypto keyring`: keys for the peers of the profiles that name it. The global keys are the keyring `default`. */
export interface IsakmpKeyring {
  readonly name: string;
  readonly at: Place;
  /** Routing table that the peers are reached through. */
  vrf?: string;
  localAddress?: LocalAddress;
  keys: IsakmpKey[];
}

/** An address of the router itself, or the interface (canonical name) that has it. */
export type LocalAddress =
  | { readonly kind: "address"; readonly address: Ipv4; readonly at: Place }
  | { readonly kind: "interface"; readonly name: string; readonly at: Place };

/**
 * `match identity`: what a peer of the profile calls itself. `domain` compares what stands behind the first dot or the at
 * sign, a `group` is a key-id or the organizational unit of a distinguished name.
 */
export type IsakmpMatch =
  | { readonly kind: "address"; readonly address: Ipv4; readonly mask: Ipv4; readonly vrf?: string }
  | { readonly kind: "host" | "user-fqdn"; readonly text: string; readonly domain: boolean }
  | { readonly kind: "group"; readonly text: string };

export type IsakmpSelf =
  /** Without a value: the address that the router calls from or is called at. */
  | { readonly kind: "address"; readonly address?: Ipv4 }
  /** Without a name: the host name of the router. */
  | { readonly kind: "fqdn"; readonly text?: string }
  | { readonly kind: "user-fqdn"; readonly text: string };

export interface IsakmpProfile {
  readonly name: string;
  readonly at: Place;
  /** Empty: the global keys. */
  keyrings: Reference[];
  matchIdentities: Placed<IsakmpMatch>[];
  matchCertificates: Reference[];
  /** Absent: as `crypto isakmp identity` says. */
  selfIdentity?: IsakmpSelf;
  /** `ca trust-point`; empty: all of the router. */
  trustpoints: Reference[];
  /** `initiate mode`. */
  initiate: "main" | "aggressive";
  keepalive?: { readonly seconds: number; readonly retrySeconds: number };
  localAddress?: LocalAddress;
}

/** `crypto identity`: the statements are alternatives. */
export interface CryptoIdentity {
  readonly name: string;
  readonly at: Place;
  /** Attributes that the subject of a certificate has to have, such as `ou=Members,o=Example`. */
  distinguishedNames: Placed<string>[];
  /** What a peer has to call itself. */
  hostnames: Placed<string>[];
}

export interface IsakmpConfig {
  /** By priority. */
  policies: Map<number, IsakmpPolicy>;
  keys: IsakmpKey[];
  keyrings: Map<string, IsakmpKeyring>;
  profiles: Map<string, IsakmpProfile>;
  /** `crypto isakmp enable`. */
  enabled: boolean;
  keepalive?: {
    readonly seconds: number;
    readonly retrySeconds: number;
    readonly periodic: boolean;
    readonly at: Place;
  };
  identity: "address" | "dn" | "hostname";
  /** Aggressive Mode is begun and taken from peers: without `crypto isakmp aggressive-mode disable`. */
  aggressive: boolean;
  /** Absent: nothing keeps a NAT's mapping alive. */
  natKeepaliveSeconds?: number;
  /** `crypto call admission limit ike sa`: SAs from which on none is taken up. */
  maxSa?: number;
  /** `crypto call admission limit ike in-negotiation-sa`. */
  maxInNegotiation?: number;
}
