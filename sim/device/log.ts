/**
 * How a router logs what happens to itself, to its lines, its IKE SAs, its data plane and its configuration. Keys are kinds
 * of events of the trace; the first line that fits is logged. Wording follows Cisco's mnemonics, approximately where no
 * real line was found.
 */
import type { SyslogLine } from "../../src/gikev2/eventTable.ts";

function line(
  facility: SyslogLine["facility"],
  severity: SyslogLine["severity"],
  mnemonic: string,
  text: string,
  when?: SyslogLine["when"],
): SyslogLine {
  return { facility, severity, mnemonic, text, ...(when === undefined ? {} : { when }) };
}

const BAD_MESSAGE = "IKE message from {remote} failed its sanity check or is malformed";

const CHAIN_FAILED = "Certificate chain validation has failed. The certificate";

/** The peer has proved that it knows a key, and still none of our profiles takes it. */
const MODE_FAILURES = ["identity", "keyring"].flatMap((reason) =>
  (["main", "aggressive"] as const).map((mode) =>
    line(
      "CRYPTO",
      6,
      "IKMP_MODE_FAILURE",
      `Processing of ${mode === "main" ? "Main" : "Aggressive"} mode failed with peer at {remote}`,
      { reason, mode },
    ),
  ),
);

export const DEVICE_LOG: Readonly<Record<string, readonly SyslogLine[]>> = {
  "device.up": [line("SYS", 5, "RESTART", "System restarted --")],
  "device.down": [line("SYS", 5, "RELOAD", "Reload requested. Reload Reason: Reload Command.", { reason: "reload" })],
  "link.up": [line("LINEPROTO", 5, "UPDOWN", "Line protocol on Interface {interface}, changed state to up")],
  "link.down": [line("LINEPROTO", 5, "UPDOWN", "Line protocol on Interface {interface}, changed state to down")],
  "ike.authFailed": [line("CRYPTO", 4, "IKMP_BAD_MESSAGE", BAD_MESSAGE)],
  "ike.certificateRefused": [
    line("PKI", 3, "CERTIFICATE_INVALID_EXPIRED", `${CHAIN_FAILED} (SN: {serial}) has expired.`, { reason: "expired" }),
    line("PKI", 3, "CERTIFICATE_INVALID_NOT_YET_VALID", `${CHAIN_FAILED} (SN: {serial}) is not yet valid.`, {
      reason: "notYetValid",
    }),
    line("PKI", 3, "CERTIFICATE_REVOKED", `${CHAIN_FAILED} (SN: {serial}) is revoked`, { reason: "revoked" }),
    line("PKI", 3, "CRL_FETCH_FAIL", "CRL fetch for trustpoint failed: {issuer}", { reason: "noCrl" }),
    line("PKI", 3, "CERTIFICATE_INVALID", "Certificate chain validation has failed. Reason: {reason}"),
  ],
  "isakmp.authFailed": [...MODE_FAILURES, line("CRYPTO", 4, "IKMP_BAD_MESSAGE", BAD_MESSAGE)],
  "isakmp.dropped": [
    line(
      "CRYPTO",
      4,
      "IKE_DENY_SA_REQ",
      "IKE denied an INCOMING SA request from {remote} due to the limit of {detail}",
      { reason: "overload" },
    ),
    ...["malformed", "grammar", "garbage", "hash", "signature"].map((reason) =>
      line("CRYPTO", 4, "IKMP_BAD_MESSAGE", BAD_MESSAGE, { reason }),
    ),
  ],
  "ike.dropped": ["malformed", "grammar", "integrity", "tooLong"].map((reason) =>
    line("CRYPTO", 4, "IKMP_BAD_MESSAGE", BAD_MESSAGE, { reason }),
  ),
  "esp.dropped": [
    line(
      "CRYPTO",
      4,
      "RECVD_PKT_INV_SPI",
      "decaps: rec'd IPSEC packet has invalid spi for destaddr={destination}, prot=50, spi=0x{spi}, srcaddr={source}",
      { reason: "invalidSa" },
    ),
    line(
      "CRYPTO",
      4,
      "PKT_REPLAY_ERR",
      "decrypt: replay check failed. SPI 0x{spi}, destaddr={destination}, srcaddr={source}",
      { reason: "replay" },
    ),
    line(
      "CRYPTO",
      4,
      "RECVD_PKT_MAC_ERR",
      "decrypt: mac verify failed. SPI 0x{spi}, destaddr={destination}, srcaddr={source}",
      { reason: "verify" },
    ),
    line(
      "CRYPTO",
      4,
      "RECVD_PKT_NOT_IPSEC",
      "Rec'd packet not an IPSEC packet. (ip) destaddr={destination}, srcaddr={source}",
      { reason: "clear" },
    ),
  ],
  "config.applied": [line("SYS", 5, "CONFIG_I", "Configured from console by console")],
  "config.isakmp": [
    line("CRYPTO", 6, "ISAKMP_ON_OFF", "ISAKMP is ON", { enabled: true }),
    line("CRYPTO", 6, "ISAKMP_ON_OFF", "ISAKMP is OFF"),
  ],
  "config.groupPolicy": [
    line(
      "GDOI",
      5,
      "POLICY_CHANGE",
      "GDOI group {group} policy has changed. Use 'crypto gkm ks rekey' to send a rekey, or the changes will be sent in " +
        "the next scheduled rekey",
    ),
  ],
  "config.groupAdded": [line("GDOI", 5, "KS_GROUP_ADD", "Config: GDOI group {group} was added")],
  "config.groupRemoved": [line("GDOI", 5, "KS_GROUP_DELETE", "Config: GDOI group {group} was deleted")],
  "config.incomplete": [
    line("GDOI", 1, "KS_NO_RSA_KEYS", "{text}", { mnemonic: "KS_NO_RSA_KEYS" }),
    line("GDOI", 3, "GM_INCOMPLETE_CFG", "Registration: incomplete config for group {group}", { role: "gm" }),
  ],
  "config.warning": [
    line("GDOI", 3, "GM_ACL_PERMIT", "{text}", { mnemonic: "GM_ACL_PERMIT" }),
    line("GDOI", 1, "GDOI_ACL_NUM", "{text}", { mnemonic: "GDOI_ACL_NUM" }),
    line("GDOI", 1, "GDOI_ACL_RANGE", "{text}", { mnemonic: "GDOI_ACL_RANGE" }),
  ],
  "config.interfaceDown": [
    line("CRYPTO", 4, "GM_REGSTER_IF_DOWN", "Can't start GDOI registration as interface {interface} is down"),
  ],
};

const TRANSITIONS = [
  line("GDOI", 5, "KS_REKEY_TRANS_2_UNI", "Group {group} transitioned to Unicast Rekey.", { transport: "unicast" }),
  line("GDOI", 5, "KS_REKEY_TRANS_2_MULTI", "Group {group} transitioned to Multicast Rekey.", {
    transport: "multicast",
  }),
];

/** Logged behind those, each where it fits. */
export const DEVICE_LOG_ALSO: Readonly<Record<string, readonly SyslogLine[]>> = {
  "device.up": [line("CRYPTO", 6, "ISAKMP_ON_OFF", "ISAKMP is ON", { isakmp: true })],
  "config.groupPolicy": TRANSITIONS,
  "config.groupAdded": TRANSITIONS,
};
