/**
 * A `show` command on a router: from the words of the command and the view of the router to the text that IOS prints. One
 * row per command; where several rows fit the first one answers.
 */
import type { ExecCommand, OutputFilter } from "../exec.ts";
import { canonicalInterface } from "../interfaceName.ts";
import { printConfig, printInterfaceConfig } from "../print.ts";
import { accessLists, clock, interfaceBrief, interfaceDetails, ipRoutes, version } from "./box.ts";
import { featureTable } from "./feature.ts";
import { applyFilter } from "./filter.ts";
import { ikev2Policies, ikev2Profiles, ikev2Proposals } from "./ikev2.ts";
import { ikev2Stats } from "./ikev2Stats.ts";
import { cryptoMaps, ipsecProfiles, transformSets } from "./ipsec.ts";
import { isakmpKeys, isakmpPolicies, isakmpProfiles } from "./isakmp.ts";
import {
  serverAcl,
  serverCoop,
  serverGroup,
  serverIdentifier,
  serverMembers,
  serverPolicy,
  serverRekey,
  serverReplay,
  serverSummary,
} from "./keyServer.ts";
import { logging } from "./logging.ts";
import {
  memberAcl,
  memberDataPlane,
  memberGroup,
  memberIdentifier,
  memberInformation,
  memberIpsecSa,
  memberPublicKey,
  memberRekey,
  memberReplay,
  rekeySa,
  rekeySaDetail,
} from "./member.ts";
import { natTranslations } from "./nat.ts";
import { certificates, rsaKeys, trustpoints } from "./pki.ts";
import { ikev2Sas, ipsecSas, isakmpSaDetails, isakmpSas, sessions } from "./sas.ts";
import { lines } from "./text.ts";
import type {
  Ikev2SaView,
  IpsecInterfaceView,
  IsakmpSaView,
  MemberGroupView,
  RouterView,
  ServerGroupView,
} from "./views.ts";

/** `words`: behind `show`, keywords in full, without `group NAME`. */
interface Query {
  readonly view: RouterView;
  readonly words: readonly string[];
  /** Those that the command names, or all. */
  readonly servers: readonly ServerGroupView[];
  readonly members: readonly MemberGroupView[];
  readonly isOneGroup: boolean;
}

interface Row {
  /** The words begin like this; `gdoi` counts as `gkm`. */
  readonly start: string;
  readonly text: (query: Query) => string;
}

