/**
 * State of an endpoint and of its IKE SAs: plain data.
 *
 * An IKE SA of the initiator goes initSent -> authSent -> established, one of the responder initAnswered -> authenticating
 * -> established. `deleting` waits for the answer to our Delete; `lingering` is over for everybody but keeps its last
 * response for a peer that did not get it (RFC 7296 section 2.1: the responder remembers). Any state may end at once.
 */
import { type Bytes, toHex } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Endpoint } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { addValue, type MultiMap, removeValue } from "../base/multimap.ts";
import type { Secret } from "../base/secret.ts";
import type { Timers } from "../base/timers.ts";
import { cancelTimer, setTimer } from "../base/timers.ts";
import type { Protection } from "../crypto/protector.ts";
import type { PrfSpec } from "../crypto/suite.ts";
import type { Id } from "../wire/ikev2.ts";
import { IKEV2, type Payload, type Registry, RFC9838, YEUNG07 } from "../wire/payloads.ts";
import type {
  AuthProfile,
  ChildCloseReason,
  DialectName,
  EndpointConfig,
  IkeOutcome,
  IkeSuite,
  InitiateOptions,
  RetransmitPolicy,
  SaNumber,
  Tools,
} from "./api.ts";
import type { ChildOffer, ChildSa, IkeRekey } from "./childState.ts";
import type { CookieSecrets } from "./cookie.ts";
import type { DropReason } from "./events.ts";
import type { Assembly } from "./fragment.ts";

/** What the dialects make of payload numbers 50 to 52. */
export const REGISTRIES: Readonly<Record<DialectName, Registry>> = {
  ikev2: IKEV2,
  rfc9838: RFC9838,
  "yeung-07": YEUNG07,
};

/** Keys of one IKE SA as the functions of this room use them. i: messages of the original initiator. */
export interface SaKeySet {
  readonly suite: IkeSuite;
  readonly protection: Protection;
  readonly prf: PrfSpec;
  readonly d: Secret;
  readonly ai: Secret;
  readonly ar: Secret;
  readonly ei: Secret;
  readonly er: Secret;
  /** SK_pi and SK_pr: empty once both sides are authenticated. */
  readonly pi: Secret;
  readonly pr: Secret;
}

/** What AUTH covers beside the identities. RFC 7296 section 2.15. */
export interface InitTranscript {
  /** The complete IKE_SA_INIT messages, from SPIi on. */
  readonly request: Bytes;
  readonly response: Bytes;
  readonly ni: Bytes;
  readonly nr: Bytes;
}

export type Phase =
  | {
      readonly at: "initSent";
      readonly group: number;
      readonly privateKey: Secret;
      readonly ni: Bytes;
      /** Last version sent, with its cookie. */
      readonly request: Bytes;
      /** Cookies and other groups asked for so far. */
      readonly rounds: number;
      readonly options: InitiateOptions;
    }
  | { readonly at: "initAnswered"; readonly transcript: InitTranscript }
  | {
      readonly at: "authSent";
      readonly transcript: InitTranscript;
      readonly options: InitiateOptions;
      /** The Child SA that we asked for. */
      readonly offer: ChildOffer | undefined;
    }
  | {
      readonly at: "authenticating";
      readonly transcript: InitTranscript;
      readonly messageId: number;
      readonly payloads: readonly Payload[];
    }
  | { readonly at: "established" }
  | { readonly at: "deleting" }
  | { readonly at: "lingering" };

export type PhaseName = Phase["at"];

const PHASES_AFTER: Readonly<Record<PhaseName, readonly PhaseName[]>> = {
  initSent: ["initSent", "authSent"],
  initAnswered: ["authenticating", "lingering"],
  authSent: ["authSent", "established"],
  authenticating: ["established", "lingering"],
  established: ["deleting", "lingering"],
  deleting: ["lingering"],
  lingering: [],
};

