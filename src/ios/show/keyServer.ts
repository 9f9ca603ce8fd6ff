/** `show crypto gkm` and `show crypto gkm ks ...` on a key server. */
import { showEntry } from "../acl.ts";
import {
  directionText,
  enabled,
  encapsText,
  FIRST_HANDLE,
  field,
  handleText,
  hashOctets,
  hexSpi,
  keyOctets,
  lines,
  transformText,
  VERSIONS,
} from "./text.ts";
import type {
  RedundancyView,
  ReplayView,
  ServerGroupView,
  ServerKekView,
  ServerMemberView,
  ServerSaView,
} from "./views.ts";

/** Width of the labels of a group, of its redundancy and of its SAs. */
const GROUP = 25;
const INNER = 21;
const SA = 23;

const ACKNOWLEDGEMENTS = { any: "Any", cisco: "Cisco", interoperable: "Interoperable" } as const;

function d3pText(group: ServerGroupView): string {
  return group.d3pWindowMillis === undefined ? "Disabled" : `${group.d3pWindowMillis} msec`;
}

/** One group of `show crypto gkm`, without the title. */
export function serverGroup(group: ServerGroupView): string {
  const row = (label: string, value: string | number) => field(4, label, GROUP, value);
  const [kek] = group.keks;
  return lines(
    row("Group Name", `${group.name} (${group.transport})`),
    row("Re-auth on new CRL", enabled(group.isReauthOnCrl)),
    row("Group Identity", group.identity),
    row("Group Type", group.type),
    row("Crypto Path", group.family),
    row("Key Management Path", "ipv4"),
    row("Group Members", group.members.length),
    row("IPSec SA Direction", directionText(group.isReceiveOnly)),
    row("IP D3P Window", d3pText(group)),
    row("CKM status", enabled(group.isCkmEnabled)),
    group.redundancy === undefined ? [] : redundancyLines(group.redundancy),
    row("Group Rekey Lifetime", `${group.rekeyLifetime} secs`),
    kek === undefined ? [] : ["    Group Rekey", field(8, "Remaining Lifetime", INNER, `${kek.remaining} secs`)],
    row("Rekey Retransmit Period", `${group.retransmitPeriod} secs`),
    row("Rekey Retransmit Attempts", group.retransmitAttempts),
    kek === undefined
      ? []
      : ["    Group Retransmit", field(8, "Remaining Lifetime", INNER, `${group.retransmitRemaining} secs`)],
    "",
    group.sas.flatMap(saLines),
    "     Group Server list       : Local",
    "",
  );
}

function redundancyLines({ address, priority, status, role }: RedundancyView): string[] {
  const row = (label: string, value: string | number) => field(8, label, INNER, value);
  return [
    field(4, "Redundancy", GROUP, "Configured"),
    row("Local Address", address),
    row("Local Priority", priority),
    row("Local KS Status", status),
    row("Local KS Role", role),
    row("Local KS Version", VERSIONS.server),
    row("Local COOP Version", VERSIONS.coop),
  ];
}

const METHODS = { counter: "Count Based", time: "Time Based", none: "Disabled" } as const;

function windowOf(replay: ReplayView): number {
  if (replay.method === "none") return 0;
  return replay.method === "counter" ? replay.window : replay.seconds;
}

function saLines(sa: ServerSaView): string[] {
  const row = (label: string, value: string | number) => field(6, label, SA, value);
  const { replay, remaining } = sa;
  return [
    row("IPSec SA Number", sa.number),
    row("IPSec SA Rekey Lifetime", `${sa.lifetime} secs`),
    row("Profile Name", sa.profile),
    row("Replay method", METHODS[replay.method]),
    ...(replay.method === "none" ? [] : [row("Replay Window Size", windowOf(replay))]),
    row("Tagging method", sa.isTagged ? "Enabled (CTS SGT)" : "Disabled"),
    ...(remaining === undefined ? [] : ["      SA Rekey", field(9, "Remaining Lifetime", 20, `${remaining} secs`)]),
    row("ACL Configured", `access-list ${sa.acl}`),
    "",
  ];
}

