/** Group policy as a GSA payload and back. RFC 9838 section 4.4. */
import type { Bytes } from "../../base/bytes.ts";
import { fromHex, toHex, u32, uintFrom } from "../../base/bytes.ts";
import { encrSpec, kwaSpec } from "../../crypto/suite.ts";
import type { Transform } from "../../wire/ikev2.ts";
import { GcAuth, NotifyType, Protocol, TransformType } from "../../wire/ikev2Numbers.ts";
import { withOne } from "../../wire/kit.ts";
import type { GroupWidePolicy, Gsa, Policy, SaPolicy } from "../../wire/rfc9838.ts";
import { isGroupWide } from "../../wire/rfc9838.ts";
import { attributeOf } from "../../wire/tagged.ts";
import type { BypassRule, DataSaPolicy, DataSuite, GroupPolicy, KekPolicy, RekeyAuthentication } from "../policy.ts";
import { specsOf, usesCounterMode } from "../policy.ts";
import { ProtocolError } from "../protocolError.ts";
import { rekeySelectorFromWire, rekeySelectorToWire, selectorFromWire, selectorToWire } from "../selectors.ts";
import type { Carrier } from "./legality.ts";
import { checkAttributes, DATA_POLICY, groupWideRows, KEK_POLICY } from "./legality.ts";

// ------------------------------------------------------------------------------------------------------------ writing

/**
 * `policy` in the form that `carrier` allows: what a rekey must not repeat is left out. The mode travels as a notify
 * beside the payload (USE_TRANSPORT_MODE).
 */
export function gsaOfPolicy(policy: GroupPolicy, carrier: Carrier): Gsa {
  const policies: Policy[] = [];
  if (policy.kek !== undefined) policies.push(kekToWire(policy.kek, carrier));
  for (const sa of policy.dataSas) policies.push(dataSaToWire(sa, carrier));
  const wide = groupWideToWire(policy);
  if (wide.attributes.length > 0) policies.push(wide);
  return { policies };
}

function inband(carrier: Carrier): boolean {
  return carrier === "inbandRegistration" || carrier === "inbandRekey";
}

function kekToWire(kek: KekPolicy, carrier: Carrier): SaPolicy {
  const attributes: SaPolicy["attributes"][number][] = [{ kind: "GSA_KEY_LIFETIME", value: kek.lifetimeSeconds }];
  // The first message over a new rekey SA has the number 0 (section 2.4.1.3), so only a registration says another one,
  // although table 9 allows the attribute in GSA_REKEY (note 2 of docs/rfc9838-notes.md).
  if (carrier === "registration" && kek.nextMessageId !== 0) {
    attributes.push({ kind: "GSA_INITIAL_MESSAGE_ID", value: kek.nextMessageId });
  }
  if (!inband(carrier)) for (const spi of kek.nextSpis) attributes.push({ kind: "GSA_NEXT_SPI", value: fromHex(spi) });
  return {
    protocol: Protocol.GIKE_UPDATE,
    spi: fromHex(kek.spi),
    source: rekeySelectorToWire(kek.source),
    destination: rekeySelectorToWire(kek.destination),
    transforms: [
      ...suiteToWire(kek.suite),
      ...(carrier === "registration" && kek.authentication !== undefined ? [gcAuthToWire(kek.authentication)] : []),
      transform(TransformType.KWA, kek.suite.kwa),
    ],
    attributes,
  };
}

function dataSaToWire(sa: DataSaPolicy, carrier: Carrier): SaPolicy {
  const attributes: SaPolicy["attributes"][number][] = [{ kind: "GSA_KEY_LIFETIME", value: sa.lifetimeSeconds }];
  if (!inband(carrier)) for (const spi of sa.nextSpis) attributes.push({ kind: "GSA_NEXT_SPI", value: u32(spi) });
  return {
    protocol: Protocol.ESP,
    spi: u32(sa.spi),
    ...selectorToWire(sa.selector),
    transforms: [...suiteToWire(sa.suite), transform(TransformType.SN, sa.sequenceNumbers)],
    attributes,
  };
}

function groupWideToWire(policy: GroupPolicy): GroupWidePolicy {
  const attributes: GroupWidePolicy["attributes"][number][] = [];
  if (policy.atdSeconds !== undefined) attributes.push({ kind: "GWP_ATD", value: policy.atdSeconds });
  if (policy.dtdSeconds !== undefined) attributes.push({ kind: "GWP_DTD", value: policy.dtdSeconds });
  if (policy.senderIdBits !== undefined) attributes.push({ kind: "GWP_SENDER_ID_BITS", value: policy.senderIdBits });
  for (const { before, selector } of policy.bypass) {
    attributes.push({ kind: "X_BYPASS", value: { before, ...selectorToWire(selector) } });
  }
  return { protocol: Protocol.NONE, attributes };
}

