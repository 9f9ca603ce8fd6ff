/**
 * GROUPKEY-PULL, both sides, as plain state beside an endpoint. RFC 6407 sections 3.2 to 3.4.
 *
 *   member       startPull -> ... takePullMessage -> (policy is looked at) -> ... -> granted | refused
 *   key server   takePullMessage -> asked -> offerPolicy | refusePull -> ... -> wanted -> grantKeys | refusePull
 *
 * The key server keeps nothing about the member before message 3 has shown that message 1 was no replay; what it offered
 * in message 2 is kept with the exchange, so that the keys of message 4 are those of that policy whatever happens to the
 * group in between.
 */

import { EMPTY, u32, uintFrom } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Micros } from "../base/micros.ts";
import type { GroupId } from "../gikev2/groupId.ts";
import { groupIdText } from "../gikev2/groupId.ts";
import {
  type Grant,
  type GroupKeys,
  type GroupPolicy,
  type KeyHierarchy,
  misfit,
  type PolicyMisfit,
  type Registration,
} from "../gikev2/policy.ts";
import type { Ikev1Outcome, SaNumber, Tools } from "../ikev1/api.ts";
import { answer, close, finish, type Ikev1Endpoint, inform, open, saView } from "../ikev1/endpoint.ts";
import { Doi, GdoiExchange, IsakmpNotifyType, IsakmpProtocol } from "../wire/isakmpNumbers.ts";
import { pull1, pull2, pull3, pull4, readPull1, readPull2, readPull3, readPull4 } from "./pullMessages.ts";
import type { GdoiSwitches } from "./switches.ts";

const NONCE_LENGTH = 32;

type Phase =
  /** Member: message 1 is sent; message 3 is sent. */
  | { readonly at: "sent1"; readonly registration: Registration; readonly switches: GdoiSwitches }
  | { readonly at: "sent3"; readonly group: GroupId; readonly policy: GroupPolicy }
  /** Key server: the room above is asked; message 2 is sent; the room above is asked again. */
  | { readonly at: "asked"; readonly group: GroupId }
  | {
      readonly at: "offered" | "wanted";
      readonly group: GroupId;
      readonly policy: GroupPolicy;
      readonly keys: GroupKeys;
    };

/** The PULLs under way of one endpoint, by SA and message ID. */
export interface Pulls {
  readonly switches: GdoiSwitches;
  readonly active: Map<string, Phase>;
}

export function createPulls(switches: GdoiSwitches): Pulls {
  return { switches, active: new Map() };
}

/** One PULL: its phase 1 SA and its message ID. */
export interface PullId {
  readonly sa: SaNumber;
  readonly messageId: number;
}

export type PullOutcome =
  | Ikev1Outcome
  /** Key server: a member asks for a group. The room above calls `offerPolicy` or `refusePull` now. */
  | { readonly kind: "pullAsked"; readonly pull: PullId; readonly group: GroupId }
  /** Key server: the member is there and takes the policy. The room above calls `grantKeys` or `refusePull` now. */
  | {
      readonly kind: "pullWanted";
      readonly pull: PullId;
      readonly group: GroupId;
      /** What `offerPolicy` was given. */
      readonly offered: GroupPolicy;
      readonly senderIds: number;
    }
  /** Member: all is there. */
  | { readonly kind: "pullGranted"; readonly pull: PullId; readonly group: GroupId; readonly grant: Grant }
  /**
   * Member: the key server refuses, or (then the SA is gone as well) the policy cannot be used or breaks the rules: the
   * member looks elsewhere.
   */
  | {
      readonly kind: "pullRefused";
      readonly pull: PullId;
      readonly group: GroupId;
      readonly notify: number;
      readonly problem: string;
      /** What is wrong with a policy that was offered. */
      readonly misfit?: PolicyMisfit;
    };

function keyOf({ sa, messageId }: PullId): string {
  return `${sa} ${messageId}`;
}

/**
 * Member: message 1 over an established SA of DOI 2. Its outcome `retransmitted` or `unanswered` names the message ID.
 * `switches`: of the group, where they are not those of the endpoint.
 */
export function startPull(
  pulls: Pulls,
  endpoint: Ikev1Endpoint,
  tools: Tools,
  sa: SaNumber,
  registration: Registration,
  now: Micros,
  switches: GdoiSwitches = pulls.switches,
): { readonly pull: PullId; readonly outcomes: readonly PullOutcome[] } {
  const payloads = pull1(tools.rng.bytes(NONCE_LENGTH), registration.group);
  const { messageId, outcomes } = open(endpoint, tools, sa, GdoiExchange.GROUPKEY_PULL, payloads, now);
  const pull = { sa, messageId };
  pulls.active.set(keyOf(pull), { at: "sent1", registration, switches });
  return { pull, outcomes };
}

