/** State of a group member: plain data, one entry for each group that it is configured for. */

import type { Bytes } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Datagram, Endpoint } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import type { Secret } from "../base/secret.ts";
import type { Timers } from "../base/timers.ts";
import { cancelTimer, createTimers, setTimer } from "../base/timers.ts";
import type { DataPlaneOrder, Selector, TrafficRule } from "../esp/api.ts";
import { gdoiProtocol } from "../gdoi/gdoiProtocol.ts";
import { createPulls, type Pulls } from "../gdoi/pull.ts";
import { DEFAULT_SWITCHES } from "../gdoi/switches.ts";
import type { ClearIkeSas } from "../gikev2/clearIkeSas.ts";
import type { Dialect, RekeyAssembly, RekeyProtocol, RekeySa } from "../gikev2/dialect.ts";
import { type DialectChoice, dialectOfChoice } from "../gikev2/dialects.ts";
import { endpointFor } from "../gikev2/endpointFor.ts";
import type { HostOutcome } from "../gikev2/outcomes.ts";
import type { DataSuite, RekeySelector, TreeKey } from "../gikev2/policy.ts";
import type { Ikev1Endpoint } from "../ikev1/endpoint.ts";
import { createEndpoint as createIsakmpEndpoint } from "../ikev1/endpoint.ts";
import type { EndpointConfig, SaNumber, Tools } from "../ikev2/api.ts";
import type { IkeEndpoint } from "../ikev2/endpoint.ts";
import { createEndpoint } from "../ikev2/endpoint.ts";
import type { GmConfig, GmGroupConfig, GmTuning, ProtocolKind } from "./config.ts";
import { GM_TUNING } from "./config.ts";
import type { GmTransition } from "./states.ts";
import { stateAfter } from "./states.ts";

export interface GmState {
  readonly config: GmConfig;
  /** Undefined where no group speaks G-IKEv2. */
  readonly endpoint: IkeEndpoint | undefined;
  /** Undefined where no group speaks GDOI. */
  readonly isakmp: IsakmpSide | undefined;
  readonly groups: readonly GmGroup[];
  readonly timers: Timers<string>;
  /** Rekey messages for a rekey SA that we do not hold. */
  unknownRekeys: number;
}

/** The IKEv1 endpoint for all groups that speak GDOI, and the GROUPKEY-PULLs over its SAs. */
export interface IsakmpSide {
  readonly endpoint: Ikev1Endpoint;
  readonly pulls: Pulls;
}

/**
 * `auth`: in an SA of its own that is being made (GSA_AUTH; phase 1 of IKEv1). `queued`: the SA is that of another group,
 * which is still authenticating. `request`: in an SA that stands (GSA_REGISTRATION; GROUPKEY-PULL).
 */
export type RegistrationStep = "auth" | "queued" | "request";

/** Each state carries what belongs to it. */
export type GmPhase =
  | { readonly at: "idle" }
  | {
      readonly at: "registering";
      readonly server: Endpoint;
      /** Of the group's own protocol: SAs of IKEv1 and IKEv2 are counted apart. */
      readonly sa: SaNumber;
      readonly step: RegistrationStep;
      /** Message ID of the GROUPKEY-PULL. */
      readonly pull?: number;
      /** Since when this server may have been answering. */
      readonly since: Micros;
    }
  | { readonly at: "waiting" }
  | { readonly at: "registered" };

export interface GmGroup {
  /** Index in `GmState.groups`. */
  readonly index: number;
  readonly config: GmGroupConfig;
  readonly tuning: GmTuning;
  phase: GmPhase;
  /** Which server of the list is tried next. */
  server: number;
  /** What was handed out, until it ends, is replaced or deleted. */
  held: HeldPolicy | undefined;
  /** Families of data SAs: the selectors that name them, by number. They stay through rekeys and registrations. */
  readonly families: Selector[];
  /** TEK generations installed so far. */
  generation: number;
  /** The IKE SA before the current one: the key server closes it. */
  retiredSa: SaNumber | undefined;
  /** When the member will register again by itself. */
  reregisterAt: Micros | undefined;
  readonly counters: GmCounters;
}

export interface GmCounters {
  attempts: number;
  successes: number;
  rekeysUnicast: number;
  rekeysMulticast: number;
  /** Answers to unicast rekeys. */
  acksSent: number;
  duplicates: number;
  rejected: number;
}

