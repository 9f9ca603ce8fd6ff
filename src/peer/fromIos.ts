/** The tunnels that an IOS configuration describes: interfaces with a crypto map whose entries are `ipsec-isakmp`. */
import type { ConfigProblem } from "../base/errors.ts";
import { formatIpv4 } from "../base/ipv4.ts";
import type { Selector } from "../esp/api.ts";
import { entriesOf, suiteOfTransformSet } from "../gikev2/iosGroup.ts";
import { endpointOfIos } from "../gikev2/iosIke.ts";
import type { RouterPki } from "../gikev2/iosPki.ts";
import { iosProblem } from "../gikev2/iosProblem.ts";
import type { ChildPolicy, ChildProposal } from "../ikev2/api.ts";
import type { CryptoMap, IosConfig, IosInterface, TunnelMapEntry } from "../ios/model.ts";
import type { TrafficSelector } from "../wire/ikev2.ts";
import { TrafficSelectorType } from "../wire/ikev2Numbers.ts";
import { granted, type SiteConfig, type SiteTunnel } from "./site.ts";

export interface SiteFromIos {
  /** Undefined where no interface has such a map, or where a problem stands in the way. */
  readonly config: SiteConfig | undefined;
  readonly problems: readonly ConfigProblem[];
}

const IKE_PORT = 500;

/** Name of an entry, the same for the role and for the data plane. */
export function tunnelName(map: CryptoMap, { sequence }: TunnelMapEntry): string {
  return `${map.name} ${sequence}`;
}

/** `pki`: certificates of the router. Incomplete entries are findings of the configuration's own check and are skipped. */
export function siteFromIos(ios: IosConfig, pki?: RouterPki): SiteFromIos {
  const problems: ConfigProblem[] = [];
  const tunnels: SiteTunnel[] = [];
  for (const one of ios.interfaces.values()) {
    const map = one.cryptoMap && ios.cryptoMaps.get(one.cryptoMap.name);
    if (map === undefined) continue;
    for (const entry of map.tunnels.values()) {
      const tunnel = tunnelOf(ios, one, map, entry, problems);
      if (tunnel !== undefined && !tunnels.some(({ name }) => name === tunnel.name)) tunnels.push(tunnel);
    }
  }
  const [first] = tunnels;
  if (first === undefined) return { config: undefined, problems };
  const profiles = [...new Set(tunnels.map(({ profile }) => profile))];
  const local = localOf(ios, first);
  const ike = endpointOfIos(ios, profiles, local, problems, pki);
  if (problems.length > 0) return { config: undefined, problems };
  const granting = ike.profiles.map((profile) => ({ ...profile, child: granted(tunnels, profile.name) }));
  // Key wrap is G-IKEv2's: a plain peer would not know the transform.
  const proposals = ike.proposals.map((proposal) => ({ ...proposal, kwa: [] }));
  return { config: { ike: { ...ike, proposals, profiles: granting, dialect: "ikev2" }, tunnels }, problems };
}

function localOf(ios: IosConfig, { local }: SiteTunnel): number {
  const all = [...ios.interfaces.values()].flatMap(({ address }) => address?.address ?? []);
  return all.find((address) => formatIpv4(address) === local.address)!;
}

function tunnelOf(
  ios: IosConfig,
  one: IosInterface,
  map: CryptoMap,
  entry: TunnelMapEntry,
  problems: ConfigProblem[],
): SiteTunnel | undefined {
  const { peer, acl, ikev2Profile } = entry;
  const source = map.localAddress === undefined ? one : ios.interfaces.get(map.localAddress.name);
  const list = acl && ios.accessLists.get(acl.name);
  const local = source?.address?.address;
  if (peer === undefined || list === undefined || ikev2Profile === undefined || local === undefined) return undefined;
  const sets = entry.transformSets.flatMap(({ name }) => ios.transformSets.get(name) ?? []);
  const transport = sets.find(({ mode }) => mode === "transport");
  if (transport !== undefined) {
    problems.push(iosProblem("iosUnsupported", transport.at, "Tunnels with single peers are in tunnel mode here."));
  }
  const proposals = sets.flatMap((set): ChildProposal[] => {
    const suite = suiteOfTransformSet(set, problems);
    if (suite === undefined) return [];
    const { encr, encrKeyBits, integ } = suite;
    const dh = entry.pfsGroup === undefined ? [] : [entry.pfsGroup];
    return [{ encr: [{ id: encr, keyBits: encrKeyBits }], integ: integ === 0 ? [] : [integ], dh, sn: [0] }];
  });
  const permits = entriesOf(list, problems).filter(({ action }) => action === "permit");
  if (proposals.length === 0 || permits.length === 0) return undefined;
  const child: ChildPolicy = {
    proposals,
    mode: "tunnel",
    localSelectors: distinct(permits.map(({ selector }) => sourceOf(selector))),
    remoteSelectors: distinct(permits.map(({ selector }) => destinationOf(selector))),
    lifetimeSeconds: entry.lifetimeSeconds,
  };
  return {
    name: tunnelName(map, entry),
    local: { address: formatIpv4(local), port: IKE_PORT },
    peer: { address: formatIpv4(peer.value), port: IKE_PORT },
    profile: ikev2Profile.name,
    child,
  };
}

function sourceOf(selector: Selector): TrafficSelector {
  const { protocol, sourceFirst, sourceLast, sourcePortFirst, sourcePortLast } = selector;
  return trafficSelector(protocol, sourceFirst, sourceLast, sourcePortFirst, sourcePortLast);
}

function destinationOf(selector: Selector): TrafficSelector {
  const { protocol, destinationFirst, destinationLast, destinationPortFirst, destinationPortLast } = selector;
  return trafficSelector(protocol, destinationFirst, destinationLast, destinationPortFirst, destinationPortLast);
}

function trafficSelector(
  ipProtocol: number,
  first: number,
  last: number,
  startPort: number,
  endPort: number,
): TrafficSelector {
  const addresses = { startAddress: formatIpv4(first), endAddress: formatIpv4(last) };
  return { type: TrafficSelectorType.TS_IPV4_ADDR_RANGE, ipProtocol, startPort, endPort, ...addresses };
}

function distinct(selectors: readonly TrafficSelector[]): TrafficSelector[] {
  return [...new Map(selectors.map((selector) => [JSON.stringify(selector), selector])).values()];
}