/** Whose answer a pending request waits for. */
export type Purpose =
  | { readonly kind: "init" }
  | { readonly kind: "auth" }
  | { readonly kind: "user"; readonly tag: string; readonly keepSa: boolean }
  | { readonly kind: "delete" }
  | { readonly kind: "liveness" }
  /** `old`: inbound SPI of the pair that is to be replaced, 0 for a new one. */
  | { readonly kind: "createChild"; readonly offer: ChildOffer; readonly old: number }
  | { readonly kind: "deleteChild"; readonly inboundSpi: number; readonly reason: ChildCloseReason }
  | { readonly kind: "rekeyIke" };

export interface PendingRequest {
  readonly messageId: number;
  readonly exchange: number;
  readonly purpose: Purpose;
  /** More than one where the message was fragmented. */
  readonly datagrams: readonly Bytes[];
  readonly policy: RetransmitPolicy;
  repeats: number;
  /** Given up, but its number is spent: the peer takes no later one before it has seen it. */
  abandoned: boolean;
}

export interface QueuedRequest {
  readonly exchange: number;
  readonly purpose: Purpose;
  readonly payloads: readonly Payload[];
  readonly policy: RetransmitPolicy;
}

/** Our requests. RFC 7296 section 2.3. */
export interface OutWindow {
  nextId: number;
  /** Requests that the peer lets us have under way. */
  size: number;
  pending: PendingRequest[];
  readonly queue: QueuedRequest[];
}

/** A request of the peer: being answered while `response` is undefined, then kept for repetitions. */
export interface ServedRequest {
  readonly messageId: number;
  readonly exchange: number;
  /** The request's datagram, of a fragmented one its first fragment: a repetition is equal to it. */
  readonly request: Bytes;
  response: readonly Bytes[] | undefined;
}

/** The peer's requests. */
export interface InWindow {
  /** Lowest message ID that has not been answered. */
  nextId: number;
  served: readonly ServedRequest[];
}

/** Where NATs are on the way. */
export interface NatFinding {
  /** The peer's source is not the address that we see. */
  readonly peerBehindNat: boolean;
  /** The peer sends to another address than ours. */
  readonly weBehindNat: boolean;
}

export const NO_NAT: NatFinding = { peerBehindNat: false, weBehindNat: false };

/** What the peer has told about signatures and certificates so far. */
export interface PeerAbilities {
  /** SIGNATURE_HASH_ALGORITHMS; undefined where it sent none. */
  readonly hashes: readonly number[] | undefined;
  /** HTTP_CERT_LOOKUP_SUPPORTED. */
  readonly takesUrls: boolean;
  /** SHA-1 of the keys of the authorities that it trusts, in hexadecimal. */
  readonly authorities: readonly string[];
}

export const NO_ABILITIES: PeerAbilities = { hashes: undefined, takesUrls: false, authorities: [] };

export interface IkeSa {
  readonly number: SaNumber;
  /** True: we are the original initiator. */
  readonly initiator: boolean;
  /** IKE_AUTH or GSA_AUTH; 0 on a responder's SA until the peer has chosen. */
  authExchange: number;
  local: Endpoint;
  remote: Endpoint;
  /** Our datagrams begin with the non-ESP marker. */
  marker: boolean;
  readonly spiInitiator: string;
  /** `NO_SPI` on the initiator until the answer is there. */
  spiResponder: string;
  /** Name of the profile; empty on a responder's SA until the peer has named itself. */
  profile: string;
  identity: Id | undefined;
  keys: SaKeySet | undefined;
  /** Explicit IV of the next message where the cipher counts its IVs. */
  nextIv: number;
  nat: NatFinding;
  /** Both sides take fragments. */
  fragments: boolean;
  /** What the peer said about signatures. */
  abilities: PeerAbilities;
  readonly assemblies: Assembly[];
  /** When the peer's last genuine message came, and when our last datagram left. */
  heardAt: Micros;
  sentAt: Micros;
  readonly children: ChildSa[];
  /** Our request for fresh keys while it is under way. */
  rekey: IkeRekey | undefined;
  /** Number of the SA that replaces this one; 0 for none. */
  successor: SaNumber;
  /** False: the room above has not heard of it (made by a rekey that is not decided yet). */
  announced: boolean;
  /** Number of the SA that is to be deleted once this one stands (reauthentication); 0 for none. */
  readonly replaces: SaNumber;
  /** What the initiator asked for, where its profile has it ask again at the end of the lifetime. */
  readonly options: InitiateOptions | undefined;
  phase: Phase;
  readonly out: OutWindow;
  readonly inward: InWindow;
  readonly createdAt: Micros;
  /** Key of this SA in `IkeEndpoint.byInit`; empty on the initiator. */
  readonly initKey: string;
}

