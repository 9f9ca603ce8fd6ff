/**
 * What a group member reports. Every event names its group (`group`: local name) and, where there is one, the server; what
 * concerns registrations, KEK and rekeys says also by which protocol (`protocol`: gikev2 or gdoi).
 */
import type { EventData, Happened } from "../base/machine.ts";
import type { EventRow } from "../gikev2/eventTable.ts";
import { gdoi } from "../gikev2/eventTable.ts";
import type { GmGroupConfig } from "./config.ts";

export const GM_EVENTS = {
  "gm.attached": {
    meaning: "The crypto map was applied; data address, first (no other group is active).",
    syslog: [gdoi(5, "GM_CM_ATTACH", "Crypto map attached for GM in group {group}.")],
    also: [{ facility: "CRYPTO", severity: 6, mnemonic: "GDOI_ON_OFF", text: "GDOI is ON", when: { first: true } }],
  },
  "gm.registering": {
    meaning: "A registration starts; data server, address, attempt, again, protocol, exchange.",
    syslog: [
      {
        facility: "CRYPTO",
        severity: 5,
        mnemonic: "GM_REGSTER",
        text: "Start registration to KS {server} for group {group} using address {address}",
      },
    ],
  },
  "gm.registered": {
    meaning: "Policy and keys are installed; data server, address, teks, kek, again, protocol.",
    syslog: [
      gdoi(5, "GM_REGS_COMPL", "Registration to KS {server} complete for group {group} using address {address}"),
    ],
    also: [
      gdoi(
        5,
        "GM_INSTALL_POLICIES_SUCCESS",
        "SUCCESS: Installation of Reg/Rekey policies from KS {server} for group {group} & gm identity {address}",
      ),
    ],
  },
  "gm.registrationFailed": {
    meaning: "A key server refused or did not answer; data server, reason, notify (0: none).",
    syslog: [
      gdoi(5, "GM_REJECTING_SA_PAYLOAD", "Registration: policy of KS {server} for group {group} rejected", {
        reason: "policy",
      }),
      gdoi(5, "GM_REKEY_CIPHER_HASH_CHECK_FAIL", "Rekey cipher/hash policy in group {group} is unacceptable", {
        reason: "rekeyPolicy",
      }),
    ],
  },
  "gm.listExhausted": { meaning: "Every key server has failed; data servers, waitMillis." },
  "gm.unregistered": {
    meaning: "The group is left: its policy and keys are gone; data reason, last (no group is active any more).",
    syslog: [gdoi(5, "GM_CM_DETACH", "Crypto map detached for GM in group {group}.", { reason: "mapRemoved" })],
    also: [{ facility: "CRYPTO", severity: 6, mnemonic: "GDOI_ON_OFF", text: "GDOI is OFF", when: { last: true } }],
  },
  "gm.cleared": {
    meaning: "An operator cleared the group.",
    syslog: [gdoi(5, "GM_CLEAR_REGISTER", "Config: GM in group {group} cleared its registration")],
  },
  "gm.transport": {
    meaning: "How rekeys will come; data transport.",
    syslog: [
      gdoi(5, "GM_REKEY_TRANS_2_UNI", "Group {group} transitioned to Unicast Rekey.", { transport: "unicast" }),
      gdoi(5, "GM_REKEY_TRANS_2_MULTI", "Group {group} transitioned to Multicast Rekey.", { transport: "multicast" }),
    ],
  },
  "gm.kekInstalled": {
    meaning: "A KEK is in place; data spi, lifetimeSeconds.",
    syslog: [gdoi(5, "SA_KEK_UPDATED", "SA KEK was updated for group {group}, SPI {spi}")],
  },
  "gm.tekInstalled": {
    meaning: "A TEK receives from now on; data spi, family, generation, lifetimeSeconds.",
    syslog: [gdoi(5, "SA_TEK_UPDATED", "SA TEK was updated for group {group}, SPI 0x{spi}")],
  },
  "gm.sendingWith": { meaning: "A TEK is used for sending from now on; data spi, family." },
  "gm.tekRemoved": { meaning: "A TEK is gone; data spi, family, reason (expired, deleted, replaced, left)." },
  "gm.kekRemoved": { meaning: "The KEK is gone; data spi, reason." },
  "gm.rekeyReceived": {
    meaning: "A rekey was accepted; data server, address, sequence, transport, teks, kek.",
    syslog: [
      gdoi(5, "GM_RECV_REKEY", "Received Rekey for group {group} from {server} to {address} with seq # {sequence}"),
    ],
  },
  "gm.rekeyDuplicate": {
    meaning:
      "A rekey that is known already came again and was ignored; data messageId, expected, sequence, last, and replayed: " +
      "it is older than the last one, so no copy of it.",
    syslog: [
      gdoi(
        3,
        "GDOI_REKEY_SEQ_FAILURE",
        "Failed to process rekey seq # {sequence} in seq payload for group {group}, last seq # {last}",
        { replayed: true },
      ),
    ],
  },
  "gm.rekeyRejected": {
    meaning: "A rekey was not accepted; data reason, messageId, problem.",
    syslog: [gdoi(3, "GDOI_REKEY_FAILURE", "Processing of REKEY payloads failed on GM in group {group}: {reason}")],
  },
  "gm.reregister": {
    meaning: "No rekey came in time; data reason.",
    syslog: [
      gdoi(
        4,
        "GM_RE_REGISTER",
        "The IPSec SA created for group {group} may have expired/been cleared, or didn't go through. Re-register to KS.",
      ),
    ],
    also: [gdoi(5, "GM_REKEY_NOT_RECD", "GM did not receive rekey from KS in group {group}.", { reason: "lead" })],
  },
  "gm.noKeyPath": {
    meaning: "A rekey brings a KEK that no key of the member leads to: it was put out; data sequence.",
  },
  "gm.deleteReceived": {
    meaning: "The key server has put the member out; data immediate, waitSeconds.",
    syslog: [
      gdoi(
        4,
        "GM_RECV_DELETE_IMMEDIATE",
        "GM receive REMOVAL-NOW in group {group} to cleanup downloaded policy now. Re-registration will start in a randomly chosen period of {waitSeconds} sec",
        { immediate: true },
      ),
      gdoi(
        4,
        "GM_RECV_DELETE",
        "GM received delete-msg from KS in group {group}. TEKs lifetime are reduced and re-registration will start before SA expiry",
      ),
    ],
  },
  "gm.saLost": { meaning: "The IKE SA that rekeys came in is gone; data server, reason, waitSeconds." },
} as const satisfies Readonly<Record<string, EventRow>>;

export type GmEventName = keyof typeof GM_EVENTS;

export function gmEvent(name: GmEventName, data: EventData): Happened {
  return { kind: "event", name, data };
}

/** Of what a group does by its protocol. */
export function protocolEvent(group: { readonly config: GmGroupConfig }, name: GmEventName, data: EventData): Happened {
  const { name: own, protocol } = group.config;
  return gmEvent(name, { group: own, protocol: protocol.kind, ...data });
}
