/** The key server that an IOS configuration describes: `crypto gkm group` with `server local`. */
import type { ConfigProblem } from "../base/errors.ts";
import { formatIpv4 } from "../base/ipv4.ts";
import type { PrivateKey } from "../crypto/api.ts";
import { isakmpOfIos } from "../gdoi/iosIsakmp.ts";
import { entriesOf, groupIdOf, kekSuiteOf, SIGNATURE_HASH, suiteOfTransformSet } from "../gikev2/iosGroup.ts";
import { endpointOfIos } from "../gikev2/iosIke.ts";
import type { RouterPki } from "../gikev2/iosPki.ts";
import { iosProblem } from "../gikev2/iosProblem.ts";
import type { CryptoIdentity, GkmGroup, IosConfig, LocalServer, RsaKey, SaIpsec } from "../ios/model.ts";
import { parseName } from "../pki/name.ts";
import { Encr, SequenceNumbers } from "../wire/ikev2Numbers.ts";
import type { MemberIdentity } from "./authorization.ts";
import type { DataSaConfig, GdoiService, GikeService, KsConfig, KsGroupConfig } from "./config.ts";

export interface KsFromIos {
  /** Undefined where no group has `server local`, or where a problem stands in the way. */
  readonly config: KsConfig | undefined;
  readonly problems: readonly ConfigProblem[];
}

const GKM_PORT = 848;

const SENDER_ID_BITS: Readonly<Record<LocalServer["groupSize"], number>> = {
  "small-8": 8,
  "small-12": 12,
  "small-16": 16,
  medium: 24,
  large: 32,
};

/** Bits of a Sender-ID that name the key server: 128 of them with medium groups, 512 with large ones. */
const KSSID_BITS: Readonly<Partial<Record<LocalServer["groupSize"], number>>> = { medium: 7, large: 9 };

/**
 * `rsaKey`: the key pair of a label, which the run derives from its seed. `pki`: certificates of the router, by trustpoint.
 * Names that lead nowhere are findings of the configuration's own check; here they only keep the group from being built.
 */
export function ksFromIos(ios: IosConfig, rsaKey: (key: RsaKey) => PrivateKey, pki?: RouterPki): KsFromIos {
  const problems: ConfigProblem[] = [];
  const servers = [...ios.groups.values()].flatMap((group) =>
    group.server === undefined ? [] : [{ group, server: group.server }],
  );
  const groups = servers.flatMap(({ group, server }) => groupConfig(ios, group, server, rsaKey, problems) ?? []);
  const local = servers.find(({ server }) => server.address !== undefined)?.server.address?.value;
  if (groups.length === 0 || local === undefined || groups.length < servers.length) {
    return { config: undefined, problems };
  }
  const profiles = [...new Set(groups.flatMap(({ gikev2 }) => gikev2?.profile ?? []))];
  const ike = profiles.length === 0 ? undefined : endpointOfIos(ios, profiles, local, problems, pki);
  const hasGdoi = groups.some(({ gdoi }) => gdoi !== undefined);
  const isakmp = hasGdoi ? isakmpOfIos(ios, local, problems, pki) : undefined;
  if (problems.length > 0) return { config: undefined, problems };
  const endpoints = { ...(ike === undefined ? {} : { ike }), ...(isakmp === undefined ? {} : { isakmp }) };
  return { config: { local: { address: formatIpv4(local), port: GKM_PORT }, ...endpoints, groups }, problems };
}

/**
 * `gdoi` is on by default. A key server without an ISAKMP policy could authenticate nobody who comes with it, so it only
 * serves G-IKEv2 then, where it does.
 */
function servesGdoi(ios: IosConfig, { gdoi, gikev2 }: LocalServer): boolean {
  return gdoi && (ios.isakmp.policies.size > 0 || gikev2 === undefined);
}