function transform(type: number, id: number, attributes: Transform["attributes"] = []): Transform {
  return { type, id, attributes };
}

function suiteToWire(suite: DataSuite): Transform[] {
  const bits = suite.encrKeyBits === 0 ? [] : [{ kind: "KEY_LENGTH", value: suite.encrKeyBits } as const];
  const encr = transform(TransformType.ENCR, suite.encr, bits);
  return suite.integ === 0 ? [encr] : [encr, transform(TransformType.INTEG, suite.integ)];
}

function gcAuthToWire(authentication: RekeyAuthentication): Transform {
  if (authentication.kind === "implicit") return transform(TransformType.GCAUTH, GcAuth.IMPLICIT);
  const attribute = { kind: "SIGNATURE_ALGORITHM_IDENTIFIER", value: authentication.algorithm } as const;
  return transform(TransformType.GCAUTH, GcAuth.DIGITAL_SIGNATURE, [attribute]);
}

// ------------------------------------------------------------------------------------------------------------ reading

/**
 * What a GSA payload says, beside a notify that says `mode`. `sender`: the receiver sent GROUP_SENDER, so Sender-ID
 * attributes may occur. Throws ProtocolError: INVALID_SYNTAX for what the RFC forbids, NO_PROPOSAL_CHOSEN for algorithms
 * that we do not have.
 */
export function policyOfGsa(gsa: Gsa, carrier: Carrier, sender: boolean, mode: GroupPolicy["mode"]): GroupPolicy {
  let kek: KekPolicy | undefined;
  let wide: GroupWidePolicy | undefined;
  let dataSas: DataSaPolicy[] | undefined;
  for (const entry of gsa.policies) {
    if (isGroupWide(entry)) {
      if (wide !== undefined) syntax("two group-wide policies");
      wide = entry;
    } else if (entry.protocol === Protocol.GIKE_UPDATE) {
      if (kek !== undefined) syntax("two policies of a rekey SA");
      kek = kekFromWire(entry, carrier);
    } else if (entry.protocol === Protocol.ESP) dataSas = withOne(dataSas, dataSaFromWire(entry, carrier));
    else refuse(`policy for protocol ${entry.protocol}`);
  }
  if (kek === undefined && dataSas === undefined) syntax("neither a rekey SA nor a data SA");
  const attributes = wide?.attributes ?? NO_ATTRIBUTES;
  const policy: GroupPolicy = {
    kek,
    dataSas: dataSas ?? [],
    bypass: bypassFromWire(attributes, dataSas?.length ?? 0),
    mode,
    atdSeconds: attributeOf(attributes, "GWP_ATD"),
    dtdSeconds: attributeOf(attributes, "GWP_DTD"),
    senderIdBits: attributeOf(attributes, "GWP_SENDER_ID_BITS"),
  };
  checkAttributes("group-wide policy", attributes, groupWideRows(sender && usesCounterMode(policy)), carrier);
  return policy;
}

const NO_ATTRIBUTES: GroupWidePolicy["attributes"] = [];

function syntax(problem: string): never {
  throw new ProtocolError(NotifyType.INVALID_SYNTAX, problem);
}

function refuse(problem: string): never {
  throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, problem);
}

/** Exactly one transform of each mandatory type, at most one of each optional type, none else. Section 4.4.2.1. */
function checkTransforms({ transforms }: SaPolicy, mandatory: readonly number[], optional: readonly number[]): void {
  for (const one of transforms) {
    if (!mandatory.includes(one.type) && !optional.includes(one.type)) syntax(`transform type ${one.type} in a policy`);
    if (transformOf(transforms, one.type) !== one) syntax(`two transforms of type ${one.type} in a policy`);
  }
  for (const type of mandatory) {
    if (transformOf(transforms, type) === undefined) syntax(`no transform of type ${type} in a policy`);
  }
}

/** The first of a type. */
function transformOf(transforms: readonly Transform[], type: number): Transform | undefined {
  for (const one of transforms) if (one.type === type) return one;
  return undefined;
}

const DATA_TRANSFORMS = [TransformType.ENCR, TransformType.SN];
const KEK_TRANSFORMS = [TransformType.ENCR, TransformType.KWA];
/** The authentication method is told at registration and cannot change by rekey (section 4.4.2.1). */
const KEK_TRANSFORMS_AT_REGISTRATION = [...KEK_TRANSFORMS, TransformType.GCAUTH];
const OPTIONAL_TRANSFORMS = [TransformType.INTEG];