/** The outcomes of the endpoint that concern PULLs: `message`, `unanswered` and `closed`; others cause nothing here. */
export function takePullOutcome(
  pulls: Pulls,
  endpoint: Ikev1Endpoint,
  tools: Tools,
  outcome: Ikev1Outcome,
  now: Micros,
): readonly PullOutcome[] {
  switch (outcome.kind) {
    case "message":
      return outcome.exchange === GdoiExchange.GROUPKEY_PULL ? takeMessage(pulls, endpoint, tools, outcome, now) : [];
    case "notified":
      return takeNotify(pulls, endpoint, tools, outcome, now);
    case "unanswered":
      pulls.active.delete(keyOf(outcome));
      return [];
    case "closed":
      forgetSa(pulls, outcome.sa);
      return [];
    default:
      return [];
  }
}

/** Every PULL over an SA is gone with it. */
function forgetSa(pulls: Pulls, sa: SaNumber): void {
  for (const key of [...pulls.active.keys()]) if (key.startsWith(`${sa} `)) pulls.active.delete(key);
}

type Message = Extract<Ikev1Outcome, { kind: "message" }>;

function takeMessage(
  pulls: Pulls,
  endpoint: Ikev1Endpoint,
  tools: Tools,
  message: Message,
  now: Micros,
): readonly PullOutcome[] {
  const pull = { sa: message.sa, messageId: message.messageId };
  const phase = pulls.active.get(keyOf(pull));
  const turn: Turn = { pulls, endpoint, tools, pull, now };
  if (phase === undefined) return message.index === 1 ? take1(turn, message) : [];
  switch (phase.at) {
    case "sent1":
      return take2(turn, message, phase);
    case "offered":
      return take3(turn, message, phase);
    case "sent3":
      return take4(turn, message, phase);
    default:
      return [];
  }
}

interface Turn {
  readonly pulls: Pulls;
  readonly endpoint: Ikev1Endpoint;
  readonly tools: Tools;
  readonly pull: PullId;
  readonly now: Micros;
}

// ------------------------------------------------------------------------------------------------------------- member

function take2(turn: Turn, { payloads }: Message, phase: Extract<Phase, { at: "sent1" }>): readonly PullOutcome[] {
  const { pulls, endpoint, tools, pull, now } = turn;
  const { group, capabilities, senderIds } = phase.registration;
  const read = readPull2(payloads, phase.switches);
  if (!read.ok) return giveUp(turn, group, read.notify, read.problem);
  const policy = read.value;
  const beyond = capabilities && misfit(capabilities, policy);
  if (beyond !== undefined) {
    return giveUp(turn, group, IsakmpNotifyType["NO-PROPOSAL-CHOSEN"], "the policy is beyond this member", beyond);
  }
  pulls.active.set(keyOf(pull), { at: "sent3", group, policy });
  return answer(endpoint, tools, pull.sa, pull.messageId, pull3(senderIds), false, now);
}

function take4(turn: Turn, { payloads }: Message, phase: Extract<Phase, { at: "sent3" }>): readonly PullOutcome[] {
  const { pulls, endpoint, tools, pull, now } = turn;
  const { group, policy } = phase;
  const read = readPull4(payloads, policy);
  if (!read.ok) return giveUp(turn, group, read.notify, read.problem);
  finish(endpoint, tools, pull.sa, pull.messageId, now);
  pulls.active.delete(keyOf(pull));
  return [{ kind: "pullGranted", pull, group, grant: read.value }];
}

/** A member that cannot use what it is given deletes the phase 1 SA. RFC 6407 section 3.3. */
function giveUp(
  turn: Turn,
  group: GroupId,
  notify: number,
  problem: string,
  beyond: PolicyMisfit = "policy",
): readonly PullOutcome[] {
  const { pulls, endpoint, tools, pull, now } = turn;
  const outcomes = close(endpoint, tools, pull.sa, now);
  forgetSa(pulls, pull.sa);
  return [{ kind: "pullRefused", pull, group, notify, problem, misfit: beyond }, ...outcomes];
}

/** Notify types from here on are no errors. RFC 2408 section 3.14.1. */
const STATUS_FIRST = 16384;

/**
 * A key server that refuses. Ours says which exchange it means; where another does not, it is the only one under way. The
 * SA stands: another group may be asked for.
 */
