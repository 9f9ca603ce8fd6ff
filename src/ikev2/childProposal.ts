/** Negotiation of a Child SA (ESP): offer, choice and check of the answer. RFC 7296 sections 3.3.2 and 3.3.6. */
import type { Bytes } from "../base/bytes.ts";
import { dhSpec, encrSpec, integSpec } from "../crypto/suite.ts";
import type { Proposal, Sa, Transform } from "../wire/ikev2.ts";
import { Dh, Integ, Protocol, TransformType } from "../wire/ikev2Numbers.ts";
import type { ChildProposal, ChildSuite } from "./api.ts";
import { choicesOf, common, matchAnswer, noInteg, type Sorted, sortTransforms, transform } from "./proposal.ts";

const CHILD_TYPES: readonly number[] = [TransformType.ENCR, TransformType.INTEG, TransformType.DH, TransformType.SN];

/** `withGroups` is false in IKE_AUTH, where there is no KE payload. AEAD and other ciphers go apart. */
export function offerChild(proposals: readonly ChildProposal[], spi: Bytes, withGroups: boolean): Sa {
  const wire: Proposal[] = [];
  for (const proposal of proposals) {
    for (const aead of [true, false]) {
      const encr = proposal.encr.filter((entry) => (encrSpec(entry.id, entry.keyBits)?.aead ?? false) === aead);
      if (encr.length === 0) continue;
      const transforms: Transform[] = [
        ...encr.map((entry) => transform(TransformType.ENCR, entry.id, entry.keyBits)),
        ...(aead ? [] : proposal.integ.map((id) => transform(TransformType.INTEG, id))),
        ...(withGroups ? proposal.dh.map((id) => transform(TransformType.DH, id)) : []),
        ...proposal.sn.map((id) => transform(TransformType.SN, id)),
      ];
      wire.push({ number: wire.length + 1, protocol: Protocol.ESP, spi, transforms });
    }
  }
  return { proposals: wire };
}

export interface ChildSelection {
  readonly suite: ChildSuite;
  /** Group of the key exchange; 0 for none. */
  readonly dh: number;
  readonly answer: Sa;
  /** SPI of the peer, of 4 octets. */
  readonly spi: Bytes;
}

/** The first of our proposals that meets an offered one. `withGroups` and `group`: as the request has a KE payload. */
export function selectChild(
  own: readonly ChildProposal[],
  offered: Sa,
  withGroups: boolean,
  group: number,
  ownSpi: Bytes,
): ChildSelection | undefined {
  for (const mine of own) {
    for (const theirs of offered.proposals) {
      if (theirs.protocol !== Protocol.ESP || theirs.spi.length !== 4) continue;
      const met = meet(mine, theirs, withGroups, group);
      if (met === undefined) continue;
      const { suite, dh } = met;
      const transforms = [transform(TransformType.ENCR, suite.encr, suite.encrKeyBits)];
      if (suite.integ !== Integ.NONE) transforms.push(transform(TransformType.INTEG, suite.integ));
      if (dh !== Dh.NONE) transforms.push(transform(TransformType.DH, dh));
      transforms.push(transform(TransformType.SN, suite.sn));
      const answer = { number: theirs.number, protocol: Protocol.ESP, spi: ownSpi, transforms };
      return { suite, dh, answer: { proposals: [answer] }, spi: theirs.spi };
    }
  }
  return undefined;
}

function meet(
  mine: ChildProposal,
  theirs: Proposal,
  withGroups: boolean,
  group: number,
): { suite: ChildSuite; dh: number } | undefined {
  const sorted = sortTransforms(theirs.transforms, CHILD_TYPES);
  if (sorted === undefined) return undefined;
  const theirEncr = choicesOf(sorted, TransformType.ENCR);
  const encr = mine.encr.find((entry) => theirEncr.some((t) => t.id === entry.id && t.keyBits === entry.keyBits));
  const spec = encr === undefined ? undefined : encrSpec(encr.id, encr.keyBits);
  if (encr === undefined || spec === undefined) return undefined;
  const integ = spec.aead ? noInteg(sorted) : common(mine.integ, sorted, TransformType.INTEG);
  const sn = common(mine.sn, sorted, TransformType.SN);
  const dh = withGroups ? commonGroup(mine.dh, sorted, group) : Dh.NONE;
  if (integ === undefined || sn === undefined || dh === undefined) return undefined;
  const suite = { encr: encr.id, encrKeyBits: encr.keyBits, integ, sn };
  return isUsable(suite, dh) ? { suite, dh } : undefined;
}

/** Without groups of our own we take only an offer that can do without; with some, only one that has one of them. */
function commonGroup(mine: readonly number[], sorted: Sorted, group: number): number | undefined {
  if (mine.length > 0) return common(mine.includes(group) ? [group, ...mine] : mine, sorted, TransformType.DH);
  if (!sorted.has(TransformType.DH)) return Dh.NONE;
  return choicesOf(sorted, TransformType.DH).some((choice) => choice.id === Dh.NONE) ? Dh.NONE : undefined;
}

function isUsable(suite: ChildSuite, dh: number): boolean {
  const encr = encrSpec(suite.encr, suite.encrKeyBits);
  if (encr === undefined) return false;
  return (encr.aead || integSpec(suite.integ) !== undefined) && (dh === Dh.NONE || dhSpec(dh) !== undefined);
}

/** Suite, group and peer's SPI of an answer that keeps to our offer. */
export function checkChildAnswer(offered: Sa, answer: Sa): Omit<ChildSelection, "answer"> | undefined {
  const matched = matchAnswer(offered, answer, Protocol.ESP);
  if (matched === undefined || matched.spi.length !== 4) return undefined;
  const { found, spi } = matched;
  const id = (type: number) => found.get(type)?.id ?? 0;
  const suite = {
    encr: id(TransformType.ENCR),
    encrKeyBits: found.get(TransformType.ENCR)?.keyBits ?? 0,
    integ: id(TransformType.INTEG),
    sn: id(TransformType.SN),
  };
  const dh = id(TransformType.DH);
  return isUsable(suite, dh) ? { suite, dh, spi } : undefined;
}
