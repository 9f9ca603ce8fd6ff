/** Message 1 of both modes, sent and received. */
import { type Bytes, equal } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import type { Endpoint } from "../base/machine.ts";
import { dhSpec } from "../crypto/suite.ts";
import { Sa } from "../wire/isakmp.ts";
import type { IsakmpMessage } from "../wire/isakmpMessage.ts";
import { Doi, IsakmpExchange, IsakmpNotifyType } from "../wire/isakmpNumbers.ts";
import { type IsakmpPayload, isakmpPayloadOf } from "../wire/isakmpPayloads.ts";
import { marksDatagrams } from "../wire/nonEsp.ts";
import { answerAggressive } from "./aggressive.ts";
import type { InitiateOptions, Phase1Mode } from "./api.ts";
import { closeSa, drop } from "./closing.ts";
import { happened } from "./events.ts";
import { answerMain } from "./main.ts";
import { blankSa, encodeClear, hasShape, newCookie, newHalf, usablePolicies } from "./phase1.ts";
import { certificatePayloads, firstBody } from "./proof.ts";
import { type Chosen, isSignature, isSituation, offerOf, select } from "./proposal.ts";
import { refuseFirst } from "./refuse.ts";
import {
  type Arrival,
  addSa,
  type IsakmpSa,
  isEstablished,
  NO_COOKIE,
  type Phase,
  profileOf,
  type Turn,
} from "./state.ts";
import { noteHeard, sendAgain, sendIn } from "./transmit.ts";
import { abilitiesOf, vendorPayloads } from "./vendorIds.ts";

/** Begins an SA. Switched off, or without a policy that this peer can be reached with, the attempt ends at once. */
export function startPhase1(turn: Turn, options: InitiateOptions): void {
  const { endpoint, tools, now } = turn;
  const { local, remote, profile: name, doi = Doi.GDOI } = options;
  const profile = profileOf(endpoint, name);
  assert(profile !== undefined, `no profile ${name}`);
  const { aggressive = true, enabled = true } = endpoint.config;
  // IOS: "Can not start Aggressive mode, trying Main mode."
  const mode = aggressive ? (options.mode ?? profile.mode ?? "main") : "main";
  const usable = usablePolicies(turn, { local, remote }, mode, name);
  // The group of Aggressive Mode cannot be negotiated: KE is there already. RFC 2409 section 5.
  const policies = mode === "main" ? usable : usable.filter(({ group }) => group === usable[0]!.group);
  const body = offerOf(policies, doi);
  const offer = Sa.encode(body);
  const own = mode === "main" || policies.length === 0 ? undefined : newHalf(tools, dhSpec(policies[0]!.group)!.id);
  const phase: Phase = own === undefined ? { at: "saSent", offer } : { at: "aggressiveSent", offer, own };
  const cookieInitiator = newCookie(tools);
  const sa = blankSa(
    {
      number: endpoint.nextSa++,
      initiator: true,
      mode,
      doi,
      local,
      remote,
      marker: marksDatagrams(endpoint.config.marker, local.port, remote.port),
      cookieInitiator,
      cookieResponder: NO_COOKIE,
      profile: name,
      agreed: undefined,
      phase,
      firstKey: "",
    },
    now,
  );
  addSa(endpoint, sa);
  if (!enabled) {
    closeSa(turn, sa, "disabled");
    return;
  }
  turn.outcomes.push(happened("isakmp.initiated", sa.number, remote, { cookie: cookieInitiator, mode, doi }));
  if (policies.length === 0) {
    turn.outcomes.push(happened("isakmp.authFailed", sa.number, remote, { identity: "", reason: "noKey" }));
    closeSa(turn, sa, "authenticationFailed");
    return;
  }
  const half: IsakmpPayload[] =
    own === undefined
      ? []
      : [
          { kind: "KE", body: { data: own.gxi } },
          { kind: "NONCE", body: { data: own.ni } },
          { kind: "ID", body: profile.localIdentity },
          // They may come at any point of an exchange, RFC 2408 section 3.9: here they pay for those of the answer.
          ...(policies.some(({ authentication }) => isSignature(authentication)) ? certificatePayloads(profile) : []),
        ];
  const payloads: IsakmpPayload[] = [{ kind: "SA", body }, ...half, ...vendorPayloads(endpoint.config)];
  sendIn(turn, sa, sa.phase1, encodeClear(sa, payloads), true);
}

const MODES: ReadonlyMap<number, Phase1Mode> = new Map([
  [IsakmpExchange.IDENTITY_PROTECTION, "main"],
  [IsakmpExchange.AGGRESSIVE, "aggressive"],
]);

