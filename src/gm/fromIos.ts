/** The group member that an IOS configuration describes: interfaces with a crypto map that names a group. */
import type { ConfigProblem } from "../base/errors.ts";
import { formatIpv4 } from "../base/ipv4.ts";
import type { Endpoint } from "../base/machine.ts";
import { algorithmOfScheme } from "../crypto/algorithmId.ts";
import { isakmpOfIos } from "../gdoi/iosIsakmp.ts";
import {
  DATA_SUITES,
  entriesOf,
  groupIdOf,
  kekSuiteOf,
  SIGNATURE_HASH,
  suiteOfTransformSet,
} from "../gikev2/iosGroup.ts";
import { endpointOfIos } from "../gikev2/iosIke.ts";
import type { RouterPki } from "../gikev2/iosPki.ts";
import { iosProblem } from "../gikev2/iosProblem.ts";
import type { Capabilities, KekSuite } from "../gikev2/policy.ts";
import type {
  CryptoMap,
  GkmClient,
  GkmGroup,
  GkmMapEntry,
  IosConfig,
  IosInterface,
  KekCipher,
  Reference,
  ServerAddress,
  SignatureHash,
  TransformSet,
} from "../ios/model.ts";
import type { GmConfig, GmGroupConfig, GroupProtocol, ProtocolKind } from "./config.ts";

/** Where a group's rules apply: `mapApplied` is due when this interface is up. */
export interface Attachment {
  readonly group: string;
  /** Canonical interface name. */
  readonly interface: string;
}

export interface GmFromIos {
  /** Undefined where no interface has a group's crypto map, or where a problem stands in the way. */
  readonly config: GmConfig | undefined;
  readonly attachments: readonly Attachment[];
  readonly problems: readonly ConfigProblem[];
}

const GKM_PORT = 848;
const KEK_CIPHERS: readonly KekCipher[] = ["aes-256", "aes-192", "aes-128", "3des-cbc"];
const SIGNATURE_HASHES: readonly SignatureHash[] = ["sha512", "sha384", "sha256", "sha"];

/**
 * `pki`: certificates of the router, by trustpoint. Names that lead nowhere are findings of the configuration's own check;
 * here they only keep a group from being built.
 */
export function gmFromIos(ios: IosConfig, pki?: RouterPki): GmFromIos {
  const problems: ConfigProblem[] = [];
  const attachments: Attachment[] = [];
  const groups = new Map<string, GmGroupConfig>();
  const locals: number[] = [];
  for (const one of ios.interfaces.values()) {
    const map = one.cryptoMap && ios.cryptoMaps.get(one.cryptoMap.name);
    if (map === undefined) continue;
    for (const entry of map.entries.values()) {
      const group = entry.group && ios.groups.get(entry.group.name);
      const local = group && localAddress(ios, one, map, group);
      if (group === undefined || local === undefined) continue;
      attachments.push({ group: group.name, interface: one.name });
      // A group on several interfaces has one registration, from the first of them.
      if (groups.has(group.name)) continue;
      const config = groupConfig(ios, group, map, entry, local, problems);
      if (config !== undefined) groups.set(group.name, config);
      locals.push(local);
    }
  }
  if (groups.size === 0) return { config: undefined, attachments, problems };
  const endpoints = endpointsOf(ios, [...groups.values()], locals[0]!, problems, pki);
  const config = problems.length > 0 ? undefined : { ...endpoints, groups: [...groups.values()] };
  return { config, attachments, problems };
}

/** One for each version of IKE that a group needs. */
function endpointsOf(
  ios: IosConfig,
  groups: readonly GmGroupConfig[],
  local: number,
  problems: ConfigProblem[],
  pki: RouterPki | undefined,
): Pick<GmConfig, "ike" | "isakmp"> {
  const profiles = new Set(groups.flatMap(({ protocol }) => (protocol.kind === "gikev2" ? protocol.profile : [])));
  const speaksGdoi = groups.some(({ protocol }) => protocol.kind === "gdoi");
  const isakmp = speaksGdoi ? isakmpOfIos(ios, local, problems, pki) : undefined;
  return {
    ...(profiles.size === 0 ? {} : { ike: endpointOfIos(ios, [...profiles], local, problems, pki) }),
    ...(isakmp === undefined ? {} : { isakmp }),
  };
}

/** `client registration interface`, the map's `local-address`, or the interface that the map is applied to. */
function localAddress(ios: IosConfig, one: IosInterface, map: CryptoMap, group: GkmGroup): number | undefined {
  const named = group.client.registrationInterface ?? map.localAddress;
  const source = named === undefined ? one : ios.interfaces.get(named.name);
  return source?.address?.address;
}

