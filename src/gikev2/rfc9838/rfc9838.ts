/**
 * G-IKEv2 as RFC 9838 (November 2025) has it. GSA_AUTH and GSA_REGISTRATION hand out policy and wrapped keys,
 * GSA_INBAND_REKEY renews them in a member's IKE SA, GSA_REKEY for all members at once.
 */
import { WireError } from "../../base/errors.ts";
import type { Secret } from "../../base/secret.ts";
import type { Crypto, PublicKey } from "../../crypto/api.ts";
import { errorNotify } from "../../wire/grammar.ts";
import { Id } from "../../wire/ikev2.ts";
import { Exchange, NotifyType, PayloadType, Protocol } from "../../wire/ikev2Numbers.ts";
import { withOne } from "../../wire/kit.ts";
import type { Payload } from "../../wire/payloads.ts";
import { notifyOf, payloadOf, RFC9838 } from "../../wire/payloads.ts";
import { Gsa } from "../../wire/rfc9838.ts";
import { type Dialect, type Excluded, NO_ACKNOWLEDGEMENT, type PreparedRekey } from "../dialect.ts";
import type { GroupId } from "../groupId.ts";
import { groupOfId, idOfGroup } from "../groupId.ts";
import { newKekKeys, rekeyKeyEntry, wrapOctets } from "../keyMaterial.ts";
import type { Deletion, Grant, GroupPolicy, GroupUpdate } from "../policy.ts";
import { NO_KEYS, NO_POLICY } from "../policy.ts";
import { ProtocolError, reading } from "../protocolError.ts";
import { deleteOfDeletion, deletionOfDelete } from "./deletion.ts";
import { gsaOfPolicy, policyOfGsa } from "./gsa.ts";
import { blankKd, filledKd, type KdReading, kdOfKeys, keysOfKd } from "./kd.ts";
import { unicastKwk } from "./keyWrap.ts";
import type { Carrier } from "./legality.ts";
import { intentOfPayloads, notify, registrationPayloads, withdrawalPayloads } from "./registration.ts";
import { openRekeyMessage, sealRekeyMessage } from "./rekeyMessage.ts";

const NO_MEMBER_KEYS = { senderIds: [] };