function groupConfig(
  ios: IosConfig,
  group: GkmGroup,
  server: LocalServer,
  rsaKey: (key: RsaKey) => PrivateKey,
  problems: ConfigProblem[],
): KsGroupConfig | undefined {
  const before = problems.length;
  const complain = (message: string) => problems.push(iosProblem("iosUnsupported", server.at, message));
  const incomplete = (message: string) => problems.push(iosProblem("iosIncompleteObject", server.at, message));
  const label = server.rekeyAuthentication && ios.rsaKeys.get(server.rekeyAuthentication.name);
  const gdoi = servesGdoi(ios, server) ? gdoiService(ios, server, problems) : undefined;
  const gikev2 = server.gikev2 === undefined ? undefined : gikeService(server, server.gikev2.name);
  if (gdoi === undefined && server.gikev2 === undefined) incomplete(`Group ${group.name} serves nobody.`);
  if (server.gikev2 !== undefined && gikev2 === undefined) {
    complain(`Group ${group.name}: DES is no cipher for a KEK of G-IKEv2.`);
  }
  if (group.family === "ipv6") complain(`Group ${group.name}: IPv6 groups are not modelled.`);
  if (server.redundancy !== undefined) complain(`Group ${group.name}: cooperative key servers are not modelled.`);
  if (server.saReceiveOnly) complain(`Group ${group.name}: receive-only SAs are not modelled.`);
  if (label === undefined) incomplete(`Group ${group.name} has no RSA key to sign rekeys with.`);
  if (server.address === undefined) incomplete(`Group ${group.name} has no address to serve from.`);
  const transport = transportOf(ios, server, problems);
  const dataSas = [...server.saIpsec.values()].map((sa) => dataSaConfig(ios, sa, problems));
  if (!dataSas.some((sa) => sa?.config.entries.some(({ action }) => action === "permit"))) {
    incomplete(`Group ${group.name} protects nothing.`);
  }
  const modes = new Set(dataSas.map((sa) => sa?.mode));
  if (modes.size > 1) complain(`Group ${group.name} mixes tunnel mode and transport mode.`);
  if (problems.length > before || group.identity === undefined || transport === undefined) return undefined;
  const hash = SIGNATURE_HASH[server.rekeySigHash];
  return {
    name: group.name,
    id: groupIdOf(group.identity),
    ...(gikev2 === undefined ? {} : { gikev2 }),
    ...(gdoi === undefined ? {} : { gdoi }),
    transport,
    kek: {
      lifetimeSeconds: server.rekeyLifetimeSeconds,
      signer: { key: rsaKey(label!), scheme: { kind: "rsa-pkcs1", hash } },
    },
    dataSas: dataSas.map((sa) => sa!.config),
    mode: dataSas[0]!.mode,
    retransmit: { seconds: server.rekeyRetransmitSeconds, count: server.rekeyRetransmitCount },
    senderIdBits: SENDER_ID_BITS[server.groupSize],
    ...senderIdsOf(server),
  };
}

/** Undefined for a KEK that has no place in IKEv2. */
function gikeService({ rekeyAlgorithm, rekeySigHash }: LocalServer, profile: string): GikeService | undefined {
  const kekSuite = kekSuiteOf(rekeyAlgorithm, rekeySigHash);
  return kekSuite && { dialect: "rfc9838", profile, kekSuite };
}

/** A KEK of GDOI is a cipher alone. */
const GDOI_KEKS: Readonly<Record<LocalServer["rekeyAlgorithm"], readonly [encr: number, keyBits: number]>> = {
  "des-cbc": [Encr.DES, 0],
  "3des-cbc": [Encr["3DES"], 0],
  "aes-128": [Encr.AES_CBC, 128],
  "aes-192": [Encr.AES_CBC, 192],
  "aes-256": [Encr.AES_CBC, 256],
};

function gdoiService(ios: IosConfig, server: LocalServer, problems: ConfigProblem[]): GdoiService {
  const [encr, encrKeyBits] = GDOI_KEKS[server.rekeyAlgorithm];
  const { rekeyAcknowledgement, authorizationAddress, authorizationIdentity } = server;
  const named = authorizationIdentity && ios.identities.get(authorizationIdentity.name);
  const identities = named && identitiesOf(named, problems);
  const list = authorizationAddress && ios.accessLists.get(authorizationAddress.name);
  const entries = list && entriesOf(list, problems);
  const addresses = entries?.map(({ action, selector: { sourceFirst: first, sourceLast: last } }) => ({
    permit: action === "permit",
    first,
    last,
  }));
  // `any`: either form is taken, so it is Cisco's that is asked for.
  const acknowledgement = rekeyAcknowledgement === "interoperable" ? "interoperable" : "cisco";
  return {
    switches: { acknowledgement },
    kekSuite: { encr, encrKeyBits, integ: 0, kwa: 0 },
    ...(addresses === undefined && identities === undefined
      ? {}
      : { authorization: { ...(addresses && { addresses }), ...(identities && { identities }) } }),
  };
}

