/** Groups in general, and the member's side: crypto maps and their local lists. */
import type { ConfigProblem } from "../../base/errors.ts";
import type { CryptoMap, GkmGroup, GkmMapEntry, IosConfig, Reference } from "../model.ts";
import { missing, problemAt } from "./problem.ts";

export function checkMembers(config: IosConfig): ConfigProblem[] {
  return [
    ...[...config.groups.values()].flatMap((group) => checkGroup(config, group)),
    ...[...config.cryptoMaps.values()].flatMap((map) => checkMap(config, map)),
  ];
}

function checkGroup(config: IosConfig, group: GkmGroup): ConfigProblem[] {
  const found: ConfigProblem[] = [];
  if (group.identity === undefined) {
    found.push(problemAt("iosNoIdentity", group.at, `Group ${group.name} has no identity.`));
  }
  if (group.server !== undefined && group.servers.length > 0) {
    const message = `Group ${group.name} has "server local" and "server address": a box is either server or client.`;
    found.push(problemAt("iosConflict", group.servers[0]!.at, message));
  }
  if (group.server === undefined && group.servers.length === 0) {
    found.push(problemAt("iosNoServer", group.at, `Group ${group.name} has no key server.`));
  }
  return [...found, ...unknownHosts(config, group), ...checkClient(config, group)];
}

function unknownHosts(config: IosConfig, group: GkmGroup): ConfigProblem[] {
  return group.servers.flatMap((server) => {
    if (server.kind !== "hostname" || config.hosts.has(server.name)) return [];
    return [problemAt("iosMissing", server.at, `Host ${server.name} has no address: ip host ${server.name} A.B.C.D`)];
  });
}

function checkClient(config: IosConfig, { client }: GkmGroup): ConfigProblem[] {
  return [
    ...missing([client.profile], config.ikev2.profiles, (name) => `IKEv2 profile ${name} does not exist.`),
    ...missing(client.transformSets, config.transformSets, (name) => `Transform set ${name} does not exist.`),
    ...missing([client.registrationInterface], config.interfaces, (name) => `Interface ${name} does not exist.`),
  ];
}

function checkMap(config: IosConfig, map: CryptoMap): ConfigProblem[] {
  return [
    ...missing([map.localAddress], config.interfaces, (name) => `Interface ${name} does not exist.`),
    ...missing([map.isakmpProfile], config.isakmp.profiles, (name) => `ISAKMP profile ${name} does not exist.`),
    ...[...map.entries.values()].flatMap((entry) => checkEntry(config, map, entry)),
    ...missing([map.failClose?.acl], config.accessLists, (name) => `Access list ${name} does not exist.`),
    ...localPermits(config, map.failClose?.acl),
  ];
}

function checkEntry(config: IosConfig, map: CryptoMap, entry: GkmMapEntry): ConfigProblem[] {
  const found = [
    ...missing([entry.acl], config.accessLists, (name) => `Access list ${name} does not exist.`),
    ...localPermits(config, entry.acl),
    ...missing([entry.group], config.groups, (name) => `% group ${name} doesn't yet exist.`),
    ...missing([entry.isakmpProfile], config.isakmp.profiles, (name) => `ISAKMP profile ${name} does not exist.`),
  ];
  if (entry.group === undefined) {
    const message = `%GDOI-3-GM_INCOMPLETE_CFG: Crypto map ${map.name} ${entry.sequence} has no group.`;
    return [...found, problemAt("iosIncompleteObject", entry.at, message)];
  }
  const group = config.groups.get(entry.group.name);
  if (group?.server !== undefined) {
    const message = `Group ${group.name} has "server local": its key server cannot be a member as well.`;
    found.push(problemAt("iosConflict", entry.group.at, message));
  }
  if (group !== undefined && group.family !== map.family) {
    const message = `Crypto map ${map.name} is for ${map.family} and group ${group.name} for ${group.family}.`;
    found.push(problemAt("iosConflict", entry.group.at, message));
  }
  return found;
}

/** A member may only exempt traffic from the group's policy, never add to it. */
function localPermits(config: IosConfig, acl: Reference | undefined): ConfigProblem[] {
  const list = acl === undefined ? undefined : config.accessLists.get(acl.name);
  const permits = list?.entries.filter((entry) => entry.action === "permit") ?? [];
  return permits.map(({ at }) => {
    const message = `%GDOI-3-GM_ACL_PERMIT: GM doesn't support permit configured under local access-list ${list!.name}`;
    return problemAt("iosAclPermit", at, message);
  });
}