export interface IkeEndpoint {
  readonly config: EndpointConfig;
  readonly sas: Map<SaNumber, IkeSa>;
  /** By the SPI that we chose. */
  readonly bySpi: Map<string, IkeSa>;
  /** Undefined before the first: responder's SAs by what tells one IKE_SA_INIT request from another: SPIi, address, port, nonce. */
  byInit: Map<string, IkeSa> | undefined;
  /** Established SAs that the room above knows of, by profile and identity of the peer. */
  readonly byPeer: MultiMap<string, IkeSa>;
  readonly timers: Timers<number>;
  /** SAs that are not established, as responder. */
  halfOpen: number;
  nextSa: SaNumber;
  cookies: CookieSecrets | undefined;
  /** Inbound SPIs of all Child SAs; undefined before the first. */
  childSpis: Set<number> | undefined;
  readonly dropped: Partial<Record<DropReason, number>>;
}

/** One call from outside: what it may use, and what it has caused so far. */
export interface Turn {
  readonly endpoint: IkeEndpoint;
  readonly tools: Tools;
  readonly now: Micros;
  readonly outcomes: IkeOutcome[];
}

/** What an SA may wait for beside answers: slots of the timer table. */
export const Slot = {
  /** A responder's SA that never gets authenticated, or one that lingers. */
  life: 0,
  liveness: 1,
  keepalive: 2,
  /** Time to replace the SA, and its end. */
  renew: 3,
  expiry: 4,
  /** Time to replace a Child SA: the earliest of all children. */
  renewChild: 5,
  /** Retransmissions of pending requests take the slots from here on, by message ID. */
  retransmit: 16,
} as const;

const SLOTS = 32;
/** A larger window is not used even where the peer grants it: there are so many slots. */
export const WINDOW_MAX = 16;

export function timerKey(sa: IkeSa, slot: number): number {
  return sa.number * SLOTS + slot;
}

export function slotOf(key: number): { readonly number: SaNumber; readonly slot: number } {
  return { number: Math.floor(key / SLOTS), slot: key % SLOTS };
}

export function retransmitSlot(messageId: number): number {
  return Slot.retransmit + (messageId % WINDOW_MAX);
}

export function startTimer(turn: Turn, sa: IkeSa, slot: number, wait: Micros): void {
  setTimer(turn.endpoint.timers, timerKey(sa, slot), turn.now + wait);
}

export function startTimerAt(turn: Turn, sa: IkeSa, slot: number, at: Micros): void {
  setTimer(turn.endpoint.timers, timerKey(sa, slot), Math.max(at, turn.now));
}

export function stopTimer(endpoint: IkeEndpoint, sa: IkeSa, slot: number): void {
  cancelTimer(endpoint.timers, timerKey(sa, slot));
}

/** Our own SPI. */
export function ownSpi(sa: IkeSa): string {
  return sa.initiator ? sa.spiInitiator : sa.spiResponder;
}

export function registryOf(endpoint: IkeEndpoint): Registry {
  return REGISTRIES[endpoint.config.dialect ?? "rfc9838"];
}

export function profileOf(endpoint: IkeEndpoint, name: string): AuthProfile | undefined {
  return endpoint.config.profiles.find((profile) => profile.name === name);
}

