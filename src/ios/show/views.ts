/**
 * What the `show` commands print, as plain data: taken from a running router by whoever runs it, or composed by a test.
 * Times are whole seconds unless the name says otherwise; addresses are text. There are no keys in it.
 */
import type { AclEntry, IosConfig } from "../model.ts";

/** Everything that one router can be asked for, at one instant. */
export interface RouterView {
  readonly hostname: string;
  /** Virtual time since the start of the run. */
  readonly nowMicros: number;
  /** Since the router was switched on or reloaded. */
  readonly uptimeSeconds: number;
  readonly platform: string;
  readonly config: IosConfig;
  readonly interfaces: readonly InterfaceView[];
  readonly routes: readonly RouteView[];
  /** Groups that this router serves. */
  readonly servers: readonly ServerGroupView[];
  /** Groups that this router is a member of. */
  readonly members: readonly MemberGroupView[];
  readonly ikev2Sas: readonly Ikev2SaView[];
  readonly isakmpSas: readonly IsakmpSaView[];
  readonly ipsec: readonly IpsecInterfaceView[];
  /** Address translation: static entries first, then the others, oldest first. */
  readonly nat: readonly NatEntryView[];
  /** In the order of the configuration. */
  readonly trustpoints: readonly TrustpointView[];
  /** Computed when asked for: key pairs follow from the seed of a run, which takes a while. */
  readonly rsaKeys: () => readonly RsaKeyView[];
  /** Counted when asked for. */
  readonly ikev2Stats: () => Ikev2StatsView;
  /** Lines of the log since the start of the router, oldest first; gathered when asked for: a trace is long. */
  readonly log: () => readonly string[];
}

export type MemberTypeText = "GDOI (ISAKMP)" | "G-IKEv2 (IKEv2)";
export type GroupTypeText = "GDOI (ISAKMP)" | "G-IKEv2 (IKEv2)" | "GDOI (ISAKMP) & G-IKEv2 (IKEv2)";

/** As IOS names them: `AES`, `3DES`. */
export type KekCipherText = "AES" | "3DES" | "DES";

// ------------------------------------------------------------------------------------------------------ interfaces

export interface InterfaceView {
  /** Canonical. */
  readonly name: string;
  readonly address: string | undefined;
  readonly isShutdown: boolean;
  readonly isUp: boolean;
}

export interface RouteView {
  readonly network: string;
  readonly length: number;
  readonly source: "local" | "connected" | "static" | "ospf";
  readonly distance: number;
  readonly metric: number;
  readonly nextHop: string | undefined;
  /** Canonical; `Null0` discards; absent for a route that is known by its next hop only. */
  readonly interface: string | undefined;
}

/** Ends as `10.1.1.2`, with `:500` where the protocol has ports. */
export interface NatEntryView {
  /** Undefined: whole addresses. */
  readonly protocol: "tcp" | "udp" | "icmp" | "esp" | undefined;
  readonly insideGlobal: string;
  readonly insideLocal: string;
  /** Undefined: anybody. */
  readonly outside: string | undefined;
}

// ------------------------------------------------------------------------------------------------------------- keys

export interface RsaKeyView {
  readonly label: string;
  readonly isExportable: boolean;
  /** SubjectPublicKeyInfo, in hexadecimal digits. */
  readonly publicKey: string;
}

export interface TrustpointView {
  readonly name: string;
  /** Undefined where nothing was issued. */
  readonly own: CertificateView | undefined;
  readonly authority: CertificateView | undefined;
}

export interface CertificateView {
  /** Hexadecimal digits, an even number of them. */
  readonly serial: string;
  readonly usage: "General Purpose" | "Signature";
  /** `cn=gm1`, `o=Vectors`: most specific first. */
  readonly issuer: readonly string[];
  readonly subject: readonly string[];
  /** Of the subject. */
  readonly hostname: string | undefined;
  /** `02:35:16 UTC Nov 22 2026`. */
  readonly start: string;
  readonly end: string;
}

// ------------------------------------------------------------------------------------------------------ key server

