/**
 * The life of a group at a member. `registering` tries one key server after the other, in configured order; when the last
 * has failed the member waits and begins with the first again. The policy that it holds is no part of the state: while a
 * member registers again its SAs work on, and they end by themselves. Being registered means that nothing is to be done
 * until new keys are due:
 *
 *     idle --mapApplied--> registering --granted--> registered --reregisterDue--> registering
 *                            |    ^  serverFailed (next server)       |
 *                listExhausted    | retryDue                          | excluded, lost
 *                            v    |                                   |
 *                            waiting <--------------------------------+
 *
 * A rekey that arrives while the member waits is as good as a registration. `mapRemoved` ends everything.
 */
import { assert } from "../base/errors.ts";

export type GmStateName = "idle" | "registering" | "waiting" | "registered";

export type GmTransition =
  /** The crypto map was applied to an interface that is up. */
  | "mapApplied"
  | "mapRemoved"
  /** A key server handed out policy and keys. */
  | "granted"
  /** A key server did not answer, or refused. */
  | "serverFailed"
  | "listExhausted"
  | "retryDue"
  /** New keys have not come in time. */
  | "reregisterDue"
  /** The key server has put the member out. */
  | "excluded"
  /** The IKE SA that rekeys would come in is gone, or a rekey could not be used. */
  | "lost"
  | "rekeyed"
  /** `clear crypto gkm`. */
  | "cleared";

type Transitions = Readonly<Record<GmStateName, Readonly<Partial<Record<GmTransition, GmStateName>>>>>;

export const GM_TRANSITIONS = {
  idle: { mapApplied: "registering" },
  registering: {
    granted: "registered",
    serverFailed: "registering",
    listExhausted: "waiting",
    cleared: "registering",
    mapRemoved: "idle",
  },
  waiting: { retryDue: "registering", rekeyed: "registered", cleared: "registering", mapRemoved: "idle" },
  registered: {
    reregisterDue: "registering",
    excluded: "waiting",
    lost: "waiting",
    cleared: "registering",
    mapRemoved: "idle",
  },
} as const satisfies Transitions;

/** The state that follows; an entry that is missing is a bug of ours. */
export function stateAfter(state: GmStateName, transition: GmTransition): GmStateName {
  const next = (GM_TRANSITIONS as Transitions)[state][transition];
  assert(next !== undefined, () => `${transition} while ${state}`);
  return next;
}
