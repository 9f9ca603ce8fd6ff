/** Requests of GSA_AUTH and GSA_REGISTRATION. RFC 9838 sections 2.3.1 to 2.3.4. */
import type { Bytes } from "../../base/bytes.ts";
import { EMPTY, u32, uintFrom } from "../../base/bytes.ts";
import { encrSpec } from "../../crypto/suite.ts";
import type { Notify, Proposal, Sa, Transform } from "../../wire/ikev2.ts";
import { GcAuth, NotifyType, Protocol, SequenceNumbers, TransformType } from "../../wire/ikev2Numbers.ts";
import type { Payload } from "../../wire/payloads.ts";
import { notifyOf, payloadOf } from "../../wire/payloads.ts";
import { attributeOf } from "../../wire/tagged.ts";
import type { RegistrationIntent } from "../dialect.ts";
import type { GroupId } from "../groupId.ts";
import { groupOfId, idOfGroup } from "../groupId.ts";
import type { Capabilities, DataSuite, KekSuite, Registration } from "../policy.ts";
import { ProtocolError } from "../protocolError.ts";

/** A Notify that concerns no SA. */
export function notify(type: number, data = EMPTY): Payload {
  return { kind: "N", body: { protocol: Protocol.NONE, type, spi: EMPTY, data } };
}

/** IDg, [SAg,] [N(GROUP_SENDER)]. */
export function registrationPayloads(registration: Registration): Payload[] {
  const payloads: Payload[] = [{ kind: "IDg", body: idOfGroup(registration.group) }];
  if (registration.capabilities !== undefined) {
    payloads.push({ kind: "SA", body: sagOfCapabilities(registration.capabilities) });
  }
  if (registration.senderIds !== undefined) {
    payloads.push(notify(NotifyType.GROUP_SENDER, u32(registration.senderIds)));
  }
  return payloads;
}

/** IDg and an error notify: the member leaves, or cannot work with the policy. Section 2.3.2. */
export function withdrawalPayloads(group: GroupId, type: number): Payload[] {
  return [{ kind: "IDg", body: idOfGroup(group) }, notify(type)];
}

/** Throws ProtocolError: INVALID_GROUP_ID for an identity that no group can have, INVALID_SYNTAX. */
export function intentOfPayloads(payloads: readonly Payload[]): RegistrationIntent {
  const id = payloadOf(payloads, "IDg");
  if (id === undefined) throw new ProtocolError(NotifyType.INVALID_SYNTAX, "no IDg");
  const group = groupOfId(id);
  if (group === undefined) throw new ProtocolError(NotifyType.INVALID_GROUP_ID, `identity of type ${id.type}`);
  // An error notify in this request is no error of the IKE SA: it is what the member says about the group's policy.
  for (const type of LEAVING) if (notifyOf(payloads, type) !== undefined) return { kind: "leave", group, notify: type };
  const sag = payloadOf(payloads, "SA");
  const sender = notifyOf(payloads, NotifyType.GROUP_SENDER);
  const registration: Registration = {
    group,
    senderIds: sender === undefined ? undefined : wantedSenderIds(sender),
    ...(sag === undefined ? {} : { capabilities: capabilitiesOfSag(sag) }),
  };
  return { kind: "join", registration };
}

const LEAVING: readonly number[] = [NotifyType.NO_PROPOSAL_CHOSEN, NotifyType.REGISTRATION_FAILED];

/** Four octets; 0 and 1 both mean one, because one is given without asking. Section 4.7.4. */
function wantedSenderIds(sender: Notify): number {
  if (sender.data.length !== 4) {
    throw new ProtocolError(NotifyType.INVALID_SYNTAX, `GROUP_SENDER with ${sender.data.length} octets`);
  }
  return Math.max(1, uintFrom(sender.data));
}

// ---------------------------------------------------------------------------------------------------------------- SAg

