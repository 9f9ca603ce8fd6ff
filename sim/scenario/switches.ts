/** Open points of the Cisco dialect as keys of a scenario: what they mean stands beside the switches themselves. */
import { z } from "zod";
import type { Yeung07Switches } from "../../src/gikev2/yeung07/switches.ts";

const octet = z.int().min(0).max(255);

export const Switches = z
  .strictObject({
    "kek-message-id": z.enum(["tlv", "tv"]).describe("Form of KEK_MESSAGE_ID"),
    "seq-payload": z.enum(["kekMessageId", "payload"]).describe("What tells a newcomer the number of the next rekey"),
    "kek-auth-key-number": z.int().min(1).max(0x7fff).describe("Attribute number of KEK_AUTH_KEY"),
    "hash-numbers": z.enum(["registry", "draft04"]).describe("Numbers of KEK_AUTH_ALGORITHM"),
    "rekey-auth": z.enum(["prefixed", "message"]).describe("What AUTH of a rekey covers"),
    "delete-kek-protocol": octet.describe("Protocol of the rekey SA in Delete payloads"),
    "sender-request-octets": z.union([z.literal(1), z.literal(2), z.literal(4)]).describe("Size of SENDER_REQUEST_ID"),
    "silent-sender": z.enum(["one", "none"]).describe("Sender-IDs for a member that asks for none"),
    "sid-bits": z.enum(["tlv", "tv"]).describe("Form of NUMBER_OF_SID_BITS"),
    "kek-iv": z.enum(["whenCbc", "never"]).describe("An IV stands before KEK_ENCR_KEY"),
    "rekey-flags": octet.describe("Flags in the header of GSA_REKEY"),
    "unicast-ack": z.enum(["gsaRekey", "none"]).describe("How unicast rekeys are acknowledged"),
    "partial-request": z.enum(["notify", "never"]).describe("How a part of the keys is asked for"),
    "permit-entries": z.enum(["repeat", "separate"]).describe("One data SA for a list, or one for each permit entry"),
    "deny-entries": z.enum(["policy", "none"]).describe("How deny entries of the key server's list travel"),
    "refusal-ends-sa": z.boolean().describe("A group refusal in GSA_AUTH ends the IKE SA"),
    "key-hierarchy": z.enum(["wholeKeys", "none"]).describe("How the KEK travels by way of a key tree"),
  })
  .partial()
  .describe("Open points of draft-yeung-g-ikev2-07, for all nodes that speak it");

type Key = keyof z.infer<typeof Switches>;

const NAMES: Readonly<Record<Key, keyof Yeung07Switches>> = {
  "kek-message-id": "kekMessageId",
  "seq-payload": "seqPayload",
  "kek-auth-key-number": "kekAuthKeyNumber",
  "hash-numbers": "hashNumbers",
  "rekey-auth": "rekeyAuth",
  "delete-kek-protocol": "deleteKekProtocol",
  "sender-request-octets": "senderRequestOctets",
  "silent-sender": "silentSender",
  "sid-bits": "sidBits",
  "kek-iv": "kekIv",
  "rekey-flags": "rekeyFlags",
  "unicast-ack": "unicastAck",
  "partial-request": "partialRequest",
  "permit-entries": "permitEntries",
  "deny-entries": "denyEntries",
  "refusal-ends-sa": "refusalEndsSa",
  "key-hierarchy": "keyHierarchy",
};

/** As the roles take them; undefined where nothing differs from the defaults. */
export function switchesOf(input: z.infer<typeof Switches> | undefined): Partial<Yeung07Switches> | undefined {
  if (input === undefined) return undefined;
  const entries = (Object.keys(NAMES) as Key[]).filter((key) => input[key] !== undefined);
  return Object.fromEntries(entries.map((key) => [NAMES[key], input[key]])) as Partial<Yeung07Switches>;
}