/** `show crypto gkm ks [detail]`. */
export function serverSummary(groups: readonly ServerGroupView[], isDetailed: boolean): string {
  const total = groups.reduce((sum, { members }) => sum + members.length, 0);
  return lines(`Total group members registered to this box: ${total}`, "") + groups.map(one).join("");

  function one(group: ServerGroupView): string {
    const row = (label: string, value: string | number) => field(4, label, GROUP, value);
    return lines(
      `Key Server Information For Group ${group.name}:`,
      row("Group Name", group.name),
      row("Re-auth on new CRL", enabled(group.isReauthOnCrl)),
      row("Group Identity", group.identity),
      row("Group Type", group.type),
      row("Group Members", group.members.length),
      row("Rekey Acknowledgement Cfg", ACKNOWLEDGEMENTS[group.acknowledgement]),
      row("IPSec SA Direction", directionText(group.isReceiveOnly)),
      row("IP D3P Window", d3pText(group)),
      row("Split Resiliency Factor", group.splitResiliencyFactor),
      row("CKM status", enabled(group.isCkmEnabled)),
      "    ACL Configured:",
      group.sas.map(({ acl }) => `        access-list ${acl}`),
      isDetailed && group.redundancy !== undefined ? redundancyLines(group.redundancy) : [],
      "",
    );
  }
}

/** `show crypto gkm ks members [ADDRESS] [summary]`. */
export function serverMembers(
  groups: readonly ServerGroupView[],
  address: string | undefined,
  isSummary: boolean,
): string {
  const chosen = groups.map((group) => ({
    group,
    members: group.members.filter((member) => address === undefined || member.address === address),
  }));
  if (address !== undefined && chosen.every(({ members }) => members.length === 0)) {
    return "Group Member not Found\n";
  }
  const title = lines("", "Group Member Information : ", "");
  if (isSummary) return title + chosen.map(({ group, members }) => summaryOf(group, members)).join("");
  return title + chosen.map(({ group, members }) => membersOf(group, members)).join("");
}

function membersOf(group: ServerGroupView, members: readonly ServerMemberView[]): string {
  const { name } = group;
  return lines(
    `Number of rekeys sent for group ${name} : ${group.rekeysSent}`,
    `Number of retransmits during the last rekey for group ${name} : ${group.lastRetransmits}`,
    `Duration of the last rekey for group ${name} : ${group.lastDurationMillis} msec`,
    "",
    members.flatMap((member) => memberLines(group, member)),
  );
}

function memberLines(group: ServerGroupView, member: ServerMemberView): string[] {
  const row = (label: string, value: string | number) => field(1, label, 18, value);
  return [
    `Group Member ID    : ${member.address}  GM Version: ${member.version}`,
    row("Group ID", group.identity),
    row("Group Name", group.name),
    row("Group Type", member.type),
    row("GM State", "Registered"),
    row("Key Server ID", group.address),
    row("Rekeys sent", member.rekeysSent),
    row("Rekeys retries", member.retries),
    row("Rekey Acks Rcvd", member.acksReceived),
    row("Rekey Acks missed", member.acksMissed),
    "",
    ` Sent seq num : ${lastFour(member.sequencesSent)}`,
    ` Rcvd seq num : ${lastFour(member.sequencesReceived)}`,
    "",
  ];
}

/** Newest first; what has not happened yet is a zero. */
function lastFour(sequences: readonly number[]): string {
  return [0, 1, 2, 3]
    .map((index) => String(sequences[index] ?? 0).padEnd(6))
    .join("")
    .trimEnd();
}

function summaryOf(group: ServerGroupView, members: readonly ServerMemberView[]): string {
  return lines(
    `Group Name: ${group.name}, ID: ${group.identity}, Group Members: ${members.length}`,
    `Key Server ID: ${group.address}, GMDB state: LOCAL, Group Members: ${members.length}`,
    "",
    "  Member ID     Version      Rekey sent     Rekey Ack missed",
    members.map(
      ({ address, version, rekeysSent, acksMissed }) =>
        `  ${`${address} `.padEnd(14)}${version.padEnd(13)}${String(rekeysSent).padEnd(15)}${acksMissed}`,
    ),
    "",
  );
}

/** `show crypto gkm ks policy`. */
export function serverPolicy(groups: readonly ServerGroupView[]): string {
  return lines("Key Server Policy:") + groups.map(policyOf).join("");
}

