/**
 * G-IKEv2 as RFC 9838 (November 2025) has it. GSA_AUTH and GSA_REGISTRATION hand out policy and wrapped keys,
 * GSA_INBAND_REKEY renews them in a member's IKE SA, GSA_REKEY for all members at once.
 */
import type { Secret } from "../../base/secret.ts";
import type { Crypto, PublicKey } from "../../crypto/api.ts";
import { errorNotify } from "../../wire/grammar.ts";
import { Exchange, NotifyType, Protocol } from "../../wire/ikev2Numbers.ts";
import type { Payload } from "../../wire/payloads.ts";
import { encodeChain, notifyOf, payloadOf, payloadsOf, RFC9838 } from "../../wire/payloads.ts";
import type { Dialect, PreparedRekey } from "../dialect.ts";
import type { Deletion, Grant, GroupPolicy, GroupUpdate } from "../policy.ts";
import { NO_KEYS, NO_POLICY } from "../policy.ts";
import { ProtocolError, reading } from "../protocolError.ts";
import { deleteOfDeletion, deletionOfDelete } from "./deletion.ts";
import { gsaOfPolicy, policyOfGsa } from "./gsa.ts";
import { kdOfKeys, keysOfKd } from "./kd.ts";
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
    return {
      update,
      shared: [...gsaEncodedOnce(update), ...modeNotify(update.policy), ...deletePayloads(update.deletions)],
    };
  },

  inbandRekey(crypto, kwk, { update, shared }: PreparedRekey) {
    if (isBare(update)) return shared;
    const kd = kdOfKeys(crypto, kwk, update.policy, update.keys, NO_MEMBER_KEYS);
    return [shared[0]!, { kind: "KD", body: kd }, ...shared.slice(1)];
  },

  readInbandRekey: (crypto, kwk, payloads) => reading(() => readUpdate(crypto, kwk, payloads, "inbandRekey", false)),

  sealRekey(crypto, sa, signer, update, messageId, iv) {
    const payloads: Payload[] = [];
    if (!isBare(update)) {
      const { policy, keys } = update;
      payloads.push({ kind: "GSA", body: gsaOfPolicy(policy, "gsaRekey") });
      payloads.push({ kind: "KD", body: kdOfKeys(crypto, sa.keys.wrap, policy, keys, memberKeysOfRekey(policy)) });
      payloads.push(...modeNotify(policy));
    }
    payloads.push(...deletePayloads(update.deletions));
    return sealRekeyMessage(crypto, sa, signer, payloads, messageId, iv);
  },

  openRekey: openRekeyMessage,

  readRekey: (crypto, sa, payloads) =>
    reading(() => readUpdate(crypto, sa.keys.wrap, payloads, "gsaRekey", sa.authentication.kind === "signature")),
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

function deletePayloads(deletions: readonly Deletion[]): Payload[] {
  return deletions.map((deletion) => ({ kind: "D", body: deleteOfDeletion(deletion) }));
}

/** Nothing but deletions: such a rekey has neither GSA nor KD. */
function isBare({ policy }: GroupUpdate): boolean {
  return policy.kek === undefined && policy.dataSas.length === 0;
}

/** The GSA payload is the same for every member; as octets it is written once and copied into each message. */
function gsaEncodedOnce(update: GroupUpdate): Payload[] {
  if (isBare(update)) return [];
  const chain = encodeChain([{ kind: "GSA", body: gsaOfPolicy(update.policy, "inbandRekey") }], RFC9838);
  return [{ kind: "unknown", type: chain.first, critical: false, body: chain.octets.subarray(4) }];
}

function readGrant(crypto: Crypto, kwk: Secret, payloads: readonly Payload[], sender: boolean): Grant {
  const gsa = payloadOf(payloads, "GSA");
  const kd = payloadOf(payloads, "KD");
  if (gsa === undefined || kd === undefined) throw new ProtocolError(NotifyType.INVALID_SYNTAX, "no GSA or no KD");
  const multicast = gsa.policies.some((policy) => "source" in policy && policy.protocol === Protocol.GIKE_UPDATE);
  const carrier: Carrier = multicast ? "registration" : "inbandRegistration";
  const policy = withMode(policyOfGsa(gsa, carrier, sender), payloads);
  const signed = policy.kek?.authentication?.kind === "signature";
  const { keys, member } = keysOfKd(crypto, kwk, kd, policy, carrier, signed, sender);
  const { senderIds, publicKey } = member;
  return { policy: withPublicKey(policy, publicKey), keys, senderIds, deletions: readDeletions(payloads) };
}

function readUpdate(
  crypto: Crypto,
  kwk: Secret,
  payloads: readonly Payload[],
  carrier: "gsaRekey" | "inbandRekey",
  signed: boolean,
): GroupUpdate {
  const deletions = readDeletions(payloads);
  const gsa = payloadOf(payloads, "GSA");
  const kd = payloadOf(payloads, "KD");
  if (gsa === undefined || kd === undefined) {
    if (deletions.length === 0) throw new ProtocolError(NotifyType.INVALID_SYNTAX, "neither policy nor deletion");
    return { policy: NO_POLICY, keys: NO_KEYS, deletions };
  }
  const policy = withMode(policyOfGsa(gsa, carrier, false), payloads);
  const { keys, member } = keysOfKd(crypto, kwk, kd, policy, carrier, signed, false);
  const { publicKey } = member;
  return { policy: withPublicKey(policy, publicKey), keys, deletions };
}

/** With the authentication key that came beside it. */
function withPublicKey(policy: GroupPolicy, publicKey: PublicKey | undefined): GroupPolicy {
  if (policy.kek === undefined || publicKey === undefined) return policy;
  return { ...policy, kek: { ...policy.kek, publicKey } };
}

function withMode(policy: Omit<GroupPolicy, "mode">, payloads: readonly Payload[]): GroupPolicy {
  const transport = notifyOf(payloads, NotifyType.USE_TRANSPORT_MODE) !== undefined;
  return { mode: transport ? "transport" : "tunnel", ...policy };
}

function readDeletions(payloads: readonly Payload[]): Deletion[] {
  return payloadsOf(payloads, "D").flatMap((body) => deletionOfDelete(body) ?? []);
}