export const rfc9838: Dialect = {
  name: "rfc9838",
  registry: RFC9838,
  authExchange: Exchange.GSA_AUTH,
  registrationExchange: Exchange.GSA_REGISTRATION,
  unicastRekey: "inband",
  inbandExchange: Exchange.GSA_INBAND_REKEY,
  firstMessageId: 0,
  sharesDataSa: false,
  repeatsAuthentication: false,
  closesIdleSas: true,
  acknowledgement: NO_ACKNOWLEDGEMENT,
  refusalEndsSa: false,

  treeKeyOctets: wrapOctets,
  newKekKeys,
  keyEntry: (sa) => rekeyKeyEntry(sa, "rfc9838"),

  unicastKwk: (crypto, suite, skD) => unicastKwk(crypto, suite.prf, skD, suite.kwa),
  registration: registrationPayloads,
  withdrawal: withdrawalPayloads,
  readRegistration: (payloads) => reading(() => intentOfPayloads(payloads)),
  refusal: (type) => [notify(type)],

  grant(crypto, kwk, grant) {
    const { policy, keys, senderIds } = grant;
    const member = { senderIds, ...(policy.kek?.publicKey === undefined ? {} : { publicKey: policy.kek.publicKey }) };
    return [
      { kind: "GSA", body: gsaOfPolicy(policy, registrationCarrier(policy)) },
      { kind: "KD", body: kdOfKeys(crypto, kwk, policy, keys, member) },
      ...modeNotify(policy),
      ...deletePayloads(grant.deletions),
    ];
  },

  readGrant(crypto, kwk, payloads, sender) {
    return reading(() => {
      const type = errorNotify(payloads);
      if (payloadOf(payloads, "GSA") === undefined && type !== undefined) return { kind: "refused", notify: type };
      return { kind: "granted", grant: readGrant(crypto, kwk, payloads, sender) };
    });
  },

  prepareInband(update) {
    const others = [...modeNotify(update.policy), ...deletePayloads(update.deletions)];
    if (isBare(update)) return { shared: others };
    const { policy, keys } = update;
    return { shared: [gsaAsOctets(policy), ...others], blankKd: blankKd(policy, keys) };
  },

  inbandRekey(crypto, kwk, { shared, blankKd: blank }: PreparedRekey, group) {
    const named = group === undefined ? shared : [...shared, nameNotify(group)];
    if (blank === undefined) return named;
    const kd: Payload = { kind: "unknown", type: PayloadType.KD, critical: false, body: filledKd(crypto, kwk, blank) };
    // Behind the GSA payload, which comes first.
    return named.toSpliced(1, 0, kd);
  },

  readInbandRekey(crypto, kwk, payloads) {
    return reading(() => {
      const read = readUpdate(crypto, kwk, payloads, {
        carrier: "inbandRekey",
        signed: false,
        sender: false,
        path: [],
      });
      if ("excluded" in read) throw new ProtocolError(NotifyType.INVALID_SYNTAX, "a key hierarchy in an inband rekey");
      const group = namedGroup(payloads);
      const { policy, keys, deletions } = read;
      return { policy, keys, deletions, group };
    });
  },

  sealRekey(crypto, sa, signer, update, sealing) {
    const payloads: Payload[] = [];
    if (!isBare(update)) {
      const { policy, keys } = update;
      payloads.push({ kind: "GSA", body: gsaOfPolicy(policy, "gsaRekey") });
      payloads.push({ kind: "KD", body: kdOfKeys(crypto, sa.keys.wrap, policy, keys, memberKeysOfRekey(policy)) });
      payloads.push(...modeNotify(policy));
    }
    payloads.push(...deletePayloads(update.deletions));
    return sealRekeyMessage(crypto, sa, signer, payloads, sealing);
  },

  openRekey: openRekeyMessage,

  readRekey(crypto, sa, payloads: readonly Payload[], path) {
    const signed = sa.authentication.kind === "signature";
    return reading(() =>
      readUpdate(crypto, sa.keys.wrap, payloads, { carrier: "gsaRekey", signed, sender: false, path }),
    );
  },

  // Rekeys of one member are inband, and their response acknowledges them.
  rekeyAck: () => undefined,
  readRekeyAck: () => undefined,
};

/** Without a rekey SA the group is rekeyed inband alone, and fewer attributes are legal. */
function registrationCarrier(policy: Pick<GroupPolicy, "kek">): Carrier {
  return policy.kek === undefined ? "inbandRegistration" : "registration";
}

/** An authentication key in a rekey replaces the old one for later rekeys. */
function memberKeysOfRekey(policy: GroupPolicy) {
  return policy.kek?.publicKey === undefined ? NO_MEMBER_KEYS : { publicKey: policy.kek.publicKey, senderIds: [] };
}

/** Transport mode holds for all data SAs of a message; without the notify it is tunnel mode. Section 2.3.4. */
function modeNotify(policy: GroupPolicy): Payload[] {
  return policy.mode === "transport" ? [notify(NotifyType.USE_TRANSPORT_MODE)] : [];
}

/**
 * GSA_INBAND_REKEY has no IDg: RFC 9838 does not say which group it renews where a member has registered for several over
 * one IKE SA. We say it in a notify of the private-use range, as the body of an IDg payload, and only there: with one group
 * nothing is ambiguous, and a member that does not know the notify passes it over (RFC 7296 section 3.10.1).
 */
function nameNotify(group: GroupId): Payload {
  return notify(NotifyType.X_GROUP_OF_REKEY, Id.encode(idOfGroup(group)));
}

