/**
 * CREATE_CHILD_SA for Child SAs: new ones and fresh keys for old ones, both sides, with the collisions of RFC 7296
 * section 2.25.1.
 *
 *     our exchange about a pair    the peer asks to      answer
 *     closing it                   rekey it              TEMPORARY_FAILURE
 *     rekeying it                  rekey it              as usual; the pair with the lowest nonce goes (2.8.1)
 *     closing it                   close it              without a Delete (childSa.ts)
 *     rekeying the IKE SA          make or rekey one     TEMPORARY_FAILURE
 */
import { type Bytes, u16, u32, uintFrom } from "../base/bytes.ts";
import { MINUTE } from "../base/micros.ts";
import { secret } from "../base/secret.ts";
import type { DhGroup } from "../crypto/api.ts";
import { dhSpec } from "../crypto/suite.ts";
import { errorNotify } from "../wire/grammar.ts";
import type { Notify } from "../wire/ikev2.ts";
import { Exchange, NotifyType, Protocol } from "../wire/ikev2Numbers.ts";
import { notifyOf, type Payload, payloadOf } from "../wire/payloads.ts";
import type { ChildPolicy } from "./api.ts";
import {
  childRequest,
  deletePayload,
  grantChild,
  installChild,
  newChildSpi,
  readGrant,
  startDeleteChild,
} from "./childSa.ts";
import { type ChildOffer, type ChildSa, isLower, lowest } from "./childState.ts";
import { armChildren, childByInbound, childByOutbound, removeChild } from "./childTable.ts";
import { isNonce, NONCE_LENGTH, newPrivateKey } from "./exchangeValues.ts";
import { notify } from "./nat.ts";
import { type IkeSa, isEstablished, profileOf, type Turn } from "./state.ts";
import { answerRequest, startRequest } from "./window.ts";

/** Proposed default: how long a rekey that was refused is left alone. RFC 7296 section 2.25 speaks of minutes. */
const RETRY = MINUTE;

/** True while CREATE_CHILD_SA has to wait: the keys of the IKE SA are being replaced, or the SA is on its way out. */
export function isChildBarred(sa: IkeSa): boolean {
  return !isEstablished(sa) || sa.rekey !== undefined || sa.successor !== 0;
}

// ------------------------------------------------------------------------------------------------------------ asking

/** Asks for a new pair, or for one in place of `old`. False where it has to wait. `group` overrides the first choice. */
export function askChild(
  turn: Turn,
  sa: IkeSa,
  policy: ChildPolicy,
  old: ChildSa | undefined,
  group = policy.proposals[0]?.dh[0] ?? 0,
): boolean {
  if (isChildBarred(sa)) return false;
  const { tools } = turn;
  const inboundSpi = newChildSpi(turn.endpoint, tools);
  const privateKey = group === 0 ? undefined : newPrivateKey(tools, group);
  const ni = tools.rng.bytes(NONCE_LENGTH);
  const { offered, payloads } = childRequest(policy, inboundSpi, true);
  const [first, ...rest] = payloads;
  const list: Payload[] = old === undefined ? [] : [rekeyNotify(old.inboundSpi)];
  list.push(first!, { kind: "NONCE", body: { data: ni } });
  if (privateKey !== undefined) {
    list.push({ kind: "KE", body: { group, data: tools.crypto.dhPublic(group as DhGroup, privateKey) } });
  }
  const offer: ChildOffer = {
    policy,
    inboundSpi,
    offered,
    ni,
    group,
    privateKey: privateKey && secret(privateKey),
    rival: undefined,
  };
  if (old !== undefined) {
    old.state = "rekeying";
    armChildren(turn, sa);
  }
  const purpose = { kind: "createChild", offer, old: old?.inboundSpi ?? 0 } as const;
  startRequest(turn, sa, Exchange.CREATE_CHILD_SA, purpose, [...list, ...rest]);
  return true;
}

/** Names the pair by the SPI on which its sender receives. RFC 7296 section 1.3.3. */
function rekeyNotify(inboundSpi: number): Payload {
  return {
    kind: "N",
    body: { protocol: Protocol.ESP, type: NotifyType.REKEY_SA, spi: u32(inboundSpi), data: new Uint8Array(0) },
  };
}

/** The answer to our request for a pair. */
export function receiveChildAnswer(
  turn: Turn,
  sa: IkeSa,
  offer: ChildOffer,
  oldSpi: number,
  payloads: readonly Payload[],
): void {
  const old = oldSpi === 0 ? undefined : childByInbound(sa, oldSpi);
  const error = errorNotify(payloads);
  if (payloadOf(payloads, "SA") === undefined) {
    // Where the old pair is gone the peer's own rekey of it was faster.
    if (oldSpi !== 0 && old === undefined) return;
    receiveChildRefusal(turn, sa, offer, old, payloads, error ?? 0);
    return;
  }
  const terms = readGrant(offer.policy, offer.inboundSpi, offer.offered, payloads);
  const nr = payloadOf(payloads, "NONCE")?.data;
  const ke = payloadOf(payloads, "KE");
  const shared =
    terms !== undefined && terms.dh !== 0 && offer.privateKey !== undefined && ke?.group === terms.dh
      ? turn.tools.crypto.dhShared(terms.dh as DhGroup, offer.privateKey.secret, ke.data)
      : undefined;
  const complete = terms !== undefined && nr !== undefined && isNonce(nr) && (terms.dh === 0 || shared !== undefined);
  if (!complete) {
    // The peer believes in the pair: it is told to forget it, the IKE SA stands.
    const purpose = { kind: "deleteChild", inboundSpi: offer.inboundSpi, reason: "redundant" } as const;
    startRequest(turn, sa, Exchange.INFORMATIONAL, purpose, [deletePayload([offer.inboundSpi])]);
    childRefused(turn, sa, old, NotifyType.NO_PROPOSAL_CHOSEN);
    return;
  }
  const seed = { ni: offer.ni, nr, shared, asker: true };
  const made = installChild(turn, sa, offer.policy, terms, seed, oldSpi);
  // Without a rival the old pair goes; of two new ones that with the lowest nonce goes too, by who made it.
  const { rival } = offer;
  if (rival !== undefined && isLower(lowest(offer.ni, nr), rival.lowestNonce)) {
    startDeleteChild(turn, sa, made, "redundant");
  } else if (old !== undefined) startDeleteChild(turn, sa, old, "replaced");
}

