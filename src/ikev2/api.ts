/**
 * What the IKEv2 room offers to the rooms above it. An endpoint is plain state; the functions of `endpoint.ts` take it,
 * an input and the instant, and return everything that follows. Nothing is called back: where the room above must decide
 * something (is this member welcome? what answers this request?), an outcome says so and the room above calls the next
 * function before it returns to its driver.
 *
 *   initiate ----------> send ... receive -> established (payloads of the answer)
 *   receive -> authenticating -> answerAuth -> send, established          (responder)
 *   receive -> request -> respond -> send                                 (any protected request but what IKE itself serves)
 *   request -> send ... receive -> response                               (retransmitted until answered, else `closed`)
 */
import type { Endpoint, Happened, Send } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import type { Secret } from "../base/secret.ts";
import type { Crypto } from "../crypto/api.ts";
import type { KeyStreams } from "../crypto/ephemeral.ts";
import type { KeyEntry } from "../crypto/keyEntry.ts";
import type { CalendarSeconds } from "../pki/calendar.ts";
import type { CertificateMap } from "../pki/certificateMap.ts";
import type { Trustpoint, UrlTable } from "../pki/trustpoint.ts";
import type { Id, TrafficSelector } from "../wire/ikev2.ts";
import type { Payload } from "../wire/payloads.ts";
import type { SignatureMethod } from "./signature.ts";

/** What a call may use but state must not hold. */
export interface Tools extends KeyStreams {
  readonly crypto: Crypto;
}

/** One proposal of an IKE SA as transform IDs in order of preference. `integ` is empty with AEAD ciphers. */
export interface IkeProposal {
  readonly encr: readonly { readonly id: number; readonly keyBits: number }[];
  readonly prf: readonly number[];
  readonly integ: readonly number[];
  readonly dh: readonly number[];
  /** Key wrap algorithms (transform type 13), for RFC 9838; empty otherwise. */
  readonly kwa: readonly number[];
}

/** The transforms that were agreed on; 0 where there is none. */
export interface IkeSuite {
  readonly encr: number;
  readonly encrKeyBits: number;
  readonly prf: number;
  readonly integ: number;
  readonly dh: number;
  readonly kwa: number;
}

/** A pre-shared key and whom it is for. An address matches with its mask; identities match exactly. */
export interface PskEntry {
  readonly peer: string;
  readonly address?: { readonly network: string; readonly mask: string };
  readonly identity?: Id;
  readonly localKey: Secret;
  readonly remoteKey: Secret;
}

/** Matches of one type are alternatives, matches of different types must all hold (Cisco IKEv2 profile). */
export interface ProfileMatch {
  readonly remoteAddresses: readonly { readonly network: string; readonly mask: string }[];
  readonly remoteIdentities: readonly Id[];
  readonly anyRemote: boolean;
  /** `match identity remote fqdn domain D` and `email domain D`: what stands behind the first dot or the at sign. */
  readonly remoteDomains?: readonly { readonly type: number; readonly domain: string }[];
  /** `match certificate MAP`: a type of its own beside the identities. */
  readonly certificateMaps?: readonly CertificateMap[];
  /** `match address local A`: a type of its own too. */
  readonly localAddresses?: readonly string[];
  /**
   * `match fvrf NAME`: the routing table that the peer comes in by. Absent, `any` or `global`: the global one, which is the
   * only one that routers have here; a profile with another name matches nobody.
   */
  readonly fvrf?: string;
}

/** How one side proves its identity. */
export type AuthMethodName = "pre-share" | SignatureMethod;

