/**
 * Group policy as a GSA payload and back. draft-yeung-g-ikev2-08 sections 4.3 to 4.6. What the role's policy has and the
 * draft has not is left out: SPIs of keys to come, key wrap algorithms, kinds of sequence numbers.
 */
import type { Bytes } from "../../base/bytes.ts";
import { fromHex, toHex, u32, uintFrom } from "../../base/bytes.ts";
import type { Selector } from "../../esp/api.ts";
import type { Transform } from "../../wire/ikev2.ts";
import { NotifyType, SequenceNumbers, TransformType } from "../../wire/ikev2Numbers.ts";
import { attributeOf, numberValue } from "../../wire/tagged.ts";
import type * as Y from "../../wire/yeung07.ts";
import {
  isBypassPolicy,
  isGapPolicy,
  isKekPolicy,
  isTekPolicy,
  KekManagement,
  PolicyType,
  TekMode,
  TekProtocol,
} from "../../wire/yeung07.ts";
import type { BypassRule, DataSaPolicy, DataSuite, GroupPolicy, KekPolicy } from "../policy.ts";
import { specsOf } from "../policy.ts";
import { ProtocolError } from "../protocolError.ts";
import { rekeySelectorFromWire, rekeySelectorToWire, selectorFromWire, selectorToWire } from "../selectors.ts";
import { authenticationOf, numbersOf } from "./signature.ts";
import type { Yeung07Switches } from "./switches.ts";

/** Policy types from here on are for private use: those that we do not know are passed over. */
const PRIVATE_TYPES = 241;
/** Section 4.5.1: where LIFE_DURATION is absent. */
const LIFE_SECONDS_DEFAULT = 28_800;
/** Section 3.3.5. */
export const FIRST_MESSAGE_ID = 1;

/** Key wrap algorithms do not exist here: keys travel in clear inside the encrypted payload. */
const NO_KWA = 0;

// ------------------------------------------------------------------------------------------------------------ writing

/** `isLkh`: a registration that hands out keys of a tree; rekeys do not say so (version 08 section 4.4.1). */
export function gsaOfPolicy(policy: GroupPolicy, switches: Yeung07Switches, isLkh = false): Y.Gsa {
  const policies: Y.Policy[] = [];
  if (policy.kek !== undefined) policies.push(kekToWire(policy.kek, switches, isLkh));
  const gap = gapToWire(policy);
  if (gap.attributes.length > 0) policies.push(gap);
  const bypassAt = (place: number): Y.Policy[] =>
    switches.denyEntries === "none" ? [] : policy.bypass.filter(({ before }) => before === place).map(bypassToWire);
  let place = 0;
  for (const sa of policy.dataSas) {
    for (const selector of [sa.selector, ...(sa.more ?? [])]) {
      policies.push(...bypassAt(place++), tekToWire(sa, selector, policy.mode));
    }
  }
  policies.push(...bypassAt(place));
  return { policies };
}

type KekAttributes = Y.KekPolicy["attributes"][number][];

function kekToWire(kek: KekPolicy, switches: Yeung07Switches, isLkh: boolean): Y.KekPolicy {
  const { encr, encrKeyBits, integ } = kek.suite;
  const attributes: KekAttributes = [];
  if (isLkh) attributes.push({ kind: "KEK_MANAGEMENT_ALGORITHM", value: KekManagement.LKH });
  attributes.push({ kind: "KEK_ENCR_ALGORITHM", value: encr });
  if (encrKeyBits !== 0) attributes.push({ kind: "KEK_KEY_LENGTH", value: encrKeyBits });
  attributes.push({ kind: "KEK_KEY_LIFETIME", value: kek.lifetimeSeconds });
  if (integ !== 0) attributes.push({ kind: "KEK_INTEGRITY_ALGORITHM", value: integ });
  const signed = kek.authentication && numbersOf(kek.authentication, switches.hashNumbers);
  if (signed !== undefined) {
    attributes.push({ kind: "KEK_AUTH_METHOD", value: signed.method });
    attributes.push({ kind: "KEK_AUTH_ALGORITHM", value: signed.hash });
  }
  if (switches.seqPayload === "kekMessageId") {
    const { nextMessageId } = kek;
    // Two octets do not hold every number.
    const value = switches.kekMessageId === "tv" && nextMessageId <= 0xffff ? nextMessageId : u32(nextMessageId);
    attributes.push({ kind: "KEK_MESSAGE_ID", value });
  }
  return {
    type: PolicyType.KEK,
    spi: fromHex(kek.spi),
    source: rekeySelectorToWire(kek.source),
    destination: rekeySelectorToWire(kek.destination),
    attributes,
  };
}