const rows: readonly Row[] = [
  { start: "crypto gkm ks members", text: (q) => ksMembers(q) },
  { start: "crypto gkm ks policy", text: (q) => serverPolicy(q.servers) },
  { start: "crypto gkm ks acl", text: (q) => serverAcl(q.servers) },
  { start: "crypto gkm ks rekey", text: (q) => serverRekey(q.servers) },
  { start: "crypto gkm ks replay", text: (q) => serverReplay(q.servers, q.view.uptimeSeconds) },
  { start: "crypto gkm ks coop version", text: () => COOP_VERSIONS },
  { start: "crypto gkm ks coop", text: (q) => serverCoop(q.servers) },
  { start: "crypto gkm ks identifier", text: (q) => serverIdentifier(q.servers, q.words.includes("detail")) },
  { start: "crypto gkm ks", text: (q) => serverSummary(q.servers, q.words.includes("detail")) },
  { start: "crypto gkm gm acl", text: (q) => memberAcl(q.members, lastOf(q.words, ["local", "download"])) },
  { start: "crypto gkm gm rekey", text: (q) => memberRekey(q.members, q.words.includes("detail")) },
  { start: "crypto gkm gm replay", text: (q) => memberReplay(q.members) },
  { start: "crypto gkm gm identifier", text: (q) => memberIdentifier(q.members, q.words.includes("detail")) },
  { start: "crypto gkm gm dataplane", text: (q) => memberDataPlane(q.members) },
  { start: "crypto gkm gm pubkey", text: (q) => memberPublicKey(q.members) },
  { start: "crypto gkm gm", text: (q) => q.members.map((group) => `${memberInformation(group)}\n`).join("") },
  { start: "crypto gkm feature", text: (q) => featureTable(q.servers, q.members, q.words[3]) },
  { start: "crypto gkm ipsec sa", text: (q) => memberIpsecSa(q.members) },
  { start: "crypto gkm rekey sa detail", text: (q) => rekeySaDetail(q.members) },
  { start: "crypto gkm rekey sa", text: (q) => rekeySa(q.members) },
  { start: "crypto gkm", text: groups },
  {
    start: "crypto ikev2 sa",
    text: ({ view, words }) => ikev2Sas(between(view.ikev2Sas, endsOf(words)), words.includes("detailed")),
  },
  { start: "crypto isakmp sa detail", text: ({ view }) => isakmpSaDetails(view.isakmpSas) },
  { start: "crypto isakmp sa", text: ({ view }) => isakmpSas(view.isakmpSas) },
  { start: "crypto ipsec sa", text: ipsecSaText },
  { start: "crypto session", text: sessionText },
  { start: "crypto ikev2 proposal", text: ({ view, words }) => ikev2Proposals(view.config, words[3]) },
  { start: "crypto ikev2 policy", text: ({ view, words }) => ikev2Policies(view.config, words[3]) },
  { start: "crypto ikev2 profile", text: ({ view, words }) => ikev2Profiles(view.config, words[3]) },
  { start: "crypto ikev2 stats", text: ({ view }) => ikev2Stats(view.ikev2Stats()) },
  { start: "crypto isakmp policy", text: ({ view }) => isakmpPolicies(view.config.isakmp) },
  { start: "crypto isakmp profile", text: ({ view }) => isakmpProfiles(view.config.isakmp) },
  { start: "crypto isakmp key", text: ({ view }) => isakmpKeys(view.config.isakmp) },
  { start: "crypto ipsec transform-set", text: ({ view, words }) => transformSets(view.config, words[3]) },
  { start: "crypto ipsec profile", text: ({ view, words }) => ipsecProfiles(view.config, words[3]) },
  { start: "crypto key mypubkey rsa", text: ({ view, words }) => rsaKeys(view.rsaKeys(), words[4]) },
  { start: "crypto pki certificates", text: ({ view, words }) => certificates(view.trustpoints, words[3]) },
  { start: "crypto pki trustpoints", text: ({ view }) => trustpoints(view.trustpoints) },
  {
    start: "crypto map",
    text: ({ view, words }) => cryptoMaps(view.config, after(words, "tag"), interfaceAfter(words, "interface")),
  },
  { start: "interfaces", text: ({ view, words }) => interfaceDetails(view, nameFrom(words, 1)) },
  { start: "ip interface brief", text: ({ view }) => interfaceBrief(view.interfaces) },
  { start: "ip route", text: ({ view }) => ipRoutes(view.routes) },
  { start: "ip nat translations", text: ({ view }) => natTranslations(view.nat) },
  { start: "ip access-lists", text: ({ view, words }) => accessLists(view.config, words[2]) },
  { start: "access-lists", text: ({ view, words }) => accessLists(view.config, words[1]) },
  { start: "running-config", text: runningConfig },
  { start: "clock", text: ({ view }) => clock(view) },
  { start: "logging", text: ({ view }) => logging(view.log()) },
  { start: "version", text: ({ view }) => version(view) },
];

const COOP_VERSIONS = lines(
  "Cooperative key server infra Version : 2.0.0 ",
  "Client : KS_POLICY_CLIENT        Version : 2.0.0 ",
  "Client : GROUP_MEMBER_CLIENT     Version : 2.0.1 ",
  "Client : SID_CLIENT              Version : 1.0.1 ",
);

/**
 * The text of a show command, filter applied. Undefined for a command that is legal and has no model here: the caller says
 * so. `words` and `filter` as `parseExec` gives them.
 */
