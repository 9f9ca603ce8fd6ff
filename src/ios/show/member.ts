/** `show crypto gkm` and `show crypto gkm gm ...` on a group member. */
import { showEntry } from "../acl.ts";
import {
  clockText,
  enabled,
  encapsText,
  field,
  hashOctets,
  hexSpi,
  hexWords,
  keyOctets,
  lines,
  longSpi,
  replayShort,
  transformText,
} from "./text.ts";
import type { MemberGroupView, MemberKekView, MemberTekView, ReplayView } from "./views.ts";

/** Width of the labels of a group, of a member and of a policy. */
const GROUP = 25;
const MEMBER = 22;

/** One group of `show crypto gkm`, without the title. */
export function memberGroup(group: MemberGroupView): string {
  const row = (label: string, value: string | number) => field(4, label, GROUP, value);
  const { rekeys, servers } = group;
  return (
    lines(
      row("Group Name", group.name),
      row("Group Identity", group.identity),
      row("Group Type", group.type),
      group.profile === undefined ? [] : [row("IKEv2 Profile", group.profile)],
      row("Crypto Path", group.family),
      row("Key Management Path", "ipv4"),
      row("Rekeys received", rekeys.unicast + rekeys.multicast),
      row("IPSec SA Direction", "Both"),
      "",
      servers.map((server, index) =>
        index === 0 ? `     Group Server list       : ${server}` : " ".repeat(31) + server,
      ),
      "",
    ) +
    memberInformation(group) +
    lines("") +
    downloadedAcl(group, 3) +
    kekPolicy(group) +
    tekPolicy(group) +
    lines(
      "KGS POLICY:",
      `  REG_GM: local_addr ${group.address}`,
      "",
      "P2P POLICY:",
      `  REG_GM: local_addr ${group.address}`,
      "",
    )
  );
}

/** `show crypto gkm gm`. */
export function memberInformation(group: MemberGroupView): string {
  const row = (label: string, value: string | number) => field(7, label, MEMBER, value);
  const { rekeys, server, reregisterIn } = group;
  const isMulticast = group.transport === "Multicast";
  const hasPolicy = group.teks.length > 0;
  return lines(
    `Group Member Information For Group ${group.name}:`,
    field(4, "IPSec SA Direction", GROUP, "Both"),
    field(4, "ACL Received From KS", GROUP, hasPolicy ? `gdoi_group_${group.name}_temp_acl` : "None"),
    "",
    `    ${"Group member".padEnd(GROUP)}: ${group.address.padEnd(15)} vrf: None`,
    row("Local addr/port", `${group.address}/${group.port}`),
    row("Remote addr/port", `${server ?? "0.0.0.0"}/${group.port}`),
    row("fvrf/ivrf", "None/None"),
    row("Version", group.version),
    row("Registration status", group.status),
    row("Registered with", group.status === "Registered" ? (server ?? "UNKNOWN") : "UNKNOWN"),
    reregisterIn === undefined ? [] : [row("Re-registers in", `${reregisterIn} sec`)],
    row("Succeeded registration", group.succeeded),
    row("Attempted registration", group.attempted),
    row("Last rekey from", rekeys.lastFrom ?? "UNKNOWN"),
    row("Last rekey seq num", rekeys.lastSequence),
    isMulticast ? row("Multicast rekey rcvd", rekeys.multicast) : row("Unicast rekey received", rekeys.unicast),
    isMulticast ? [] : [row("Rekey ACKs sent", rekeys.acksSent)],
    rekeys.lastAgo === undefined
      ? row("Rekey Received", "never")
      : row("Rekey Rcvd(hh:mm:ss)", clockText(rekeys.lastAgo)),
    row("PFS Rekey received", 0),
    row("DP Error Monitoring", "OFF"),
    field(7, "IPSEC init reg executed", 27, 0),
    field(7, "IPSEC init reg postponed", 27, 0),
    row("Active TEK Number", activeTeks(group)),
    row("SA Track (OID/status)", "disabled"),
    `       Fail-Close Revert : ${enabled(group.isFailCloseRevert)}`,
    "",
    row("allowable rekey cipher", group.allowedCipher),
    row("allowable rekey hash", group.allowedHash),
    row("allowable transformtag", group.allowedTransforms),
    "",
    "    Rekeys cumulative",
    row("Total received", rekeys.unicast + rekeys.multicast),
    row("After latest register", rekeys.sinceRegistration),
    row("Rekey Acks sents", rekeys.acksSent),
  );
}