function gapToWire({ atdSeconds, dtdSeconds }: GroupPolicy): Y.GapPolicy {
  const attributes: Y.GapPolicy["attributes"][number][] = [];
  if (atdSeconds !== undefined) attributes.push({ kind: "ACTIVATION_TIME_DELAY", value: atdSeconds });
  if (dtdSeconds !== undefined) attributes.push({ kind: "DEACTIVATION_TIME_DELAY", value: dtdSeconds });
  return { type: PolicyType.GAP, attributes };
}

function tekToWire(sa: DataSaPolicy, selector: Selector, mode: GroupPolicy["mode"]): Y.TekPolicy {
  const attributes: Y.TekPolicy["attributes"][number][] = [{ kind: "LIFE_DURATION", value: sa.lifetimeSeconds }];
  if (mode === "transport") attributes.push({ kind: "MODE", value: TekMode.TRANSPORT });
  return {
    type: PolicyType.TEK,
    protocol: TekProtocol.ESP,
    spi: u32(sa.spi),
    ...selectorToWire(selector),
    transforms: transformsOf(sa.suite),
    attributes,
  };
}

/** The figure shows one transform: an AEAD cipher needs no other. */
function transformsOf({ encr, encrKeyBits, integ }: DataSuite): Transform[] {
  const attributes: Transform["attributes"] = encrKeyBits === 0 ? [] : [{ kind: "KEY_LENGTH", value: encrKeyBits }];
  const cipher: Transform = { type: TransformType.ENCR, id: encr, attributes };
  return integ === 0 ? [cipher] : [cipher, { type: TransformType.INTEG, id: integ, attributes: [] }];
}

function bypassToWire({ selector }: BypassRule): Y.BypassPolicy {
  return { type: PolicyType.X_BYPASS, ...selectorToWire(selector) };
}

// ------------------------------------------------------------------------------------------------------------ reading

/**
 * What a GSA payload says; Sender-IDs are the business of KD. TEK policies with one SPI are one SA. Throws ProtocolError:
 * INVALID_SYNTAX for what the draft forbids, NO_PROPOSAL_CHOSEN for algorithms and policies that we do not have.
 */
export function policyOfGsa(gsa: Y.Gsa, switches: Yeung07Switches): GroupPolicy {
  let kek: KekPolicy | undefined;
  const dataSas = new Map<number, DataSaPolicy>();
  const bypass: BypassRule[] = [];
  const modes = new Set<GroupPolicy["mode"]>();
  let places = 0;
  for (const entry of gsa.policies) {
    if (isKekPolicy(entry)) {
      if (kek !== undefined) syntax("two KEK policies");
      kek = kekFromWire(entry, switches);
    } else if (isTekPolicy(entry)) {
      places += 1;
      modes.add(modeOf(entry));
      const sa = tekFromWire(entry);
      dataSas.set(sa.spi, joined(dataSas.get(sa.spi), sa));
    } else if (isBypassPolicy(entry)) bypass.push({ before: places, selector: selectorFromWire(entry) });
    else if (!isGapPolicy(entry) && entry.type < PRIVATE_TYPES) refuse(`policy of type ${entry.type}`);
  }
  if (kek === undefined && dataSas.size === 0) syntax("neither a KEK nor a TEK");
  if (modes.size > 1) refuse("tunnel mode and transport mode in one group");
  const [mode = "tunnel"] = modes;
  return {
    mode,
    ...(kek === undefined ? {} : { kek }),
    dataSas: [...dataSas.values()],
    bypass,
    ...delaysOf(gsa.policies.filter(isGapPolicy).flatMap(({ attributes }) => attributes)),
  };
}

function syntax(problem: string): never {
  throw new ProtocolError(NotifyType.INVALID_SYNTAX, problem);
}

function refuse(problem: string): never {
  throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, problem);
}

/** The same SPI once more: further traffic of the SA, which otherwise has not changed. */
function joined(known: DataSaPolicy | undefined, sa: DataSaPolicy): DataSaPolicy {
  if (known === undefined) return sa;
  const { suite, lifetimeSeconds } = known;
  const isSame =
    suite.encr === sa.suite.encr && suite.encrKeyBits === sa.suite.encrKeyBits && suite.integ === sa.suite.integ;
  if (!isSame || lifetimeSeconds !== sa.lifetimeSeconds) syntax("one SPI for two different SAs");
  return { ...known, more: [...(known.more ?? []), sa.selector] };
}