function identitiesOf({ distinguishedNames, hostnames }: CryptoIdentity, problems: ConfigProblem[]): MemberIdentity[] {
  const byName = distinguishedNames.flatMap(({ value, at }): MemberIdentity[] => {
    const name = parseName(value);
    if (name !== undefined) return [{ kind: "dn", attributes: name.attributes }];
    problems.push(iosProblem("iosRefused", at, `"${value}" is no distinguished name such as ou=Members,o=Example.`));
    return [];
  });
  return [...byName, ...hostnames.map(({ value }): MemberIdentity => ({ kind: "fqdn", text: value }))];
}

/** The destination of the list's first permit entry is where multicast rekeys go, and with which port. */
function transportOf(
  ios: IosConfig,
  server: LocalServer,
  problems: ConfigProblem[],
): KsGroupConfig["transport"] | undefined {
  if (server.rekeyTransport === "unicast") return { kind: "unicast" };
  const list = server.rekeyAddress && ios.accessLists.get(server.rekeyAddress.name);
  const entry = list?.entries.find(({ action }) => action === "permit");
  if (entry === undefined || server.address === undefined) {
    const at = server.rekeyAddress?.at ?? server.at;
    problems.push(iosProblem("iosIncompleteObject", at, "Multicast rekeys need an address: rekey address ipv4 ACL."));
    return undefined;
  }
  const { destinationPort } = entry;
  const port = destinationPort?.operator === "eq" ? destinationPort.ports[0]! : GKM_PORT;
  return {
    kind: "multicast",
    source: { address: formatIpv4(server.address.value), port: GKM_PORT },
    destination: { address: formatIpv4(entry.destination.address), port },
  };
}

function dataSaConfig(
  ios: IosConfig,
  sa: SaIpsec,
  problems: ConfigProblem[],
): { readonly config: DataSaConfig; readonly mode: "tunnel" | "transport" } | undefined {
  const profile = sa.profile && ios.ipsecProfiles.get(sa.profile.name);
  const set = profile?.transformSets[0] && ios.transformSets.get(profile.transformSets[0].name);
  const list = sa.acl && ios.accessLists.get(sa.acl.name);
  if (profile === undefined || set === undefined || list === undefined) {
    const message = `sa ipsec ${sa.number} needs a profile with a transform set, and an access list.`;
    problems.push(iosProblem("iosIncompleteObject", sa.at, message));
    return undefined;
  }
  if (sa.replay.method === "time") {
    problems.push(iosProblem("iosUnsupported", sa.at, "Time-based anti-replay is not modelled."));
  }
  const suite = suiteOfTransformSet(set, problems);
  if (suite === undefined) return undefined;
  const config = {
    number: sa.number,
    lifetimeSeconds: profile.lifetimeSeconds,
    suite,
    // Many members send under one SA, so its sequence numbers say nothing (RFC 9838 section 2.6, RFC 9827).
    sequenceNumbers: SequenceNumbers.UNSPECIFIED_32,
    entries: entriesOf(list, problems),
  };
  return { config, mode: set.mode };
}

/** `identifier`: this key server's part of all Sender-IDs. Without it the whole space is its own. */
function senderIdsOf({ groupSize, identifiers }: LocalServer): Pick<KsGroupConfig, "senderIds"> {
  const kssid = KSSID_BITS[groupSize];
  const [range] = identifiers;
  if (kssid === undefined || range === undefined) return {};
  const perServer = 2 ** (SENDER_ID_BITS[groupSize] - kssid);
  return { senderIds: { first: range.from * perServer, count: (range.to - range.from + 1) * perServer } };
}
