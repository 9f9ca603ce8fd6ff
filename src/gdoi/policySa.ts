/**
 * Group policy as an SA payload of DOI 2 and back. RFC 6407 sections 5.2 to 5.5. What a policy has and GDOI has not is
 * left out: SPIs of keys to come, key wrap algorithms, kinds of sequence numbers.
 */
import { fromHex, toHex, u32 } from "../base/bytes.ts";
import type { Selector } from "../esp/api.ts";
import type { BypassRule, DataSaPolicy, DataSuite, GroupPolicy, KekPolicy } from "../gikev2/policy.ts";
import { specsOf } from "../gikev2/policy.ts";
import type { Gap, GroupSa, SaKek, SaTek, SaTekPolicy } from "../wire/gdoi.ts";
import { isTekPolicy } from "../wire/gdoi.ts";
import { KekManagement, TekProtocol } from "../wire/gdoiNumbers.ts";
import { SequenceNumbers } from "../wire/ikev2Numbers.ts";
import { IpProtocol } from "../wire/ip.ts";
import {
  AddressPreservation,
  Doi,
  EncapsulationMode,
  EspTransform,
  IpsecAuthentication,
  LifeType,
  SaDirection,
} from "../wire/isakmpNumbers.ts";
import { attributeOf, numberValue } from "../wire/tagged.ts";
import { checkKnown, malformed, unsupported } from "./gdoiError.ts";
import { hasPortRange, rekeyEndFromWire, rekeyEndToWire, trafficFromWire, trafficToWire } from "./identities.ts";
import { kekCipher, kekSuite } from "./kek.ts";
import { bypassAttribute, bypassOf, GAP_X_BYPASS, portsAttribute, portsOf, SA_X_PORTS } from "./privateAttributes.ts";
import { authenticationOf, keyBits, numbersOf, pushSignature } from "./signature.ts";
import type { GdoiSwitches } from "./switches.ts";

/** RFC 2407 section 4.5, where a lifetime is absent. */
const LIFE_SECONDS_DEFAULT = 28_800;
/** First number of a message under a KEK. RFC 6407 section 4.3. */
export const FIRST_SEQUENCE = 1;

/** IKEv2's transform IDs, in which policies are told, beside those of the IPsec DOI. RFC 2407 section 4.4.4. */
const CIPHERS: readonly (readonly [ikev2: number, esp: number])[] = [
  [3, EspTransform["3DES"]],
  [11, EspTransform.NULL],
  [12, EspTransform.AES_CBC],
  [13, EspTransform.AES_CTR],
  [18, EspTransform.AES_GCM_8],
  [19, EspTransform.AES_GCM_12],
  [20, EspTransform.AES_GCM_16],
  [21, EspTransform.NULL_AES_GMAC],
];
const MACS: readonly (readonly [ikev2: number, esp: number])[] = [
  [1, IpsecAuthentication.HMAC_MD5],
  [2, IpsecAuthentication.HMAC_SHA1],
  [5, IpsecAuthentication.AES_XCBC],
  [12, IpsecAuthentication.HMAC_SHA2_256],
  [13, IpsecAuthentication.HMAC_SHA2_384],
  [14, IpsecAuthentication.HMAC_SHA2_512],
];

function toEsp(table: typeof CIPHERS, id: number): number | undefined {
  return table.find(([ikev2]) => ikev2 === id)?.[1];
}

function fromEsp(table: typeof CIPHERS, id: number): number | undefined {
  return table.find(([, esp]) => esp === id)?.[0];
}

/** What keeps a policy from being told in GDOI, undefined where nothing does. A key server looks before it begins. */
export function obstacle(policy: GroupPolicy, switches: GdoiSwitches): string | undefined {
  const { kek, dataSas, bypass } = policy;
  if (kek !== undefined && kekCipher(kek.suite) === undefined) return "the KEK's cipher is not one of GDOI's";
  if (kek?.authentication !== undefined && pushSignature(kek.authentication) === undefined) {
    return "rekeys of GDOI carry a signature with RSA or ECDSA";
  }
  for (const { suite, selector, more = [] } of dataSas) {
    const known = toEsp(CIPHERS, suite.encr) !== undefined && (suite.integ === 0 || toEsp(MACS, suite.integ));
    if (!known) return `suite ${suite.encr}/${suite.integ} is not one of the IPsec DOI's`;
    if (switches.denyEntries === "refuse" && [selector, ...more].some(hasPortRange)) return "a range of ports";
  }
  return switches.denyEntries === "refuse" && bypass.length > 0 ? "deny entries" : undefined;
}

