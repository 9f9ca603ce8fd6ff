/**
 * State of a key server: plain data. A group is without keys until its first member registers; then it has one or two
 * generations of TEKs, the newest first, which all members share, and a KEK in each of its branches: one branch for each
 * protocol that it serves, since a rekey of GDOI and one of G-IKEv2 are two messages under two keys.
 *
 *     no keys --first registration--> keys --TEK or KEK timer, operator--> rekeying --all answered--> keys
 *     keys --Sender-IDs exhausted, operator clears members--> new keys, no members
 */
import type { Bytes } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Datagram, Endpoint } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import type { Secret } from "../base/secret.ts";
import type { Timers } from "../base/timers.ts";
import { createTimers, setTimer } from "../base/timers.ts";
import { algorithmOfScheme } from "../crypto/algorithmId.ts";
import type { PrivateKey } from "../crypto/api.ts";
import type { Selector } from "../esp/api.ts";
import { gdoiProtocol } from "../gdoi/gdoiProtocol.ts";
import type { IsakmpConfig } from "../gdoi/peerCertificates.ts";
import { createPulls, type Pulls } from "../gdoi/pull.ts";
import { pushSignature } from "../gdoi/signature.ts";
import { DEFAULT_SWITCHES } from "../gdoi/switches.ts";
import type { ClearIkeSas } from "../gikev2/clearIkeSas.ts";
import type { Dialect, PreparedRekey, RekeyProtocol, RekeySa } from "../gikev2/dialect.ts";
import { dialectOfChoice } from "../gikev2/dialects.ts";
import { endpointFor } from "../gikev2/endpointFor.ts";
import { groupIdText } from "../gikev2/groupId.ts";
import type { HostOutcome } from "../gikev2/outcomes.ts";
import type { DataSuite } from "../gikev2/policy.ts";
import { createEndpoint as createIsakmp, type Ikev1Endpoint } from "../ikev1/endpoint.ts";
import type { RetransmitPolicy, SaNumber, Tools } from "../ikev2/api.ts";
import { createEndpoint, type IkeEndpoint } from "../ikev2/endpoint.ts";
import type { KsConfig, KsGroupConfig, KsTuning, ProtocolKind, Signer } from "./config.ts";
import { KS_TUNING } from "./config.ts";
import type { KeyTree } from "./keyTree.ts";

export interface KsState {
  readonly config: KsConfig;
  /** Where members of G-IKEv2 come in; undefined where none are served. */
  readonly endpoint: IkeEndpoint | undefined;
  /** Where members of GDOI do. */
  readonly isakmp: IsakmpSide | undefined;
  /** By identity in text form: what members name. */
  readonly groups: Map<string, KsGroup>;
  /** Which members an IKE SA belongs to; a member may be in several groups over one SA. */
  readonly membersBySa: Map<SaNumber, MemberReference[]>;
  readonly timers: Timers<string>;
}

export interface IsakmpSide {
  readonly config: IsakmpConfig;
  readonly endpoint: Ikev1Endpoint;
  readonly pulls: Pulls;
}

export interface MemberReference {
  readonly group: string;
  readonly member: string;
}

export interface KsGroup {
  readonly config: KsGroupConfig;
  readonly tuning: KsTuning;
  /** Identity in text form: the key in `KsState.groups`. */
  readonly id: string;
  /** One for each protocol that is served: G-IKEv2, GDOI. */
  readonly branches: KsBranch[];
  /** Newest first. The one before the newest stays listed after its end, until the next rekey. */
  generations: TekGeneration[];
  /** By `address:port`. */
  readonly members: Map<string, KsMember>;
  /** Sender-IDs given out since the keys were made. */
  senderIdsUsed: number;
  /** SPIs announced for the next generation, by family; empty where none were. */
  nextTekSpis: number[];
  /** What the next KEK's messages are signed with. */
  signer: Signer | undefined;
  /** Addresses that are refused whatever the authorization says: their members were put out for good. */
  readonly barred: Set<string>;
  readonly counters: KsCounters;
}

/** What a group has for the members of one protocol. */
export interface KsBranch {
  readonly kind: ProtocolKind;
  /** `GROUP/KIND`: names its timers. */
  readonly id: string;
  kek: KsKek | undefined;
  /** The rekey SA before this one: what went out under it may be acknowledged still. */
  previousSa: RekeySa | undefined;
  /** SPI announced for the next KEK. */
  nextKekSpi: string | undefined;
  /** With `keyTree: "lkh"`, as long as there are keys and the KEK's cipher stays. */
  tree: KeyTree | undefined;
  /**
   * Whoever was given a KEK since the first one was made, by `address:port`, with the leaf in the tree (0: none): they can
   * follow all later ones, also when they speak another protocol by now or are not served any more.
   */
  readonly holders: Map<string, number>;
  rounds: number;
  round: RekeyRound | undefined;
  /** Rekeys under the KEK to one member each that are not acknowledged yet, by `pushKey`. */
  readonly pushes: Map<string, Push>;
  /** A multicast message whose copies are still going out. */
  copies: Copies | undefined;
}

