/** Key servers: `server local` and everything it leads to. */
import type { ConfigProblem } from "../../base/errors.ts";
import type { AccessList, AclEntry, GkmGroup, IosConfig, LocalServer, PortMatch, SaIpsec } from "../model.ts";
import { missing, problemAt } from "./problem.ts";

/** All `sa ipsec` entries of a group together. */
const PERMITS_MAX = 100;
const PEERS_MAX = 7;
/** Beyond a day only AES may be used. */
const LONG_LIFETIME_SECONDS = 86_400;
const KSSID_MAX = 127;

export function checkServers(config: IosConfig): ConfigProblem[] {
  return [...config.groups.values()].flatMap((group) =>
    group.server === undefined ? [] : checkServer(config, group, group.server),
  );
}

function checkServer(config: IosConfig, group: GkmGroup, server: LocalServer): ConfigProblem[] {
  return [
    ...checkService(config, group, server),
    ...checkRekey(config, group, server),
    ...checkRedundancy(server),
    ...checkSas(config, group, server),
    ...missing([server.registrationInterface], config.interfaces, (name) => `Interface ${name} does not exist.`),
    ...missing([server.authorizationAddress], config.accessLists, (name) => `Access list ${name} does not exist.`),
    ...missing([server.authorizationIdentity], config.identities, (name) => `Crypto identity ${name} does not exist.`),
  ];
}

function checkService(config: IosConfig, group: GkmGroup, server: LocalServer): ConfigProblem[] {
  const found = missing([server.gikev2], config.ikev2.profiles, (name) => `IKEv2 profile ${name} does not exist.`);
  if (!server.gdoi && server.gikev2 === undefined) {
    const message = `Group ${group.name} serves nobody: gdoi is off and gikev2 has no profile.`;
    found.push(problemAt("iosServesNobody", server.at, message));
  }
  if (server.pfs && server.gikev2 === undefined) {
    found.push(problemAt("iosConflict", server.at, "% PFS needs gikev2 to be configured."));
  }
  if (server.saD3pWindowMillis !== undefined && server.gikev2 !== undefined && !server.gdoi) {
    found.push(problemAt("iosConflict", server.at, "IP-D3P is not supported with G-IKEv2."));
  }
  const most = server.groupSize === "large" ? 511 : KSSID_MAX;
  for (const { to, at } of server.identifiers) {
    if (to > most)
      found.push(problemAt("iosConflict", at, `KSSIDs end at ${most} for group size ${server.groupSize}.`));
  }
  return found;
}

/** Octets that PKCS #1 v1.5 needs besides the hash: DigestInfo (RFC 8017 section 9.2 note 1) and at least 11 of padding. */
const SIGNATURE_OVERHEAD = { sha: 15 + 11, sha256: 19 + 11, sha384: 19 + 11, sha512: 19 + 11 } as const;
const HASH_SIZE = { sha: 20, sha256: 32, sha384: 48, sha512: 64 } as const;

function checkRekey(config: IosConfig, group: GkmGroup, server: LocalServer): ConfigProblem[] {
  const { rekeyAuthentication: label, rekeySigHash: hash, rekeyAlgorithm: cipher } = server;
  const found = [
    ...missing(
      [label],
      config.rsaKeys,
      (name) => `%GDOI-1-KS_NO_RSA_KEYS: RSA Key - ${name} : Not found, Required for group ${group.name}`,
    ),
    ...missing([server.rekeyAddress], config.accessLists, (name) => `Access list ${name} does not exist.`),
  ];
  const key = label === undefined ? undefined : config.rsaKeys.get(label.name);
  if (label !== undefined && key !== undefined) {
    const needed = 8 * (HASH_SIZE[hash] + SIGNATURE_OVERHEAD[hash]);
    const message = `RSA key ${label.name} has ${key.modulusBits} bits; a ${hash} signature needs ${needed}.`;
    if (key.modulusBits < needed) found.push(problemAt("iosKeyTooShort", label.at, message));
  }
  if (label !== undefined && server.rekeyTransport === "multicast" && server.rekeyAddress === undefined) {
    found.push(problemAt("iosIncompleteObject", server.at, "Multicast rekey needs rekey address ipv4."));
  }
  if (server.rekeyLifetimeSeconds > LONG_LIFETIME_SECONDS && !cipher.startsWith("aes")) {
    found.push(problemAt("iosLifetime", server.at, `A KEK for ${cipher} lives ${LONG_LIFETIME_SECONDS} s at most.`));
  }
  return found;
}