/** Our own request for fresh keys of a pair, while it is under way. */
function ownRekeyOf(sa: IkeSa, inboundSpi: number): ChildOffer | undefined {
  for (const { purpose } of [...sa.out.pending, ...sa.out.queue]) {
    if (purpose.kind === "createChild" && purpose.old === inboundSpi) return purpose.offer;
  }
  return undefined;
}

function receiveChildRefusal(
  turn: Turn,
  sa: IkeSa,
  offer: ChildOffer,
  old: ChildSa | undefined,
  payloads: readonly Payload[],
  error: number,
): void {
  const wanted = notifyOf(payloads, NotifyType.INVALID_KE_PAYLOAD)?.data;
  if (wanted?.length === 2) {
    const group = uintFrom(wanted);
    const offered = offer.policy.proposals.some((proposal) => proposal.dh.includes(group));
    if (offered && group !== offer.group && dhSpec(group) !== undefined) {
      if (askChild(turn, sa, offer.policy, old, group)) return;
    }
  }
  if (error === NotifyType.CHILD_SA_NOT_FOUND && old !== undefined) {
    removeChild(turn, sa, old, "deletedByPeer");
    return;
  }
  childRefused(turn, sa, old, error);
}

function childRefused(turn: Turn, sa: IkeSa, old: ChildSa | undefined, error: number): void {
  if (old === undefined) {
    turn.outcomes.push({ kind: "childRefused", sa: sa.number, notify: error });
    return;
  }
  if (old.state === "rekeying") old.state = "up";
  old.renewAt = turn.now + RETRY;
  armChildren(turn, sa);
}

// --------------------------------------------------------------------------------------------------------- answering

/** A CREATE_CHILD_SA request with traffic selectors; it is being served. */
export function receiveChildRequest(turn: Turn, sa: IkeSa, messageId: number, payloads: readonly Payload[]): void {
  const answer = serveChild(turn, sa, payloads);
  answerRequest(turn, sa, messageId, answer.payloads);
  answer.install?.();
}

interface ChildAnswer {
  readonly payloads: readonly Payload[];
  /** The pair comes to the data plane when the answer is on its way. */
  readonly install?: () => void;
}

function refuse(type: number, data?: Bytes): ChildAnswer {
  return { payloads: [notify(type, data)] };
}

function serveChild(turn: Turn, sa: IkeSa, payloads: readonly Payload[]): ChildAnswer {
  if (isChildBarred(sa)) return refuse(NotifyType.TEMPORARY_FAILURE);
  const rekeyed = notifyOf(payloads, NotifyType.REKEY_SA);
  const old = rekeyed && childByOutbound(sa, uintFrom(rekeyed.spi));
  if (rekeyed !== undefined && old === undefined) return { payloads: [notFound(rekeyed)] };
  if (old?.state === "closing") return refuse(NotifyType.TEMPORARY_FAILURE);
  const policy = old?.policy ?? profileOf(turn.endpoint, sa.profile)?.child;
  if (policy === undefined) return refuse(NotifyType.NO_ADDITIONAL_SAS);
  const ni = payloadOf(payloads, "NONCE")!.data;
  if (!isNonce(ni)) return refuse(NotifyType.INVALID_SYNTAX);
  const grant = grantChild(turn, policy, payloads, true);
  if (!grant.ok) return { payloads: [grant.error] };
  const { tools } = turn;
  const nr = tools.rng.bytes(NONCE_LENGTH);
  const answer: Payload[] = [grant.sa, { kind: "NONCE", body: { data: nr } }];
  let shared: Bytes | undefined;
  const group = grant.terms.dh as DhGroup;
  if (grant.terms.dh !== 0) {
    const ke = payloadOf(payloads, "KE");
    if (ke?.group !== group) return refuse(NotifyType.INVALID_KE_PAYLOAD, u16(group));
    const privateKey = newPrivateKey(tools, group);
    shared = tools.crypto.dhShared(group, privateKey, ke.data);
    if (shared === undefined) return refuse(NotifyType.INVALID_SYNTAX);
    answer.push({ kind: "KE", body: { group, data: tools.crypto.dhPublic(group, privateKey) } });
  }
  const install = () => {
    const made = installChild(turn, sa, policy, grant.terms, { ni, nr, shared, asker: false }, old?.inboundSpi ?? 0);
    const own = old && ownRekeyOf(sa, old.inboundSpi);
    if (own !== undefined) own.rival = { made: made.inboundSpi, lowestNonce: lowest(ni, nr) };
  };
  return { payloads: [...answer, ...grant.rest], install };
}

function notFound(rekeyed: Notify): Payload {
  const { spi } = rekeyed;
  return {
    kind: "N",
    body: { protocol: Protocol.ESP, type: NotifyType.CHILD_SA_NOT_FOUND, spi, data: new Uint8Array(0) },
  };
}
