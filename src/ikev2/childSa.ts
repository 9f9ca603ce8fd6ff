/**
 * Child SAs: the payloads that ask for one and grant one, in IKE_AUTH and CREATE_CHILD_SA alike, and what a pair leaves
 * behind when it comes and goes. RFC 7296 sections 1.2, 1.3, 1.4.1, 2.9 and 2.17.
 */
import { type Bytes, u32, uintFrom } from "../base/bytes.ts";
import type { Micros } from "../base/micros.ts";
import { SECOND } from "../base/micros.ts";
import { secret } from "../base/secret.ts";
import { childKeymat, type SaKeys } from "../crypto/prf.ts";
import { encrSpec, integSpec } from "../crypto/suite.ts";
import type { Sa, TrafficSelector } from "../wire/ikev2.ts";
import { Exchange, NotifyType, Protocol } from "../wire/ikev2Numbers.ts";
import { notifyOf, type Payload, payloadOf } from "../wire/payloads.ts";
import type { ChildCloseReason, ChildKeys, ChildPolicy, ChildSuite, ChildView, Tools } from "./api.ts";
import { checkChildAnswer, offerChild, selectChild } from "./childProposal.ts";
import type { ChildSa } from "./childState.ts";
import { armChildren, childByOutbound, removeChild, spiText } from "./childTable.ts";
import { happened } from "./events.ts";
import { suiteSpecs } from "./keys.ts";
import { notify } from "./nat.ts";
import { isWithin, narrow } from "./selectors.ts";
import type { IkeEndpoint, IkeSa, Turn } from "./state.ts";
import { startRequest } from "./window.ts";

/** SPIs below are reserved. RFC 4303 section 2.1. */
const SPI_FIRST = 256;

export function newChildSpi(endpoint: IkeEndpoint, tools: Tools): number {
  for (;;) {
    const spi = tools.rng.u32();
    if (spi >= SPI_FIRST && endpoint.childSpis?.has(spi) !== true) return spi;
  }
}

/** SA, TSi, TSr, and the wish for transport mode: what asks for a Child SA. */
export function childRequest(policy: ChildPolicy, inboundSpi: number, withGroups: boolean): ChildRequest {
  const offered = offerChild(policy.proposals, u32(inboundSpi), withGroups);
  const payloads: Payload[] = [{ kind: "SA", body: offered }, ...selectorPayloads(policy)];
  if (policy.mode === "transport") payloads.push(notify(NotifyType.USE_TRANSPORT_MODE));
  return { offered, payloads };
}

export interface ChildRequest {
  readonly offered: Sa;
  /** The SA payload first. */
  readonly payloads: readonly Payload[];
}

function selectorPayloads(policy: ChildPolicy): Payload[] {
  return [
    { kind: "TSi", body: { selectors: policy.localSelectors } },
    { kind: "TSr", body: { selectors: policy.remoteSelectors } },
  ];
}

/** What two sides agreed on, before there are keys. */
export interface ChildTerms {
  readonly inboundSpi: number;
  readonly outboundSpi: number;
  readonly suite: ChildSuite;
  readonly dh: number;
  readonly mode: "tunnel" | "transport";
  readonly localSelectors: readonly TrafficSelector[];
  readonly remoteSelectors: readonly TrafficSelector[];
}

/** A responder's decision about a request: terms with the payloads that say so, or an error notify. */
export type Grant =
  | { readonly ok: true; readonly terms: ChildTerms; readonly sa: Payload; readonly rest: readonly Payload[] }
  | { readonly ok: false; readonly error: Payload };

export function grantChild(turn: Turn, policy: ChildPolicy, payloads: readonly Payload[], withGroups: boolean): Grant {
  const inboundSpi = newChildSpi(turn.endpoint, turn.tools);
  const group = payloadOf(payloads, "KE")?.group ?? 0;
  const offered = payloadOf(payloads, "SA")!;
  const chosen = selectChild(policy.proposals, offered, withGroups, group, u32(inboundSpi));
  if (chosen === undefined) return { ok: false, error: notify(NotifyType.NO_PROPOSAL_CHOSEN) };
  const remoteSelectors = narrow(payloadOf(payloads, "TSi")?.selectors ?? [], policy.remoteSelectors);
  const localSelectors = narrow(payloadOf(payloads, "TSr")?.selectors ?? [], policy.localSelectors);
  if (remoteSelectors.length === 0 || localSelectors.length === 0) {
    return { ok: false, error: notify(NotifyType.TS_UNACCEPTABLE) };
  }
  const wished = notifyOf(payloads, NotifyType.USE_TRANSPORT_MODE) !== undefined;
  const mode = wished && policy.mode === "transport" ? "transport" : "tunnel";
  const rest: Payload[] = [
    { kind: "TSi", body: { selectors: remoteSelectors } },
    { kind: "TSr", body: { selectors: localSelectors } },
  ];
  if (mode === "transport") rest.push(notify(NotifyType.USE_TRANSPORT_MODE));
  const { suite, dh } = chosen;
  const outboundSpi = uintFrom(chosen.spi);
  const terms = { inboundSpi, outboundSpi, suite, dh, mode, localSelectors, remoteSelectors } as const;
  return { ok: true, terms, sa: { kind: "SA", body: chosen.answer }, rest };
}