/** How an endpoint authenticates itself and its peers: a Cisco IKEv2 profile. */
export interface AuthProfile {
  readonly name: string;
  readonly localIdentity: Id;
  /** One method of our own, any number of the peers'. */
  readonly local: AuthMethodName;
  readonly remote: readonly AuthMethodName[];
  readonly match: ProfileMatch;
  readonly keys: readonly PskEntry[];
  /** What signatures are made and checked with; needed where a method is one. */
  readonly trustpoints?: readonly Trustpoint[];
  /**
   * What IOS does when an identity does not stand in the certificate is not documented. `demanded` (default): the peer is
   * refused, as RFC 4945 section 3.1 asks; `any`: the identity is taken as it is.
   */
  readonly certificateIdentity?: "demanded" | "any";
  /** Seconds until the IKE SA ends; 0 for never. */
  readonly lifetimeSeconds: number;
  /**
   * `end` (default): the SA is deleted, `expired`. `rekey`: it is replaced before, see the outcome `rekeyed`.
   * `reauthenticate`: its initiator makes a new one before and deletes the old one, `replaced`.
   */
  readonly atLifetime?: "end" | "rekey" | "reauthenticate";
  /** What a responder grants where the peer asks for a Child SA; absent: none. */
  readonly child?: ChildPolicy;
  /** Instead of the endpoint's: IOS `dpd` of a profile. */
  readonly liveness?: LivenessConfig;
  /** Default false; true: a responder takes INITIAL_CONTACT as said by every peer (IOS `initial-contact force`). */
  readonly forceInitialContact?: boolean;
}

/** Wait before the n-th repetition: `first * (factor ** n)`, factor a whole number; gives up after `repeats`. */
export interface RetransmitPolicy {
  readonly first: Micros;
  readonly factor: number;
  readonly repeats: number;
}

/** NAT traversal. RFC 7296 section 2.23. */
export interface NatConfig {
  /** Default true: detection notifies are sent and compared. */
  readonly detect?: boolean;
  /** Ports of initiator and responder once a NAT was detected; default 4500, 0 to stay where they are. */
  readonly localPort?: number;
  readonly remotePort?: number;
  /** Silence after which an endpoint behind a NAT sends a keepalive; default 20 s, 0 for never. */
  readonly keepaliveMicros?: Micros;
}

/** IKE fragmentation. RFC 7383. */
export interface FragmentationConfig {
  /** Largest IP packet in octets: 576 is the RFC's default for IPv4, 1280 for IPv6. */
  readonly mtu: number;
  /** Fragments of one message that are accepted; default 64. */
  readonly fragmentsMax?: number;
}

/** Liveness checks, periodic: IOS `dpd INTERVAL RETRY periodic`. RFC 7296 section 2.4. */
export interface LivenessConfig {
  /** Silence of the peer after which it is asked. */
  readonly idleMicros: Micros;
  /** How often and how fast it is asked before it counts as dead. */
  readonly retransmit: RetransmitPolicy;
}

/** Proposal of a Child SA (ESP) as transform IDs in order of preference; `integ` is empty with AEAD ciphers. */
export interface ChildProposal {
  readonly encr: readonly { readonly id: number; readonly keyBits: number }[];
  readonly integ: readonly number[];
  /** Groups for perfect forward secrecy in CREATE_CHILD_SA; empty: none. */
  readonly dh: readonly number[];
  /** 0: 32-bit sequence numbers, 1: extended ones. */
  readonly sn: readonly number[];
}

/** What a Child SA may be. RFC 7296 sections 1.3 and 2.9. */
export interface ChildPolicy {
  readonly proposals: readonly ChildProposal[];
  readonly mode: "tunnel" | "transport";
  /** Traffic on our side and on the peer's; a responder narrows to these. */
  readonly localSelectors: readonly TrafficSelector[];
  readonly remoteSelectors: readonly TrafficSelector[];
  /** Seconds until the pair is replaced; 0 or absent for never. */
  readonly lifetimeSeconds?: number;
}

/** Transforms of a Child SA; 0 where there is none. */
export interface ChildSuite {
  readonly encr: number;
  readonly encrKeyBits: number;
  readonly integ: number;
  readonly sn: number;
}

/** What signatures and certificates need besides the trustpoints of the profiles. */
export interface PkiConfig {
  /** Calendar time at the instant 0 of the run; 2026-01-01 unless told. */
  readonly epoch?: CalendarSeconds;
  /** Hash algorithms announced for AUTH method 14 (RFC 7427); SHA-2 unless told, empty: the older methods alone. */
  readonly signatureHashes?: readonly number[];
  /** Stands for HTTP; absent: certificates are neither asked for nor taken by URL. */
  readonly urls?: UrlTable;
}

/** Which contents payloads 50 to 52 have: a property of the configuration, not to be seen from the octets. */
export type DialectName = "ikev2" | "rfc9838" | "yeung-07";

