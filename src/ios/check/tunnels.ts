/** Crypto map entries for single peers: what each of them needs. */
import type { ConfigProblem } from "../../base/errors.ts";
import type { CryptoMap, IosConfig, TunnelMapEntry } from "../model.ts";
import { missing, problemAt } from "./problem.ts";

export function checkTunnels(config: IosConfig): ConfigProblem[] {
  return [...config.cryptoMaps.values()].flatMap((map) => [
    ...[...map.tunnels.values()].flatMap((entry) => checkEntry(config, map, entry)),
    ...mixed(map),
  ]);
}

/** IOS marks such an entry as incomplete and skips it. */
function checkEntry(config: IosConfig, { name }: CryptoMap, entry: TunnelMapEntry): ConfigProblem[] {
  const lacks = [
    ...(entry.peer === undefined ? ["a peer"] : []),
    ...(entry.acl === undefined ? ["an access list"] : []),
    ...(entry.transformSets.length === 0 ? ["a transform set"] : []),
  ];
  const where = `Crypto map ${name} ${entry.sequence}`;
  return [
    ...(lacks.length === 0
      ? []
      : [problemAt("iosIncompleteObject", entry.at, `${where} is incomplete: it lacks ${lacks.join(" and ")}.`)]),
    ...(entry.ikev2Profile === undefined
      ? [problemAt("iosUnsupported", entry.at, `${where} has no ikev2-profile: tunnels by IKEv1 are not modelled.`)]
      : []),
    ...missing([entry.acl], config.accessLists, (acl) => `Access list ${acl} does not exist.`),
    ...missing(entry.transformSets, config.transformSets, (set) => `Transform set ${set} does not exist.`),
    ...missing([entry.ikev2Profile], config.ikev2.profiles, (one) => `IKEv2 profile ${one} does not exist.`),
  ];
}

function mixed({ name, at, entries, tunnels }: CryptoMap): ConfigProblem[] {
  if (entries.size === 0 || tunnels.size === 0) return [];
  const message = `Crypto map ${name} has entries for groups and for single peers: that is not modelled in one map.`;
  return [problemAt("iosUnsupported", at, message)];
}
