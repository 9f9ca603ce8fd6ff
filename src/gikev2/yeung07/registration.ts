/** Requests of GSA_AUTH and GSA_CLIENT_SERVER. draft-yeung-g-ikev2-08 sections 3.1.1 and 3.1.2. */
import { EMPTY, u32, uintFrom } from "../../base/bytes.ts";
import type { Notify } from "../../wire/ikev2.ts";
import { NotifyType, Protocol } from "../../wire/ikev2Numbers.ts";
import type { Payload } from "../../wire/payloads.ts";
import { notifyOf, payloadOf } from "../../wire/payloads.ts";
import type { RegistrationIntent } from "../dialect.ts";
import type { GroupId } from "../groupId.ts";
import { groupOfId, idOfGroup } from "../groupId.ts";
import type { Registration } from "../policy.ts";
import { ProtocolError } from "../protocolError.ts";
import type { Yeung07Switches } from "./switches.ts";

/** A Notify that concerns no SA. */
export function notify(type: number, data = EMPTY): Payload {
  return { kind: "N", body: { protocol: Protocol.NONE, type, spi: EMPTY, data } };
}

/** SENDER_REQUEST_ID has the number that RFC 9838 gave to GROUP_SENDER. */
const SENDER_REQUEST_ID = NotifyType.GROUP_SENDER;

const WANTED = { kek: 1, teks: 2 } as const;

/**
 * IDg, [N(SENDER_REQUEST_ID)], [N(X_WANTED_KEYS)]. What a member can work with is not announced in this dialect: it looks
 * at the policy it is given.
 */
export function registrationPayloads(wish: Registration, switches: Yeung07Switches): Payload[] {
  const payloads: Payload[] = [{ kind: "IDg", body: idOfGroup(wish.group) }];
  if (wish.senderIds !== undefined) {
    const { senderRequestOctets: octets } = switches;
    const count = Math.min(wish.senderIds, 2 ** (8 * octets) - 1);
    payloads.push(notify(SENDER_REQUEST_ID, u32(count).slice(4 - octets)));
  }
  if (wish.want !== undefined && switches.partialRequest === "notify") {
    payloads.push(notify(NotifyType.X_WANTED_KEYS, Uint8Array.of(WANTED[wish.want])));
  }
  return payloads;
}

/** IDg and NO_PROPOSAL_CHOSEN, the only word of the draft for a member that goes; the key server unregisters it. */
export function withdrawalPayloads(group: GroupId): Payload[] {
  return [{ kind: "IDg", body: idOfGroup(group) }, notify(NotifyType.NO_PROPOSAL_CHOSEN)];
}

/** Error types that the draft does not have become its AUTHORIZATION_FAILED. */
export function refusalPayloads(type: number): Payload[] {
  return [notify(type === NotifyType.REGISTRATION_FAILED ? NotifyType.AUTHORIZATION_FAILED : type)];
}

/** Throws ProtocolError: INVALID_GROUP_ID for an identity that no group can have, INVALID_SYNTAX. */
export function intentOfPayloads(payloads: readonly Payload[], switches: Yeung07Switches): RegistrationIntent {
  const id = payloadOf(payloads, "IDg");
  if (id === undefined) throw new ProtocolError(NotifyType.INVALID_SYNTAX, "no IDg");
  const group = groupOfId(id);
  if (group === undefined) throw new ProtocolError(NotifyType.INVALID_GROUP_ID, `identity of type ${id.type}`);
  const leaving = notifyOf(payloads, NotifyType.NO_PROPOSAL_CHOSEN);
  if (leaving !== undefined) return { kind: "leave", group, notify: leaving.type };
  const request = notifyOf(payloads, SENDER_REQUEST_ID);
  const silent = switches.silentSender === "one" ? 1 : undefined;
  const want = wantOf(notifyOf(payloads, NotifyType.X_WANTED_KEYS));
  const registration: Registration = {
    group,
    senderIds: request === undefined ? silent : countOf(request),
    ...(want === undefined ? {} : { want }),
  };
  return { kind: "join", registration };
}

function countOf({ data }: Notify): number {
  if (data.length < 1 || data.length > 4) {
    throw new ProtocolError(NotifyType.INVALID_SYNTAX, `SENDER_REQUEST_ID with ${data.length} octets`);
  }
  return Math.max(1, uintFrom(data));
}

function wantOf(wanted: Notify | undefined): Registration["want"] {
  if (wanted === undefined) return undefined;
  const bits = wanted.data[0];
  if (wanted.data.length !== 1 || bits === undefined || bits === 0 || bits > (WANTED.kek | WANTED.teks)) {
    throw new ProtocolError(NotifyType.INVALID_SYNTAX, "keys that do not exist are wanted");
  }
  if (bits === WANTED.kek) return "kek";
  return bits === WANTED.teks ? "teks" : undefined;
}