// ------------------------------------------------------------------------------------------------------------ writing

/**
 * The caller has seen to it that there is no `obstacle`. `isLkh`: the KEK of a PUSH comes by way of a key hierarchy; a PULL
 * does not say so (RFC 6407 section 5.3.1).
 */
export function saOfPolicy(policy: GroupPolicy, isLkh = false): GroupSa {
  const policies: GroupSa["policies"][number][] = [];
  if (policy.kek !== undefined) policies.push({ kind: "SAK", body: kekToWire(policy.kek, isLkh) });
  const gap = gapToWire(policy);
  if (gap.attributes.length > 0) policies.push({ kind: "GAP", body: gap });
  for (const sa of policy.dataSas) {
    for (const selector of [sa.selector, ...(sa.more ?? [])]) {
      policies.push({ kind: "SAT", body: tekToWire(sa, selector, policy.mode) });
    }
  }
  return { doi: Doi.GDOI, situation: 0, policies };
}

function kekToWire(kek: KekPolicy, isLkh: boolean): SaKek {
  const cipher = kekCipher(kek.suite)!;
  const attributes: SaKek["attributes"][number][] = [];
  if (isLkh) attributes.push({ kind: "KEK_MANAGEMENT_ALGORITHM", value: KekManagement.LKH });
  attributes.push({ kind: "KEK_ALGORITHM", value: cipher.algorithm });
  if (kek.suite.encrKeyBits !== 0) attributes.push({ kind: "KEK_KEY_LENGTH", value: kek.suite.encrKeyBits });
  attributes.push({ kind: "KEK_KEY_LIFETIME", value: u32(kek.lifetimeSeconds) });
  const signature = kek.authentication && pushSignature(kek.authentication);
  if (signature !== undefined) {
    const { algorithm, hash } = numbersOf(signature);
    attributes.push({ kind: "SIG_HASH_ALGORITHM", value: hash }, { kind: "SIG_ALGORITHM", value: algorithm });
  }
  if (kek.publicKey !== undefined) attributes.push({ kind: "SIG_KEY_LENGTH", value: keyBits(kek.publicKey) });
  if (kek.acknowledgement !== undefined) {
    attributes.push({ kind: "KEK_ACK_REQUESTED", value: kek.acknowledgement });
  }
  return {
    protocol: IpProtocol.UDP,
    source: rekeyEndToWire(kek.source),
    destination: rekeyEndToWire(kek.destination),
    spi: fromHex(kek.spi),
    attributes,
  };
}

function gapToWire({ atdSeconds, dtdSeconds, bypass }: GroupPolicy): Gap {
  const attributes: Gap["attributes"][number][] = [];
  if (atdSeconds !== undefined) attributes.push({ kind: "ACTIVATION_TIME_DELAY", value: atdSeconds });
  if (dtdSeconds !== undefined) attributes.push({ kind: "DEACTIVATION_TIME_DELAY", value: dtdSeconds });
  return { attributes: [...attributes, ...bypass.map(bypassAttribute)] };
}

function tekToWire(sa: DataSaPolicy, selector: Selector, mode: GroupPolicy["mode"]): SaTekPolicy {
  const { lifetimeSeconds: seconds, suite } = sa;
  const encapsulation = mode === "tunnel" ? EncapsulationMode.TUNNEL : EncapsulationMode.TRANSPORT;
  const attributes: SaTekPolicy["attributes"][number][] = [
    { kind: "SA_LIFE_TYPE", value: LifeType.SECONDS },
    { kind: "SA_LIFE_DURATION", value: seconds <= 0xffff ? seconds : u32(seconds) },
    { kind: "ENCAPSULATION_MODE", value: encapsulation },
  ];
  if (suite.integ !== 0) attributes.push({ kind: "AUTHENTICATION_ALGORITHM", value: toEsp(MACS, suite.integ)! });
  if (suite.encrKeyBits !== 0) attributes.push({ kind: "KEY_LENGTH", value: suite.encrKeyBits });
  if (hasPortRange(selector)) attributes.push(portsAttribute(selector));
  return {
    protocol: TekProtocol.ESP,
    ...trafficToWire(selector),
    transform: toEsp(CIPHERS, suite.encr)!,
    spi: sa.spi,
    attributes,
  };
}