export interface ServerGroupView {
  readonly name: string;
  /** Number, or address. */
  readonly identity: string;
  readonly type: GroupTypeText;
  readonly family: "ipv4" | "ipv6";
  readonly transport: "Unicast" | "Multicast";
  /** Source of what it sends; 0.0.0.0 where none is configured. */
  readonly address: string;
  readonly members: readonly ServerMemberView[];
  readonly isReceiveOnly: boolean;
  /** Milliseconds; absent: disabled. */
  readonly d3pWindowMillis: number | undefined;
  readonly isCkmEnabled: boolean;
  readonly isReauthOnCrl: boolean;
  readonly acknowledgement: "any" | "cisco" | "interoperable";
  readonly splitResiliencyFactor: number;
  readonly redundancy: RedundancyView | undefined;
  readonly rekeyLifetime: number;
  readonly retransmitPeriod: number;
  readonly retransmitAttempts: number;
  /** Until the next copy of a rekey under way; 0 with none. */
  readonly retransmitRemaining: number;
  readonly sas: readonly ServerSaView[];
  /** One for each protocol that has keys: rekeys of GDOI and of G-IKEv2 are two messages under two keys. */
  readonly keks: readonly ServerKekView[];
  /** All TEKs that are listed, newest first. */
  readonly teks: readonly ServerTekView[];
  readonly senderIds: SenderIdView;
  readonly rekeysSent: number;
  readonly retransmitsTotal: number;
  readonly lastRetransmits: number;
  readonly lastDurationMillis: number;
}

export interface RedundancyView {
  readonly address: string;
  readonly priority: number;
  readonly status: string;
  readonly role: string;
}

/** One `sa ipsec`. */
export interface ServerSaView {
  readonly number: number;
  readonly lifetime: number;
  readonly profile: string;
  readonly replay: ReplayView;
  readonly isTagged: boolean;
  /** Of the newest TEK; absent while there are no keys. */
  readonly remaining: number | undefined;
  readonly rekeyIn: number | undefined;
  readonly acl: string;
  readonly entries: readonly AclEntry[];
}

export type ReplayView =
  | { readonly method: "counter"; readonly window: number }
  | { readonly method: "time"; readonly seconds: number }
  | { readonly method: "none" };

export interface ServerKekView {
  readonly type: MemberTypeText;
  /** 32 hexadecimal digits. */
  readonly spi: string;
  readonly cipher: KekCipherText;
  readonly ivOctets: number;
  readonly keyOctets: number;
  readonly lifetime: number;
  readonly remaining: number;
  readonly rekeyIn: number;
  readonly sequence: number;
  readonly signature: SignatureView | undefined;
}

export interface SignatureView {
  /** Octets of the public key as SubjectPublicKeyInfo. */
  readonly spkiOctets: number;
  /** Octets of a signature. */
  readonly signatureOctets: number;
  /** Label of the key pair; empty at a member. */
  readonly label: string;
  /** `HMAC_AUTH_SHA`, `HMAC_AUTH_SHA256` ... */
  readonly hash: string;
}

export interface TransformView {
  /** As in a transform set: `esp-aes`. */
  readonly cipher: string;
  readonly keyBits: number;
  /** `sha256` ...; absent with a combined-mode cipher. */
  readonly hash: string | undefined;
}

export interface ServerTekView {
  /** 8 hexadecimal digits. */
  readonly spi: string;
  readonly acl: string;
  readonly mode: "tunnel" | "transport";
  readonly transform: TransformView;
  readonly lifetime: number;
  readonly remaining: number;
  readonly elapsed: number;
  /** Absent for TEKs before the newest. */
  readonly rekeyIn: number | undefined;
  readonly replay: ReplayView;
}

export interface ServerMemberView {
  readonly address: string;
  readonly version: string;
  readonly type: MemberTypeText;
  readonly rekeysSent: number;
  readonly retries: number;
  readonly acksReceived: number;
  readonly acksMissed: number;
  /** Newest first, four at most. */
  readonly sequencesSent: readonly number[];
  readonly sequencesReceived: readonly number[];
}

