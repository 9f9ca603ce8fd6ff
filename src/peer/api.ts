/**
 * What the room of the plain IKEv2 peer offers: one machine with an IKE endpoint and, behind it, tunnels whose traffic is
 * made and taken in user space. It pings through the tunnel and answers pings, which is all that is needed to prove that
 * both ends hold the same keys. No groups, no GETVPN: this is the other end of an ordinary VPN.
 */
import type { Datagram, Endpoint, Happened, Send } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import type { Secret } from "../base/secret.ts";
import type { KeyEntry } from "../crypto/keyEntry.ts";
import type {
  AuthProfile,
  ChildProposal,
  FragmentationConfig,
  IkeProposal,
  LivenessConfig,
  PkiConfig,
  RetransmitPolicy,
} from "../ikev2/api.ts";
import type { Id, TrafficSelector } from "../wire/ikev2.ts";

/** Authentication by signature, instead of the pre-shared key. */
export interface PeerCertificates extends Pick<AuthProfile, "local" | "remote" | "trustpoints"> {
  readonly pki: PkiConfig;
}

export interface PeerConfig {
  /** Where IKE begins; with `remote` absent the machine only answers. */
  readonly local: Endpoint;
  readonly remote?: Endpoint;
  /** Ports to go to once a NAT was found. RFC 7296 section 2.23. */
  readonly natLocalPort: number;
  readonly natRemotePort: number;
  readonly localIdentity: Id;
  /** Whom we believe to be the peer; absent: whoever holds the key. */
  readonly remoteIdentity?: Id;
  readonly psk: Secret;
  /** Absent: both sides use the pre-shared key. */
  readonly certificates?: PeerCertificates;
  /** In order of preference, at least one each. */
  readonly ike: readonly IkeProposal[];
  readonly esp: readonly ChildProposal[];
  readonly localSelectors: readonly TrafficSelector[];
  readonly remoteSelectors: readonly TrafficSelector[];
  readonly retransmit: RetransmitPolicy;
  /** Absent: the peer is never asked whether it is there; its own questions are answered all the same. */
  readonly liveness?: LivenessConfig;
  readonly fragmentation?: FragmentationConfig;
  /** Half-open SAs from which on a COOKIE is demanded; absent: never. */
  readonly cookieThreshold?: number;
  /** Seconds until the SAs are rekeyed; 0 for never. */
  readonly ikeLifetimeSeconds: number;
  readonly childLifetimeSeconds: number;
}

/** What an operator may ask for. All but `up` need an IKE SA that stands. */
export type PeerCommand =
  | { readonly name: "up" }
  | {
      readonly name: "ping";
      readonly count: number;
      readonly intervalMicros: Micros;
      /** How long an answer may take after the last request. */
      readonly timeoutMicros: Micros;
    }
  | { readonly name: "rekeyIke" | "rekeyChild" | "createChild" | "deleteChild" | "down" };

export type PeerInput =
  | ({ readonly kind: "datagram" } & Datagram)
  | { readonly kind: "timeout" }
  | { readonly kind: "command"; readonly command: PeerCommand };

export type PeerOutput = Send | Happened | { readonly kind: "keys"; readonly entry: KeyEntry };
