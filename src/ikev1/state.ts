/**
 * The state of an endpoint: plain data, and the few functions that keep its tables consistent.
 *
 *   Main Mode        initiator  saSent -> keSent -> authSent -> authenticating -> established
 *                    responder  saAnswered -> keAnswered -> authenticating -> established
 *   Aggressive Mode  initiator  aggressiveSent -> authenticating -> established
 *                    responder  saAnswered -> aggressiveAnswered -> authenticating -> established
 *
 * Messages of an exchange strictly alternate, so each exchange is a conversation: the peer's last genuine datagram, by
 * which a repetition is known before it is decrypted, and our last one, which is repeated on a timer while an answer is
 * due and whenever the peer repeats itself.
 */
import { type Bytes, fromHex, toHex } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Endpoint } from "../base/machine.ts";
import { type Micros, SECOND } from "../base/micros.ts";
import { addValue, type MultiMap, removeValue } from "../base/multimap.ts";
import type { Secret } from "../base/secret.ts";
import { cancelTimer, setTimer, type Timers, timerAt } from "../base/timers.ts";
import type { Id } from "../wire/isakmp.ts";
import type {
  EndpointConfig,
  Ikev1Outcome,
  Ikev1Profile,
  IsakmpPolicy,
  Phase1Mode,
  RetransmitPolicy,
  SaNumber,
  Tools,
} from "./api.ts";
import type { DropReason } from "./events.ts";
import type { Cookies } from "./keys.ts";
import type { Ikev1Suite } from "./suite.ts";

/** Stands for the responder's cookie in message 1. */
export const NO_COOKIE = "0000000000000000";

/** IOS: ten seconds, five times. */
export const DEFAULT_RETRANSMIT: RetransmitPolicy = { first: 10 * SECOND, factor: 1, repeats: 5 };

/** What was agreed on in phase 1. */
export interface Agreed {
  readonly policy: IsakmpPolicy;
  readonly suite: Ikev1Suite;
}

/** Keys of an SA. Octets SKEYID, SKEYID_a for hashes, `encr` for the cipher. */
export interface SaKeys {
  readonly suite: Ikev1Suite;
  readonly skeyid: Secret;
  readonly a: Secret;
  readonly encr: Secret;
}

/** What the hashes of phase 1 cover beside the cookies. Bodies without payload header. */
export interface Transcript {
  /** The initiator's whole SA payload. */
  readonly offer: Bytes;
  readonly gxi: Bytes;
  readonly gxr: Bytes;
  /** Of Aggressive Mode, where the initiator names itself first. */
  readonly initiatorId?: Bytes;
}

/** An initiator's half of the key exchange. */
export interface OwnHalf {
  readonly privateKey: Secret;
  readonly gxi: Bytes;
  readonly ni: Bytes;
}

/** Where a datagram came from, and whether it had the non-ESP marker. */
export interface Arrival {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly marked: boolean;
}

/** The peer has named itself, and the room above is asked. */
export interface Authenticating {
  readonly at: "authenticating";
  readonly transcript: Transcript;
  readonly identity: Id;
  /** The SIG payload; empty with a pre-shared key, whose hash has been checked. */
  readonly signature: Bytes;
  /** DER, the first of those that a peer with a signature has sent. */
  readonly certificate: Bytes | undefined;
  /** The message, the IV behind it and where it came from, taken over with the decision. */
  readonly heard: Bytes;
  readonly iv: Bytes;
  readonly from: Arrival;
  readonly initialContact: boolean;
  /** Where the SA goes back to if the signature does not hold: the message counts for nothing then. */
  readonly before: Phase;
}

export type Phase =
  | { readonly at: "saSent"; readonly offer: Bytes }
  | { readonly at: "keSent"; readonly offer: Bytes; readonly agreed: Agreed; readonly own: OwnHalf }
  | { readonly at: "authSent"; readonly transcript: Transcript }
  | { readonly at: "aggressiveSent"; readonly offer: Bytes; readonly own: OwnHalf }
  | { readonly at: "saAnswered"; readonly offer: Bytes; readonly agreed: Agreed }
  | { readonly at: "keAnswered"; readonly transcript: Transcript }
  | { readonly at: "aggressiveAnswered"; readonly transcript: Transcript; readonly initiatorId: Id }
  | Authenticating
  | { readonly at: "established" };

export type PhaseName = Phase["at"];