export interface SenderIdView {
  readonly isCounterMode: boolean;
  readonly bits: number;
  /** `8-bit`: SMALL; `24`: MEDIUM; `32`: LARGE. */
  readonly sizeName: "SMALL" | "MEDIUM" | "LARGE";
  readonly assigned: readonly { readonly from: number; readonly to: number }[];
  readonly current: number | undefined;
  readonly lastGmSid: number | undefined;
  readonly remaining: number;
}

// ---------------------------------------------------------------------------------------------------------- member

export interface MemberGroupView {
  readonly name: string;
  readonly identity: string;
  readonly type: MemberTypeText;
  /** With G-IKEv2. */
  readonly profile: string | undefined;
  readonly family: "ipv4" | "ipv6";
  readonly servers: readonly string[];
  /** Canonical. */
  readonly interface: string;
  readonly address: string;
  readonly port: number;
  readonly version: string;
  /** With the policy still in place or without it: a member that registers again is registering, too. */
  readonly status: "Registered" | "Registering" | "Not Registered";
  /** Key server of the policy in place, else the one that is being asked; absent before the first attempt. */
  readonly server: string | undefined;
  readonly reregisterIn: number | undefined;
  readonly succeeded: number;
  readonly attempted: number;
  readonly transport: "Unicast" | "Multicast";
  readonly rekeys: {
    readonly unicast: number;
    readonly multicast: number;
    readonly acksSent: number;
    readonly sinceRegistration: number;
    /** Seconds since the last one; absent: there was none. */
    readonly lastAgo: number | undefined;
    readonly lastFrom: string | undefined;
    readonly lastSequence: number;
  };
  readonly isFailCloseRevert: boolean;
  readonly allowedCipher: string;
  readonly allowedHash: string;
  readonly allowedTransforms: string;
  readonly kek: MemberKekView | undefined;
  /** Newest first; those of one generation in the order of the list. */
  readonly teks: readonly MemberTekView[];
  readonly downloaded: readonly AclEntry[];
  /** The member's own list, where the map has one. */
  readonly local: { readonly map: string; readonly acl: string; readonly entries: readonly AclEntry[] } | undefined;
  readonly senderIds: readonly number[];
  readonly senderIdBits: number;
  readonly senderIdsRequested: number;
  readonly isCounterMode: boolean;
  readonly dataPlane: DataPlaneView;
  readonly kekCount: { readonly installed: number; readonly removed: number };
}

export interface MemberKekView {
  readonly spi: string;
  /** SPI of the KEK before, where it is still known. */
  readonly previousSpi: string | undefined;
  readonly cipher: KekCipherText;
  readonly keyBits: number;
  readonly ivOctets: number;
  readonly lifetime: number;
  readonly remaining: number;
  readonly sequence: number;
  readonly signature: SignatureView | undefined;
  /** SubjectPublicKeyInfo of the key server, in hexadecimal digits; absent without a signature. */
  readonly publicKey: string | undefined;
  readonly connectionId: number;
}

export interface MemberTekView {
  readonly spi: string;
  readonly transform: TransformView;
  readonly mode: "tunnel" | "transport";
  readonly lifetime: number;
  readonly remaining: number;
  readonly replay: ReplayView;
  /** The list's entry that it protects. */
  readonly entry: AclEntry;
}

export interface DataPlaneView {
  readonly encrypted: number;
  readonly decrypted: number;
  readonly noSa: number;
  readonly invalidSa: number;
  readonly encapsFail: number;
  readonly decapFail: number;
  readonly invalidProtocol: number;
  readonly verifyFail: number;
  readonly internalSend: number;
  readonly internalReceive: number;
  readonly replayFail: number;
}

// ------------------------------------------------------------------------------------------------------------- SAs