/** The terms of an answer to our request; undefined where it does not keep to what we asked. */
export function readGrant(
  policy: ChildPolicy,
  inboundSpi: number,
  offered: Sa,
  payloads: readonly Payload[],
): ChildTerms | undefined {
  const answer = payloadOf(payloads, "SA");
  const matched = answer && checkChildAnswer(offered, answer);
  const localSelectors = payloadOf(payloads, "TSi")?.selectors ?? [];
  const remoteSelectors = payloadOf(payloads, "TSr")?.selectors ?? [];
  if (matched === undefined || !isWithin(localSelectors, policy.localSelectors)) return undefined;
  if (!isWithin(remoteSelectors, policy.remoteSelectors)) return undefined;
  const granted = notifyOf(payloads, NotifyType.USE_TRANSPORT_MODE) !== undefined;
  const mode = granted && policy.mode === "transport" ? "transport" : "tunnel";
  const { suite, dh, spi } = matched;
  return { inboundSpi, outboundSpi: uintFrom(spi), suite, dh, mode, localSelectors, remoteSelectors };
}

/** The secrets of the exchange that a pair's keys are made of. */
export interface ChildSeed {
  readonly ni: Bytes;
  readonly nr: Bytes;
  readonly shared: Bytes | undefined;
  /** True: we asked. */
  readonly asker: boolean;
}

/** Makes the keys of a pair and hands it to the data plane. */
export function installChild(
  turn: Turn,
  sa: IkeSa,
  policy: ChildPolicy,
  terms: ChildTerms,
  seed: ChildSeed,
  replaces = 0,
): ChildSa {
  const keys = sa.keys!;
  const { suite, inboundSpi, outboundSpi, mode } = terms;
  const specs = { encr: encrSpec(suite.encr, suite.encrKeyBits)!, integ: integSpec(suite.integ) };
  const { crypto } = turn.tools;
  const { ni, nr, shared } = seed;
  const made = childKeymat(crypto, suiteSpecs(keys.suite), keys.d.secret, specs, ni, nr, shared);
  const inbound = ownedKeys(seed.asker ? made.responder : made.initiator);
  const outbound = ownedKeys(seed.asker ? made.initiator : made.responder);
  const child: ChildSa = {
    inboundSpi,
    outboundSpi,
    policy,
    state: "up",
    ...lifeOf(turn, policy, seed),
  };
  sa.children.push(child);
  turn.endpoint.childSpis ??= new Set();
  turn.endpoint.childSpis.add(inboundSpi);
  const { local, remote } = sa;
  const { localSelectors, remoteSelectors } = terms;
  const udp = sa.nat.peerBehindNat || sa.nat.weBehindNat;
  const view: ChildView = {
    inboundSpi,
    outboundSpi,
    suite,
    mode,
    inbound,
    outbound,
    localSelectors,
    remoteSelectors,
    local,
    remote,
    udp,
    replaces,
  };
  turn.outcomes.push(
    happened("ike.child", sa.number, remote, { inbound: spiText(inboundSpi), outbound: spiText(outboundSpi), mode }),
    espKeys(suite, spiText(inboundSpi), remote.address, local.address, inbound),
    espKeys(suite, spiText(outboundSpi), local.address, remote.address, outbound),
    { kind: "child", sa: sa.number, child: view },
  );
  armChildren(turn, sa);
  return child;
}

/**
 * Proposed default: who asked for the pair renews it after nine tenths of its life, the other side after nineteen
 * twentieths, so that the two seldom meet.
 */
function lifeOf(turn: Turn, policy: ChildPolicy, seed: ChildSeed): Pick<ChildSa, "renewAt" | "endAt"> {
  const life: Micros = (policy.lifetimeSeconds ?? 0) * SECOND;
  if (life === 0) return { renewAt: undefined, endAt: undefined };
  return { renewAt: turn.now + Math.floor((life * (seed.asker ? 18 : 19)) / 20), endAt: turn.now + life };
}

function ownedKeys(keys: SaKeys): ChildKeys {
  return { encr: secret(keys.encr.slice()), integ: secret(keys.integ.slice()) };
}

function espKeys(suite: ChildSuite, spi: string, source: string, destination: string, keys: ChildKeys) {
  const { encr, encrKeyBits, integ } = suite;
  const entry = { spi, source, destination, encr, encrKeyBits, integ, encrKey: keys.encr, integKey: keys.integ };
  return { kind: "keys", entry: { kind: "esp", ...entry } } as const;
}

/** A Delete names the SPIs on which its sender receives. RFC 7296 section 1.4.1. */
export function deletePayload(inboundSpis: readonly number[]): Payload {
  return { kind: "D", body: { protocol: Protocol.ESP, spiSize: 4, spis: inboundSpis.map((spi) => u32(spi)) } };
}

/** Asks the peer to delete a pair; the data plane loses it when the answer is there. */
export function startDeleteChild(turn: Turn, sa: IkeSa, child: ChildSa, reason: ChildCloseReason): void {
  if (child.state === "closing") return;
  child.state = "closing";
  const { inboundSpi } = child;
  const purpose = { kind: "deleteChild", inboundSpi, reason } as const;
  startRequest(turn, sa, Exchange.INFORMATIONAL, purpose, [deletePayload([inboundSpi])]);
}

/** Pairs that a Delete of the peer names; those that we are closing ourselves need no word of ours. */
export function receiveChildDelete(turn: Turn, sa: IkeSa, payloads: readonly Payload[]): Payload[] {
  const answered: number[] = [];
  for (const payload of payloads) {
    if (payload.kind !== "D" || payload.body.protocol !== Protocol.ESP) continue;
    for (const octets of payload.body.spis) {
      const child = childByOutbound(sa, uintFrom(octets));
      if (child === undefined) continue;
      if (child.state !== "closing") answered.push(child.inboundSpi);
      removeChild(turn, sa, child, "deletedByPeer");
    }
  }
  return answered.length === 0 ? [] : [deletePayload(answered)];
}
