/** What both modes of phase 1 begin with. */
import { type Bytes, EMPTY, toHex } from "../base/bytes.ts";
import { secret } from "../base/secret.ts";
import type { DhGroup } from "../crypto/api.ts";
import { drawPrivateKey } from "../crypto/ephemeral.ts";
import { dhSpec } from "../crypto/suite.ts";
import type { Id } from "../wire/isakmp.ts";
import { encodeIsakmp } from "../wire/isakmpMessage.ts";
import { IsakmpExchange } from "../wire/isakmpNumbers.ts";
import { ISAKMP, type IsakmpKind, type IsakmpPayload } from "../wire/isakmpPayloads.ts";
import type { IsakmpPolicy, Phase1Mode, Tools } from "./api.ts";
import { findKey, hasNamedKey, type KeySearch } from "./profile.ts";
import { isServed, isSignature } from "./proposal.ts";
import { type IsakmpSa, NO_COOKIE, NO_NAT, type OwnHalf, type Phase, profileOf, type Turn } from "./state.ts";

/** RFC 2409 section 5 allows 8 to 256 octets; 32 are as much as the strongest hash here needs. */
const NONCE_LENGTH = 32;

export function isNonce(octets: Bytes): boolean {
  return octets.length >= 8 && octets.length <= 256;
}

export function newNonce(tools: Tools): Bytes {
  return tools.rng.bytes(NONCE_LENGTH);
}

/** Never zero: zeros stand for "not known yet". */
export function newCookie(tools: Tools): string {
  for (;;) {
    const cookie = toHex(tools.rng.bytes(8));
    if (cookie !== NO_COOKIE) return cookie;
  }
}

export function exchangeOf(mode: Phase1Mode): number {
  return mode === "main" ? IsakmpExchange.IDENTITY_PROTECTION : IsakmpExchange.AGGRESSIVE;
}

/** `peer`: the value that a responder answers. */
export function newHalf(tools: Tools, group: DhGroup, peer?: Bytes): OwnHalf {
  const privateKey = drawPrivateKey(tools, group, peer);
  return { privateKey: secret(privateKey), gxi: tools.crypto.dhPublic(group, privateKey), ni: newNonce(tools) };
}

/** A message of phase 1 in clear. */
export function encodeClear(sa: IsakmpSa, payloads: readonly IsakmpPayload[]): Bytes {
  const { cookieInitiator, cookieResponder, mode } = sa;
  const head = { cookieInitiator, cookieResponder, exchange: exchangeOf(mode), flags: 0, messageId: 0 };
  return encodeIsakmp(head, payloads, ISAKMP);
}

/** The two ends of an SA that is, or is about to be. */
type Ends = Pick<IsakmpSa, "local" | "remote">;

/** How the key of a peer is looked for: in the keyrings of the profile, or in all while that is not known. */
export function keySearch({ endpoint }: Turn, { local, remote }: Ends, profile = "", identity?: Id): KeySearch {
  const { keyrings } = profileOf(endpoint, profile) ?? {};
  return { local: local.address, remote: remote.address, identity, keyrings };
}

/**
 * The policies that can lead anywhere with this peer: methods that are implemented, a key for its address (or for some
 * identity, where Aggressive Mode will tell it) or a key to sign with.
 */
export function usablePolicies(turn: Turn, ends: Ends, mode: Phase1Mode, profile?: string): IsakmpPolicy[] {
  const { policies, profiles, keys } = turn.endpoint.config;
  const search = keySearch(turn, ends, profile);
  const hasKey = (mode === "aggressive" && hasNamedKey(keys, search)) || findKey(keys, search) !== undefined;
  const signs = profiles.some(({ name, signer }) => signer !== undefined && (profile ?? name) === name);
  return policies.filter(
    ({ authentication, group }) =>
      isServed(authentication) && dhSpec(group) !== undefined && (isSignature(authentication) ? signs : hasKey),
  );
}

/** What every new SA has in common. */
export function blankSa(
  fixed: Pick<
    IsakmpSa,
    | "number"
    | "initiator"
    | "mode"
    | "doi"
    | "local"
    | "remote"
    | "marker"
    | "cookieInitiator"
    | "cookieResponder"
    | "profile"
    | "agreed"
    | "phase"
    | "firstKey"
  >,
  now: number,
): IsakmpSa {
  return {
    number: fixed.number,
    initiator: fixed.initiator,
    mode: fixed.mode,
    doi: fixed.doi,
    local: fixed.local,
    remote: fixed.remote,
    marker: fixed.marker,
    cookieInitiator: fixed.cookieInitiator,
    cookieResponder: fixed.cookieResponder,
    profile: fixed.profile,
    keyring: undefined,
    identity: undefined,
    certificate: undefined,
    agreed: fixed.agreed,
    keys: undefined,
    iv: EMPTY,
    abilities: { nat: false, dpd: false },
    nat: NO_NAT,
    unverified: undefined,
    heardAt: now,
    sentAt: now,
    phase: fixed.phase,
    phase1: { exchange: exchangeOf(fixed.mode), messageId: 0, heard: undefined, sent: undefined, repeats: 0 },
    phase2: new Map(),
    informed: [],
    dpd: { own: undefined, peer: undefined, unanswered: 0 },
    createdAt: now,
    firstKey: fixed.firstKey,
  };
}

/** Payloads that may stand in any message of phase 1; others must be asked for. RFC 2409 section 5 leaves their order open. */
const ANYWHERE: ReadonlySet<string> = new Set(["VID", "CERT", "CERTREQ", "N", "NAT-D", "NAT-OA", "unknown"]);

/** Each of `kinds` exactly once, the first of them in front where `kinds` begins with SA, and nothing that is not expected. */
export function hasShape(payloads: readonly IsakmpPayload[], kinds: readonly IsakmpKind[]): boolean {
  if (kinds[0] === "SA" && payloads[0]?.kind !== "SA") return false;
  for (const kind of kinds) if (payloads.filter((payload) => payload.kind === kind).length !== 1) return false;
  return payloads.every(({ kind }) => ANYWHERE.has(kind) || kinds.includes(kind as IsakmpKind));
}

export function phaseIs<N extends Phase["at"]>(sa: IsakmpSa, at: N): Extract<Phase, { at: N }> | undefined {
  return sa.phase.at === at ? (sa.phase as Extract<Phase, { at: N }>) : undefined;
}