export interface Ikev2SaView {
  readonly number: number;
  readonly isInitiator: boolean;
  readonly status: "READY" | "IN-NEG" | "DELETE";
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
  /** `AES-CBC`, `AES-GCM`, `3DES`; empty before it is agreed. */
  readonly cipher: string;
  readonly keyBits: number;
  readonly prf: string;
  /** `None` with a combined-mode cipher. */
  readonly hash: string;
  readonly dhGroup: number;
  readonly authentication: { readonly sign: string; readonly verify: string };
  readonly lifetime: number;
  readonly active: number;
  /** 16 hexadecimal digits. */
  readonly localSpi: string;
  readonly remoteSpi: string;
  readonly localId: string;
  readonly remoteId: string;
  /** Message IDs: of the next request, and how many wait for a free place in the window. */
  readonly requests: {
    readonly localNext: number;
    readonly remoteNext: number;
    readonly localQueued: number;
    readonly localWindow: number;
    readonly remoteWindow: number;
  };
  readonly dpd: { readonly seconds: number; readonly retry: number } | undefined;
  readonly isFragmenting: boolean;
  readonly isNatted: boolean;
}

/** Since the router was switched on. Requests are those that begin an SA. */
export interface Ikev2StatsView {
  readonly incoming: Ikev2WayView;
  readonly outgoing: Ikev2WayView;
  /** As configured, or as the platform sets them. */
  readonly limits: { readonly sas: number | undefined; readonly inNegotiation: number | undefined };
  /** Incoming requests that found the box full. */
  readonly overload: number;
  /** Datagrams that nobody could make use of. */
  readonly dropped: number;
  readonly cookies: { readonly demanded: number; readonly accepted: number; readonly rejected: number };
}

interface Ikev2WayView {
  /** SAs now. */
  readonly active: number;
  readonly negotiating: number;
  readonly requests: number;
  readonly accepted: number;
  readonly rejected: number;
}

/** IKEv1: a connection of phase 1, or a rekey SA of GDOI. */
export interface IsakmpSaView {
  readonly destination: string;
  readonly source: string;
  readonly local: { readonly address: string; readonly port: number };
  readonly remote: { readonly address: string; readonly port: number };
  readonly state: "GDOI_IDLE" | "GDOI_REKEY" | "MM_NO_STATE" | "MM_KEY_EXCH" | "AG_NO_STATE" | "QM_IDLE";
  readonly connectionId: number;
  readonly status: "ACTIVE" | "ACTIVE (deleted)";
  /** Of phase 1, once it is agreed; undefined for a rekey SA. */
  readonly suite: IsakmpSuiteView | undefined;
  readonly remaining: number;
  readonly isNatted: boolean;
  /** The peer answers R-U-THERE. */
  readonly hasDpd: boolean;
}

interface IsakmpSuiteView {
  /** `aes`. */
  readonly encryption: string;
  readonly hash: string;
  /** `psk`, `rsig`. */
  readonly authentication: string;
  readonly group: number;
}

/** One interface with a crypto map. */
export interface IpsecInterfaceView {
  /** Canonical. */
  readonly name: string;
  readonly map: string;
  readonly address: string;
  readonly mtu: number;
  readonly flows: readonly IpsecFlowView[];
}

/** The traffic of one entry of a group's list, or of the list of a tunnel to a single peer. */
export interface IpsecFlowView {
  /** Undefined for a tunnel. */
  readonly group: string | undefined;
  /** 0.0.0.0 for a group: everybody. */
  readonly peer: { readonly address: string; readonly port: number };
  /** DH group of the tunnel's own key exchange; undefined: none. */
  readonly pfsGroup: number | undefined;
  readonly entry: AclEntry;
  readonly counters: {
    readonly encaps: number;
    readonly encrypt: number;
    readonly digest: number;
    readonly decaps: number;
    readonly decrypt: number;
    readonly verify: number;
    readonly sendErrors: number;
    readonly receiveErrors: number;
  };
  readonly plaintextMtu: number;
  /** SPI that it sends with; absent: none. */
  readonly outboundSpi: string | undefined;
  /** Newest first. */
  readonly sas: readonly IpsecSaView[];
}

/** Both directions: of a group it is one SA, of a tunnel a pair. */
export interface IpsecSaView {
  readonly inboundSpi: string;
  readonly outboundSpi: string;
  /** ESP travels in UDP. */
  readonly isInUdp: boolean;
  readonly transform: TransformView;
  readonly mode: "tunnel" | "transport";
  readonly connectionId: number;
  readonly remaining: number;
  readonly ivOctets: number;
  readonly replay: ReplayView;
}
