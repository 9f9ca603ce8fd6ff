/** Aggressive Mode from the answer to message 1 on. RFC 2409 sections 5.1 and 5.4. */
import type { Bytes } from "../base/bytes.ts";
import type { Sa } from "../wire/isakmp.ts";
import { encodeIsakmpChain, type IsakmpMessage } from "../wire/isakmpMessage.ts";
import { ISAKMP, type IsakmpPayload, isakmpPayloadOf } from "../wire/isakmpPayloads.ts";
import { takeProof } from "./authenticate.ts";
import { closeSa, drop } from "./closing.ts";
import { happened } from "./events.ts";
import { seal, unseal } from "./message.ts";
import { floatPorts, natPayloads, noteNat } from "./nat.ts";
import { encodeClear, exchangeOf, hasShape, isNonce, newHalf, phaseIs, usablePolicies } from "./phase1.ts";
import { matchProfile } from "./profile.ts";
import { certificateRequests, ownProof, takeKeys, usesSignatures } from "./proof.ts";
import { checkAnswer, isSignature } from "./proposal.ts";
import { type Arrival, type Authenticating, type IsakmpSa, moveTo, profileOf, type Turn } from "./state.ts";
import { sendIn } from "./transmit.ts";
import { abilitiesOf, vendorPayloads } from "./vendorIds.ts";

type Failure = "noKey" | "identity" | "publicValue";

function fail(turn: Turn, sa: IsakmpSa, reason: Failure): void {
  if (reason === "publicValue") {
    closeSa(turn, sa, "invalidKe");
    return;
  }
  turn.outcomes.push(happened("isakmp.authFailed", sa.number, sa.remote, { identity: "", reason }));
  closeSa(turn, sa, "authenticationFailed");
}

/** Message 2, which already holds the responder's proof. `payloads`: those of message 1. */
export function answerAggressive(
  turn: Turn,
  sa: IsakmpSa,
  answer: Sa,
  offer: Bytes,
  payloads: readonly IsakmpPayload[],
): void {
  const answers = answerPayloads(turn, sa, answer, offer, payloads);
  if (typeof answers === "string") fail(turn, sa, answers);
  else sendIn(turn, sa, sa.phase1, encodeClear(sa, answers), true);
}

function answerPayloads(
  turn: Turn,
  sa: IsakmpSa,
  answer: Sa,
  offer: Bytes,
  payloads: readonly IsakmpPayload[],
): IsakmpPayload[] | Failure {
  const agreed = sa.agreed!;
  const ni = isakmpPayloadOf(payloads, "NONCE")!.data;
  const gxi = isakmpPayloadOf(payloads, "KE")!.data;
  const identity = isakmpPayloadOf(payloads, "ID")!;
  // A certificate would come with message 3, when the keys are there already.
  const claimant = { identity, local: sa.local.address, certificate: undefined };
  const profile = matchProfile(turn.endpoint.config.profiles, claimant);
  if (profile === undefined) return "identity";
  sa.profile = profile.name;
  const { group } = agreed.suite;
  const own = newHalf(turn.tools, group, gxi);
  const shared = isNonce(ni) ? turn.tools.crypto.dhShared(group, own.privateKey.secret, gxi) : undefined;
  if (shared === undefined) return "publicValue";
  const [gxr, nr] = [own.gxi, own.ni];
  if (!takeKeys(turn, sa, agreed, { ni, nr, gxi, gxr, shared, identity })) return "noKey";
  const transcript = { offer, gxi, gxr };
  const proof = ownProof(turn, sa, transcript, profile);
  if (proof === undefined) return "noKey";
  moveTo(turn.endpoint, sa, { at: "aggressiveAnswered", transcript, initiatorId: identity });
  return [
    { kind: "SA", body: answer },
    { kind: "KE", body: { data: gxr } },
    { kind: "NONCE", body: { data: nr } },
    { kind: "ID", body: profile.localIdentity },
    ...certificateRequests(sa, profile.authorities),
    ...proof,
    ...vendorPayloads(turn.endpoint.config),
    ...natPayloads(turn, sa),
  ];
}

/** Message 2, or a message 3 in clear. */
export function receiveAggressiveClear(
  turn: Turn,
  sa: IsakmpSa,
  message: IsakmpMessage,
  octets: Bytes,
  from: Arrival,
): void {
  if (sa.initiator) receive2(turn, sa, message, octets, from);
  else receive3(turn, sa, message.payloads, octets, from, sa.iv);
}