const PHASES_AFTER: Readonly<Record<PhaseName, readonly PhaseName[]>> = {
  saSent: ["keSent"],
  keSent: ["authSent"],
  authSent: ["authenticating"],
  aggressiveSent: ["authenticating"],
  saAnswered: ["keAnswered", "aggressiveAnswered"],
  keAnswered: ["authenticating"],
  aggressiveAnswered: ["authenticating"],
  authenticating: ["established", "authSent", "aggressiveSent", "keAnswered", "aggressiveAnswered"],
  established: [],
};

/** One exchange: phase 1 itself (message ID 0) or one of phase 2. */
export interface Conversation {
  readonly exchange: number;
  readonly messageId: number;
  heard: Bytes | undefined;
  /** Undefined where nothing was sent since the peer was heard: then a repetition of the peer is answered by nothing. */
  sent: Bytes | undefined;
  repeats: number;
}

/** `waiting`: for the peer. `deciding`: the room above is asked. `done`: kept for repetitions of the peer. */
export type Standing = "waiting" | "deciding" | "done";

export interface Phase2 extends Conversation {
  standing: Standing;
  /** IV of the next message, whoever sends it. */
  iv: Bytes;
  /** Bodies of the nonces so far: all later hashes cover them. */
  readonly nonces: Bytes[];
  /** Messages so far. */
  index: number;
}

/** Where NATs are on the way. */
export interface NatFinding {
  /** The peer's source is not the address that we see. */
  readonly peerBehindNat: boolean;
  /** The peer sends to another address than ours. */
  readonly weBehindNat: boolean;
}

export const NO_NAT: NatFinding = { peerBehindNat: false, weBehindNat: false };

/** What the peer's vendor ids say. */
export interface PeerAbilities {
  readonly nat: boolean;
  readonly dpd: boolean;
}

export interface DpdState {
  /** Number of our last question, and of the peer's; undefined before the first. */
  own: number | undefined;
  peer: number | undefined;
  /** Questions without an answer. */
  unanswered: number;
}

/** Octets from and to a source that has not shown that it reads what is sent there. */
export interface Unverified {
  heard: number;
  sent: number;
}

export interface IsakmpSa {
  readonly number: SaNumber;
  readonly initiator: boolean;
  readonly mode: Phase1Mode;
  readonly doi: number;
  local: Endpoint;
  remote: Endpoint;
  /** Our datagrams begin with the non-ESP marker. */
  marker: boolean;
  readonly cookieInitiator: string;
  /** `NO_COOKIE` on the initiator until the answer is there. */
  cookieResponder: string;
  /** Name of the profile; empty on a responder's SA until the peer has named itself. */
  profile: string;
  /** Where the pre-shared key came from; undefined before there are keys, and with signatures. */
  keyring: string | undefined;
  identity: Id | undefined;
  /** DER, the peer's own, once it is proved; undefined with a pre-shared key. */
  certificate: Bytes | undefined;
  agreed: Agreed | undefined;
  keys: SaKeys | undefined;
  /** The phase 1 chain: IV of the next encrypted message, and once established what phase 2 begins with. */
  iv: Bytes;
  abilities: PeerAbilities;
  nat: NatFinding;
  /** Of a responder, until the peer sends back the cookie that it got. */
  unverified: Unverified | undefined;
  heardAt: Micros;
  sentAt: Micros;
  phase: Phase;
  readonly phase1: Conversation;
  readonly phase2: Map<number, Phase2>;
  /** Message IDs of Informationals taken, the latest ones: a replay has no effect. */
  readonly informed: number[];
  readonly dpd: DpdState;
  readonly createdAt: Micros;
  /** Key of this SA in `Ikev1Endpoint.byFirst`; empty on the initiator. */
  readonly firstKey: string;
}

export interface Ikev1Endpoint {
  readonly config: EndpointConfig;
  readonly sas: Map<SaNumber, IsakmpSa>;
  /** By the cookie that we chose. */
  readonly byCookie: Map<string, IsakmpSa>;
  /** Responder's SAs by initiator cookie and address: finds the SA for a repeated message 1. */
  readonly byFirst: Map<string, IsakmpSa>;
  /** Established SAs by identity of the peer. */
  readonly byPeer: MultiMap<string, IsakmpSa>;
  readonly timers: Timers<string>;
  /** SAs as responder that are not established. */
  halfOpen: number;
  nextSa: SaNumber;
  readonly dropped: Partial<Record<DropReason, number>>;
}

