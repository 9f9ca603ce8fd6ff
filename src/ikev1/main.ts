/** Main Mode from message 2 on. RFC 2409 sections 5.1 and 5.4. */
import type { Bytes } from "../base/bytes.ts";
import type { Sa } from "../wire/isakmp.ts";
import type { IsakmpMessage } from "../wire/isakmpMessage.ts";
import { encodeIsakmpChain } from "../wire/isakmpMessage.ts";
import { IsakmpNotifyType, IsakmpPayloadType } from "../wire/isakmpNumbers.ts";
import { ISAKMP, type IsakmpPayload, isakmpPayloadOf } from "../wire/isakmpPayloads.ts";
import { takeProof } from "./authenticate.ts";
import { closeSa, drop } from "./closing.ts";
import { isFirstContact } from "./contact.ts";
import { happened } from "./events.ts";
import { ipsecNotify } from "./inform.ts";
import { seal, unseal } from "./message.ts";
import { floatPorts, natPayloads, noteNat } from "./nat.ts";
import { encodeClear, exchangeOf, hasShape, isNonce, newHalf, phaseIs, usablePolicies } from "./phase1.ts";
import { certificateRequests, ownProof, takeKeys, usesSignatures } from "./proof.ts";
import { checkAnswer } from "./proposal.ts";
import {
  type Arrival,
  type Authenticating,
  type IsakmpSa,
  moveTo,
  profileOf,
  type Transcript,
  type Turn,
} from "./state.ts";
import { noteHeard, sendIn } from "./transmit.ts";
import { abilitiesOf, vendorPayloads } from "./vendorIds.ts";

/** Message 2. */
export function answerMain(turn: Turn, sa: IsakmpSa, answer: Sa): void {
  const payloads: IsakmpPayload[] = [{ kind: "SA", body: answer }, ...vendorPayloads(turn.endpoint.config)];
  sendIn(turn, sa, sa.phase1, encodeClear(sa, payloads), true);
}

/** Messages 2 to 4, which are in clear. */
export function receiveMainClear(turn: Turn, sa: IsakmpSa, message: IsakmpMessage, octets: Bytes, from: Arrival): void {
  const { payloads } = message;
  switch (sa.phase.at) {
    case "saSent":
      receive2(turn, sa, message, octets);
      break;
    case "saAnswered":
      receive3(turn, sa, payloads, octets, from);
      break;
    case "keSent":
      receive4(turn, sa, payloads, octets, from);
      break;
    default:
      drop(turn, "wrongPhase", from.remote, sa.number);
  }
}

function receive2(turn: Turn, sa: IsakmpSa, message: IsakmpMessage, octets: Bytes): void {
  const phase = phaseIs(sa, "saSent")!;
  const { payloads } = message;
  if (!hasShape(payloads, ["SA"])) {
    drop(turn, "grammar", sa.remote, sa.number);
    return;
  }
  const answer = isakmpPayloadOf(payloads, "SA")!;
  const agreed = checkAnswer(usablePolicies(turn, sa, "main", sa.profile), answer);
  if (agreed === undefined || answer.doi !== sa.doi) {
    // Anybody could have sent it; the genuine answer may still come.
    drop(turn, "grammar", sa.remote, sa.number, "proposal");
    return;
  }
  sa.cookieResponder = message.cookieResponder;
  sa.agreed = agreed;
  sa.abilities = abilitiesOf(payloads);
  noteHeard(turn, sa, sa.phase1, octets);
  const own = newHalf(turn.tools, agreed.suite.group);
  moveTo(turn.endpoint, sa, { at: "keSent", offer: phase.offer, agreed, own });
  const requests = certificateRequests(sa, profileOf(turn.endpoint, sa.profile)?.authorities);
  const answers: IsakmpPayload[] = [
    { kind: "KE", body: { data: own.gxi } },
    { kind: "NONCE", body: { data: own.ni } },
    ...requests,
    ...natPayloads(turn, sa),
  ];
  sendIn(turn, sa, sa.phase1, encodeClear(sa, answers), true);
}