function groupConfig(
  ios: IosConfig,
  group: GkmGroup,
  map: CryptoMap,
  entry: GkmMapEntry,
  local: number,
  problems: ConfigProblem[],
): GmGroupConfig | undefined {
  const before = problems.length;
  const { client } = group;
  if (group.passive) problems.push(iosProblem("iosUnsupported", group.at, "Passive mode is not modelled."));
  const acl = entry.acl && ios.accessLists.get(entry.acl.name);
  const denied = acl === undefined ? [] : entriesOf(acl, problems).filter(({ action }) => action === "deny");
  const servers = group.servers.flatMap((server) => serverEndpoint(ios, server));
  if (problems.length > before || group.identity === undefined || servers.length === 0) return undefined;
  const protocol = protocolOf(client, entry.isakmpProfile ?? map.isakmpProfile);
  if (protocol.kind === "gdoi" && protocol.profile !== undefined && !ios.isakmp.profiles.has(protocol.profile)) {
    return undefined;
  }
  const capabilities = capabilitiesOf(ios, client, protocol.kind, problems);
  return {
    name: group.name,
    id: groupIdOf(group.identity),
    protocol,
    local: { address: formatIpv4(local), port: GKM_PORT },
    servers,
    senderIds: 1,
    localBypass: denied.map(({ selector }) => selector),
    bypassControl: client.bypassPolicy,
    ...(capabilities === undefined ? {} : { capabilities }),
  };
}

/**
 * GDOI unless `client protocol gikev2 PROFILE` says otherwise, as on IOS. `isakmpProfile`: of the entry, or else of the map;
 * the data models of 17.6 images have both.
 */
function protocolOf({ protocol, profile }: GkmClient, isakmpProfile: Reference | undefined): GroupProtocol {
  if (protocol === "gdoi" || profile === undefined) {
    return { kind: "gdoi", ...(isakmpProfile === undefined ? {} : { profile: isakmpProfile.name }) };
  }
  return { kind: "gikev2", dialect: "rfc9838", profile: profile.name };
}

function serverEndpoint(ios: IosConfig, server: ServerAddress): Endpoint[] {
  switch (server.kind) {
    case "ipv4":
      return [{ address: formatIpv4(server.address), port: GKM_PORT }];
    case "ipv6":
      return [{ address: server.address, port: GKM_PORT }];
    case "hostname": {
      const address = ios.hosts.get(server.name)?.value;
      return address === undefined ? [] : [{ address: formatIpv4(address), port: GKM_PORT }];
    }
  }
}

/**
 * A member that restricts what it accepts says so beforehand (SAg of G-IKEv2) or looks at what it is offered (GDOI); one
 * without restrictions does neither.
 */
function capabilitiesOf(
  ios: IosConfig,
  client: GkmClient,
  kind: ProtocolKind,
  problems: ConfigProblem[],
): Capabilities | undefined {
  const { rekeyEncryption, rekeyHash, transformSets } = client;
  if (rekeyEncryption.length === 0 && rekeyHash.length === 0 && transformSets.length === 0) return undefined;
  const ciphers = rekeyEncryption.length === 0 ? KEK_CIPHERS : rekeyEncryption;
  const hashes = rekeyHash.length === 0 ? SIGNATURE_HASHES : rekeyHash;
  const data = transformSets.flatMap(named(ios)).flatMap((set) => suiteOfTransformSet(set, problems) ?? []);
  return {
    kek:
      kind === "gdoi"
        ? gdoiKeks(ciphers)
        : ciphers.flatMap((one) => hashes.flatMap((hash) => kekSuiteOf(one, hash) ?? [])),
    data: transformSets.length === 0 ? DATA_SUITES : data,
    signatures: hashes.flatMap((hash) => algorithmOfScheme({ kind: "rsa-pkcs1", hash: SIGNATURE_HASH[hash] }) ?? []),
  };
}

/** A KEK of GDOI is a cipher alone. */
function gdoiKeks(ciphers: readonly KekCipher[]): readonly KekSuite[] {
  return ciphers.flatMap((cipher) => {
    const suite = kekSuiteOf(cipher, "sha");
    return suite === undefined ? [] : [{ ...suite, integ: 0, kwa: 0 }];
  });
}

function named(ios: IosConfig) {
  return ({ name }: { readonly name: string }): readonly TransformSet[] => {
    const set = ios.transformSets.get(name);
    return set === undefined ? [] : [set];
  };
}
