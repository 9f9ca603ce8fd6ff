/**
 * G-IKEv2 as draft-yeung-g-ikev2 had it before the working group took it over, which is what Cisco's key servers ship.
 * GSA_AUTH and GSA_CLIENT_SERVER hand out policy and keys, GSA_REKEY renews them, to each member or to all at once, under
 * the KEK. Keys travel in clear inside encrypted payloads. The switches hold what is not certain.
 */
import type { Secret } from "../../base/secret.ts";
import type { Crypto } from "../../crypto/api.ts";
import { errorNotify } from "../../wire/grammar.ts";
import { Exchange, NotifyType } from "../../wire/ikev2Numbers.ts";
import type { Payload } from "../../wire/payloads.ts";
import { encodeChain, payloadOf, payloadsOf, YEUNG07 } from "../../wire/payloads.ts";
import { type Dialect, type Excluded, NO_ACKNOWLEDGEMENT } from "../dialect.ts";
import { newKekKeys, rekeyKeyEntry } from "../keyMaterial.ts";
import type { HeldPath } from "../lkh.ts";
import type { Deletion, Grant, GroupPolicy, GroupUpdate } from "../policy.ts";
import { NO_KEYS, NO_POLICY } from "../policy.ts";
import { ProtocolError, reading } from "../protocolError.ts";
import { deleteOfDeletion, deletionOfDelete } from "./deletion.ts";
import { FIRST_MESSAGE_ID, gsaOfPolicy, policyOfGsa } from "./gsa.ts";
import type { MemberKeys } from "./kd.ts";
import { kdOfKeys, keysOfKd, NO_WRAP_KEY } from "./kd.ts";
import { treeKeyOctets } from "./lkh.ts";
import { intentOfPayloads, refusalPayloads, registrationPayloads, withdrawalPayloads } from "./registration.ts";
import { openAck, openRekeyMessage, sealAck, sealRekeyMessage } from "./rekeyMessage.ts";
import type { Yeung07Switches } from "./switches.ts";

/** A number that no message has: this dialect is without an inband rekey. */
const NO_SUCH_EXCHANGE = 0;

export function yeung07(switches: Yeung07Switches): Dialect {
  return {
    name: "yeung-07",
    registry: YEUNG07,
    authExchange: Exchange.GSA_AUTH,
    // GSA_CLIENT_SERVER in version 04 and in Cisco's guide: the same number.
    registrationExchange: Exchange.GSA_REGISTRATION,
    unicastRekey: "push",
    inbandExchange: NO_SUCH_EXCHANGE,
    firstMessageId: FIRST_MESSAGE_ID,
    sharesDataSa: switches.permitEntries === "repeat",
    repeatsAuthentication: true,
    closesIdleSas: false,
    acknowledgement: NO_ACKNOWLEDGEMENT,
    refusalEndsSa: switches.refusalEndsSa,

    treeKeyOctets: (suite) => treeKeyOctets(suite, switches),
    newKekKeys,
    keyEntry: (sa) => rekeyKeyEntry(sa, "yeung-07"),

    unicastKwk: (): Secret => NO_WRAP_KEY,
    registration: (wish) => registrationPayloads(wish, switches),
    withdrawal: (group) => withdrawalPayloads(group),
    readRegistration: (payloads) => reading(() => intentOfPayloads(payloads, switches)),
    refusal: refusalPayloads,

    grant: (_crypto, _kwk, grant) => grantPayloads(grant, switches),
    readGrant(_crypto, _kwk, payloads) {
      return reading(() => {
        const type = errorNotify(payloads);
        if (payloadOf(payloads, "GSA07") === undefined && type !== undefined) return { kind: "refused", notify: type };
        return { kind: "granted", grant: readGrant(payloads, switches) };
      });
    },

    // Rekeys never travel in an IKE SA; what an inband rekey would hold is the same payloads.
    prepareInband: (update) => ({ shared: asOctets(updatePayloads(update, switches)) }),
    inbandRekey: (_crypto, _kwk, { shared }) => shared,
    readInbandRekey(crypto, _kwk, payloads) {
      return reading(() => {
        const read = readUpdate(payloads, { crypto, path: [] }, switches);
        if (!("excluded" in read)) return read;
        throw new ProtocolError(NotifyType.INVALID_SYNTAX, "a key hierarchy in an inband rekey");
      });
    },

    sealRekey: (crypto, sa, signer, update, sealing) =>
      sealRekeyMessage(crypto, sa, signer, updatePayloads(update, switches, crypto), sealing, switches),
    openRekey: (crypto, sa, octets, assembly) => openRekeyMessage(crypto, sa, octets, assembly, switches),
    readRekey: (crypto, _sa, payloads: readonly Payload[], path) =>
      reading(() => readUpdate(payloads, { crypto, path }, switches)),

    rekeyAck: (crypto, sa, { messageId, nextIv }) =>
      switches.unicastAck === "none" ? undefined : sealAck(crypto, sa, messageId, nextIv()),
    readRekeyAck: (crypto, sa, message) => openAck(crypto, sa, message),
  };
}

