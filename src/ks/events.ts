/**
 * What a key server reports. Every event names its group (`group`: local name), and `protocol` (gikev2 or gdoi) where it
 * concerns one alone; members appear as `address:port`.
 */
import type { EventData, Happened } from "../base/machine.ts";
import type { EventRow } from "../gikev2/eventTable.ts";
import { gdoi } from "../gikev2/eventTable.ts";

/** Reasons for a refusal that are logged alike. */
const UNKNOWN_GROUP = ["unknownGroup", "protocol"] as const;
const UNAUTHORIZED = ["barred", "profile", "identity"] as const;

export const KS_EVENTS = {
  "ks.kekCreated": { meaning: "A KEK was made; data spi, lifetimeSeconds." },
  "ks.tekCreated": { meaning: "A TEK was made; data spi, generation, family, lifetimeSeconds." },
  "ks.registered": {
    meaning: "A member got policy and keys; data member, identity, exchange, replaced.",
    syslog: [gdoi(5, "KS_REGS_COMPL", "GM {member} registered to group {group}")],
  },
  "ks.refused": {
    meaning: "A member was refused; data member, address, identity, notify, reason.",
    syslog: [
      ...UNKNOWN_GROUP.map((reason) =>
        gdoi(3, "KS_BAD_ID", "Registration: unknown group identity {requested} from {member}", { reason }),
      ),
      gdoi(1, "UNAUTHORIZED_IPADDR", "Group {group} received registration from unauthorized ip address: {address}", {
        reason: "address",
      }),
      ...UNAUTHORIZED.map((reason) =>
        gdoi(1, "UNAUTHORIZED_IDENTITY", "Group {group} received registration from unauthorized identity: {identity}", {
          reason,
        }),
      ),
      gdoi(3, "KS_NO_SID_AVAILABLE", "No Sender-ID available for {member} in group {group}", { reason: "senderIds" }),
      gdoi(5, "GM_REJECTING_SA_PAYLOAD", "Registration of {member} to group {group} refused: {reason}"),
    ],
  },
  "ks.left": { meaning: "A member left the group or refused its policy; data member, notify." },
  "ks.memberLost": { meaning: "The IKE SA of a member that is rekeyed in it is gone; data member, reason." },
  "ks.rekeyStarted": {
    meaning: "A rekey begins; data sequence, transport, members, tek, kek, replace.",
    syslog: [
      gdoi(
        5,
        "KS_SEND_UNICAST_REKEY",
        "Sending Unicast Rekey with policy-replace for group {group} from address {address} with seq # {sequence}",
        { transport: "unicast", replace: true },
      ),
      gdoi(
        5,
        "KS_SEND_UNICAST_REKEY",
        "Sending Unicast Rekey for group {group} from address {address} with seq # {sequence}",
        { transport: "unicast" },
      ),
      gdoi(
        5,
        "KS_SEND_MCAST_REKEY",
        "Sending Multicast Rekey for group {group} from address {address} to {destination} with seq # {sequence}",
      ),
    ],
  },
  "ks.rekeyRetransmitted": { meaning: "A copy of a rekey left; data sequence, member (unicast), copy." },
  "ks.rekeyAcked": { meaning: "A member acknowledged a rekey; data member, sequence." },
  "ks.rekeyUnanswered": { meaning: "A member let all copies of a rekey go by; data member, sequence." },
  "ks.rekeyDone": { meaning: "Every member has answered or was given up; data sequence, durationMillis, retransmits." },
  "ks.unsolicitedAck": {
    meaning: "An acknowledgement to a rekey that is not under way; data member.",
    syslog: [gdoi(3, "KS_UNSOL_ACK", "KS received unsolicited ACK from GM {member} in group {group}")],
  },
  "ks.memberEjected": {
    meaning: "A silent member was deleted; data member, silent, unit.",
    syslog: [gdoi(4, "GM_DELETE", "GM {member} deleted from group {group}.")],
  },
  "ks.memberEvicted": {
    meaning: "An operator put one member out; data member, immediate, barred.",
    syslog: [gdoi(4, "GM_DELETE", "GM {member} deleted from group {group}.")],
  },
  "ks.membersCleared": {
    meaning: "An operator removed all members; data members, immediate.",
    syslog: [gdoi(5, "KS_CLEAR_REGISTER", "Config: all members of group {group} cleared")],
  },
  "ks.reinitialised": { meaning: "Sender-IDs ran out: all members are excluded, all keys are new; data members." },
} as const satisfies Readonly<Record<string, EventRow>>;

export type KsEventName = keyof typeof KS_EVENTS;

export function ksEvent(name: KsEventName, data: EventData): Happened {
  return { kind: "event", name, data };
}
