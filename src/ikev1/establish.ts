/** The last step of phase 1, the same for both modes: the room above has decided about the peer. */
import { assert } from "../base/errors.ts";
import { SECOND } from "../base/micros.ts";
import { IsakmpNotifyType } from "../wire/isakmpNumbers.ts";
import { finishAggressive } from "./aggressive.ts";
import type { AuthAnswer } from "./api.ts";
import { reject } from "./authenticate.ts";
import { drop } from "./closing.ts";
import { forgetOthers } from "./contact.ts";
import { startDpd } from "./dpd.ts";
import { happened } from "./events.ts";
import { finishMain } from "./main.ts";
import { noteArrival, startKeepalive } from "./nat.ts";
import { formatId } from "./profile.ts";
import { checkSignature, usesSignatures } from "./proof.ts";
import { type Authenticating, type IsakmpSa, listPeer, moveTo, startTimer, type Turn } from "./state.ts";
import { noteHeard } from "./transmit.ts";

/** The decision of the room above about a peer that has named itself. */
export function answerAuth(turn: Turn, sa: IsakmpSa, answer: AuthAnswer): void {
  const { phase } = sa;
  assert(phase.at === "authenticating", "answerAuth follows `authenticating`");
  if (!answer.accept) {
    reject(turn, sa, phase, "refused", answer.notify);
    return;
  }
  if (usesSignatures(sa)) {
    const { transcript, identity, signature } = phase;
    assert(answer.publicKey !== undefined, "a peer with a signature is accepted with its public key");
    if (!checkSignature(turn, sa, transcript, identity, signature, answer.publicKey)) {
      // A forged message must not end the attempt of the genuine peer: it is as if it had never come.
      moveTo(turn.endpoint, sa, phase.before);
      drop(turn, "signature", phase.from.remote, sa.number);
      return;
    }
  }
  noteHeard(turn, sa, sa.phase1, phase.heard);
  noteArrival(turn, sa, phase.from);
  sa.iv = phase.iv;
  const finish = sa.mode === "main" ? finishMain : finishAggressive;
  if (finish(turn, sa, phase)) establish(turn, sa, phase);
  else reject(turn, sa, phase, "noKey", IsakmpNotifyType["AUTHENTICATION-FAILED"]);
}

function establish(turn: Turn, sa: IsakmpSa, phase: Authenticating): void {
  const { identity, initialContact } = phase;
  sa.identity = identity;
  sa.certificate = phase.certificate;
  moveTo(turn.endpoint, sa, { at: "established" });
  listPeer(turn.endpoint, sa);
  const { number, initiator, profile, doi } = sa;
  turn.outcomes.push(
    happened("isakmp.established", number, sa.remote, { identity: formatId(identity), profile, initiator }),
    { kind: "established", sa: number, initiator, identity, profile, doi },
  );
  if (initialContact) forgetOthers(turn, sa);
  const { lifetimeSeconds } = sa.agreed!.policy;
  if (lifetimeSeconds > 0) startTimer(turn, sa, "expiry", lifetimeSeconds * SECOND);
  startDpd(turn, sa);
  startKeepalive(turn, sa);
}
