/** Transform sets and profiles. */
import type { ConfigProblem } from "../../base/errors.ts";
import type { IosConfig, IpsecProfile, TransformSet } from "../model.ts";
import { missing, problemAt } from "./problem.ts";

export function checkIpsec(config: IosConfig): ConfigProblem[] {
  return [
    ...[...config.transformSets.values()].flatMap(checkTransforms),
    ...[...config.ipsecProfiles.values()].flatMap((profile) => checkProfile(config, profile)),
  ];
}

/** GCM and GMAC authenticate by themselves: RFC 4106 section 1, RFC 4543 section 1. */
function checkTransforms(set: TransformSet): ConfigProblem[] {
  const combined = set.cipher === "esp-gcm" || set.cipher === "esp-gmac";
  if (!combined || set.espHash === undefined) return [];
  const message = `Transform set ${set.name}: ${set.cipher} excludes esp-${set.espHash}-hmac.`;
  return [problemAt("iosConflict", set.at, message)];
}

function checkProfile(config: IosConfig, profile: IpsecProfile): ConfigProblem[] {
  return [
    ...missing(profile.transformSets, config.transformSets, (name) => `Transform set ${name} does not exist.`),
    ...missing([profile.ikev2Profile], config.ikev2.profiles, (name) => `IKEv2 profile ${name} does not exist.`),
  ];
}