// ------------------------------------------------------------------------------------------------------------ reading

/**
 * What an SA payload says. The KEK's number and its public key come with KD. SATs with one SPI are one SA with several
 * selectors. Throws GdoiError.
 */
export function policyOfSa(sa: GroupSa, switches: GdoiSwitches): GroupPolicy {
  if (sa.doi !== Doi.GDOI || sa.situation !== 0) malformed(`DOI ${sa.doi}, situation ${sa.situation}`);
  let kek: KekPolicy | undefined;
  let gap: Gap | undefined;
  const dataSas = new Map<number, DataSaPolicy>();
  const modes = new Set<GroupPolicy["mode"]>();
  let places = 0;
  for (const entry of sa.policies) {
    if (entry.kind === "SAK") {
      if (kek !== undefined) malformed("two KEK policies");
      kek = kekFromWire(entry.body);
    } else if (entry.kind === "GAP") {
      if (gap !== undefined) malformed("two group policies");
      gap = entry.body;
    } else if (entry.kind === "SAT") {
      const tek = tekFromWire(entry.body, switches);
      dataSas.set(tek.sa.spi, joined(dataSas.get(tek.sa.spi), tek.sa));
      modes.add(tek.mode);
      places += 1;
    } else unsupported(`policy payload ${entry.type}`);
  }
  if (kek === undefined && dataSas.size === 0) malformed("neither a KEK nor a TEK");
  if (modes.size > 1) unsupported("tunnel mode and transport mode in one group");
  const [mode = "tunnel"] = modes;
  return {
    mode,
    ...(kek === undefined ? {} : { kek }),
    dataSas: [...dataSas.values()],
    ...groupWide(gap, places),
  };
}

/** The same SPI once more: further traffic of the SA, which otherwise has not changed. */
function joined(known: DataSaPolicy | undefined, sa: DataSaPolicy): DataSaPolicy {
  if (known === undefined) return sa;
  const isSame =
    known.suite.encr === sa.suite.encr &&
    known.suite.encrKeyBits === sa.suite.encrKeyBits &&
    known.suite.integ === sa.suite.integ &&
    known.lifetimeSeconds === sa.lifetimeSeconds;
  if (!isSame) malformed("one SPI for two different SAs");
  return { ...known, more: [...(known.more ?? []), sa.selector] };
}

function kekFromWire({ protocol, source, destination, spi, attributes }: SaKek): KekPolicy {
  if (protocol !== IpProtocol.UDP) unsupported(`rekeys over IP protocol ${protocol}`);
  checkKnown("KEK policy", attributes);
  const management = attributeOf(attributes, "KEK_MANAGEMENT_ALGORITHM");
  if (management !== undefined && management !== KekManagement.LKH) unsupported(`KEK management ${management}`);
  const algorithm = attributeOf(attributes, "KEK_ALGORITHM");
  const signature = attributeOf(attributes, "SIG_ALGORITHM");
  if (algorithm === undefined || signature === undefined) malformed("a KEK without cipher or signature");
  const lifetimeSeconds = numberValue(attributeOf(attributes, "KEK_KEY_LIFETIME"));
  if (lifetimeSeconds === undefined || lifetimeSeconds === 0) malformed("a KEK without a lifetime");
  const acknowledgement = attributeOf(attributes, "KEK_ACK_REQUESTED");
  return {
    spi: toHex(spi),
    suite: kekSuite(algorithm, attributeOf(attributes, "KEK_KEY_LENGTH")),
    source: rekeyEndFromWire(source),
    destination: rekeyEndFromWire(destination),
    lifetimeSeconds,
    authentication: authenticationOf(signature, attributeOf(attributes, "SIG_HASH_ALGORITHM")),
    nextMessageId: FIRST_SEQUENCE,
    nextSpis: [],
    ...(acknowledgement === undefined || acknowledgement === 0 ? {} : { acknowledgement }),
  };
}