function namedGroup(payloads: readonly Payload[]): GroupId | undefined {
  const named = notifyOf(payloads, NotifyType.X_GROUP_OF_REKEY);
  if (named === undefined) return undefined;
  try {
    return groupOfId(Id.decode(named.data));
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    throw new ProtocolError(NotifyType.INVALID_SYNTAX, `name of a group: ${error.message}`);
  }
}

function deletePayloads(deletions: readonly Deletion[]): Payload[] {
  return deletions.map((deletion) => ({ kind: "D", body: deleteOfDeletion(deletion) }));
}

/** Nothing but deletions: such a rekey has neither GSA nor KD. */
function isBare({ policy }: GroupUpdate): boolean {
  return policy.kek === undefined && policy.dataSas.length === 0;
}

/** The GSA payload is the same for every member; as octets it is written once and copied into each message. */
function gsaAsOctets(policy: GroupPolicy): Payload {
  const body = Gsa.encode(gsaOfPolicy(policy, "inbandRekey"));
  return { kind: "unknown", type: PayloadType.GSA, critical: false, body };
}

function readGrant(crypto: Crypto, kwk: Secret, payloads: readonly Payload[], sender: boolean): Grant {
  const gsa = payloadOf(payloads, "GSA");
  const kd = payloadOf(payloads, "KD");
  if (gsa === undefined || kd === undefined) throw new ProtocolError(NotifyType.INVALID_SYNTAX, "no GSA or no KD");
  const multicast = gsa.policies.some((policy) => "source" in policy && policy.protocol === Protocol.GIKE_UPDATE);
  const carrier: Carrier = multicast ? "registration" : "inbandRegistration";
  const policy = policyOfGsa(gsa, carrier, sender, modeOf(payloads));
  const signed = policy.kek?.authentication?.kind === "signature";
  const read = keysOfKd(crypto, kwk, kd, policy, { carrier, signed, sender, path: [] });
  if ("excluded" in read)
    throw new ProtocolError(NotifyType.INVALID_SYNTAX, "a registration without a way to its keys");
  const { keys, member } = read;
  const { senderIds, publicKey } = member;
  return { policy: withPublicKey(policy, publicKey), keys, senderIds, deletions: readDeletions(payloads) };
}

function readUpdate(crypto: Crypto, kwk: Secret, payloads: readonly Payload[], how: KdReading): GroupUpdate | Excluded {
  const deletions = readDeletions(payloads);
  const gsa = payloadOf(payloads, "GSA");
  const kd = payloadOf(payloads, "KD");
  if (gsa === undefined || kd === undefined) {
    if (deletions.length === 0) throw new ProtocolError(NotifyType.INVALID_SYNTAX, "neither policy nor deletion");
    return { policy: NO_POLICY, keys: NO_KEYS, deletions };
  }
  const policy = policyOfGsa(gsa, how.carrier, false, modeOf(payloads));
  const read = keysOfKd(crypto, kwk, kd, policy, how);
  if ("excluded" in read) return read;
  const { keys, member } = read;
  const { publicKey } = member;
  return { policy: withPublicKey(policy, publicKey), keys, deletions };
}

/** With the authentication key that came beside it. */
function withPublicKey(policy: GroupPolicy, publicKey: PublicKey | undefined): GroupPolicy {
  if (policy.kek === undefined || publicKey === undefined) return policy;
  return { ...policy, kek: { ...policy.kek, publicKey } };
}

function modeOf(payloads: readonly Payload[]): GroupPolicy["mode"] {
  return notifyOf(payloads, NotifyType.USE_TRANSPORT_MODE) === undefined ? "tunnel" : "transport";
}

function readDeletions(payloads: readonly Payload[]): readonly Deletion[] {
  let deletions: Deletion[] | undefined;
  for (const payload of payloads) {
    const deletion = payload.kind === "D" ? deletionOfDelete(payload.body) : undefined;
    if (deletion !== undefined) deletions = withOne(deletions, deletion);
  }
  return deletions ?? NO_DELETIONS;
}

const NO_DELETIONS: readonly Deletion[] = [];