// ------------------------------------------------------------------------------------------------------------ writing

/** GSA, KD, [SEQ,] [D]; as octets, so that an endpoint which serves both dialects need not know which one they are of. */
function grantPayloads({ policy, keys, senderIds, deletions }: Grant, switches: Yeung07Switches): readonly Payload[] {
  const { kek, senderIdBits } = policy;
  const payloads: Payload[] = [
    { kind: "GSA07", body: gsaOfPolicy(policy, switches, keys.hierarchy !== undefined) },
    { kind: "KD07", body: kdOfKeys(policy, keys, memberKeys(policy, senderIds, senderIdBits), switches) },
  ];
  if (kek !== undefined && switches.seqPayload === "payload") {
    payloads.push({ kind: "SEQ07", body: { number: kek.nextMessageId - 1 } });
  }
  return asOctets([...payloads, ...deletePayloads(deletions, switches)]);
}

function memberKeys({ kek }: GroupPolicy, senderIds: readonly number[], senderIdBits?: number): MemberKeys {
  return {
    senderIds,
    ...(senderIdBits === undefined ? {} : { senderIdBits }),
    ...(kek?.publicKey === undefined ? {} : { publicKey: kek.publicKey }),
  };
}

function updatePayloads(
  { policy, keys, deletions }: GroupUpdate,
  switches: Yeung07Switches,
  crypto?: Crypto,
): Payload[] {
  const payloads: Payload[] = [];
  if (policy.kek !== undefined || policy.dataSas.length > 0) {
    payloads.push({ kind: "GSA07", body: gsaOfPolicy(policy, switches) });
    payloads.push({ kind: "KD07", body: kdOfKeys(policy, keys, memberKeys(policy, []), switches, crypto) });
  }
  return [...payloads, ...deletePayloads(deletions, switches)];
}

function deletePayloads(deletions: readonly Deletion[], switches: Yeung07Switches): Payload[] {
  return deletions.map((deletion) => ({ kind: "D", body: deleteOfDeletion(deletion, switches) }));
}

function asOctets(payloads: readonly Payload[]): readonly Payload[] {
  return payloads.map((payload) => {
    const { first, octets } = encodeChain([payload], YEUNG07);
    return { kind: "unknown", type: first, critical: false, body: octets.subarray(4) };
  });
}

// ------------------------------------------------------------------------------------------------------------ reading

function readGrant(payloads: readonly Payload[], switches: Yeung07Switches): Grant {
  const gsa = payloadOf(payloads, "GSA07");
  const kd = payloadOf(payloads, "KD07");
  if (gsa === undefined || kd === undefined) throw new ProtocolError(NotifyType.INVALID_SYNTAX, "no GSA or no KD");
  const policy = policyOfGsa(gsa, switches);
  const read = keysOfKd(kd, policy, undefined, switches);
  if (read === undefined)
    throw new ProtocolError(NotifyType.INVALID_SYNTAX, "a registration without a way to its keys");
  const { keys, member } = read;
  const { senderIds, senderIdBits, publicKey } = member;
  const sequence = payloadOf(payloads, "SEQ07");
  const full = withMemberKeys(policy, publicKey, sequence === undefined ? 0 : sequence.number + 1);
  if (full.kek?.authentication?.kind === "signature" && publicKey === undefined) {
    throw new ProtocolError(NotifyType.INVALID_SYNTAX, "signed rekeys without the key that verifies them");
  }
  return {
    policy: senderIdBits === undefined ? full : { senderIdBits, ...full },
    keys,
    senderIds,
    deletions: readDeletions(payloads, switches),
  };
}

function readUpdate(payloads: readonly Payload[], held: HeldPath, switches: Yeung07Switches): GroupUpdate | Excluded {
  const deletions = readDeletions(payloads, switches);
  const gsa = payloadOf(payloads, "GSA07");
  const kd = payloadOf(payloads, "KD07");
  if (gsa === undefined || kd === undefined) {
    if (deletions.length === 0) throw new ProtocolError(NotifyType.INVALID_SYNTAX, "neither policy nor deletion");
    return { policy: NO_POLICY, keys: NO_KEYS, deletions };
  }
  const policy = policyOfGsa(gsa, switches);
  const read = keysOfKd(kd, policy, held, switches);
  if (read === undefined) return { excluded: true };
  const { keys, member } = read;
  return { policy: withMemberKeys(policy, member.publicKey, 0), keys, deletions };
}

/** With the authentication key that came beside it; `least`: the next message has no lower number than that. */
function withMemberKeys(policy: GroupPolicy, publicKey: MemberKeys["publicKey"], least: number): GroupPolicy {
  const { kek } = policy;
  if (kek === undefined) return policy;
  const nextMessageId = Math.max(kek.nextMessageId, least);
  return { ...policy, kek: { ...kek, nextMessageId, ...(publicKey === undefined ? {} : { publicKey }) } };
}

function readDeletions(payloads: readonly Payload[], switches: Yeung07Switches): Deletion[] {
  return payloadsOf(payloads, "D").flatMap((body) => deletionOfDelete(body, switches) ?? []);
}