function checkedSuite(suite: DataSuite): DataSuite {
  if (specsOf(suite) === undefined) refuse(`suite ${suite.encr}/${suite.encrKeyBits}/${suite.integ}`);
  return suite;
}

function kekFromWire({ spi, source, destination, attributes }: Y.KekPolicy, switches: Yeung07Switches): KekPolicy {
  const management = attributeOf(attributes, "KEK_MANAGEMENT_ALGORITHM");
  const isKnown = management === KekManagement.LKH && switches.keyHierarchy !== "none";
  if (management !== undefined && !isKnown) refuse(`KEK management ${management}`);
  const encr = attributeOf(attributes, "KEK_ENCR_ALGORITHM");
  const lifetimeSeconds = attributeOf(attributes, "KEK_KEY_LIFETIME");
  if (encr === undefined || lifetimeSeconds === undefined) syntax("a KEK without cipher or lifetime");
  const suite = checkedSuite({
    encr,
    encrKeyBits: attributeOf(attributes, "KEK_KEY_LENGTH") ?? 0,
    integ: attributeOf(attributes, "KEK_INTEGRITY_ALGORITHM") ?? 0,
  });
  const method = attributeOf(attributes, "KEK_AUTH_METHOD");
  const hash = attributeOf(attributes, "KEK_AUTH_ALGORITHM") ?? 0;
  return {
    spi: toHex(spi),
    suite: { kwa: NO_KWA, ...suite },
    source: rekeySelectorFromWire(source),
    destination: rekeySelectorFromWire(destination),
    lifetimeSeconds,
    authentication:
      method === undefined ? { kind: "implicit" } : authenticationOf({ method, hash }, switches.hashNumbers),
    nextMessageId: messageIdOf(attributeOf(attributes, "KEK_MESSAGE_ID")),
    nextSpis: [],
  };
}

function messageIdOf(value: number | Bytes | undefined): number {
  if (value === undefined) return FIRST_MESSAGE_ID;
  const number = numberValue(value);
  if (number === undefined || number > 0xffffffff) syntax("KEK_MESSAGE_ID is no number of four octets");
  return number;
}

function tekFromWire(entry: Y.TekPolicy): DataSaPolicy {
  if (entry.protocol !== TekProtocol.ESP) refuse(`TEK for protocol ${entry.protocol}`);
  return {
    spi: uintFrom(entry.spi),
    suite: suiteFromWire(entry.transforms),
    selector: selectorFromWire(entry),
    lifetimeSeconds: attributeOf(entry.attributes, "LIFE_DURATION") ?? LIFE_SECONDS_DEFAULT,
    // The draft does not speak of them: many members send, so numbers in sequence say nothing (RFC 9827).
    sequenceNumbers: SequenceNumbers.UNSPECIFIED_32,
    nextSpis: [],
  };
}

function suiteFromWire(transforms: readonly Transform[]): DataSuite {
  const byType = new Map(transforms.map((transform) => [transform.type, transform]));
  if (byType.size !== transforms.length) syntax("two transforms of one type in a TEK policy");
  const encr = byType.get(TransformType.ENCR);
  if (encr === undefined) syntax("a TEK without a cipher");
  for (const type of byType.keys()) {
    if (type !== TransformType.ENCR && type !== TransformType.INTEG) syntax(`transform type ${type} in a TEK policy`);
  }
  const encrKeyBits = attributeOf(encr.attributes, "KEY_LENGTH") ?? 0;
  return checkedSuite({ encr: encr.id, encrKeyBits, integ: byType.get(TransformType.INTEG)?.id ?? 0 });
}

function modeOf({ attributes }: Y.TekPolicy): GroupPolicy["mode"] {
  const mode = attributeOf(attributes, "MODE");
  if (mode !== undefined && mode !== TekMode.TRANSPORT) refuse(`mode ${mode}`);
  return mode === undefined ? "tunnel" : "transport";
}

/** An attribute that is not known ends the matter. Section 4.6. */
function delaysOf(attributes: Y.GapPolicy["attributes"]): Pick<GroupPolicy, "atdSeconds" | "dtdSeconds"> {
  for (const { kind } of attributes) if (kind === "unknown") refuse("an unknown attribute of the group's policy");
  const atdSeconds = attributeOf(attributes, "ACTIVATION_TIME_DELAY");
  const dtdSeconds = attributeOf(attributes, "DEACTIVATION_TIME_DELAY");
  return {
    ...(atdSeconds === undefined ? {} : { atdSeconds }),
    ...(dtdSeconds === undefined ? {} : { dtdSeconds }),
  };
}