/** Two columns of labels: 19 and 22 characters wide, the second one at column 34. */
function twin(left: string, leftValue: string | number, right: string, rightValue: string | number): string {
  return `    ${left.padEnd(19)}: ${String(leftValue).padEnd(14)}${right.padEnd(22)}: ${rightValue}`;
}

function policyOf(group: ServerGroupView, index: number): string {
  const { keks, teks, name, address } = group;
  const handle = handleText(index);
  if (keks.length === 0) {
    return lines(
      `For group ${name} (handle: ${handle}) server ${address} (handle: ${handle}):`,
      "",
      "  # of teks : 0  Seq num : 0",
      "",
    );
  }
  return lines(
    `For group ${name} (handle: ${handle}) server ${address} (handle: ${handle}):`,
    "",
    `  # of teks : ${teks.length}  Seq num : ${keks[0]!.sequence}`,
    keks.flatMap((kek) => kekLines(group, kek)),
    teks.flatMap((tek, at) => [
      ...(at === 0 ? [`  TEK POLICY (encaps : ${encapsText(tek.mode)})`] : []),
      field(4, "spi", 19, hexSpi(tek.spi)),
      field(4, "access-list", 19, tek.acl),
      field(4, "transform", 19, transformText(tek.transform)),
      twin("alg key size", keyOctets(tek.transform), "sig key size", hashOctets(tek.transform.hash)),
      twin("orig life(sec)", tek.lifetime, "remaining life(sec)", tek.remaining),
      twin("tek life(sec)", tek.lifetime, "elapsed time(sec)", tek.elapsed),
      twin("override life(sec)", 0, "antireplay window size", windowOf(tek.replay)),
      `    time to rekey (sec): ${tek.rekeyIn ?? "n/a"}`,
      "",
    ]),
  );
}

/** Of a group with two of them each says whose it is; how a real key server tells them apart is not known. */
function kekLines(group: ServerGroupView, kek: ServerKekView): string[] {
  const { signature } = kek;
  return [
    `  KEK POLICY (transport type : ${group.transport})`,
    ...(group.keks.length > 1 ? [field(4, "group type", 19, kek.type)] : []),
    `    spi : ${hexSpi(kek.spi)}`,
    twin("management alg", "disabled", "encrypt alg", kek.cipher),
    twin("crypto iv length", kek.ivOctets, "key size", kek.keyOctets),
    twin("orig life(sec)", kek.lifetime, "remaining life(sec)", kek.remaining),
    `    time to rekey (sec): ${kek.rekeyIn}`,
    ...(signature === undefined
      ? [twin("sig hash algorithm", "disabled", "sig key length", 0)]
      : [
          twin("sig hash algorithm", "enabled", "sig key length", signature.spkiOctets),
          field(4, "sig size", 19, signature.signatureOctets),
          field(4, "sig key name", 19, signature.label),
        ]),
    field(4, "acknowledgement", 19, ACKNOWLEDGEMENTS[group.acknowledgement]),
    "",
  ];
}

/** `show crypto gkm ks acl`. */
export function serverAcl(groups: readonly ServerGroupView[]): string {
  return groups
    .map((group) =>
      lines(
        `Group Name: ${group.name}`,
        " Configured ACL:",
        group.sas.flatMap(({ acl, entries }) => entries.map((entry) => `   ${showEntry(entry, acl)}`)),
        "",
      ),
    )
    .join("");
}

/** `show crypto gkm ks rekey`. */
export function serverRekey(groups: readonly ServerGroupView[]): string {
  return groups
    .map((group) => {
      const row = (label: string, value: string | number) => field(4, label, 36, value);
      const inner = (label: string, value: string | number) => field(8, label, 32, value);
      return lines(
        `Group ${group.name} (${group.transport})`,
        row("Acknowledgement Type in-use", ACKNOWLEDGEMENTS[group.acknowledgement]),
        row("Number of Rekeys sent", group.rekeysSent),
        row("Number of Rekeys retransmitted", group.retransmitsTotal),
        row("KEK rekey lifetime (sec)", group.rekeyLifetime),
        group.keks
          .slice(0, 1)
          .flatMap((kek) => [
            inner("Remaining lifetime (sec)", kek.remaining),
            inner("Remaining time until rekey (sec)", kek.rekeyIn),
          ]),
        row("Retransmit period", group.retransmitPeriod),
        row("Number of retransmissions", group.retransmitAttempts),
        group.sas.flatMap((sa) => [
          row(`IPSec SA ${sa.number}  lifetime (sec)`, sa.lifetime),
          ...(sa.remaining === undefined ? [] : [inner("Remaining lifetime (sec)", sa.remaining)]),
          ...(sa.rekeyIn === undefined ? [] : [inner("Remaining time until rekey (sec)", sa.rekeyIn)]),
        ]),
        "",
      );
    })
    .join("");
}