function receive3(turn: Turn, sa: IsakmpSa, payloads: readonly IsakmpPayload[], octets: Bytes, from: Arrival): void {
  const phase = phaseIs(sa, "saAnswered")!;
  const ni = isakmpPayloadOf(payloads, "NONCE")?.data;
  const gxi = isakmpPayloadOf(payloads, "KE")?.data;
  if (!hasShape(payloads, ["KE", "NONCE"]) || !isNonce(ni!)) {
    drop(turn, "grammar", from.remote, sa.number);
    return;
  }
  const own = newHalf(turn.tools, phase.agreed.suite.group, gxi!);
  const shared = turn.tools.crypto.dhShared(phase.agreed.suite.group, own.privateKey.secret, gxi!);
  if (shared === undefined) {
    drop(turn, "grammar", from.remote, sa.number, "public value");
    return;
  }
  // The initiator's half is called gxi whoever made it; ours is the responder's here.
  const [gxr, nr] = [own.gxi, own.ni];
  if (!takeKeys(turn, sa, phase.agreed, { ni: ni!, nr, gxi: gxi!, gxr, shared })) {
    failKey(turn, sa);
    return;
  }
  noteHeard(turn, sa, sa.phase1, octets);
  noteNat(turn, sa, from, payloads);
  moveTo(turn.endpoint, sa, { at: "keAnswered", transcript: { offer: phase.offer, gxi: gxi!, gxr } });
  // Who the peer is will be known with message 5: until then any authority of any profile will do.
  const authorities = turn.endpoint.config.profiles.flatMap((profile) => profile.authorities ?? []);
  const answers: IsakmpPayload[] = [
    { kind: "KE", body: { data: gxr } },
    { kind: "NONCE", body: { data: nr } },
    ...certificateRequests(sa, authorities),
    ...natPayloads(turn, sa),
  ];
  sendIn(turn, sa, sa.phase1, encodeClear(sa, answers), true);
}

function failKey(turn: Turn, sa: IsakmpSa): void {
  turn.outcomes.push(happened("isakmp.authFailed", sa.number, sa.remote, { identity: "", reason: "noKey" }));
  closeSa(turn, sa, "authenticationFailed");
}

function receive4(turn: Turn, sa: IsakmpSa, payloads: readonly IsakmpPayload[], octets: Bytes, from: Arrival): void {
  const { offer, agreed, own } = phaseIs(sa, "keSent")!;
  const nr = isakmpPayloadOf(payloads, "NONCE")?.data;
  const gxr = isakmpPayloadOf(payloads, "KE")?.data;
  if (!hasShape(payloads, ["KE", "NONCE"]) || !isNonce(nr!)) {
    drop(turn, "grammar", from.remote, sa.number);
    return;
  }
  const shared = turn.tools.crypto.dhShared(agreed.suite.group, own.privateKey.secret, gxr!);
  if (shared === undefined) {
    drop(turn, "grammar", from.remote, sa.number, "public value");
    return;
  }
  const { ni, gxi } = own;
  if (!takeKeys(turn, sa, agreed, { ni, nr: nr!, gxi, gxr: gxr!, shared })) {
    failKey(turn, sa);
    return;
  }
  noteHeard(turn, sa, sa.phase1, octets);
  if (noteNat(turn, sa, from, payloads)) floatPorts(sa, turn.endpoint.config);
  const transcript = { offer, gxi, gxr: gxr! };
  moveTo(turn.endpoint, sa, { at: "authSent", transcript });
  if (!sendProof(turn, sa, transcript, true)) failKey(turn, sa);
}

/** Messages 5 and 6; false where the profile cannot sign, or is gone since the exchange began. */
function sendProof(turn: Turn, sa: IsakmpSa, transcript: Transcript, expectsAnswer: boolean): boolean {
  const profile = profileOf(turn.endpoint, sa.profile);
  const proof = profile && ownProof(turn, sa, transcript, profile);
  if (profile === undefined || proof === undefined) return false;
  const contact: IsakmpPayload[] =
    sa.initiator && isFirstContact(turn, sa) ? [ipsecNotify(sa, IsakmpNotifyType["INITIAL-CONTACT"])] : [];
  const chain = encodeIsakmpChain([{ kind: "ID", body: profile.localIdentity }, ...proof, ...contact], ISAKMP);
  const exchange = exchangeOf("main");
  const sealed = seal(turn.tools.crypto, sa.keys!, sa, exchange, 0, sa.iv, IsakmpPayloadType.ID, chain.octets);
  sa.iv = sealed.iv;
  sendIn(turn, sa, sa.phase1, sealed.octets, expectsAnswer);
  return true;
}

/** Messages 5 and 6. */
export function receiveMainSealed(
  turn: Turn,
  sa: IsakmpSa,
  { sealed }: IsakmpMessage,
  octets: Bytes,
  from: Arrival,
): void {
  const phase = phaseIs(sa, sa.initiator ? "authSent" : "keAnswered");
  if (phase === undefined) {
    drop(turn, "wrongPhase", from.remote, sa.number);
    return;
  }
  const opened = unseal(turn.tools.crypto, sa.keys!, sa.iv, sealed!, ISAKMP);
  if (opened === undefined) {
    drop(turn, "garbage", from.remote, sa.number);
    return;
  }
  const { payloads, iv } = opened;
  if (!hasShape(payloads, ["ID", usesSignatures(sa) ? "SIG" : "HASH"])) {
    drop(turn, "grammar", from.remote, sa.number);
    return;
  }
  const identity = isakmpPayloadOf(payloads, "ID")!;
  takeProof(turn, sa, { octets, from, iv, payloads, identity, transcript: phase.transcript });
}

/** The peer is accepted: a responder proves itself in turn. */
export function finishMain(turn: Turn, sa: IsakmpSa, { transcript }: Authenticating): boolean {
  return sa.initiator || sendProof(turn, sa, transcript, false);
}