export interface KsCounters {
  registrations: number;
  refusals: number;
  rekeys: number;
  retransmits: number;
  ejected: number;
  /** Of the last rekey. */
  lastRetransmits: number;
  lastDurationMillis: number;
}

export interface KsKek {
  readonly sa: RekeySa;
  /** Its public half is what members were told. */
  readonly signer: Signer | undefined;
  readonly createdAt: Micros;
  readonly expiresAt: Micros;
  readonly lifetimeSeconds: number;
  /** Rekeys sent under it: the number of the next multicast message. */
  sequence: number;
  /** Explicit IV of the next message where the cipher counts its IVs. */
  nextIv: number;
}

export interface TekGeneration {
  readonly number: number;
  readonly createdAt: Micros;
  readonly teks: readonly Tek[];
}

export interface Tek {
  readonly spi: number;
  /** Number of the data SA among those of its generation, from 0. */
  readonly family: number;
  readonly suite: DataSuite;
  readonly selector: Selector;
  /** Traffic of the further permit entries that share the SA. */
  readonly more?: readonly Selector[];
  readonly sequenceNumbers: number;
  /** Cipher key with salt, integrity key. */
  readonly key: Secret;
  readonly lifetimeSeconds: number;
  /** Earlier than creation and lifetime say where the policy was replaced. */
  expiresAt: Micros;
}

export interface KsMember {
  readonly key: string;
  readonly protocol: ProtocolKind;
  /** Where rekeys to it alone leave from: the end that it registered with, where they have to pass a NAT on the way back. */
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** They begin with the non-ESP marker. */
  readonly marker: boolean;
  readonly identity: string;
  /** Undefined once the IKE SA of a multicast member is closed, and with GDOI, whose phase 1 nobody needs any more. */
  sa: SaNumber | undefined;
  /** Wraps keys in that SA. */
  kwk: Secret | undefined;
  readonly registeredAt: Micros;
  readonly senderIds: readonly number[];
  /** Takes fragments of IKE messages (RFC 7383). */
  readonly fragments: boolean;
  /** Its own key in the key tree of its registration, which stays as long as the tree does. */
  readonly leafKey: Secret | undefined;
  /** It was given the KEK; otherwise it has asked for TEKs alone, and cannot read what travels under that. */
  readonly hasKek: boolean;
  /** Round of the last rekey that was sent, and whether an answer to it is still awaited. */
  round: number;
  awaited: boolean;
  rekeysSent: number;
  rekeyRetries: number;
  acksReceived: number;
  acksMissed: number;
  /** The last four, newest first. */
  sequencesSent: number[];
  sequencesAcked: number[];
  /** Without an answer, in a row. */
  silentTransmissions: number;
  silentRekeys: number;
}

/** A rekey, or an exclusion, that is on its way to members one by one. */
export interface RekeyRound {
  readonly number: number;
  readonly sequence: number;
  readonly startedAt: Micros;
  readonly message: RoundMessage;
  /** Members in the order of sending. Those that registered since have the new keys already. */
  readonly queue: readonly KsMember[];
  next: number;
  /** Requests without an answer. */
  open: number;
  retransmits: number;
  /** The members are gone from the group; their IKE SAs follow. */
  readonly excluding: boolean;
}

/** `inband`: a request in the IKE SA of each member. `push`: the same datagrams for each of them, under the KEK `sa`. */
export type RoundMessage =
  | {
      readonly kind: "inband";
      readonly prepared: PreparedRekey;
      /** By which answers are known. */
      readonly tag: string;
      readonly retransmit: RetransmitPolicy;
    }
  | {
      readonly kind: "push";
      readonly sa: RekeySa;
      readonly messageId: number;
      /** Those of the message that leads come first. */
      readonly datagrams: readonly Bytes[];
      readonly leadSpi?: string;
    };

/** A message that brings the KEK of another one, and is sent along with each copy of it. */
export interface LeadingMessage {
  /** Of the KEK that protects it. */
  readonly spi: string;
  readonly datagrams: readonly Bytes[];
}

