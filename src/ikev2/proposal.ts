/**
 * Negotiation of an IKE SA: what we offer, what we take of an offer, and whether an answer keeps to what we offered. RFC
 * 7296 section 3.3.6, RFC 5282 section 8 (AEAD), RFC 9838 section 4.5.4 (key wrap algorithm).
 */
import { type Bytes, EMPTY } from "../base/bytes.ts";
import { dhSpec, encrSpec, integSpec, kwaSpec, prfSpec } from "../crypto/suite.ts";
import type { Proposal, Sa, Transform } from "../wire/ikev2.ts";
import { Integ, Protocol, TransformType } from "../wire/ikev2Numbers.ts";
import type { Attribute } from "../wire/tagged.ts";
import type { IkeProposal, IkeSuite } from "./api.ts";

/** A transform that we can talk about: no attribute but a key length. */
export interface Choice {
  readonly id: number;
  readonly keyBits: number;
}

/** Transform types of an IKE SA; any other makes a proposal unacceptable. */
const IKE_TYPES: readonly number[] = [
  TransformType.ENCR,
  TransformType.PRF,
  TransformType.INTEG,
  TransformType.DH,
  TransformType.KWA,
];

export function transform(type: number, id: number, keyBits = 0): Transform {
  const attributes: readonly Attribute<never>[] = [];
  return {
    type,
    id,
    attributes: keyBits === 0 ? attributes : [{ kind: "KEY_LENGTH", value: keyBits }],
  } as Transform;
}

/**
 * The SA payload of our proposals in order of preference. AEAD ciphers and others go into proposals of their own, as the
 * former must not come with an integrity algorithm. `spi`: 8 octets when an IKE SA is rekeyed.
 */
export function offer(proposals: readonly IkeProposal[], spi = EMPTY): Sa {
  if (spi.length > 0) return newOffer(proposals, spi);
  let made = firstOffers.get(proposals);
  if (made === undefined) {
    made = newOffer(proposals, spi);
    firstOffers.set(proposals, made);
  }
  return made;
}

/** Offers of first SAs by what was configured: an initiator needs its own twice (7 kB of a registration's 190). */
const firstOffers = new WeakMap<readonly IkeProposal[], Sa>();

function newOffer(proposals: readonly IkeProposal[], spi: Bytes): Sa {
  const wire: Proposal[] = [];
  for (const proposal of proposals) {
    for (const aead of [true, false]) {
      const encr = proposal.encr.filter((entry) => isAead(entry.id, entry.keyBits) === aead);
      if (encr.length === 0) continue;
      const transforms = [
        ...encr.map((entry) => transform(TransformType.ENCR, entry.id, entry.keyBits)),
        ...proposal.prf.map((id) => transform(TransformType.PRF, id)),
        ...(aead ? [] : proposal.integ.map((id) => transform(TransformType.INTEG, id))),
        ...proposal.dh.map((id) => transform(TransformType.DH, id)),
        ...proposal.kwa.map((id) => transform(TransformType.KWA, id)),
      ];
      wire.push({ number: wire.length + 1, protocol: Protocol.IKE, spi, transforms });
    }
  }
  return { proposals: wire };
}

/** What a responder answers: the proposal with one transform of each type. */
export interface Selection {
  readonly suite: IkeSuite;
  readonly answer: Sa;
  /** The SPI that came with the chosen proposal: 8 octets in a rekey, else none. */
  readonly spi: Uint8Array;
}

/**
 * The first of our proposals that meets one of the offered ones, our order of preference inside it; of the groups that
 * both sides have, `group` (that of the KE payload) is taken where it is one, which saves a round trip. `ownSpi`: SPI of
 * the answer when an IKE SA is rekeyed. Undefined: no proposal chosen.
 */
export function select(
  own: readonly IkeProposal[],
  offered: Sa,
  group: number,
  ownSpi: Uint8Array = EMPTY,
): Selection | undefined {
  for (const mine of own) {
    for (const theirs of offered.proposals) {
      const suite = theirs.protocol === Protocol.IKE ? meet(mine, theirs, group) : undefined;
      if (suite === undefined) continue;
      const answer: Proposal = {
        number: theirs.number,
        protocol: Protocol.IKE,
        spi: ownSpi,
        transforms: suiteTransforms(suite),
      };
      return { suite, answer: { proposals: [answer] }, spi: theirs.spi };
    }
  }
  return undefined;
}

function suiteTransforms(suite: IkeSuite): Transform[] {
  const transforms = [
    transform(TransformType.ENCR, suite.encr, suite.encrKeyBits),
    transform(TransformType.PRF, suite.prf),
  ];
  if (suite.integ !== Integ.NONE) transforms.push(transform(TransformType.INTEG, suite.integ));
  transforms.push(transform(TransformType.DH, suite.dh));
  if (suite.kwa !== 0) transforms.push(transform(TransformType.KWA, suite.kwa));
  return transforms;
}

function meet(mine: IkeProposal, theirs: Proposal, group: number): IkeSuite | undefined {
  const sorted = sortTransforms(theirs.transforms, IKE_TYPES);
  if (sorted === undefined) return undefined;
  const theirEncr = choicesOf(sorted, TransformType.ENCR);
  const encr = mine.encr.find((entry) => theirEncr.some((t) => t.id === entry.id && t.keyBits === entry.keyBits));
  const spec = encr === undefined ? undefined : encrSpec(encr.id, encr.keyBits);
  if (encr === undefined || spec === undefined) return undefined;
  const prf = common(mine.prf, sorted, TransformType.PRF);
  const integ = spec.aead ? noInteg(sorted) : common(mine.integ, sorted, TransformType.INTEG);
  const dh = common(mine.dh.includes(group) ? [group, ...mine.dh] : mine.dh, sorted, TransformType.DH);
  const kwa = commonKwa(mine.kwa, sorted);
  if (prf === undefined || integ === undefined || dh === undefined || kwa === undefined) return undefined;
  const suite: IkeSuite = { encr: encr.id, encrKeyBits: encr.keyBits, prf, integ, dh, kwa };
  return isUsable(suite) ? suite : undefined;
}

