/** What a role hands on to its host from the IKE room without looking at it. */
import type { Happened, Send } from "../base/machine.ts";
import type { KeyEntry } from "../crypto/keyEntry.ts";
import type { IkeOutcome } from "../ikev2/api.ts";

export type HostOutcome = Send | Happened | { readonly kind: "keys"; readonly entry: KeyEntry };

/** Appends datagrams, events and keys to `out`; whatever else there is the caller knows already. */
export function passOn(out: { push(outcome: HostOutcome): unknown }, outcomes: readonly IkeOutcome[]): void {
  for (const outcome of outcomes) {
    if (outcome.kind === "send" || outcome.kind === "event" || outcome.kind === "keys") out.push(outcome);
  }
}