function receive2(turn: Turn, sa: IsakmpSa, message: IsakmpMessage, octets: Bytes, from: Arrival): void {
  const phase = phaseIs(sa, "aggressiveSent");
  const { payloads } = message;
  if (phase === undefined) {
    drop(turn, "wrongPhase", from.remote, sa.number);
    return;
  }
  const answer = isakmpPayloadOf(payloads, "SA");
  const policies = usablePolicies(turn, sa, "aggressive", sa.profile);
  const agreed = answer === undefined || answer.doi !== sa.doi ? undefined : checkAnswer(policies, answer);
  const proofKind = isSignature(agreed?.policy.authentication ?? 0) ? "SIG" : "HASH";
  const nr = isakmpPayloadOf(payloads, "NONCE")?.data;
  if (agreed === undefined || !hasShape(payloads, ["SA", "KE", "NONCE", "ID", proofKind]) || !isNonce(nr!)) {
    drop(turn, "grammar", from.remote, sa.number);
    return;
  }
  const { own, offer } = phase;
  const gxr = isakmpPayloadOf(payloads, "KE")!.data;
  const identity = isakmpPayloadOf(payloads, "ID")!;
  const shared = turn.tools.crypto.dhShared(agreed.suite.group, own.privateKey.secret, gxr);
  if (shared === undefined) {
    drop(turn, "grammar", from.remote, sa.number, "public value");
    return;
  }
  // A forged answer leaves nothing behind: another responder's cookie and keys simply take these places.
  sa.cookieResponder = message.cookieResponder;
  sa.agreed = agreed;
  sa.abilities = abilitiesOf(payloads);
  const { ni, gxi } = own;
  if (!takeKeys(turn, sa, agreed, { ni, nr: nr!, gxi, gxr, shared, identity })) {
    fail(turn, sa, "noKey");
    return;
  }
  takeProof(turn, sa, { octets, from, iv: sa.iv, payloads, identity, transcript: { offer, gxi, gxr } });
  if (sa.phase.at === "authenticating") noteNat(turn, sa, from, payloads);
}

function receive3(
  turn: Turn,
  sa: IsakmpSa,
  payloads: readonly IsakmpPayload[],
  octets: Bytes,
  from: Arrival,
  iv: Bytes,
): void {
  const phase = phaseIs(sa, "aggressiveAnswered");
  if (phase === undefined) {
    drop(turn, "wrongPhase", from.remote, sa.number);
    return;
  }
  if (!hasShape(payloads, [usesSignatures(sa) ? "SIG" : "HASH"])) {
    drop(turn, "grammar", from.remote, sa.number);
    return;
  }
  const { transcript, initiatorId: identity } = phase;
  takeProof(turn, sa, { octets, from, iv, payloads, identity, transcript });
  if (sa.phase.at === "authenticating") noteNat(turn, sa, from, payloads);
}

/** An encrypted message 3. Where it came in clear there is no ciphertext, and phase 2 begins with the IV of phase 1. */
export function receiveAggressiveSealed(
  turn: Turn,
  sa: IsakmpSa,
  { sealed }: IsakmpMessage,
  octets: Bytes,
  from: Arrival,
): void {
  if (phaseIs(sa, "aggressiveAnswered") === undefined) {
    drop(turn, "wrongPhase", from.remote, sa.number);
    return;
  }
  const opened = unseal(turn.tools.crypto, sa.keys!, sa.iv, sealed!, ISAKMP);
  if (opened === undefined) drop(turn, "garbage", from.remote, sa.number);
  else receive3(turn, sa, opened.payloads, octets, from, opened.iv);
}

/** The peer is accepted: an initiator proves itself in turn, encrypted as the reference implementation does. */
export function finishAggressive(turn: Turn, sa: IsakmpSa, { transcript }: Authenticating): boolean {
  if (!sa.initiator) return true;
  const profile = profileOf(turn.endpoint, sa.profile);
  const proof = profile && ownProof(turn, sa, transcript, profile);
  if (proof === undefined) return false;
  // Message 3 is the first to take the new ports, and its hashes speak of the ports that it takes. RFC 3947 section 4.
  if (sa.nat.weBehindNat || sa.nat.peerBehindNat) floatPorts(sa, turn.endpoint.config);
  const nat = natPayloads(turn, sa);
  const { first, octets: chain } = encodeIsakmpChain([...proof, ...nat], ISAKMP);
  const sealed = seal(turn.tools.crypto, sa.keys!, sa, exchangeOf("aggressive"), 0, sa.iv, first, chain);
  sa.iv = sealed.iv;
  sendIn(turn, sa, sa.phase1, sealed.octets, false);
  return true;
}