function checkRedundancy(server: LocalServer): ConfigProblem[] {
  const { redundancy, address } = server;
  if (redundancy === undefined) return [];
  const found: ConfigProblem[] = [];
  if (redundancy.peers.length > 0 && address === undefined) {
    found.push(problemAt("iosIncompleteObject", redundancy.at, "Redundancy needs the local address: address ipv4."));
  }
  for (const { at } of redundancy.peers.slice(PEERS_MAX)) {
    found.push(problemAt("iosConflict", at, `A key server has ${PEERS_MAX} peers at most.`));
  }
  for (const { value, at } of redundancy.peers) {
    if (value === address?.value) found.push(problemAt("iosConflict", at, "The peer is this key server itself."));
  }
  return found;
}

function checkSas(config: IosConfig, group: GkmGroup, server: LocalServer): ConfigProblem[] {
  const sas = [...server.saIpsec.values()];
  if (sas.length === 0) {
    return [problemAt("iosIncompleteObject", server.at, `Group ${group.name} has no sa ipsec, so nothing to protect.`)];
  }
  const lists = sas.flatMap(({ acl }) => (acl === undefined ? [] : (config.accessLists.get(acl.name) ?? [])));
  const permits = lists.flatMap((list) => list.entries.filter((entry) => entry.action === "permit"));
  const excess = permits[PERMITS_MAX];
  const tooLong = `%GDOI-1-GDOI_ACL_NUM: Group ${group.name} has more than ${PERMITS_MAX} permit entries.`;
  return [
    ...sas.flatMap((sa) => checkSa(config, server, sa)),
    ...(excess === undefined ? [] : [problemAt("iosAclTooLong", excess.at, tooLong)]),
  ];
}

function checkSa(config: IosConfig, server: LocalServer, sa: SaIpsec): ConfigProblem[] {
  const found = [
    ...missing([sa.profile], config.ipsecProfiles, (name) => `IPsec profile ${name} does not exist.`),
    ...missing([sa.acl], config.accessLists, (name) => `Access list ${name} does not exist.`),
    ...checkTek(config, sa),
  ];
  const lack = (part: string) => problemAt("iosIncompleteObject", sa.at, `sa ipsec ${sa.number} has no ${part}.`);
  if (sa.profile === undefined) found.push(lack("profile"));
  if (sa.acl === undefined) found.push(lack("match address"));
  if (sa.tagSgt && server.saD3pWindowMillis !== undefined) {
    found.push(problemAt("iosConflict", sa.at, "IP-D3P and inline tagging exclude each other."));
  }
  const list = sa.acl === undefined ? undefined : config.accessLists.get(sa.acl.name);
  return list === undefined ? found : [...found, ...checkPolicyList(list, sa)];
}

function checkPolicyList(list: AccessList, sa: SaIpsec): ConfigProblem[] {
  if (list.kind === "standard") {
    return [
      problemAt("iosAclKind", sa.acl!.at, `Access list ${list.name} is standard; a policy needs an extended one.`),
    ];
  }
  return list.entries.filter(hasPortRange).map(({ at }) => {
    const message = `%GDOI-1-GDOI_ACL_RANGE: The ACL ${list.name} has an entry with a range of ports.`;
    return problemAt("iosAclRange", at, message);
  });
}

/** Traffic selectors of GDOI name one port or none. */
function hasPortRange(entry: AclEntry): boolean {
  const ranged = (match: PortMatch | undefined) =>
    match !== undefined && (match.operator !== "eq" || match.ports.length > 1);
  return ranged(entry.sourcePort) || ranged(entry.destinationPort);
}

/** What the IPsec profile of an SA says about its TEK. */
function checkTek(config: IosConfig, sa: SaIpsec): ConfigProblem[] {
  const profile = sa.profile === undefined ? undefined : config.ipsecProfiles.get(sa.profile.name);
  if (profile === undefined) return [];
  if (profile.transformSets.length === 0) {
    return [problemAt("iosIncompleteObject", profile.at, `IPsec profile ${profile.name} has no transform set.`)];
  }
  return profile.transformSets.flatMap(({ name, at }) => {
    const set = config.transformSets.get(name);
    if (set === undefined) return [];
    const found: ConfigProblem[] = [];
    if (set.ahHash !== undefined)
      found.push(problemAt("iosUnsupported", at, "Group SAs are ESP; AH is not supported."));
    if (set.cipher === undefined)
      found.push(problemAt("iosIncompleteObject", at, `Transform set ${name} has no ESP cipher.`));
    const weak = set.cipher === "esp-des" || set.cipher === "esp-3des";
    if (weak && profile.lifetimeSeconds > LONG_LIFETIME_SECONDS) {
      found.push(
        problemAt("iosLifetime", profile.at, `A TEK for ${set.cipher} lives ${LONG_LIFETIME_SECONDS} s at most.`),
      );
    }
    return found;
  });
}
