/**
 * What the IKEv1 room offers to the rooms above it. An endpoint is plain state; the functions of `endpoint.ts` take it,
 * an input and the instant, and return everything that follows. Where the room above must decide something, an outcome
 * says so and the room above calls the next function before it returns to its driver.
 *
 *   initiate -> send ... receive -> authenticating -> answerAuth -> send, established        (both roles)
 *   open -> send ... receive -> message -> answer | finish                                   (phase 2, who begins)
 *   receive -> message -> answer | finish                                                    (phase 2, who is asked)
 *
 * Phase 2 is whatever exchange the room above runs: each message gets its HASH payload, IV and repetitions here. Under
 * DOI 2 that is GROUPKEY-PULL; Quick Mode has no room above and its third HASH has a form of its own, so it is refused.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Endpoint, Happened, Send } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import type { Secret } from "../base/secret.ts";
import type { Crypto, PrivateKey, PublicKey } from "../crypto/api.ts";
import type { KeyStreams } from "../crypto/ephemeral.ts";
import type { KeyEntry } from "../crypto/keyEntry.ts";
import type { CertificateMap } from "../pki/certificateMap.ts";
import type { Delete, Id, Notify } from "../wire/isakmp.ts";
import type { IsakmpPayload } from "../wire/isakmpPayloads.ts";

/** What a call may use but state must not hold. */
export interface Tools extends KeyStreams {
  readonly crypto: Crypto;
}

/** One `crypto isakmp policy`: numbers of the IKE attribute registries, in order of preference. RFC 2409 appendix A. */
export interface IsakmpPolicy {
  /** 1 DES, 5 3DES, 7 AES. */
  readonly encryption: number;
  /** 128, 192 or 256 with AES, else 0. */
  readonly keyBits: number;
  /** 1 MD5, 2 SHA-1, 4 to 6 SHA-2. */
  readonly hash: number;
  readonly group: number;
  /** 1 pre-shared key, 3 RSA signatures. */
  readonly authentication: number;
  /** 0: no end. The shorter one of both sides holds. */
  readonly lifetimeSeconds: number;
}

/**
 * A pre-shared key and whom it is for. With Main Mode only the address counts: the responder needs the key before it
 * hears the identity (RFC 2409 section 5.4).
 */
export interface PskEntry {
  readonly address?: { readonly network: string; readonly mask: string };
  readonly identity?: Id;
  readonly key: Secret;
  /** Which keyring it is in; absent: `GLOBAL_KEYRING`. */
  readonly keyring?: string;
  /** `local-address` of the keyring: the key counts where this address of ours is used. */
  readonly localAddress?: string;
}

/** The keyring of `crypto isakmp key`. */
export const GLOBAL_KEYRING = "default";

/** Any one statement about the peer suffices; an address statement looks at the identity. */
export interface ProfileMatch {
  readonly remoteAddresses: readonly { readonly network: string; readonly mask: string }[];
  readonly remoteIdentities: readonly Id[];
  readonly anyRemote: boolean;
  /** What stands behind the first dot of a host name or behind the at sign; `type`: FQDN or user FQDN. */
  readonly remoteDomains?: readonly { readonly type: number; readonly domain: string }[];
  /** Organizational units, one of which stands in the peer's distinguished name. */
  readonly remoteUnits?: readonly string[];
  /** For peers that show a certificate. */
  readonly certificateMaps?: readonly CertificateMap[];
  /** No statement about the peer: the profile counts where one of these addresses of ours is used; absent: everywhere. */
  readonly localAddresses?: readonly string[];
}

/** How an endpoint names itself and which peers it takes: a Cisco ISAKMP profile, or the global settings as one. */
export interface Ikev1Profile {
  readonly name: string;
  readonly localIdentity: Id;
  readonly match: ProfileMatch;
  /** For RSA signatures: our key and the certificates that go with it, DER, our own first. */
  readonly signer?: PrivateKey;
  readonly certificates?: readonly Bytes[];
  /** DER names of the authorities that a peer's certificate may come from; empty: any. */
  readonly authorities?: readonly Bytes[];
  /** Keyrings that the keys of its peers are in; absent: any. */
  readonly keyrings?: readonly string[];
  /** How SAs are begun with it, unless `InitiateOptions` say otherwise; default `main`. */
  readonly mode?: Phase1Mode;
  /** Instead of the endpoint's. */
  readonly dpd?: DpdConfig;
}

