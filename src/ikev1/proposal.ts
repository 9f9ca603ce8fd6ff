/**
 * The offer of phase 1 and its answer: one proposal whose transforms are alternatives. RFC 2409 sections 4 and 5.
 */
import { EMPTY, u32 } from "../base/bytes.ts";
import type { OakleyAttributes, Phase1Transform, Sa, Transform } from "../wire/isakmp.ts";
import { Doi, IsakmpProtocol, IsakmpTransform, LifeType, OakleyAuthentication } from "../wire/isakmpNumbers.ts";
import { attributeOf, numberValue } from "../wire/tagged.ts";
import type { IsakmpPolicy } from "./api.ts";
import type { Agreed } from "./state.ts";
import { suiteOf } from "./suite.ts";

/** GDOI has no situation (RFC 6407 section 5.2); the IPsec DOI's is SIT_IDENTITY_ONLY (RFC 2407 section 4.2). */
const SITUATIONS: ReadonlyMap<number, number> = new Map([
  [Doi.IPSEC, 1],
  [Doi.GDOI, 0],
]);

export function isSituation(doi: number, situation: number): boolean {
  return SITUATIONS.get(doi) === situation;
}

/** In the short form where it fits. No attributes for an SA without an end. */
function lifetimeAttributes(seconds: number): OakleyAttributes {
  if (seconds === 0) return [];
  return [
    { kind: "LIFE_TYPE", value: LifeType.SECONDS },
    { kind: "LIFE_DURATION", value: seconds <= 0xffff ? seconds : u32(seconds) },
  ];
}

function attributesOf(policy: IsakmpPolicy): OakleyAttributes {
  return [
    { kind: "ENCRYPTION", value: policy.encryption },
    { kind: "HASH", value: policy.hash },
    { kind: "AUTHENTICATION", value: policy.authentication },
    { kind: "GROUP", value: policy.group },
    ...lifetimeAttributes(policy.lifetimeSeconds),
    ...(policy.keyBits === 0 ? [] : [{ kind: "KEY_LENGTH", value: policy.keyBits } as const]),
  ];
}

export function offerOf(policies: readonly IsakmpPolicy[], doi: number): Sa {
  const transforms = policies.map((policy, index) => transform(index + 1, attributesOf(policy)));
  return saOf(doi, transforms);
}

function transform(number: number, attributes: OakleyAttributes): Phase1Transform {
  return { number, id: IsakmpTransform.KEY_IKE, attributes } as Phase1Transform;
}

function saOf(doi: number, transforms: readonly Transform[], number = 1, protocol: number = IsakmpProtocol.ISAKMP): Sa {
  const proposal = { number, protocol, spi: EMPTY, transforms };
  return { doi, situation: SITUATIONS.get(doi) ?? 0, proposals: [proposal] } as unknown as Sa;
}

/** The alternatives of an offer: phase 1 has exactly one proposal, of protocol ISAKMP. */
function alternatives(sa: Sa): readonly Phase1Transform[] | undefined {
  const [proposal, further] = sa.proposals;
  if (proposal === undefined || further !== undefined || proposal.protocol !== IsakmpProtocol.ISAKMP) return undefined;
  return proposal.transforms as readonly Phase1Transform[];
}

/** What a transform asks for, or undefined where it is beyond us. */
function policyOf(attributes: OakleyAttributes): IsakmpPolicy | undefined {
  const isOdd = attributes.some(({ kind }) => !KNOWN.has(kind));
  const lifetimeSeconds = lifetimeOf(attributes);
  if (isOdd || lifetimeSeconds === undefined) return undefined;
  return {
    encryption: attributeOf(attributes, "ENCRYPTION") ?? 0,
    keyBits: attributeOf(attributes, "KEY_LENGTH") ?? 0,
    hash: attributeOf(attributes, "HASH") ?? 0,
    group: attributeOf(attributes, "GROUP") ?? 0,
    authentication: attributeOf(attributes, "AUTHENTICATION") ?? 0,
    lifetimeSeconds,
  };
}

/** A private group or a PRF of its own means another suite than the numbers say. RFC 2409 section 4. */
const KNOWN: ReadonlySet<string> = new Set([
  "ENCRYPTION",
  "HASH",
  "AUTHENTICATION",
  "GROUP",
  "LIFE_TYPE",
  "LIFE_DURATION",
  "KEY_LENGTH",
]);

/** The duration in seconds, 0 for none; one in kilobytes is passed over. Undefined where a duration has no type. */
function lifetimeOf(attributes: OakleyAttributes): number | undefined {
  let type = 0;
  let seconds = 0;
  for (const attribute of attributes) {
    if (attribute.kind === "LIFE_TYPE") type = attribute.value;
    if (attribute.kind !== "LIFE_DURATION") continue;
    const value = numberValue(attribute.value);
    if (value === undefined || type === 0) return undefined;
    if (type === LifeType.SECONDS) seconds = value;
  }
  return seconds;
}

function isSame(a: IsakmpPolicy, b: IsakmpPolicy): boolean {
  return (
    a.encryption === b.encryption &&
    a.keyBits === b.keyBits &&
    a.hash === b.hash &&
    a.group === b.group &&
    a.authentication === b.authentication
  );
}

function shorter(a: number, b: number): number {
  return a === 0 || b === 0 ? Math.max(a, b) : Math.min(a, b);
}

export interface Chosen extends Agreed {
  readonly answer: Sa;
}

/**
 * A responder's choice: its own policies in order, each against all that the peer offers, as IOS does. The shorter of
 * both lifetimes holds. The answer repeats the transform with its attributes unchanged (RFC 2409 section 5).
 */
export function select(policies: readonly IsakmpPolicy[], sa: Sa): Chosen | undefined {
  const offered = alternatives(sa);
  if (offered === undefined) return undefined;
  for (const own of policies) {
    for (const candidate of offered) {
      const wanted = policyOf(candidate.attributes);
      const suite = suiteOf(candidate.attributes);
      if (wanted === undefined || suite === undefined || !isSame(own, wanted)) continue;
      const policy = { ...own, lifetimeSeconds: shorter(own.lifetimeSeconds, wanted.lifetimeSeconds) };
      return { policy, suite, answer: saOf(sa.doi, [candidate], sa.proposals[0]!.number) };
    }
  }
  return undefined;
}

/** What the responder chose of our offer, or undefined where its answer is none of ours. */
export function checkAnswer(policies: readonly IsakmpPolicy[], sa: Sa): Agreed | undefined {
  const answered = alternatives(sa);
  if (answered?.length !== 1) return undefined;
  const { attributes } = answered[0]!;
  const wanted = policyOf(attributes);
  const suite = suiteOf(attributes);
  if (wanted === undefined || suite === undefined) return undefined;
  const policy = policies.find((own) => isSame(own, wanted) && own.lifetimeSeconds === wanted.lifetimeSeconds);
  return policy && { policy, suite };
}

export function isSignature(authentication: number): boolean {
  return authentication === OakleyAuthentication.RSA_SIGNATURE;
}

export function isServed(authentication: number): boolean {
  return authentication === OakleyAuthentication.PRE_SHARED_KEY || isSignature(authentication);
}