export interface HeldPolicy {
  server: Endpoint;
  /** IKE SA of the registration, or SA of phase 1; undefined once it is closed. */
  sa: SaNumber | undefined;
  /** Wraps keys in that SA; undefined with GDOI, where keys are in clear inside the encrypted message. */
  kwk: Secret | undefined;
  kek: HeldKek | undefined;
  /** Working Key Path: keys of the group's key tree, the uppermost first. RFC 9838 section 3.3. */
  path: readonly TreeKey[];
  /** SPI that others use already: of a TEK, or of a KEK in 32 hexadecimal digits. */
  missing: number | string | undefined;
  /** Fragments of the next rekey message. */
  assembly: RekeyAssembly | undefined;
  /** The last rekey that was pushed to this member alone, and what it was answered: a copy of it gets the same answer. */
  answered: { readonly request: Bytes; readonly answer: Bytes } | undefined;
  /** SPI of the KEK before: late copies under it are duplicates. */
  previousKekSpi: string | undefined;
  /** Newest first. */
  teks: HeldTek[];
  rules: readonly TrafficRule[];
  senderIds: readonly number[];
  senderIdBits: number;
  /** Multicast group that rekeys come to. */
  joined: string | undefined;
  transport: "unicast" | "multicast";
  /** Number of the last rekey under the KEK; 0 after a new one. */
  sequence: number;
  installedAt: Micros;
  /** Rekeys accepted since the registration, and when the last one of all was; undefined before the first. */
  rekeys: number;
  rekeyedAt: Micros | undefined;
  /** SPI that each family sends with, by its number. */
  readonly sending: (number | undefined)[];
}

export interface HeldKek {
  readonly sa: RekeySa;
  readonly destination: RekeySelector;
  readonly lifetimeSeconds: number;
  readonly expiresAt: Micros;
  /** Lowest message ID that is not known yet. */
  nextMessageId: number;
  /** SPIs announced as its successors. */
  readonly nextSpis: readonly string[];
}

export interface HeldTek {
  readonly spi: number;
  readonly family: number;
  readonly generation: number;
  readonly suite: DataSuite;
  readonly sequenceNumbers: number;
  readonly mode: "tunnel" | "transport";
  readonly key: Secret;
  readonly installedAt: Micros;
  /** When it was received. */
  readonly lifetimeSeconds: number;
  /** Earlier than that where it was deleted with a delay. */
  expiresAt: Micros;
  /**
   * How much earlier the key server may have meant it to end: the remaining lifetime is what it was when the answer was
   * made, and an answer that got lost comes again as it was.
   */
  readonly doubt: Micros;
  /** Undefined where no activation delay was given. */
  readonly sendFrom: Micros | undefined;
  /** SPIs announced as its successors. */
  readonly nextSpis: readonly number[];
}

export type GmCommand =
  | ClearIkeSas
  /** The crypto map with this group is on an interface that is up; off again. */
  | { readonly name: "mapApplied"; readonly group: string }
  | { readonly name: "mapRemoved"; readonly group: string }
  /** `clear crypto gkm`: policy and keys are destroyed, the member registers again. */
  | { readonly name: "clear"; readonly group: string }
  /** The data plane met an ESP packet with an SPI that nobody installed. */
  | { readonly name: "unknownSpi"; readonly spi: number };

export type GmInput =
  | { readonly kind: "datagram"; readonly datagram: Datagram }
  | { readonly kind: "timeout" }
  | { readonly kind: "command"; readonly command: GmCommand };

/** `order`: for the data plane of the same router. */
export type GmOutput = HostOutcome | { readonly kind: "order"; readonly order: DataPlaneOrder };

export interface Turn {
  readonly state: GmState;
  readonly tools: Tools;
  readonly now: Micros;
  readonly out: GmOutput[];
  readonly registrars: Registrars;
}

/** What registration with each protocol is made of; `registration.ts` says when, and for all of them alike. */
export interface Registrar {
  /** Exchange type of what the group asks with, for the log. `isShared`: over an SA that was there. */
  exchangeOf(group: GmGroup, isShared: boolean): number;
  /** Whether two groups can register over one SA with a key server, apart from their addresses. */
  canShare(a: GmGroupConfig, b: GmGroupConfig): boolean;
  /** Begins an SA with the server; `outcomes` are for the host. `failed`: it came to nothing at once. */
  open(
    turn: Turn,
    group: GmGroup,
    server: Endpoint,
  ): {
    readonly sa: SaNumber;
    readonly outcomes: readonly HostOutcome[];
    readonly failed?: { readonly reason: string; readonly notify: number };
  };
  isUp(turn: Turn, sa: SaNumber): boolean;
  /** Asks over an SA that stands. */
  ask(turn: Turn, group: GmGroup, sa: SaNumber): void;
  /** The member goes: the key server is told as far as the protocol can say so. */
  leave(turn: Turn, group: GmGroup, sa: SaNumber): void;
  /** Another SA has taken the place of this one, which no group uses any more. */
  retire(turn: Turn, group: GmGroup, sa: SaNumber): void;
}