/** Generations of TEKs that live: the most that any one entry of the list has. */
function activeTeks({ teks }: MemberGroupView): number {
  const counts = new Map<string, number>();
  for (const { entry } of teks) {
    const key = showEntry(entry);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return Math.max(0, ...counts.values());
}

function downloadedAcl({ server, downloaded }: MemberGroupView, blanks: number): string {
  if (downloaded.length === 0) return "";
  return lines(
    ` ACL Downloaded From KS ${server ?? "UNKNOWN"}:`,
    downloaded.map((entry) => `   ${showEntry(entry, "", blanks)}`),
    "",
  );
}

function kekPolicy({ kek, transport }: MemberGroupView): string {
  if (kek === undefined) return "";
  const row = (label: string, value: string | number) => field(4, label, GROUP, value);
  return lines(
    "KEK POLICY:",
    row("Rekey Transport Type", transport),
    row("Lifetime (secs)", kek.remaining),
    row("Encrypt Algorithm", kek.cipher),
    row("Key Size", kek.keyBits),
    row("Sig Hash Algorithm", kek.signature?.hash ?? "NONE"),
    row("Sig Key Length (bits)", 8 * (kek.signature?.spkiOctets ?? 0)),
    "",
  );
}

function tekPolicy({ teks, interface: name }: MemberGroupView): string {
  if (teks.length === 0) return "";
  return lines("TEK POLICY for the current KS-Policy ACEs Downloaded:", `  ${name}:`, teks.flatMap(tekLines), "");
}

function tekLines(tek: MemberTekView): string[] {
  return [
    "    IPsec SA:",
    `        spi: ${longSpi(tek.spi)}`,
    `        transform: ${transformText(tek.transform)}`,
    `        sa timing:remaining key lifetime (sec): (${tek.remaining})`,
    ...replayLine(tek.replay),
    "        tag method : disabled",
    `        alg key size: ${keyOctets(tek.transform)} (bytes)`,
    `        sig key size: ${hashOctets(tek.transform.hash)} (bytes)`,
    `        encaps: ${encapsText(tek.mode)}`,
    "",
  ];
}

function replayLine(replay: ReplayView): string[] {
  switch (replay.method) {
    case "counter":
      return [`        Anti-Replay(Counter Based) : ${replay.window}`];
    case "time":
      return [`        Anti-Replay(Time Based) : ${replay.seconds} sec interval`];
    case "none":
      return ["        Anti-Replay : Disabled"];
  }
}

/** `show crypto gkm gm acl [local | download]`. */
export function memberAcl(groups: readonly MemberGroupView[], what: "local" | "download" | undefined): string {
  return groups
    .map((group) => {
      const { local } = group;
      const own =
        local === undefined
          ? []
          : [
              " ACL Configured Locally: ",
              `  Map Name: ${local.map}`,
              ...local.entries.map((entry) => `   ${showEntry(entry, local.acl, 1)}`),
            ];
      return (
        lines(`Group Name: ${group.name}`) +
        (what === "local" ? "" : downloadedAcl(group, 2).replace(/\n\n$/, "\n")) +
        (what === "download" ? "" : lines(own)) +
        lines("")
      );
    })
    .join("");
}

/** `show crypto gkm gm rekey [detail]`. */
export function memberRekey(groups: readonly MemberGroupView[], isDetailed: boolean): string {
  return groups
    .map((group) => {
      const { rekeys, kek, address, server } = group;
      const row = (label: string, value: number) => field(4, label, 45, value);
      return lines(
        `Group ${group.name} (${group.transport})`,
        row("Number of Rekeys received (cumulative)", rekeys.unicast + rekeys.multicast),
        row("Number of Rekeys received after registration", rekeys.sinceRegistration),
        row("Number of Rekey Acks sent", rekeys.acksSent),
        isDetailed
          ? [
              "",
              "    Rekey (KEK) SA information :",
              `                 ${"dst".padEnd(16)}${"src".padEnd(17)}${"conn-id".padEnd(10)}my-cookie  his-cookie`,
              rekeyRow("New", undefined),
              rekeyRow("Current", kek && { address, server: server ?? "UNKNOWN", id: kek.connectionId, spi: kek.spi }),
              rekeyRow(
                "Previous",
                kek?.previousSpi === undefined
                  ? undefined
                  : { address, server: server ?? "UNKNOWN", id: kek.connectionId - 1, spi: kek.previousSpi },
              ),
            ]
          : [],
        "",
      );
    })
    .join("");
}

/** The SPI of a rekey SA stands where IKE has its two cookies; the first half of each is shown. */
function rekeyRow(
  name: string,
  sa: { readonly address: string; readonly server: string; readonly id: number; readonly spi: string } | undefined,
): string {
  const start = `    ${name.padEnd(8)}: `;
  if (sa === undefined) return `${start}   ${"---".padEnd(16)}${"---".padEnd(17)}${"---".padEnd(10)}---        ---`;
  const spi = sa.spi.toUpperCase();
  const cookies = `${spi.slice(0, 8).padEnd(11)}${spi.slice(16, 24)}`;
  return `${start}   ${sa.address.padEnd(16)}${sa.server.padEnd(17)}${String(sa.id).padEnd(10)}${cookies}`;
}

/** `show crypto gkm gm replay`. */
export function memberReplay(groups: readonly MemberGroupView[]): string {
  return groups
    .map((group) => {
      const replay = group.teks[0]?.replay;
      const title = `Anti-replay Information For Group ${group.name}:`;
      if (replay?.method !== "time") return lines(title, "  Timebased Replay is not enabled", "");
      const { dataPlane } = group;
      const twin = (left: string, a: number | string, right: string, b: number | string) =>
        `    ${left.padEnd(25)}: ${String(a).padEnd(9)}${right.padEnd(25)}: ${b}`;
      return lines(
        title,
        "  Timebased Replay:",
        field(4, "Replay Value", 25, `${replay.seconds}.00 secs`),
        twin("Input Packets", dataPlane.decrypted, "Output Packets", dataPlane.encrypted),
        twin("Input Error Packets", dataPlane.replayFail, "Output Error Packets", 0),
        twin("Time Sync Error", 0, "Max time delta", "0.00 secs"),
        "",
        "    TBAR Error History (sampled at 10pak/min):",
        "        No TBAR errors detected",
        "",
      );
    })
    .join("");
}

/** `show crypto gkm gm identifier [detail]`. */
export function memberIdentifier(groups: readonly MemberGroupView[], isDetailed: boolean): string {
  return groups
    .map((group) => {
      const { senderIds, senderIdBits: bits } = group;
      const row = (label: string, value: string | number) => field(2, label, 32, value);
      const sids = senderIds.map(
        (id) =>
          `0x${id
            .toString(16)
            .toUpperCase()
            .padStart(Math.ceil(bits / 4), "0")}`,
      );
      const size = bits === 24 ? "MEDIUM" : bits === 32 ? "LARGE" : "SMALL";
      return lines(
        `GM Sender ID (SID) Information for Group ${group.name}:`,
        "",
        `  Group Member: ${group.address.padEnd(15)} vrf: None`,
        row("Transform Mode", group.isCounterMode ? "Counter (Suite-B)" : "Non-Counter (Non-Suite-B)"),
        row("# of SIDs Last Requested", group.isCounterMode ? group.senderIdsRequested : 0),
        "",
        `  CURRENT SIDs: ${sids.length === 0 ? "None" : sids.join(", ")}`,
        isDetailed
          ? [
              "",
              "  NEXT SID REQUEST:",
              field(4, "TEK Lifetime", 30, `${group.teks[0]?.lifetime ?? 0} sec`),
              field(4, "SID Length (Group Size)", 30, bits === 0 ? "24 bits (MEDIUM)" : `${bits} bits (${size})`),
            ]
          : [],
        "",
      );
    })
    .join("");
}

/** `show crypto gkm gm dataplane counters`. */
export function memberDataPlane(groups: readonly MemberGroupView[]): string {
  const twin = (left: string, a: number, right: string, b: number) =>
    `    #pkts ${left.padEnd(19)}: ${String(a).padEnd(9)}#pkts ${right.padEnd(19)}: ${b}`;
  return groups
    .map(({ name, dataPlane: plane }) =>
      lines(
        `Data-plane statistics for group ${name}:`,
        twin("encrypt", plane.encrypted, "decrypt", plane.decrypted),
        twin("tagged (send)", 0, "untagged (rcv)", 0),
        twin("no sa (send)", plane.noSa, "invalid sa (rcv)", plane.invalidSa),
        twin("encaps fail (send)", plane.encapsFail, "decap fail (rcv)", plane.decapFail),
        twin("invalid prot (rcv)", plane.invalidProtocol, "verify fail (rcv)", plane.verifyFail),
        twin("not tagged (send)", 0, "not untagged (rcv)", 0),
        twin("internal err (send)", plane.internalSend, "internal err (rcv)", plane.internalReceive),
        "",
      ),
    )
    .join("");
}

/** `show crypto gkm gm pubkey`: the key server's public key, 8 digits a word, 9 words a line. */
export function memberPublicKey(groups: readonly MemberGroupView[]): string {
  return groups
    .map(({ name, kek, server }) => {
      const key = kek?.publicKey;
      if (kek === undefined || key === undefined) return lines(`GDOI Group: ${name}`, "");
      const spi = kek.spi.toUpperCase();
      return lines(
        `GDOI Group: ${name}`,
        `  KS IP Address: ${server ?? "UNKNOWN"}`,
        `    conn-id: ${kek.connectionId}    my-cookie:${spi.slice(0, 8)}    his-cookie:${spi.slice(16, 24)}`,
        "    Key Data:",
        hexWords(key, 9).map((row) => `      ${row}`),
        "",
      );
    })
    .join("");
}

/** `show crypto gkm ipsec sa`. */
export function memberIpsecSa(groups: readonly MemberGroupView[]): string {
  return groups
    .filter(({ teks }) => teks.length > 0)
    .map((group) => {
      const newest = new Map(group.teks.map((tek) => [showEntry(tek.entry), tek] as const).reverse());
      return lines(
        `SA created for group ${group.name}:`,
        `  ${group.interface}:`,
        [...newest.values()]
          .reverse()
          .flatMap(({ entry, replay }) => [
            `    protocol = ${identProtocol(entry.protocol)}`,
            `      local ident  = ${identText(entry.source)}, port = ${portOf(entry.sourcePort)}`,
            `      remote ident = ${identText(entry.destination)}, port = ${portOf(entry.destinationPort)}`,
            `      direction: Both, replay(method/window): ${replayShort(replay)}`,
          ]),
        "",
      );
    })
    .join("");
}

function identProtocol(protocol: number | "ip"): string {
  const names: Readonly<Record<number, string>> = { 1: "icmp", 6: "tcp", 17: "udp" };
  return protocol === "ip" ? "ip" : (names[protocol] ?? String(protocol));
}

function portOf(match: MemberTekView["entry"]["sourcePort"]): number {
  return match !== undefined && match.operator === "eq" ? match.ports[0]! : 0;
}

/** Host prefixes stand bare, any is `ANY`. */
function identText({ address, wildcard }: MemberTekView["entry"]["source"]): string {
  if (wildcard === 0xffffffff) return "ANY";
  const text = [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join(".");
  return wildcard === 0 ? text : `${text}/${Math.clz32(wildcard)}`;
}

/** `show crypto gkm rekey sa`: two rows while the KEK before is still known. */
export function rekeySa(groups: readonly MemberGroupView[]): string {
  const row = (destination: string, source: string, id: number | string, status: string) =>
    `${destination.padEnd(16)}${source.padEnd(16)}${String(id).padEnd(16)}${status}`;
  const rows = groups.flatMap(({ address, server, kek }) => {
    if (kek === undefined) return [];
    const one = row(address, server ?? "UNKNOWN", kek.connectionId, "ACTIVE");
    if (kek.previousSpi === undefined) return [one];
    return [one, row(address, server ?? "UNKNOWN", kek.connectionId - 1, "ACTIVE")];
  });
  return lines("GETVPN REKEY SA", row("dst", "src", "conn-id", "status"), rows, "");
}

/** `show crypto gkm rekey sa detail`. */
export function rekeySaDetail(groups: readonly MemberGroupView[]): string {
  const active = groups.flatMap((group, index) => (group.kek === undefined ? [] : [{ group, kek: group.kek, index }]));
  const sum = (of: (group: MemberGroupView) => number) => groups.reduce((total, group) => total + of(group), 0);
  return (
    lines(
      "KEK SA DB STATS:",
      `    num_active = ${active.length}`,
      `    num_malloc = ${sum(({ kekCount }) => kekCount.installed)}`,
      `    num_free = ${sum(({ kekCount }) => kekCount.removed)}`,
      "",
    ) + active.map(({ group, kek, index }) => kekBlock(group, kek, index)).join("")
  );
}

function kekBlock(group: MemberGroupView, kek: MemberKekView, index: number): string {
  const { signature } = kek;
  const ike = group.type === "GDOI (ISAKMP)" ? "IKEv1" : "IKEv2";
  const twin = (left: string, a: string | number, right: string, b: string | number) =>
    `    ${left.padEnd(19)}: ${String(a).padEnd(12)}${right.padEnd(18)}: ${b}`;
  return lines(
    `  KEK POLICY (transport type : ${group.transport})`,
    `   Local addr/port : ${group.address}/${group.port}`,
    `   Remote addr/port : ${group.server ?? "0.0.0.0"}/${group.port}`,
    `    spi : ${hexSpi(kek.spi)}`,
    twin("management alg", "disabled", "encrypt alg", kek.cipher),
    twin("crypto iv length", kek.ivOctets, "key size", kek.keyBits / 8),
    field(4, "orig life(sec)", 19, kek.lifetime),
    twin(
      "sig hash algorithm",
      signature === undefined ? "disabled" : "enabled",
      "sig key length",
      signature?.spkiOctets ?? 0,
    ),
    field(4, "sig size", 19, signature?.signatureOctets ?? 0),
    field(4, "acknowledgement", 19, "Cisco"),
    field(4, `conn_id (${ike})`, 19, kek.connectionId),
    twin("seq num", kek.sequence, "prev seq num", Math.max(0, kek.sequence - 1)),
    field(4, "handle", 19, (0x40000002 + index).toString(16)),
    field(4, "Interface", 19, group.interface),
    field(4, "Group Name", 19, group.name),
    "",
  );
}