/** A pushed rekey on its way to one member. */
export interface Push {
  readonly member: KsMember;
  readonly message: Extract<RoundMessage, { kind: "push" }>;
  readonly round: number;
  readonly excluding: boolean;
  /** Repetitions that have left, and those that may still follow. */
  copies: number;
  left: number;
}

/** One message to all members of a branch, in as many datagrams as it takes. */
export interface MulticastMessage {
  readonly datagrams: readonly Bytes[];
  /** SPI of the KEK in it. */
  readonly brings: string | undefined;
  /** Times that it has left. */
  sent: number;
}

export interface Copies {
  /** What brings the KEK that the first message is under, by way of each other; in front of all copies but the first. */
  readonly earlier: readonly MulticastMessage[];
  /** Messages that belong together, in the order of sending. */
  readonly messages: readonly MulticastMessage[];
  /** What is left to send of this copy, and how many messages it has in all. */
  queue: readonly MulticastMessage[];
  copyLength: number;
  /** Start of this copy of the first one. */
  copyAt: Micros;
  readonly sequence: number;
  readonly startedAt: Micros;
  sent: number;
}

export type KsCommand = ClearIkeSas | KsGroupCommand;

/** About one group. */
export type KsGroupCommand =
  | { readonly name: "rekey"; readonly group: string; readonly replaceNow: boolean }
  | { readonly name: "clearMembers"; readonly group: string; readonly now: boolean }
  /**
   * Puts one member out, by its address, and gives the others new keys. `now`: they give up the TEKs in use at once
   * instead of after a shortened life. `bar`: it is refused when it comes back.
   */
  | {
      readonly name: "evictMember";
      readonly group: string;
      readonly member: string;
      readonly now: boolean;
      readonly bar: boolean;
    }
  /** Tells the members to remove data SAs (SPIs; absent: all of them) without giving them others. */
  | { readonly name: "deleteDataSas"; readonly group: string; readonly spis?: readonly number[] }
  /** Multicast rekeys are signed with another key from the next KEK on, which is made at once; the algorithm stays. */
  | { readonly name: "changeSigner"; readonly group: string; readonly key: PrivateKey };

export type KsInput =
  | { readonly kind: "datagram"; readonly datagram: Datagram }
  | { readonly kind: "timeout" }
  | { readonly kind: "command"; readonly command: KsCommand };

export type KsOutput = HostOutcome;

/** One call of `handle`: what it may use, and what it has caused so far. */
export interface Turn {
  readonly state: KsState;
  readonly tools: Tools;
  readonly now: Micros;
  readonly out: KsOutput[];
}

/** What a key server waits for, beside its IKE SAs; the argument follows behind a blank. */
const KS_TIMERS = {
  /** The newest TEKs of a group are due for renewal. */
  rekeyTek: "rekeyTek",
  /** The KEK of a branch is. */
  rekeyKek: "rekeyKek",
  /** The next batch of unicast rekeys may leave. */
  batch: "batch",
  /** The next copy of a multicast rekey leaves. */
  copy: "copy",
  /** A pushed rekey is sent to one member again, or given up. */
  repeat: "repeat",
  /** An IKE SA has served its purpose. */
  close: "close",
} as const;

export type KsTimer = keyof typeof KS_TIMERS;

export function startTimer(turn: Turn, timer: KsTimer, argument: string | number, at: Micros): void {
  setTimer(turn.state.timers, timerKey(timer, argument), Math.max(at, turn.now));
}

export function timerKey(timer: KsTimer, argument: string | number): string {
  return `${timer} ${argument}`;
}

export function createKsState(config: KsConfig): KsState {
  const groups = new Map(config.groups.map((group) => [groupIdText(group.id), newGroup(group)]));
  const dialects = config.groups.flatMap(({ gikev2 }) => gikev2 ?? []);
  const { ike, isakmp } = config;
  return {
    config,
    endpoint: ike && dialects.length > 0 ? createEndpoint(endpointFor(ike, dialects)) : undefined,
    isakmp: isakmp && config.groups.some(({ gdoi }) => gdoi !== undefined) ? newIsakmpSide(isakmp) : undefined,
    groups,
    membersBySa: new Map(),
    timers: createTimers(),
  };
}

/** The switches of a PULL concern what a member reads. */
function newIsakmpSide(config: IsakmpConfig): IsakmpSide {
  return { config, endpoint: createIsakmp(config), pulls: createPulls(DEFAULT_SWITCHES) };
}

const KINDS: readonly ProtocolKind[] = ["gikev2", "gdoi"];