export type Registrars = Readonly<Record<ProtocolKind, Registrar>>;

/** Where a group that is registered over IKEv2 finds its SAs. */
export function ikeOf({ state }: Turn): IkeEndpoint {
  return state.endpoint!;
}

export function registrarOf(turn: Turn, group: GmGroup): Registrar {
  return turn.registrars[group.config.protocol.kind];
}

/** What a member waits for, beside its IKE SAs; the index of the group follows behind a blank. */
const GM_TIMERS = {
  /** New keys have not come: ask for them. */
  reregister: "reregister",
  /** The pause after a failed round through the servers, or after an exclusion, is over. */
  retry: "retry",
  /** A rekey seems to be lost: by now it would have come. */
  missed: "missed",
  /** A TEK or the KEK ends, or another TEK takes over sending. */
  keys: "keys",
} as const;

export type GmTimer = keyof typeof GM_TIMERS;

export function startTimer(turn: Turn, timer: GmTimer, group: GmGroup, at: Micros): void {
  setTimer(turn.state.timers, `${timer} ${group.index}`, Math.max(at, turn.now));
}

export function stopTimer(turn: Turn, timer: GmTimer, group: GmGroup): void {
  cancelTimer(turn.state.timers, `${timer} ${group.index}`);
}

export function createGmState(config: GmConfig): GmState {
  const choices = config.groups.flatMap(({ protocol }) => (protocol.kind === "gikev2" ? protocol : []));
  assert(new Set(choices.map(({ dialect }) => dialect)).size <= 1, "a member of two dialects");
  return {
    config,
    endpoint: choices.length === 0 ? undefined : ikeEndpoint(config.ike, choices),
    isakmp: isakmpSide(config),
    groups: config.groups.map(newGroup),
    timers: createTimers(),
    unknownRekeys: 0,
  };
}

function ikeEndpoint(ike: EndpointConfig | undefined, choices: readonly DialectChoice[]): IkeEndpoint {
  assert(ike !== undefined, "a group of G-IKEv2 without an IKEv2 endpoint");
  return createEndpoint(endpointFor(ike, choices));
}

/** A member begins SAs and takes none. */
function isakmpSide({ isakmp, groups }: GmConfig): IsakmpSide | undefined {
  if (!groups.some(({ protocol }) => protocol.kind === "gdoi")) return undefined;
  assert(isakmp !== undefined, "a group of GDOI without an IKEv1 endpoint");
  return { endpoint: createIsakmpEndpoint({ ...isakmp, dois: [] }), pulls: createPulls(DEFAULT_SWITCHES) };
}

function newGroup(config: GmGroupConfig, index: number): GmGroup {
  return {
    index,
    config,
    tuning: { ...GM_TUNING, ...config.tuning },
    phase: { at: "idle" },
    server: 0,
    held: undefined,
    families: [],
    generation: 0,
    retiredSa: undefined,
    reregisterAt: undefined,
    counters: {
      attempts: 0,
      successes: 0,
      rekeysUnicast: 0,
      rekeysMulticast: 0,
      acksSent: 0,
      duplicates: 0,
      rejected: 0,
    },
  };
}

/** Members whose rekeys come in their IKE SA cannot do without it. */
export function rekeysInband(group: GmGroup): boolean {
  return group.held?.transport === "unicast" && rekeyProtocolOf(group).unicastRekey === "inband";
}

/** How a group is spoken with under its KEK. */
export function rekeyProtocolOf({ config: { protocol } }: GmGroup): RekeyProtocol {
  if (protocol.kind === "gikev2") return dialectOfChoice(protocol);
  return gdoiProtocol(protocol.switches);
}

/** Of a group that is registered over IKEv2. */
export function dialectFor({ config: { protocol } }: GmGroup): Dialect {
  assert(protocol.kind === "gikev2", "a dialect of G-IKEv2 for a group of GDOI");
  return dialectOfChoice(protocol);
}

/** The groups that speak a protocol. */
export function groupsOf({ state: { groups } }: Turn, kind: ProtocolKind): readonly GmGroup[] {
  for (const { config } of groups) {
    if (config.protocol.kind !== kind) return groups.filter((group) => group.config.protocol.kind === kind);
  }
  return groups;
}

/** Takes a transition; `phase` is the state that the table demands, with its data. */
export function moveTo(group: GmGroup, transition: GmTransition, phase: GmPhase): void {
  const next = stateAfter(group.phase.at, transition);
  assert(next === phase.at, () => `${transition} leads to ${next}, not to ${phase.at}`);
  group.phase = phase;
}

export function order(turn: Turn, one: DataPlaneOrder): void {
  turn.out.push({ kind: "order", order: one });
}