/** Wait before the n-th repetition: `first * (factor ** n)`, factor a whole number; gives up after `repeats`. */
export interface RetransmitPolicy {
  readonly first: Micros;
  readonly factor: number;
  readonly repeats: number;
}

/** NAT traversal. RFC 3947. */
export interface NatConfig {
  /** Default true: the vendor id is sent, and addresses are compared with a peer that sent it too. */
  readonly detect?: boolean;
  /** Ports once a NAT was detected; default 4500, 0 to stay where they are. */
  readonly localPort?: number;
  readonly remotePort?: number;
  /** Silence after which an endpoint behind a NAT sends a keepalive; default 20 s, 0 for never. */
  readonly keepaliveMicros?: Micros;
}

/** Dead peer detection, periodic: IOS `crypto isakmp keepalive INTERVAL RETRY periodic`. RFC 3706. */
export interface DpdConfig {
  /** Silence of the peer after which it is asked. */
  readonly idleMicros: Micros;
  readonly retransmit: RetransmitPolicy;
}

export type Phase1Mode = "main" | "aggressive";

export interface EndpointConfig {
  /** Default true. False: nothing is begun and nothing answered (IOS `no crypto isakmp enable`). */
  readonly enabled?: boolean;
  /** In order of priority; a responder takes its own first one that the peer offers, as IOS does. */
  readonly policies: readonly IsakmpPolicy[];
  /** The first one that matches a peer counts. */
  readonly profiles: readonly Ikev1Profile[];
  /** Of all keyrings; the order decides between keys that fit equally well. */
  readonly keys: readonly PskEntry[];
  /** Default 10 s, 5 times: IOS. */
  readonly retransmit?: RetransmitPolicy;
  /** DOIs that a responder takes: 1 IPsec, 2 GDOI. Default both. */
  readonly dois?: readonly number[];
  /**
   * Default true: Aggressive Mode is begun and taken (IOS without `crypto isakmp aggressive-mode disable`). False: an
   * initiator that should use it uses Main Mode.
   */
  readonly aggressive?: boolean;
  /**
   * Default true: an initiator with no other SA to the peer says INITIAL-CONTACT, and a receiver drops older SAs with
   * that peer. RFC 2407 section 4.6.3.3.
   */
  readonly initialContact?: boolean;
  /** Non-ESP marker between ports other than 500, 848 (never there) and 4500 (always there). Default `auto`: sent. */
  readonly marker?: "never" | "always" | "auto";
  readonly nat?: NatConfig;
  /** Absent: the peer is never asked. Questions of the peer are answered in any case. */
  readonly dpd?: DpdConfig;
  /** Further vendor ids to announce, such as one that names a version. */
  readonly vendorIds?: readonly Bytes[];
  /** SAs under negotiation as responder from which on message 1 is not answered; undefined: never. */
  readonly maxInNegotiation?: number;
  /** SAs of every kind from which on message 1 is not answered; undefined: never. */
  readonly maxSas?: number;
}

export type CloseReason =
  | "timeout"
  | "deletedByPeer"
  | "deletedByUs"
  | "noProposalChosen"
  | "invalidKe"
  | "authenticationFailed"
  | "refused"
  | "expired"
  | "replaced"
  | "disabled";

/** Numbers an SA within its endpoint, from 1. */
export type SaNumber = number;

