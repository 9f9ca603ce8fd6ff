/** IKEv1 profiles, keyrings and identities: complete enough to be used, and leading somewhere. */
import type { ConfigProblem } from "../../base/errors.ts";
import type { CryptoIdentity, IosConfig, IsakmpProfile, LocalAddress } from "../model.ts";
import { sealedKey } from "./ike.ts";
import { missing, problemAt } from "./problem.ts";

/** What `crypto isakmp key` fills; profiles may name it beside others. */
const GLOBAL_KEYRING = "default";

export function checkIsakmp(config: IosConfig): ConfigProblem[] {
  const { keys, keyrings, profiles } = config.isakmp;
  const all = [...keys, ...[...keyrings.values()].flatMap((keyring) => keyring.keys)];
  return [
    ...all.flatMap(({ key }) => sealedKey(key)),
    ...[...keyrings.values()].flatMap(({ localAddress }) => missingInterface(config, localAddress)),
    ...[...profiles.values()].flatMap((profile) => checkProfile(config, profile)),
    ...[...config.identities.values()].flatMap(checkIdentity),
  ];
}

function checkProfile(config: IosConfig, profile: IsakmpProfile): ConfigProblem[] {
  const { name, at, keyrings, matchIdentities, matchCertificates, trustpoints } = profile;
  const named = keyrings.filter((keyring) => keyring.name !== GLOBAL_KEYRING);
  const isComplete = matchIdentities.length + matchCertificates.length > 0;
  const incomplete = `ISAKMP profile ${name} is incomplete: no match identity statement.`;
  return [
    ...(isComplete ? [] : [problemAt("iosIncompleteObject", at, incomplete)]),
    ...missing(named, config.isakmp.keyrings, (keyring) => `Keyring ${keyring} does not exist.`),
    ...missing(trustpoints, config.pki.trustpoints, (trustpoint) => `PKI trustpoint ${trustpoint} does not exist.`),
    ...missing(matchCertificates, config.pki.certificateMaps, (map) => `Certificate map ${map} does not exist.`),
    ...missingInterface(config, profile.localAddress),
  ];
}

function missingInterface({ interfaces }: IosConfig, local: LocalAddress | undefined): ConfigProblem[] {
  if (local?.kind !== "interface") return [];
  return missing([local], interfaces, (name) => `Interface ${name} does not exist.`);
}

function checkIdentity({ name, at, distinguishedNames, hostnames }: CryptoIdentity): ConfigProblem[] {
  if (distinguishedNames.length + hostnames.length > 0) return [];
  return [problemAt("iosIncompleteObject", at, `Crypto identity ${name} names nobody: it has neither dn nor fqdn.`)];
}
