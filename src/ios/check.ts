/**
 * What is well formed line by line and still cannot work: names that lead nowhere, objects that lack a part, values that
 * exclude each other. Each finding has the place of the line that has to change.
 */
import type { ConfigProblem } from "../base/errors.ts";
import { checkIke } from "./check/ike.ts";
import { checkInterfaces } from "./check/interfaces.ts";
import { checkIpsec } from "./check/ipsec.ts";
import { checkIsakmp } from "./check/isakmp.ts";
import { checkMembers } from "./check/members.ts";
import { checkNat } from "./check/nat.ts";
import { checkServers } from "./check/servers.ts";
import { checkTunnels } from "./check/tunnels.ts";
import type { IosConfig } from "./model.ts";

const CHECKS: readonly ((config: IosConfig) => readonly ConfigProblem[])[] = [
  checkInterfaces,
  checkIke,
  checkIsakmp,
  checkIpsec,
  checkServers,
  checkMembers,
  checkTunnels,
  checkNat,
];

/**
 * All findings in a configuration, ordered by file and line. Codes:
 * - `iosMissing` a name that leads nowhere
 * - `iosIncompleteObject` an object that lacks what it needs to be of use
 * - `iosConflict` two settings that exclude each other
 * - `iosNoIdentity` a group without identity
 * - `iosNoServer` a group with neither key servers nor `server local`
 * - `iosServesNobody` a key server with both protocols off
 * - `iosAclRange` `iosAclTooLong` `iosAclPermit` `iosAclKind` an access list that its use does not allow
 * - `iosLifetime` a lifetime that the cipher does not allow
 * - `iosKeyTooShort` an RSA key that is too short for the hash to sign
 * - `iosBadAddress` an interface address that is no host address, or overlaps with another one's network
 * - `iosUnsupported` legal, but not modelled
 */
export function checkConfig(config: IosConfig): ConfigProblem[] {
  const problems = CHECKS.flatMap((check) => check(config));
  return problems.sort((a, b) => (a.file === b.file ? a.line - b.line : a.file < b.file ? -1 : 1));
}