export type Ikev1Outcome =
  | Send
  | Happened
  | { readonly kind: "keys"; readonly entry: KeyEntry }
  /**
   * The peer has named itself; with a pre-shared key (`method` 1) it has also proved it. The room above calls
   * `answerAuth` now. With signatures (`method` 3) it hands over the public key that the certificates vouch for.
   */
  | {
      readonly kind: "authenticating";
      readonly sa: SaNumber;
      readonly method: number;
      readonly identity: Id;
      readonly profile: string;
      /** DER, as the peer sent them. */
      readonly certificates: readonly Bytes[];
    }
  | {
      readonly kind: "established";
      readonly sa: SaNumber;
      readonly initiator: boolean;
      readonly identity: Id;
      readonly profile: string;
      readonly doi: number;
    }
  /**
   * A genuine message of a phase 2 exchange; `payloads` are those behind HASH. `index`: 1 for the first message of the
   * exchange. The room above calls `answer` or `finish` now.
   */
  | {
      readonly kind: "message";
      readonly sa: SaNumber;
      readonly exchange: number;
      readonly messageId: number;
      readonly index: number;
      readonly payloads: readonly IsakmpPayload[];
    }
  /** A phase 2 exchange was given up; the SA stands. */
  | { readonly kind: "unanswered"; readonly sa: SaNumber; readonly exchange: number; readonly messageId: number }
  /** A repetition left: the n-th on a timer, or (with the same count) because the peer repeated itself. Phase 1: `messageId` 0. */
  | {
      readonly kind: "retransmitted";
      readonly sa: SaNumber;
      readonly exchange: number;
      readonly messageId: number;
      readonly repeat: number;
    }
  /** A protected notify that this room does not serve itself. */
  | { readonly kind: "notified"; readonly sa: SaNumber; readonly notify: Notify }
  /** A protected Delete of something else than the SA itself. */
  | { readonly kind: "deleted"; readonly sa: SaNumber; readonly deletion: Delete }
  /** The SA is gone, or never came to be. `notify`: the error type that the peer sent, 0 for none. */
  | {
      readonly kind: "closed";
      readonly sa: SaNumber;
      readonly reason: CloseReason;
      readonly notify: number;
      readonly established: boolean;
      readonly remote: Endpoint;
    };

export interface InitiateOptions {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly profile: string;
  /** Default: that of the profile. */
  readonly mode?: Phase1Mode;
  /** Default 2, GDOI. */
  readonly doi?: number;
}

/** How the room above answers `authenticating`. `publicKey`: needed with signatures. */
export type AuthAnswer =
  | { readonly accept: true; readonly publicKey?: PublicKey }
  /** `notify`: such as AUTHENTICATION-FAILED (24), INVALID-CERTIFICATE (20), INVALID-ID-INFORMATION (18). */
  | { readonly accept: false; readonly notify: number };

/** What the room above may know of an SA. */
export interface SaView {
  readonly number: SaNumber;
  readonly initiator: boolean;
  readonly mode: Phase1Mode;
  readonly doi: number;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Datagrams to the peer begin with the non-ESP marker. */
  readonly marker: boolean;
  readonly cookieInitiator: string;
  readonly cookieResponder: string;
  /** Undefined before a proposal was chosen. */
  readonly policy: IsakmpPolicy | undefined;
  readonly established: boolean;
  readonly identity: Id | undefined;
  /** DER, the peer's own; undefined where it has proved itself with a pre-shared key. */
  readonly certificate: Bytes | undefined;
  readonly profile: string;
  readonly createdAt: Micros;
}

/*
 * Functions of endpoint.ts:
 *
 *   createEndpoint(config: EndpointConfig): Ikev1Endpoint
 *   initiate(endpoint, tools, options: InitiateOptions, now): readonly Ikev1Outcome[]    its SA: `lastSa(endpoint)`
 *   receive(endpoint, tools, datagram: Datagram, now): readonly Ikev1Outcome[]
 *   expire(endpoint, tools, now): readonly Ikev1Outcome[]                                all deadlines up to now
 *   nextDeadline(endpoint): Micros | undefined
 *   answerAuth(endpoint, tools, sa, answer: AuthAnswer, now): readonly Ikev1Outcome[]
 *   open(endpoint, tools, sa, exchange, payloads, now): { messageId, outcomes }          phase 2
 *   answer(endpoint, tools, sa, messageId, payloads, isLast, now): readonly Ikev1Outcome[]
 *   finish(endpoint, tools, sa, messageId, now): void                                    took the last message, or gives up
 *   inform(endpoint, tools, sa, payload: N or D, now): readonly Ikev1Outcome[]           Informational
 *   probe(endpoint, tools, sa, now): readonly Ikev1Outcome[]                             DPD on demand
 *   close(endpoint, tools, sa, now): readonly Ikev1Outcome[]                             Delete of the SA
 *   forget(endpoint, sa): void                                                           without a word to the peer
 *   saView(endpoint, sa): SaView | undefined ; saNumbers(endpoint): readonly SaNumber[]
 */