export interface EndpointConfig {
  readonly proposals: readonly IkeProposal[];
  readonly profiles: readonly AuthProfile[];
  readonly retransmit: RetransmitPolicy;
  /** Default `rfc9838`, which holds plain IKEv2. */
  readonly dialect?: DialectName;
  /** Requests of a peer that we take without having answered the ones before, 1 (default) to 16; 5 on IOS. */
  readonly window?: number;
  /**
   * Non-ESP marker between ports other than 500, 848 (never there) and 4500 (always there); default `auto`, which marks
   * what it sends and takes both.
   */
  readonly marker?: "never" | "always" | "auto";
  readonly nat?: NatConfig;
  /** Absent: neither offered nor accepted. */
  readonly fragmentation?: FragmentationConfig;
  /** Absent: the peer is never asked. */
  readonly liveness?: LivenessConfig;
  /**
   * Default true: an initiator with no other SA to the peer says INITIAL_CONTACT, and a receiver drops older SAs with that
   * identity. RFC 7296 section 2.4.
   */
  readonly initialContact?: boolean;
  readonly pki?: PkiConfig;
  /** How long a responder waits for the AUTH request; default 64 s. */
  readonly halfOpenMicros?: Micros;
  /** How long the last response of a closed SA is kept for a peer that missed it; default 126 s. */
  readonly lingerMicros?: Micros;
  /** Half-open SAs from which on a COOKIE is demanded; undefined: never. */
  readonly cookieThreshold?: number;
  /** Half-open SAs from which on IKE_SA_INIT is not answered; undefined: never. */
  readonly maxInNegotiation?: number;
  /** SAs of every kind from which on IKE_SA_INIT is not answered; undefined: never. */
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
  | "invalidSyntax"
  | "expired"
  | "replaced";

/** `replaced`: by a rekey. `withIkeSa`: the IKE SA is gone, and its children with it. `redundant`: lost a collision. */
export type ChildCloseReason = "deletedByPeer" | "deletedByUs" | "replaced" | "redundant" | "withIkeSa";

/** Numbers an SA within its endpoint, from 1. */
export type SaNumber = number;

export type IkeOutcome =
  | Send
  | Happened
  | { readonly kind: "keys"; readonly entry: KeyEntry }
  /** Responder: the peer proved `identity`; the room above calls `answerAuth` now. `payloads`: all inner payloads. */
  | {
      readonly kind: "authenticating";
      readonly sa: SaNumber;
      readonly exchange: number;
      readonly identity: Id;
      readonly profile: string;
      readonly payloads: readonly Payload[];
    }
  /** Both sides; `payloads`: inner payloads of the peer's AUTH message (initiator: of the answer). */
  | {
      readonly kind: "established";
      readonly sa: SaNumber;
      readonly initiator: boolean;
      readonly exchange: number;
      readonly identity: Id;
      readonly profile: string;
      readonly payloads: readonly Payload[];
    }
  /** The room above calls `respond` now. */
  | {
      readonly kind: "request";
      readonly sa: SaNumber;
      readonly exchange: number;
      readonly messageId: number;
      readonly payloads: readonly Payload[];
    }
  | {
      readonly kind: "response";
      readonly sa: SaNumber;
      readonly exchange: number;
      /** What `request` was given to recognise its answer. */
      readonly tag: string;
      readonly payloads: readonly Payload[];
    }
  /** A repetition of a request left (1 for the first repetition); for counters and traces of the room above. */
  | {
      readonly kind: "retransmitted";
      readonly sa: SaNumber;
      readonly exchange: number;
      readonly tag: string;
      readonly repeat: number;
    }
  /** A request with its own retransmit policy was given up without closing the SA (see `RequestOptions.keepSa`). */
  | { readonly kind: "unanswered"; readonly sa: SaNumber; readonly exchange: number; readonly tag: string }
  /** An IKE SA has a successor with fresh keys: from now on the room above uses that one. RFC 7296 section 2.18. */
  | { readonly kind: "rekeyed"; readonly sa: SaNumber; readonly successor: SaNumber }
  /** A pair of Child SAs, for the data plane. */
  | { readonly kind: "child"; readonly sa: SaNumber; readonly child: ChildView }
  | {
      readonly kind: "childClosed";
      readonly sa: SaNumber;
      readonly inboundSpi: number;
      readonly outboundSpi: number;
      readonly reason: ChildCloseReason;
    }
  /** The Child SA that we asked for was refused with this notify type; the IKE SA stands. */
  | { readonly kind: "childRefused"; readonly sa: SaNumber; readonly notify: number }
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
  /** IKE_AUTH (35) or GSA_AUTH (39). */
  readonly authExchange: number;
  /** Inner payloads of the AUTH message behind IDi and AUTH, such as IDg. */
  readonly payloads: readonly Payload[];
  /** The Child SA to be made with IKE_AUTH; absent: none (RFC 6023). */
  readonly child?: ChildPolicy;
}

