/** What a role hands on to its host from the IKE room without looking at it. */
import type { Happened, Send } from "../base/machine.ts";
import type { KeyEntry } from "../crypto/keyEntry.ts";

export type HostOutcome = Send | Happened | { readonly kind: "keys"; readonly entry: KeyEntry };

/** Appends datagrams, events and keys to `out`; whatever else there is the caller knows already. */
export function passOn(
  out: { push(outcome: HostOutcome): unknown },
  outcomes: readonly { readonly kind: string }[],
): void {
  for (const outcome of outcomes) if (isHostOutcome(outcome)) out.push(outcome);
}

/** The three have the same shape in the rooms of both versions of IKE. */
export function isHostOutcome(outcome: { readonly kind: string }): outcome is HostOutcome {
  return outcome.kind === "send" || outcome.kind === "event" || outcome.kind === "keys";
}
