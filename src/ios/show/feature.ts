/** `show crypto gkm feature [NAME]`: which boxes of a group have the software for what. */
import { lines, VERSIONS } from "./text.ts";
import type { MemberGroupView, ServerGroupView } from "./views.ts";

/** The mini version that brought a feature, to each kind of box; absent: it never came there. */
interface Level {
  readonly server: number;
  readonly member?: number;
}

/** Levels that no document names are those of the first release that was seen with the feature. */
const FEATURES: Readonly<Record<string, Level>> = {
  ckm: { server: 22, member: 22 },
  "crl-check": { server: 17, member: 17 },
  "cts-sgt": { server: 5, member: 5 },
  "dp-recovery": { server: 17, member: 17 },
  "gdoi-interop-ack": { server: 13 },
  "gdoi-mib": { server: 17, member: 17 },
  gikev2: { server: 13, member: 12 },
  "gm-removal": { server: 2, member: 2 },
  "ip-d3p": { server: 13 },
  "ipv6-crypto-path": { server: 17, member: 17 },
  "long-sa-lifetime": { server: 4, member: 4 },
  pfs: { server: 25, member: 25 },
  "policy-replace": { server: 2, member: 2 },
  "suite-b": { server: 4, member: 4 },
};

/** Without a name: every box that runs GKM at all has the base features. */
const BASE: Level = { server: 1, member: 1 };

interface Box {
  readonly address: string;
  readonly version: string;
}

export function featureTable(
  servers: readonly ServerGroupView[],
  members: readonly MemberGroupView[],
  name: string | undefined,
): string {
  const level = name === undefined ? BASE : FEATURES[name];
  if (level === undefined) return `% Feature ${name} is not known: ${Object.keys(FEATURES).join(", ")}\n`;
  const ofServers = servers.map((group) =>
    table(group.name, [{ address: group.address, version: VERSIONS.server }], group.members, level),
  );
  const ofMembers = members.map((group) => {
    const known = group.server === undefined ? [] : [{ address: group.server, version: VERSIONS.server }];
    return table(group.name, known, [group], level);
  });
  return [...ofServers, ...ofMembers].join("");
}

function table(name: string, servers: readonly Box[], members: readonly Box[], level: Level): string {
  const row = ({ address, version }: Box, least: number | undefined) =>
    `        ${address.padEnd(19)}${version.padEnd(15)}${has(version, least) ? "Yes" : "No"}`;
  return lines(
    `Group Name: ${name}`,
    "    Key Server ID       Version   Feature Supported",
    servers.map((box) => row(box, level.server)),
    "",
    "    Group Member ID     Version   Feature Supported",
    members.map((box) => row(box, level.member)),
    "",
  );
}

function has(version: string, least: number | undefined): boolean {
  return least !== undefined && Number(version.split(".")[2]) >= least;
}