/** A message without responder's cookie; `message` is in clear. */
export function receiveFirst(turn: Turn, message: IsakmpMessage, octets: Bytes, from: Arrival): void {
  const { endpoint } = turn;
  const { remote } = from;
  const { cookieInitiator, payloads } = message;
  const mode = MODES.get(message.exchange);
  if (mode === undefined || message.messageId !== 0 || cookieInitiator === NO_COOKIE) {
    drop(turn, "wrongPhase", remote);
    return;
  }
  if (endpoint.byCookie.get(cookieInitiator)?.initiator) {
    drop(turn, "reflected", remote);
    return;
  }
  const known = endpoint.byFirst.get(firstKeyOf(cookieInitiator, remote));
  if (known !== undefined) {
    receiveAgain(turn, known, octets, remote);
    return;
  }
  const { maxInNegotiation = Infinity, maxSas = Infinity } = endpoint.config;
  if (endpoint.halfOpen >= maxInNegotiation || endpoint.sas.size >= maxSas) {
    drop(turn, "overload", remote, 0, endpoint.sas.size >= maxSas ? "SAs" : "SAs in negotiation");
    return;
  }
  const kinds = mode === "main" ? (["SA"] as const) : (["SA", "KE", "NONCE", "ID"] as const);
  if (!hasShape(payloads, kinds)) {
    drop(turn, "grammar", remote);
    return;
  }
  const offered = isakmpPayloadOf(payloads, "SA")!;
  const chosen = choose(turn, from, mode, offered);
  if (typeof chosen === "number") refuseFirst(turn, message, from, chosen, offered.doi);
  else takeUp(turn, message, octets, from, mode, offered.doi, chosen);
}

const DOIS: readonly number[] = [Doi.IPSEC, Doi.GDOI];

/** What we take of an offer, or the notify type that refuses it. */
function choose(turn: Turn, from: Arrival, mode: Phase1Mode, offered: Sa): Chosen | number {
  const { dois = DOIS, aggressive = true } = turn.endpoint.config;
  if (!dois.includes(offered.doi)) return IsakmpNotifyType["DOI-NOT-SUPPORTED"];
  if (!isSituation(offered.doi, offered.situation)) return IsakmpNotifyType["SITUATION-NOT-SUPPORTED"];
  if (mode === "aggressive" && !aggressive) return IsakmpNotifyType["UNSUPPORTED-EXCHANGE-TYPE"];
  return select(usablePolicies(turn, from, mode), offered) ?? IsakmpNotifyType["NO-PROPOSAL-CHOSEN"];
}

function takeUp(
  turn: Turn,
  { cookieInitiator, payloads }: IsakmpMessage,
  octets: Bytes,
  from: Arrival,
  mode: Phase1Mode,
  doi: number,
  { policy, suite, answer }: Chosen,
): void {
  const { endpoint, tools, now } = turn;
  const { local, remote, marked: marker } = from;
  const number = endpoint.nextSa++;
  const offer = firstBody(octets);
  const agreed = { policy, suite };
  const sa = blankSa(
    {
      number,
      initiator: false,
      mode,
      doi,
      local,
      remote,
      marker,
      cookieInitiator,
      cookieResponder: newCookie(tools),
      profile: "",
      agreed,
      phase: { at: "saAnswered", offer, agreed },
      firstKey: firstKeyOf(cookieInitiator, remote),
    },
    now,
  );
  sa.abilities = abilitiesOf(payloads);
  sa.unverified = { heard: octets.length, sent: 0 };
  addSa(endpoint, sa);
  const { encryption, keyBits, hash, authentication, group } = policy;
  const text = [encryption, keyBits, hash, authentication, group].join("/");
  turn.outcomes.push(happened("isakmp.answered", number, remote, { cookie: cookieInitiator, mode, doi, suite: text }));
  noteHeard(turn, sa, sa.phase1, octets);
  if (mode === "main") answerMain(turn, sa, answer);
  else answerAggressive(turn, sa, answer, offer, payloads);
}

/** What tells one attempt from another before there is a responder's cookie. */
function firstKeyOf(cookieInitiator: string, { address, port }: Endpoint): string {
  return `${cookieInitiator} ${address} ${port}`;
}

function receiveAgain(turn: Turn, sa: IsakmpSa, octets: Bytes, remote: Endpoint): void {
  const { heard } = sa.phase1;
  const isSame = heard !== undefined && equal(heard, octets);
  if (isSame && sa.unverified !== undefined) sa.unverified.heard += octets.length;
  if (!isSame || isEstablished(sa) || !sendAgain(turn, sa, sa.phase1)) drop(turn, "repeated", remote, sa.number);
}