export type Sorted = ReadonlyMap<number, readonly Transform[]>;

/** Transforms by type; undefined where a type does not belong there. RFC 7296 section 3.3.6. */
export function sortTransforms(transforms: readonly Transform[], types: readonly number[]): Sorted | undefined {
  const sorted = new Map<number, Transform[]>();
  for (const entry of transforms) {
    if (!types.includes(entry.type)) return undefined;
    const list = sorted.get(entry.type);
    if (list === undefined) sorted.set(entry.type, [entry]);
    else list.push(entry);
  }
  return sorted;
}

/** Transforms of a type without those whose attributes we do not know. */
export function choicesOf(sorted: Sorted, type: number): readonly Choice[] {
  const choices: Choice[] = [];
  for (const entry of sorted.get(type) ?? []) {
    const choice = choiceOf(entry);
    if (choice !== undefined) choices.push(choice);
  }
  return choices;
}

/** Undefined where an attribute is not known: such a transform must not be chosen. */
export function choiceOf(entry: Transform): Choice | undefined {
  let keyBits = 0;
  for (const attribute of entry.attributes) {
    if (attribute.kind !== "KEY_LENGTH") return undefined;
    keyBits = attribute.value as number;
  }
  return { id: entry.id, keyBits };
}

export function common(mine: readonly number[], sorted: Sorted, type: number): number | undefined {
  const theirs = choicesOf(sorted, type);
  return mine.find((id) => theirs.some((choice) => choice.id === id && choice.keyBits === 0));
}

/** With an AEAD cipher the type must be absent or offer NONE. */
export function noInteg(sorted: Sorted): number | undefined {
  const theirs = choicesOf(sorted, TransformType.INTEG);
  return theirs.length === 0 || theirs.some((choice) => choice.id === Integ.NONE) ? Integ.NONE : undefined;
}

/**
 * Type 13: who has no use for it is a plain IKEv2 responder, to whom the type is unknown, so the proposal is refused; who
 * wants it takes no proposal without it. RFC 9838 section 4.5.4 with RFC 7296 section 3.3.6.
 */
function commonKwa(mine: readonly number[], sorted: Sorted): number | undefined {
  const offered = sorted.has(TransformType.KWA);
  if (mine.length === 0) return offered ? undefined : 0;
  return common(mine, sorted, TransformType.KWA);
}

/** All algorithms of the suite are ones that we have. */
function isUsable(suite: IkeSuite): boolean {
  const encr = encrSpec(suite.encr, suite.encrKeyBits);
  if (encr === undefined || encr.kind === "null" || encr.kind === "aes-gmac") return false;
  return (
    prfSpec(suite.prf) !== undefined &&
    (encr.aead || integSpec(suite.integ) !== undefined) &&
    dhSpec(suite.dh) !== undefined &&
    (suite.kwa === 0 || kwaSpec(suite.kwa) !== undefined)
  );
}

/**
 * The suite of an answer to our offer, with the SPI that it carries. Undefined where it is not exactly one of our
 * proposals with one transform of each of its types: an initiator must not accept that. RFC 7296 section 3.3.6.
 */
export function checkAnswer(
  offered: Sa,
  answer: Sa,
): { readonly suite: IkeSuite; readonly spi: Uint8Array } | undefined {
  const matched = matchAnswer(offered, answer, Protocol.IKE);
  if (matched === undefined) return undefined;
  const { found, spi } = matched;
  const id = (type: number) => found.get(type)?.id ?? 0;
  const suite: IkeSuite = {
    encr: id(TransformType.ENCR),
    encrKeyBits: found.get(TransformType.ENCR)?.keyBits ?? 0,
    prf: id(TransformType.PRF),
    integ: id(TransformType.INTEG),
    dh: id(TransformType.DH),
    kwa: id(TransformType.KWA),
  };
  return isUsable(suite) ? { suite, spi } : undefined;
}

/** One transform of each type that the offer's proposal of that number has, each one of those offered. */
export function matchAnswer(
  offered: Sa,
  answer: Sa,
  protocol: number,
): { readonly found: ReadonlyMap<number, Choice>; readonly spi: Uint8Array } | undefined {
  const chosen = answer.proposals.length === 1 ? answer.proposals[0]! : undefined;
  const mine = offered.proposals.find((proposal) => proposal.number === chosen?.number);
  if (chosen === undefined || mine === undefined || chosen.protocol !== protocol) return undefined;
  const found = new Map<number, Choice>();
  for (const entry of chosen.transforms) {
    const choice = choiceOf(entry);
    if (choice === undefined || found.has(entry.type)) return undefined;
    // Some responders write "none" out where we left the type away.
    const silent = entry.id === 0 && (entry.type === TransformType.INTEG || entry.type === TransformType.DH);
    if (!silent && !mine.transforms.some((own) => own.type === entry.type && sameChoice(own, choice))) return undefined;
    found.set(entry.type, choice);
  }
  return mine.transforms.every((own) => found.has(own.type)) ? { found, spi: chosen.spi } : undefined;
}

function sameChoice(own: Transform, choice: Choice): boolean {
  const mine = choiceOf(own);
  return mine !== undefined && mine.id === choice.id && mine.keyBits === choice.keyBits;
}

function isAead(id: number, keyBits: number): boolean {
  return encrSpec(id, keyBits)?.aead ?? false;
}
