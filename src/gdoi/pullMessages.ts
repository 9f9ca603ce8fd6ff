/**
 * What the four messages of a GROUPKEY-PULL hold behind their HASH payloads. RFC 6407 section 3.2.
 *
 *     1  member      Ni, ID
 *     2  key server  Nr, SA
 *     3  member      [GAP]
 *     4  key server  [SEQ,] KD
 */
import type { Bytes } from "../base/bytes.ts";
import type { GroupId } from "../gikev2/groupId.ts";
import type { Grant, GroupKeys, GroupPolicy } from "../gikev2/policy.ts";
import type { Read } from "../gikev2/protocolError.ts";
import { IsakmpNotifyType } from "../wire/isakmpNumbers.ts";
import { type IsakmpKind, type IsakmpPayload, isakmpPayloadOf } from "../wire/isakmpPayloads.ts";
import { attributeOf } from "../wire/tagged.ts";
import { checkKnown, GdoiError, malformed, reading } from "./gdoiError.ts";
import { groupOfId, idOfGroup } from "./identities.ts";
import { kdOfKeys, keysOfKd } from "./keys.ts";
import { FIRST_SEQUENCE, policyOfSa, saOfPolicy } from "./policySa.ts";
import type { GdoiSwitches } from "./switches.ts";

/** GDOI's nonces have 8 to 128 octets. Section 5.8. */
const NONCE_OCTETS = { least: 8, most: 128 } as const;

/** Exactly these payloads, each at most once; those behind `required` may be missing. */
function checkShape(
  payloads: readonly IsakmpPayload[],
  required: readonly IsakmpKind[],
  optional: readonly IsakmpKind[],
) {
  for (const kind of required) if (countOf(payloads, kind) !== 1) malformed(`${countOf(payloads, kind)} of ${kind}`);
  for (const { kind } of payloads) {
    const isKnown = required.includes(kind as IsakmpKind) || optional.includes(kind as IsakmpKind);
    if (!isKnown || countOf(payloads, kind) > 1) malformed(`${countOf(payloads, kind)} of ${kind}`);
  }
  const nonce = isakmpPayloadOf(payloads, "NONCE")?.data.length;
  if (nonce !== undefined && (nonce < NONCE_OCTETS.least || nonce > NONCE_OCTETS.most)) {
    malformed(`nonce of ${nonce} octets`);
  }
}

function countOf(payloads: readonly IsakmpPayload[], kind: string): number {
  let count = 0;
  for (const payload of payloads) if (payload.kind === kind) count++;
  return count;
}

export function pull1(nonce: Bytes, group: GroupId): IsakmpPayload[] {
  return [
    { kind: "NONCE", body: { data: nonce } },
    { kind: "ID", body: idOfGroup(group) },
  ];
}

/** Refuses with INVALID-ID-INFORMATION where the identity is none that a group can have. */
export function readPull1(payloads: readonly IsakmpPayload[]): Read<GroupId> {
  return reading(() => {
    checkShape(payloads, ["NONCE", "ID"], []);
    const id = isakmpPayloadOf(payloads, "ID")!;
    const group = groupOfId(id);
    if (group === undefined) {
      throw new GdoiError(IsakmpNotifyType["INVALID-ID-INFORMATION"], `identity of type ${id.type}`);
    }
    return group;
  });
}

export function pull2(nonce: Bytes, policy: GroupPolicy): IsakmpPayload[] {
  return [
    { kind: "NONCE", body: { data: nonce } },
    { kind: "GSA", body: saOfPolicy(policy) },
  ];
}

/** The policy without what comes with the keys: number and public key of the KEK, length of Sender-IDs. */
export function readPull2(payloads: readonly IsakmpPayload[], switches: GdoiSwitches): Read<GroupPolicy> {
  return reading(() => {
    checkShape(payloads, ["NONCE", "GSA"], []);
    return policyOfSa(isakmpPayloadOf(payloads, "GSA")!, switches);
  });
}

/** A sender of counter-mode traffic gets one Sender-ID without asking; more must be asked for. Section 3.5. */
export function pull3(senderIds: number | undefined): IsakmpPayload[] {
  if (senderIds === undefined || senderIds <= 1) return [];
  return [{ kind: "GAP", body: { attributes: [{ kind: "SENDER_ID_REQUEST", value: senderIds }] } }];
}

/** How many Sender-IDs are asked for: 1 without a word, and for the 0 of the reference implementation's members. */
export function readPull3(payloads: readonly IsakmpPayload[]): Read<number> {
  return reading(() => {
    checkShape(payloads, [], ["GAP"]);
    const attributes = isakmpPayloadOf(payloads, "GAP")?.attributes ?? [];
    checkKnown("member's policy", attributes);
    return Math.max(1, attributeOf(attributes, "SENDER_ID_REQUEST") ?? 1);
  });
}

/** SEQ is there exactly if the policy has a KEK: the last number that was used under it. */
export function pull4(policy: GroupPolicy, keys: GroupKeys, senderIds: readonly number[]): IsakmpPayload[] {
  const { kek } = policy;
  const kd: IsakmpPayload = { kind: "KD", body: kdOfKeys(policy, keys, senderIds) };
  if (kek === undefined) return [kd];
  return [{ kind: "SEQ", body: { number: Math.max(0, kek.nextMessageId - FIRST_SEQUENCE) } }, kd];
}

/** `policy`: of message 2. */
export function readPull4(payloads: readonly IsakmpPayload[], policy: GroupPolicy): Read<Grant> {
  return reading(() => {
    checkShape(payloads, policy.kek === undefined ? ["KD"] : ["SEQ", "KD"], []);
    const read = keysOfKd(isakmpPayloadOf(payloads, "KD")!, policy);
    if (read === undefined) malformed("a key hierarchy that leads nowhere");
    const { keys, member } = read;
    const { publicKey, senderIdBits, senderIds } = member;
    const number = isakmpPayloadOf(payloads, "SEQ")?.number ?? 0;
    const kek = policy.kek && {
      ...policy.kek,
      nextMessageId: number + FIRST_SEQUENCE,
      ...(publicKey === undefined ? {} : { publicKey }),
    };
    if (kek !== undefined && kek.publicKey === undefined) malformed("a KEK without the key of its signature");
    return {
      policy: {
        ...policy,
        ...(kek === undefined ? {} : { kek }),
        ...(senderIdBits === undefined ? {} : { senderIdBits }),
      },
      keys,
      senderIds,
      deletions: [],
    };
  });
}