/** One call from outside: what it may use, and what it has caused so far. */
export interface Turn {
  readonly endpoint: Ikev1Endpoint;
  readonly tools: Tools;
  readonly now: Micros;
  readonly outcomes: Ikev1Outcome[];
}

/** What an SA may wait for; a phase 2 exchange waits under its message ID. */
export type Slot = "phase1" | "expiry" | "dpd" | "keepalive" | number;

function timerKey(sa: IsakmpSa, slot: Slot): string {
  return `${sa.number} ${slot}`;
}

export function slotOf(key: string): { readonly number: SaNumber; readonly slot: Slot } {
  const [number, slot] = key.split(" ") as [string, string];
  const messageId = Number(slot);
  return { number: Number(number), slot: Number.isNaN(messageId) ? (slot as Slot) : messageId };
}

export function startTimer(turn: Turn, sa: IsakmpSa, slot: Slot, wait: Micros): void {
  setTimer(turn.endpoint.timers, timerKey(sa, slot), turn.now + wait);
}

export function stopTimer(endpoint: Ikev1Endpoint, sa: IsakmpSa, slot: Slot): void {
  cancelTimer(endpoint.timers, timerKey(sa, slot));
}

/** When an SA ends; undefined before it is established, and where it never does. */
export function expiryOf({ timers }: Ikev1Endpoint, sa: IsakmpSa): Micros | undefined {
  return timerAt(timers, timerKey(sa, "expiry"));
}

export function isEstablished(sa: IsakmpSa): boolean {
  return sa.phase.at === "established";
}

export function profileOf(endpoint: Ikev1Endpoint, name: string): Ikev1Profile | undefined {
  return endpoint.config.profiles.find((profile) => profile.name === name);
}

export function moveTo(endpoint: Ikev1Endpoint, sa: IsakmpSa, phase: Phase): void {
  assert(PHASES_AFTER[sa.phase.at].includes(phase.at), `no way from ${sa.phase.at} to ${phase.at}`);
  if (phase.at === "established" && !sa.initiator) endpoint.halfOpen -= 1;
  sa.phase = phase;
}

export function cookiesOf(sa: Pick<IsakmpSa, "cookieInitiator" | "cookieResponder">): Cookies {
  return { initiator: fromHex(sa.cookieInitiator), responder: fromHex(sa.cookieResponder) };
}

function ownCookie(sa: IsakmpSa): string {
  return sa.initiator ? sa.cookieInitiator : sa.cookieResponder;
}

export function addSa(endpoint: Ikev1Endpoint, sa: IsakmpSa): void {
  endpoint.sas.set(sa.number, sa);
  endpoint.byCookie.set(ownCookie(sa), sa);
  if (sa.firstKey !== "") endpoint.byFirst.set(sa.firstKey, sa);
  if (!sa.initiator) endpoint.halfOpen += 1;
}

function peerKeyOf({ identity }: IsakmpSa): string {
  return identity === undefined ? "" : `${identity.type} ${toHex(identity.data)}`;
}

/** An SA is established: from now on `sasOfPeer` finds it. */
export function listPeer(endpoint: Ikev1Endpoint, sa: IsakmpSa): void {
  addValue(endpoint.byPeer, peerKeyOf(sa), sa);
}

/** Established SAs with a peer of the same identity, wherever it is; the given one among them. */
export function sasOfPeer(endpoint: Ikev1Endpoint, sa: IsakmpSa): readonly IsakmpSa[] {
  return endpoint.byPeer.get(peerKeyOf(sa)) ?? [];
}

/** Takes an SA out of all tables, without a word. */
export function removeSa(endpoint: Ikev1Endpoint, sa: IsakmpSa): void {
  if (!endpoint.sas.delete(sa.number)) return;
  const slots: readonly Slot[] = ["phase1", "expiry", "dpd", "keepalive", ...sa.phase2.keys()];
  for (const slot of slots) stopTimer(endpoint, sa, slot);
  sa.phase2.clear();
  endpoint.byCookie.delete(ownCookie(sa));
  if (sa.firstKey !== "") endpoint.byFirst.delete(sa.firstKey);
  removeValue(endpoint.byPeer, peerKeyOf(sa), sa);
  if (!sa.initiator && !isEstablished(sa)) endpoint.halfOpen -= 1;
}