function takeNotify(
  pulls: Pulls,
  endpoint: Ikev1Endpoint,
  tools: Tools,
  { sa, notify }: Extract<Ikev1Outcome, { kind: "notified" }>,
  now: Micros,
): readonly PullOutcome[] {
  const ours = [...pulls.active].filter(
    ([key, { at }]) => key.startsWith(`${sa} `) && (at === "sent1" || at === "sent3"),
  );
  const named = notify.data.length === 4 ? keyOf({ sa, messageId: uintFrom(notify.data) }) : undefined;
  const found = ours.find(([key]) => key === named) ?? (ours.length === 1 ? ours[0] : undefined);
  if (found === undefined || notify.type >= STATUS_FIRST) return [];
  const [key, phase] = found;
  const pull = { sa, messageId: Number(key.slice(key.indexOf(" ") + 1)) };
  finish(endpoint, tools, sa, pull.messageId, now);
  pulls.active.delete(key);
  const problem = "the key server refuses";
  return [{ kind: "pullRefused", pull, group: groupOf(phase), notify: notify.type, problem }];
}

function groupOf(phase: Phase): GroupId {
  return phase.at === "sent1" ? phase.registration.group : phase.group;
}

// --------------------------------------------------------------------------------------------------------- key server

function take1(turn: Turn, { payloads }: Message): readonly PullOutcome[] {
  const { pulls, pull } = turn;
  const read = readPull1(payloads);
  if (!read.ok) return refuse(turn, read.notify);
  pulls.active.set(keyOf(pull), { at: "asked", group: read.value });
  return [{ kind: "pullAsked", pull, group: read.value }];
}

/**
 * Message 2. `keys` are those of `policy` and are handed out with message 4. The caller has seen to it that the policy can
 * be told in GDOI (`obstacle`).
 */
export function offerPolicy(
  pulls: Pulls,
  endpoint: Ikev1Endpoint,
  tools: Tools,
  pull: PullId,
  offer: { readonly policy: GroupPolicy; readonly keys: GroupKeys },
  now: Micros,
): readonly PullOutcome[] {
  const phase = pulls.active.get(keyOf(pull));
  assert(phase?.at === "asked", "offerPolicy follows `pullAsked`");
  const { policy, keys } = offer;
  pulls.active.set(keyOf(pull), { at: "offered", group: phase.group, policy, keys });
  const payloads = pull2(tools.rng.bytes(NONCE_LENGTH), policy);
  return answer(endpoint, tools, pull.sa, pull.messageId, payloads, false, now);
}

function take3(turn: Turn, { payloads }: Message, phase: Extract<Phase, { at: "offered" | "wanted" }>): PullOutcome[] {
  const { pulls, pull } = turn;
  const read = readPull3(payloads);
  if (!read.ok) return [...refuse(turn, read.notify)];
  pulls.active.set(keyOf(pull), { ...phase, at: "wanted" });
  const { group, policy: offered } = phase;
  return [{ kind: "pullWanted", pull, group, offered, senderIds: read.value }];
}

/** Message 4, with the Sender-IDs that were allocated for this member, and the KEK by way of a key hierarchy if there is one. */
export function grantKeys(
  pulls: Pulls,
  endpoint: Ikev1Endpoint,
  tools: Tools,
  pull: PullId,
  { senderIds, hierarchy }: { readonly senderIds: readonly number[]; readonly hierarchy?: KeyHierarchy },
  now: Micros,
): readonly PullOutcome[] {
  const phase = pulls.active.get(keyOf(pull));
  assert(phase?.at === "wanted", "grantKeys follows `pullWanted`");
  pulls.active.delete(keyOf(pull));
  const keys = hierarchy === undefined ? phase.keys : { ...phase.keys, hierarchy };
  const payloads = pull4(phase.policy, keys, senderIds);
  return answer(endpoint, tools, pull.sa, pull.messageId, payloads, true, now);
}

/** The exchange ends with a notify: INVALID-ID-INFORMATION for an unknown group, AUTHENTICATION-FAILED for a stranger. */
export function refusePull(
  pulls: Pulls,
  endpoint: Ikev1Endpoint,
  tools: Tools,
  pull: PullId,
  notify: number,
  now: Micros,
): readonly PullOutcome[] {
  return refuse({ pulls, endpoint, tools, pull, now }, notify);
}

/** GDOI has no notify of its own for this; the data names the exchange that is refused. */
function refuse({ pulls, endpoint, tools, pull, now }: Turn, type: number): readonly PullOutcome[] {
  pulls.active.delete(keyOf(pull));
  finish(endpoint, tools, pull.sa, pull.messageId, now);
  if (saView(endpoint, pull.sa)?.established !== true) return [];
  const body = { doi: Doi.GDOI, protocol: IsakmpProtocol.ISAKMP, type, spi: EMPTY, data: u32(pull.messageId) };
  return inform(endpoint, tools, pull.sa, { kind: "N", body }, now);
}

/** Groups that are being asked for or served, for views. */
export function pullsUnderWay(pulls: Pulls): readonly string[] {
  return [...pulls.active.values()].map((phase) => groupIdText(groupOf(phase)));
}