function groupWide(gap: Gap | undefined, places: number): Pick<GroupPolicy, "bypass" | "atdSeconds" | "dtdSeconds"> {
  const attributes = gap?.attributes ?? [];
  const bypass: BypassRule[] = [];
  for (const attribute of attributes) {
    if (attribute.kind !== "unknown" || attribute.type !== GAP_X_BYPASS) continue;
    const rule = bypassOf(attribute.value);
    if (rule.before > places) malformed(`deny entry behind SA ${rule.before} of ${places}`);
    bypass.push(rule);
  }
  checkKnown(
    "group policy",
    attributes.filter((attribute) => attribute.kind !== "unknown" || attribute.type !== GAP_X_BYPASS),
  );
  const atdSeconds = attributeOf(attributes, "ACTIVATION_TIME_DELAY");
  const dtdSeconds = attributeOf(attributes, "DEACTIVATION_TIME_DELAY");
  return {
    bypass,
    ...(atdSeconds === undefined ? {} : { atdSeconds }),
    ...(dtdSeconds === undefined ? {} : { dtdSeconds }),
  };
}

type TekAttributes = SaTekPolicy["attributes"];

function tekFromWire(tek: SaTek, switches: GdoiSwitches) {
  if (!isTekPolicy(tek) || tek.protocol !== TekProtocol.ESP) return unsupported(`TEK of protocol ${tek.protocol}`);
  const { spi, attributes } = tek;
  if (spi === 0) malformed("a TEK with SPI 0");
  const own = attributes.find((attribute) => attribute.kind === "unknown" && attribute.type === SA_X_PORTS);
  checkKnown(
    "TEK policy",
    attributes.filter((attribute) => attribute !== own),
  );
  if (switches.unusualSas === "refuse") checkUsual(attributes);
  const selector = { ...trafficFromWire(tek), ...(own?.kind === "unknown" ? portsOf(own.value) : {}) };
  const sa: DataSaPolicy = {
    spi,
    suite: suiteFromWire(tek.transform, attributes),
    selector,
    lifetimeSeconds: lifetimeOf(attributes),
    // GDOI does not speak of them: many members send, so numbers in sequence say nothing (RFC 9827).
    sequenceNumbers: SequenceNumbers.UNSPECIFIED_32,
    nextSpis: [],
  };
  return { sa, mode: modeOf(attributes) };
}

function checkUsual(attributes: TekAttributes): void {
  const preservation = attributeOf(attributes, "ADDRESS_PRESERVATION") ?? AddressPreservation.BOTH;
  if (preservation !== AddressPreservation.BOTH) unsupported(`address preservation ${preservation}`);
  const direction = attributeOf(attributes, "SA_DIRECTION") ?? SaDirection.SYMMETRIC;
  if (direction !== SaDirection.SYMMETRIC) unsupported(`SA direction ${direction}`);
}

function suiteFromWire(transform: number, attributes: TekAttributes): DataSuite {
  const mac = attributeOf(attributes, "AUTHENTICATION_ALGORITHM");
  const encr = fromEsp(CIPHERS, transform);
  const integ = mac === undefined ? 0 : fromEsp(MACS, mac);
  if (encr === undefined || integ === undefined)
    return unsupported(`transform ${transform} with authentication ${mac}`);
  const suite = { encr, encrKeyBits: attributeOf(attributes, "KEY_LENGTH") ?? 0, integ };
  return specsOf(suite) === undefined ? unsupported(`suite ${encr}/${suite.encrKeyBits}/${integ}`) : suite;
}

/** Lives in kilobytes are passed over: no sender knows what all others have sent. */
function lifetimeOf(attributes: TekAttributes): number {
  let type = 0;
  for (const attribute of attributes) {
    if (attribute.kind === "SA_LIFE_TYPE") type = attribute.value;
    if (attribute.kind !== "SA_LIFE_DURATION" || type === LifeType.KILOBYTES) continue;
    const seconds = numberValue(attribute.value);
    if (type === 0 || seconds === undefined || seconds === 0) malformed("a lifetime without type or value");
    return seconds;
  }
  return LIFE_SECONDS_DEFAULT;
}

function modeOf(attributes: TekAttributes): GroupPolicy["mode"] {
  const mode = attributeOf(attributes, "ENCAPSULATION_MODE");
  if (mode === EncapsulationMode.TUNNEL) return "tunnel";
  return mode === EncapsulationMode.TRANSPORT ? "transport" : unsupported(`encapsulation mode ${mode}`);
}