function suiteFromWire({ transforms }: SaPolicy): DataSuite {
  const encr = transformOf(transforms, TransformType.ENCR)!;
  const encrKeyBits = attributeOf(encr.attributes, "KEY_LENGTH") ?? 0;
  const integ = transformOf(transforms, TransformType.INTEG)?.id ?? 0;
  const suite = { encr: encr.id, encrKeyBits, integ };
  const spec = encrSpec(encr.id, encrKeyBits);
  if (spec?.aead && integ !== 0) syntax("an integrity algorithm beside an AEAD cipher");
  if (spec !== undefined && !spec.aead && integ === 0) syntax("no integrity algorithm");
  if (specsOf(suite) === undefined) refuse(`suite ${encr.id}/${encrKeyBits}/${integ}`);
  return suite;
}

function kekFromWire(entry: SaPolicy, carrier: Carrier): KekPolicy {
  if (entry.spi.length !== 16) syntax(`rekey SA with an SPI of ${entry.spi.length} octets`);
  checkAttributes("rekey SA policy", entry.attributes, KEK_POLICY, carrier);
  const registering = carrier === "registration" || carrier === "inbandRegistration";
  checkTransforms(entry, registering ? KEK_TRANSFORMS_AT_REGISTRATION : KEK_TRANSFORMS, OPTIONAL_TRANSFORMS);
  const kwa = transformOf(entry.transforms, TransformType.KWA)!.id;
  if (kwaSpec(kwa) === undefined) refuse(`key wrap algorithm ${kwa}`);
  const { encr, encrKeyBits, integ } = suiteFromWire(entry);
  const gcAuth = transformOf(entry.transforms, TransformType.GCAUTH);
  return {
    spi: toHex(entry.spi),
    suite: { kwa, encr, encrKeyBits, integ },
    source: rekeySelectorFromWire(entry.source),
    destination: rekeySelectorFromWire(entry.destination),
    lifetimeSeconds: lifetimeOf(entry),
    authentication: gcAuth && gcAuthFromWire(gcAuth),
    nextMessageId: attributeOf(entry.attributes, "GSA_INITIAL_MESSAGE_ID") ?? 0,
    nextSpis: nextSpis(entry, 16).map(toHex),
  };
}

function gcAuthFromWire(gcAuth: Transform): RekeyAuthentication {
  const algorithm = attributeOf(gcAuth.attributes, "SIGNATURE_ALGORITHM_IDENTIFIER");
  if (gcAuth.id === GcAuth.DIGITAL_SIGNATURE) {
    if (algorithm === undefined) syntax("digital signature without its algorithm");
    return { kind: "signature", algorithm };
  }
  if (algorithm !== undefined) syntax("a signature algorithm without digital signature");
  if (gcAuth.id !== GcAuth.IMPLICIT) refuse(`group controller authentication ${gcAuth.id}`);
  return { kind: "implicit" };
}

function dataSaFromWire(entry: SaPolicy, carrier: Carrier): DataSaPolicy {
  if (entry.spi.length !== 4) syntax(`data SA with an SPI of ${entry.spi.length} octets`);
  checkAttributes("data SA policy", entry.attributes, DATA_POLICY, carrier);
  checkTransforms(entry, DATA_TRANSFORMS, OPTIONAL_TRANSFORMS);
  const sequenceNumbers = transformOf(entry.transforms, TransformType.SN)!.id;
  // 64-bit numbers are forbidden for multicast SAs (section 2.6): nobody could tell all senders' upper halves.
  if (sequenceNumbers !== 0 && sequenceNumbers !== 2) refuse(`sequence numbers ${sequenceNumbers}`);
  return {
    spi: uintFrom(entry.spi),
    suite: suiteFromWire(entry),
    selector: selectorFromWire(entry),
    lifetimeSeconds: lifetimeOf(entry),
    sequenceNumbers,
    nextSpis: nextSpis(entry, 4).map(uintFrom),
  };
}

/** In the inband method the attribute may be missing; the SA then lasts as long as the number of seconds can say. */
function lifetimeOf(entry: SaPolicy): number {
  return attributeOf(entry.attributes, "GSA_KEY_LIFETIME") ?? 0xffffffff;
}

function nextSpis(entry: SaPolicy, size: number): Bytes[] {
  const spis: Bytes[] = [];
  for (const attribute of entry.attributes) {
    if (attribute.kind !== "GSA_NEXT_SPI") continue;
    if (attribute.value.length !== size) syntax(`next SPI of ${attribute.value.length} octets`);
    spis.push(attribute.value);
  }
  return spis;
}

function bypassFromWire(attributes: GroupWidePolicy["attributes"], dataSas: number): readonly BypassRule[] {
  const bypass: BypassRule[] = [];
  for (const attribute of attributes) {
    if (attribute.kind !== "X_BYPASS") continue;
    const { before, source, destination } = attribute.value;
    if (before > dataSas) syntax(`bypass entry behind data SA ${before} of ${dataSas}`);
    bypass.push({ before, selector: selectorFromWire({ source, destination }) });
  }
  return bypass;
}