export interface RequestOptions {
  readonly tag: string;
  readonly retransmit?: RetransmitPolicy;
  /** True: giving up yields `unanswered` and the SA lives on; false (default): the SA is closed with `timeout`. */
  readonly keepSa?: boolean;
}

/** A pair of Child SAs: all that a data plane needs. SPIs are those that stand in the packets of that direction. */
export interface ChildView {
  readonly inboundSpi: number;
  readonly outboundSpi: number;
  readonly suite: ChildSuite;
  readonly mode: "tunnel" | "transport";
  readonly inbound: ChildKeys;
  readonly outbound: ChildKeys;
  readonly localSelectors: readonly TrafficSelector[];
  readonly remoteSelectors: readonly TrafficSelector[];
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** ESP travels in UDP between these endpoints (RFC 3948): a NAT was found. */
  readonly udp: boolean;
  /** Inbound SPI of the pair that this one replaces; 0 for none. */
  readonly replaces: number;
}

/** Cipher key with its salt last; `integ` empty with an AEAD cipher. */
export interface ChildKeys {
  readonly encr: Secret;
  readonly integ: Secret;
}

/** How the room above answers `authenticating`. */
export type AuthAnswer =
  /** IDr, AUTH and these payloads. A group refusal is an answer too: the IKE SA stands (RFC 9838 section 2.3.1). */
  | { readonly accept: true; readonly payloads: readonly Payload[] }
  /** An error notify alone, no SA. */
  | { readonly accept: false; readonly notify: number };

/** What the room above may know of an SA. */
export interface SaView {
  readonly number: SaNumber;
  readonly initiator: boolean;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** Datagrams to the peer begin with the non-ESP marker. */
  readonly marker: boolean;
  readonly spiInitiator: string;
  readonly spiResponder: string;
  readonly suite: IkeSuite;
  readonly established: boolean;
  readonly identity: Id | undefined;
  readonly profile: string;
  readonly createdAt: Micros;
  /** Both sides take fragments (RFC 7383). */
  readonly fragments: boolean;
  /** SK_d, for the key-wrap key and for Child SAs; undefined before the keys exist. */
  readonly skD: Secret | undefined;
}

/*
 * Functions of endpoint.ts:
 *
 *   createEndpoint(config: EndpointConfig): IkeEndpoint
 *   initiate(endpoint, tools, options: InitiateOptions, now): readonly IkeOutcome[]     first outcome's SA: `lastSa(endpoint)`
 *   receive(endpoint, tools, datagram: Datagram, now): readonly IkeOutcome[]
 *   expire(endpoint, tools, now): readonly IkeOutcome[]                                 all deadlines up to now
 *   nextDeadline(endpoint): Micros | undefined
 *   answerAuth(endpoint, tools, sa, answer: AuthAnswer, now): readonly IkeOutcome[]
 *   request(endpoint, tools, sa, exchange, payloads, options: RequestOptions, now): readonly IkeOutcome[]
 *   respond(endpoint, tools, sa, messageId, payloads, now): readonly IkeOutcome[]
 *   close(endpoint, tools, sa, now): readonly IkeOutcome[]                              INFORMATIONAL with Delete
 *   forget(endpoint, sa): void                                                          without a word to the peer
 *   createChild(endpoint, tools, sa, policy: ChildPolicy, now): readonly IkeOutcome[]      CREATE_CHILD_SA
 *   rekeyChild(endpoint, tools, sa, inboundSpi, now): readonly IkeOutcome[]
 *   deleteChild(endpoint, tools, sa, inboundSpi, now): readonly IkeOutcome[]
 *   rekeySa(endpoint, tools, sa, now): readonly IkeOutcome[]                            fresh keys, see `rekeyed`
 *   saView(endpoint, sa): SaView | undefined ; saNumbers(endpoint): readonly SaNumber[]
 */