export function showText(
  view: RouterView,
  { words, filter }: Pick<Extract<ExecCommand, { kind: "show" }>, "words" | "filter">,
): string | undefined {
  const group = words[2] === "group" ? words[3] : undefined;
  const rest = group === undefined ? words : [...words.slice(0, 2), ...words.slice(4)];
  const known = rest.map((word) => (word === "gdoi" ? "gkm" : word));
  const command = known.join(" ");
  const row = rows.find(({ start }) => command === start || command.startsWith(`${start} `));
  if (row === undefined) return undefined;
  const isChosen = ({ name }: { readonly name: string }) => group === undefined || name === group;
  const servers = view.servers.filter(isChosen);
  const members = view.members.filter(isChosen);
  if (group !== undefined && servers.length + members.length === 0) return `% Group ${group} not found\n`;
  const text = row.text({ view, words: known, servers, members, isOneGroup: group !== undefined });
  return filter === undefined ? text : filtered(text, filter);
}

function filtered(text: string, filter: OutputFilter): string {
  return applyFilter(text, filter) ?? "% Failed to compile regular expression.\n";
}

function groups({ servers, members, isOneGroup }: Query): string {
  const text = [...servers.map(serverGroup), ...members.map(memberGroup)].join("");
  return isOneGroup ? text : `GROUP INFORMATION\n\n${text}`;
}

/** The address of a member stands between `members` and `summary`. */
function ksMembers({ servers, words }: Query): string {
  const address = words.slice(4).find((word) => /^\d/.test(word));
  return serverMembers(servers, address, words.includes("summary"));
}

function lastOf<T extends string>(words: readonly string[], known: readonly T[]): T | undefined {
  return known.find((word) => word === words.at(-1));
}

function after(words: readonly string[], word: string): string | undefined {
  const at = words.indexOf(word);
  return at < 0 ? undefined : words[at + 1];
}

function interfaceAfter(words: readonly string[], word: string): string | undefined {
  const at = words.indexOf(word);
  return at < 0 ? undefined : nameFrom(words, at + 1);
}

/** The name of an interface, of one word, or of two as `Gi 0/0`. */
function nameFrom(words: readonly string[], at: number): string | undefined {
  const [first, second = ""] = words.slice(at);
  return first === undefined ? undefined : (canonicalInterface(first) ?? canonicalInterface(first + second));
}

interface Ends {
  readonly local: string | undefined;
  readonly remote: string | undefined;
}

/** What stands behind the words `local` and `remote`, or `peer`. */
function endsOf(words: readonly string[]): Ends {
  return { local: after(words, "local"), remote: after(words, "remote") ?? after(words, "peer") };
}

function between<T extends IsakmpSaView | Ikev2SaView>(sas: readonly T[], { local, remote }: Ends): readonly T[] {
  return sas.filter(
    (sa) =>
      (local === undefined || sa.local.address === local) && (remote === undefined || sa.remote.address === remote),
  );
}

/** Interfaces with flows towards the peer; a group's peer is 0.0.0.0. */
function towards(interfaces: readonly IpsecInterfaceView[], { local, remote }: Ends): readonly IpsecInterfaceView[] {
  return interfaces
    .filter(({ address }) => local === undefined || address === local)
    .map((one) => ({ ...one, flows: one.flows.filter(({ peer }) => remote === undefined || peer.address === remote) }))
    .filter(({ flows }) => remote === undefined || flows.length > 0);
}

function ipsecSaText({ view, words }: Query): string {
  const name = interfaceAfter(words, "interface");
  const shown = towards(view.ipsec, endsOf(words));
  return ipsecSas(name === undefined ? shown : shown.filter((one) => one.name === name));
}

function sessionText({ view, words }: Query): string {
  const ends = endsOf(words);
  const shown = {
    ...view,
    ipsec: towards(view.ipsec, ends),
    ikev2Sas: between(view.ikev2Sas, ends),
    isakmpSas: between(view.isakmpSas, ends),
  };
  return sessions(shown, words.includes("detail"));
}

function runningConfig({ view, words }: Query): string {
  const name = interfaceAfter(words, "interface");
  const text = name === undefined ? printConfig(view.config) : printInterfaceConfig(view.config, name);
  return `Building configuration...\n\nCurrent configuration : ${text.length} bytes\n${text}`;
}
