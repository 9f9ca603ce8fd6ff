/**
 * A message of phase 1 that carries the peer's proof: checked as far as it can be, then the room above is asked. What
 * stands behind the proof (INITIAL-CONTACT, padding) is covered by no hash, RFC 2407 section 4.6.3: whoever alters it on
 * the way cannot forge a peer but can end the attempt, since the IV of the next message comes from there.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Id } from "../wire/isakmp.ts";
import { IsakmpNotifyType } from "../wire/isakmpNumbers.ts";
import type { IsakmpPayload } from "../wire/isakmpPayloads.ts";
import { closeSa, drop } from "./closing.ts";
import { happened } from "./events.ts";
import { deletePayload, notifyPayload, sendInformational } from "./inform.ts";
import { type Claimant, formatId, matchesClaimant, matchProfile } from "./profile.ts";
import { certificatesOf, peerProof, usesSignatures } from "./proof.ts";
import {
  type Arrival,
  type Authenticating,
  type IsakmpSa,
  moveTo,
  profileOf,
  type Transcript,
  type Turn,
} from "./state.ts";

/** A message that carries the peer's proof. */
export interface ProofMessage {
  readonly octets: Bytes;
  readonly from: Arrival;
  /** Behind the message. */
  readonly iv: Bytes;
  readonly payloads: readonly IsakmpPayload[];
  readonly identity: Id;
  readonly transcript: Transcript;
}

export function takeProof(turn: Turn, sa: IsakmpSa, message: ProofMessage): void {
  const { octets, from, iv, payloads, identity, transcript } = message;
  const proof = peerProof(turn, sa, transcript, identity, payloads);
  if (!proof.ok) {
    drop(turn, proof.reason, from.remote, sa.number);
    return;
  }
  const certificates = certificatesOf(payloads);
  // Whoever has shown a pre-shared key proves nothing about a certificate that it sends beside that.
  const certificate = usesSignatures(sa) ? certificates[0] : undefined;
  const claimant: Claimant = { identity, local: sa.local.address, certificate };
  const profile = profileOf(turn.endpoint, sa.profile) ?? matchProfile(turn.endpoint.config.profiles, claimant);
  if (profile === undefined || !matchesClaimant(profile.match, claimant)) {
    reject(turn, sa, { identity, iv }, "identity", IsakmpNotifyType["INVALID-ID-INFORMATION"]);
    return;
  }
  sa.profile = profile.name;
  if (sa.keyring !== undefined && profile.keyrings?.includes(sa.keyring) === false) {
    reject(turn, sa, { identity, iv }, "keyring", IsakmpNotifyType["AUTHENTICATION-FAILED"]);
    return;
  }
  const { signature } = proof;
  const initialContact = payloads.some(
    (payload) => payload.kind === "N" && payload.body.type === IsakmpNotifyType["INITIAL-CONTACT"],
  );
  moveTo(turn.endpoint, sa, {
    at: "authenticating",
    transcript,
    identity,
    signature,
    certificate,
    heard: octets,
    iv,
    from,
    initialContact,
    before: sa.phase,
  });
  turn.outcomes.push({
    kind: "authenticating",
    sa: sa.number,
    method: sa.agreed!.policy.authentication,
    identity,
    profile: profile.name,
    certificates,
  });
}

/**
 * An SA with this peer must not come to be, and the peer is told so; `iv` is the one behind its message. The initiator of
 * an Aggressive Mode believes that the SA stands: it also gets a Delete.
 */
export function reject(
  turn: Turn,
  sa: IsakmpSa,
  { identity, iv }: Pick<Authenticating, "identity" | "iv">,
  reason: string,
  type: number,
): void {
  turn.outcomes.push(
    happened("isakmp.authFailed", sa.number, sa.remote, {
      identity: formatId(identity),
      reason,
      notify: type,
      mode: sa.mode,
      ...(sa.profile === "" ? {} : { profile: sa.profile }),
    }),
  );
  sa.iv = iv;
  sendInformational(turn, sa, notifyPayload(sa, type));
  if (sa.mode === "aggressive" && !sa.initiator) sendInformational(turn, sa, deletePayload(sa));
  closeSa(turn, sa, "authenticationFailed");
}