/** `show crypto gkm ks replay`: the value is the pseudotime, which counts from the start of the key server. */
export function serverReplay(groups: readonly ServerGroupView[], uptimeSeconds: number): string {
  return groups
    .map((group) => {
      const timed = group.sas.some(({ replay }) => replay.method === "time");
      const rest = timed
        ? [
            "  Timebased Replay:",
            field(4, "Replay Value", 25, `${uptimeSeconds}.00 secs`),
            field(4, "Remaining sync time", 25, "0 secs"),
          ]
        : ["  Timebased Replay is not enabled"];
      return lines(`Anti-replay Information For Group ${group.name}:`, rest, "");
    })
    .join("");
}

/** `show crypto gkm ks identifier [detail]`. */
export function serverIdentifier(groups: readonly ServerGroupView[], isDetailed: boolean): string {
  return groups
    .map(({ name, senderIds }) => {
      const row = (label: string, value: string | number) => field(2, label, 25, value);
      const { assigned, current, lastGmSid, bits, sizeName } = senderIds;
      const mode = senderIds.isCounterMode ? "Counter (Suite-B)" : "Non-Counter (Non-Suite-B)";
      return lines(
        `KS Sender ID (KSSID) Information for Group ${name}:`,
        "",
        row("Transform Mode", mode),
        row("Re-initializing", "No"),
        row("SID Length (Group Size)", `${bits} bits (${sizeName})`),
        row("Current KSSID In-Use", current ?? "none"),
        row("Last GMSID Used", lastGmSid ?? "none"),
        isDetailed
          ? [
              "",
              row("KSSID(s) Assigned", rangesText(assigned)),
              row("KSSID(s) Used", current ?? "none"),
              row("KSSID(s) Used (Old)", "none"),
              row("Available KSSID(s)", rangesText(without(assigned, current))),
              "",
              `  REMAINING SIDs: ${senderIds.isCounterMode ? senderIds.remaining : "none"}`,
            ]
          : [],
        "",
      );
    })
    .join("");
}

type Range = ServerGroupView["senderIds"]["assigned"][number];

function rangesText(ranges: readonly Range[]): string {
  const text = ranges.map(({ from, to }) => (from === to ? `${from}` : `${from}-${to}`)).join(", ");
  return text === "" ? "none" : text;
}

/** What is left of the ranges once `used` and all before it have been taken up; the first range is counted first. */
function without(ranges: readonly Range[], used: number | undefined): readonly Range[] {
  const [first, ...rest] = ranges;
  if (first === undefined || used === undefined || used < first.from || used > first.to) return ranges;
  return used === first.to ? rest : [{ from: used + 1, to: first.to }, ...rest];
}

/** `show crypto gkm ks coop`: a group without `redundancy` says so. */
export function serverCoop(groups: readonly ServerGroupView[]): string {
  return groups
    .map(({ name, redundancy }, index) => {
      const handle = FIRST_HANDLE + index;
      return lines(
        `Crypto Gdoi Group Name :${name}`,
        `        Group handle: ${handle}, Local Key Server handle: ${handle}`,
        "",
        redundancy === undefined
          ? ["        *NO* redundancy configured for this group"]
          : [
              `        Local Address: ${redundancy.address}`,
              `        Local Priority: ${redundancy.priority}`,
              `        Local KS Role: ${redundancy.role.padEnd(10)}, Local KS Status: ${redundancy.status}`,
              `        Local KS version: ${VERSIONS.server}`,
              `        Local COOP version: ${VERSIONS.coop}`,
            ],
        "",
      );
    })
    .join("");
}