export function isEstablished(sa: IkeSa): boolean {
  return sa.phase.at === "established";
}

/** Half-open in the sense of RFC 7296 section 2.6: the peer has shown no more than its address. */
function isHalfOpen(phase: Phase): boolean {
  return phase.at === "initAnswered";
}

export function moveTo(endpoint: IkeEndpoint, sa: IkeSa, phase: Phase): void {
  assert(PHASES_AFTER[sa.phase.at].includes(phase.at), () => `no way from ${sa.phase.at} to ${phase.at}`);
  if (isHalfOpen(sa.phase)) endpoint.halfOpen -= 1;
  sa.phase = phase;
}

/** What every new SA has in common. */
export function blankSa(
  fixed: Pick<
    IkeSa,
    "number" | "initiator" | "local" | "remote" | "marker" | "spiInitiator" | "spiResponder" | "phase"
  >,
  now: Micros,
  given: Partial<Pick<IkeSa, "authExchange" | "profile" | "replaces" | "options" | "keys" | "inward" | "initKey">> = {},
): IkeSa {
  return {
    // Named one by one: properties added behind a spread cost a microsecond each, all these 30 instead of 0.1.
    number: fixed.number,
    initiator: fixed.initiator,
    local: fixed.local,
    remote: fixed.remote,
    marker: fixed.marker,
    spiInitiator: fixed.spiInitiator,
    spiResponder: fixed.spiResponder,
    phase: fixed.phase,
    authExchange: given.authExchange ?? 0,
    profile: given.profile ?? "",
    identity: undefined,
    keys: given.keys,
    nextIv: 1,
    nat: NO_NAT,
    fragments: false,
    abilities: NO_ABILITIES,
    assemblies: [],
    heardAt: now,
    sentAt: now,
    children: [],
    rekey: undefined,
    successor: 0,
    announced: true,
    replaces: given.replaces ?? 0,
    options: given.options,
    out: { nextId: 0, size: 1, pending: [], queue: [] },
    inward: given.inward ?? { nextId: 0, served: [] },
    createdAt: now,
    initKey: given.initKey ?? "",
  };
}

export function addSa(endpoint: IkeEndpoint, sa: IkeSa): void {
  endpoint.sas.set(sa.number, sa);
  endpoint.bySpi.set(ownSpi(sa), sa);
  if (sa.initKey !== "") {
    endpoint.byInit ??= new Map();
    endpoint.byInit.set(sa.initKey, sa);
  }
  if (isHalfOpen(sa.phase)) endpoint.halfOpen += 1;
}

function peerKeyOf({ profile, identity }: IkeSa): string {
  return identity === undefined ? "" : `${profile} ${identity.type} ${toHex(identity.data)}`;
}

/** An SA is established for good: from now on `sasOfPeer` finds it. */
export function listPeer(endpoint: IkeEndpoint, sa: IkeSa): void {
  addValue(endpoint.byPeer, peerKeyOf(sa), sa);
}

/** Established SAs with the peer of this one, under the same profile; itself among them. */
export function sasOfPeer(endpoint: IkeEndpoint, sa: IkeSa): readonly IkeSa[] {
  return endpoint.byPeer.get(peerKeyOf(sa)) ?? [];
}

/** Takes an SA out of all tables, without a word. */
export function removeSa(endpoint: IkeEndpoint, sa: IkeSa): void {
  for (let slot = 0; slot < SLOTS; slot++) stopTimer(endpoint, sa, slot);
  sa.out.pending.length = 0;
  sa.out.queue.length = 0;
  endpoint.sas.delete(sa.number);
  endpoint.bySpi.delete(ownSpi(sa));
  if (sa.initKey !== "") endpoint.byInit?.delete(sa.initKey);
  removeValue(endpoint.byPeer, peerKeyOf(sa), sa);
  if (isHalfOpen(sa.phase)) endpoint.halfOpen -= 1;
}
