/** What follows from the outcomes of the IKEv1 endpoint and of the GROUPKEY-PULLs over its SAs. */
import { judgePeer } from "../gdoi/peerCertificates.ts";
import { type PullOutcome, refusePull, takePullOutcome } from "../gdoi/pull.ts";
import { answerAuth, close } from "../ikev1/endpoint.ts";
import { IsakmpNotifyType } from "../wire/isakmpNumbers.ts";
import {
  forgetSa,
  onPhase1Established,
  onPullGranted,
  onPullRefused,
  onPullUnanswered,
  sideOf,
} from "./gdoiRegistration.ts";
import { registeringOver, serverFailed } from "./registration.ts";
import type { Turn } from "./state.ts";

export function followIsakmp(turn: Turn, outcomes: readonly PullOutcome[]): void {
  for (const outcome of outcomes) followOne(turn, outcome);
}

function followOne(turn: Turn, outcome: PullOutcome): void {
  const { tools, now } = turn;
  const { endpoint, pulls } = sideOf(turn);
  switch (outcome.kind) {
    case "send":
    case "event":
    case "keys":
      turn.out.push(outcome);
      break;
    case "authenticating": {
      const answer = judgePeer(tools.crypto, turn.state.config.isakmp!, outcome, now);
      followIsakmp(turn, answerAuth(endpoint, tools, outcome.sa, answer, now));
      break;
    }
    case "established":
      onPhase1Established(turn, outcome.sa);
      break;
    case "message":
    case "notified":
      followIsakmp(turn, takePullOutcome(pulls, endpoint, tools, outcome, now));
      break;
    case "unanswered":
      takePullOutcome(pulls, endpoint, tools, outcome, now);
      onPullUnanswered(turn, outcome.sa, outcome.messageId);
      // Of no use where questions over it stay without an answer: the key server may have lost it.
      followIsakmp(turn, close(endpoint, tools, outcome.sa, now));
      break;
    case "closed":
      takePullOutcome(pulls, endpoint, tools, outcome, now);
      forgetSa(turn, outcome.sa);
      for (const group of registeringOver(turn, "gdoi", outcome.sa)) {
        serverFailed(turn, group, outcome.reason, outcome.notify);
      }
      break;
    case "pullAsked":
      // A member hands out nothing.
      followIsakmp(
        turn,
        refusePull(pulls, endpoint, tools, outcome.pull, IsakmpNotifyType["UNSUPPORTED-EXCHANGE-TYPE"], now),
      );
      break;
    case "pullGranted":
      onPullGranted(turn, outcome);
      break;
    case "pullRefused":
      onPullRefused(turn, outcome);
      break;
    default:
      // Repetitions are reported by events; what a key server deletes otherwise is no concern of phase 1.
      break;
  }
}