function newGroup(config: KsGroupConfig): KsGroup {
  const kinds = KINDS.filter((kind) => config[kind] !== undefined && (kind !== "gdoi" || canPush(config.kek.signer)));
  const id = groupIdText(config.id);
  return {
    config,
    tuning: { ...KS_TUNING, ...config.tuning },
    id,
    branches: kinds.map((kind) => newBranch(id, kind)),
    generations: [],
    members: new Map(),
    senderIdsUsed: 0,
    nextTekSpis: [],
    signer: config.kek.signer,
    barred: new Set(),
    counters: {
      registrations: 0,
      refusals: 0,
      rekeys: 0,
      retransmits: 0,
      ejected: 0,
      lastRetransmits: 0,
      lastDurationMillis: 0,
    },
  };
}

/** Every rekey of GDOI is signed, with RSA or ECDSA: a group without such a signer does not serve it. */
function canPush(signer: Signer | undefined): boolean {
  const algorithm = signer && algorithmOfScheme(signer.scheme);
  return algorithm !== undefined && pushSignature({ kind: "signature", algorithm }) !== undefined;
}

function newBranch(group: string, kind: ProtocolKind): KsBranch {
  return {
    kind,
    id: `${group}/${kind}`,
    kek: undefined,
    previousSa: undefined,
    nextKekSpi: undefined,
    tree: undefined,
    holders: new Map(),
    rounds: 0,
    round: undefined,
    pushes: new Map(),
    copies: undefined,
  };
}

/** The branch of a protocol; undefined where the group does not serve it. */
export function branchOf(group: KsGroup, kind: ProtocolKind): KsBranch | undefined {
  return group.branches.find((branch) => branch.kind === kind);
}

/** Members are dropped with their branch, so each has one. */
export function branchOfMember(group: KsGroup, { protocol }: KsMember): KsBranch {
  const branch = branchOf(group, protocol);
  assert(branch !== undefined, "a member without a branch");
  return branch;
}

export function membersOf(group: KsGroup, { kind }: KsBranch): readonly KsMember[] {
  return [...group.members.values()].filter(({ protocol }) => protocol === kind);
}

/** Members that rekeys go to. Those without the KEK ask again before their TEKs end, unless rekeys come in their IKE SA. */
export function rekeyedMembersOf(group: KsGroup, branch: KsBranch): readonly KsMember[] {
  const members = membersOf(group, branch);
  return rekeysInband(group, branch) ? members : members.filter(({ hasKek }) => hasKek);
}

export function protocolOf(group: KsGroup, { kind }: KsBranch): RekeyProtocol {
  return kind === "gdoi" ? gdoiProtocol(group.config.gdoi?.switches) : dialectFor(group);
}

/** Of a group with members of G-IKEv2. */
export function dialectFor({ config }: KsGroup): Dialect {
  assert(config.gikev2 !== undefined, "a group without G-IKEv2");
  return dialectOfChoice(config.gikev2);
}

/** Members are rekeyed in their IKE SAs: without it they cannot be reached. */
export function rekeysInband(group: KsGroup, branch: KsBranch): boolean {
  return group.config.transport.kind === "unicast" && protocolOf(group, branch).unicastRekey === "inband";
}

/** The IKEv2 endpoint, which is there where anything has come from it. */
export function ikeOf({ endpoint }: KsState): IkeEndpoint {
  assert(endpoint !== undefined, "no members of G-IKEv2 are served");
  return endpoint;
}

export function memberKey(remote: Endpoint): string {
  return `${remote.address}:${remote.port}`;
}

/** Takes a member out of its group; its IKE SA is left to the caller. */
export function removeMember(state: KsState, group: KsGroup, member: KsMember): void {
  if (group.members.get(member.key) === member) group.members.delete(member.key);
  unbindSa(state, group, member);
}

export function bindSa(state: KsState, sa: SaNumber, reference: MemberReference): void {
  const known = state.membersBySa.get(sa);
  if (known === undefined) state.membersBySa.set(sa, [reference]);
  else if (!known.some(({ group, member }) => group === reference.group && member === reference.member)) {
    known.push(reference);
  }
}

/** After this the IKE SA has nothing to do with the member. True where nobody else needs it. */
export function unbindSa(state: KsState, group: KsGroup, member: KsMember): boolean {
  const { sa } = member;
  if (sa === undefined) return false;
  member.sa = undefined;
  const left = (state.membersBySa.get(sa) ?? []).filter((one) => one.group !== group.id || one.member !== member.key);
  if (left.length > 0) state.membersBySa.set(sa, left);
  else state.membersBySa.delete(sa);
  return left.length === 0;
}