/**
 * What a member can accept, in the layout of an SA payload: one proposal for the rekey SA and one for data SAs with the
 * same number, so that they depend on each other. AEAD ciphers and others may share a proposal. Section 2.3.3.
 */
function sagOfCapabilities({ kek, data, signatures }: Capabilities): Sa {
  return {
    proposals: [
      proposal(Protocol.GIKE_UPDATE, [
        ...suiteTransforms(kek),
        ...transforms(TransformType.KWA, idsOf(kek.map((suite) => suite.kwa))),
        ...transforms(TransformType.GCAUTH, idsOf([GcAuth.IMPLICIT])),
        ...signatures.map(signatureTransform),
      ]),
      proposal(Protocol.ESP, [
        ...suiteTransforms(data),
        ...transforms(TransformType.SN, idsOf([SequenceNumbers.UNSPECIFIED_32, SequenceNumbers.SEQUENTIAL_32])),
      ]),
    ],
  };
}

function signatureTransform(algorithm: Bytes): Transform {
  const attribute = { kind: "SIGNATURE_ALGORITHM_IDENTIFIER", value: algorithm } as const;
  return { type: TransformType.GCAUTH, id: GcAuth.DIGITAL_SIGNATURE, attributes: [attribute] };
}

function proposal(protocol: number, list: readonly Transform[]): Proposal {
  return { number: 1, protocol, spi: EMPTY, transforms: list };
}

interface Offer {
  readonly id: number;
  readonly bits: number;
}

function idsOf(ids: readonly number[]): Offer[] {
  return [...new Set(ids)].map((id) => ({ id, bits: 0 }));
}

function suiteTransforms(suites: readonly DataSuite[]): Transform[] {
  const ciphers = new Map(suites.map((s) => [`${s.encr}/${s.encrKeyBits}`, { id: s.encr, bits: s.encrKeyBits }]));
  const integ = suites.map((suite) => suite.integ).filter((id) => id !== 0);
  return [...transforms(TransformType.ENCR, [...ciphers.values()]), ...transforms(TransformType.INTEG, idsOf(integ))];
}

function transforms(type: number, offers: readonly Offer[]): Transform[] {
  return offers.map(({ id, bits }) => ({
    type,
    id,
    attributes: bits === 0 ? [] : [{ kind: "KEY_LENGTH", value: bits } as const],
  }));
}

/** Every combination of ciphers and integrity algorithms that fit together, per protocol. */
function capabilitiesOfSag(sag: Sa): Capabilities {
  const kek: KekSuite[] = [];
  const data: DataSuite[] = [];
  const signatures: Bytes[] = [];
  for (const entry of sag.proposals) {
    const suites = suitesOf(entry);
    if (entry.protocol === Protocol.ESP) data.push(...suites);
    if (entry.protocol !== Protocol.GIKE_UPDATE) continue;
    for (const { attributes } of entry.transforms) {
      const algorithm = attributeOf(attributes, "SIGNATURE_ALGORITHM_IDENTIFIER");
      if (algorithm !== undefined) signatures.push(algorithm);
    }
    for (const suite of suites) for (const kwa of idsIn(entry, TransformType.KWA)) kek.push({ kwa, ...suite });
  }
  return { kek, data, signatures };
}

function idsIn(entry: Proposal, type: number): number[] {
  return entry.transforms.filter((transform) => transform.type === type).map((transform) => transform.id);
}

function suitesOf(entry: Proposal): DataSuite[] {
  const integ = idsIn(entry, TransformType.INTEG);
  return entry.transforms
    .filter((transform) => transform.type === TransformType.ENCR)
    .flatMap((transform) => {
      const encrKeyBits = attributeOf(transform.attributes, "KEY_LENGTH") ?? 0;
      const aead = encrSpec(transform.id, encrKeyBits)?.aead === true;
      return (aead ? [0] : integ).map((id) => ({ encr: transform.id, encrKeyBits, integ: id }));
    });
}
