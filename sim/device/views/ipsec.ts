/** SAs of the data planes, by interface and by the traffic that they protect. */
import { formatIpv4 } from "../../../src/base/ipv4.ts";
import type { Micros } from "../../../src/base/micros.ts";
import type { Counters } from "../../../src/esp/counters.ts";
import { newCounters } from "../../../src/esp/counters.ts";
import { type DataPlane, type GroupPolicy, type InstalledSa, isAlive } from "../../../src/esp/dataPlane.ts";
import { plaintextMtu } from "../../../src/esp/mtu.ts";
import type { CryptoMap, IosConfig } from "../../../src/ios/model.ts";
import type { IpsecFlowView, IpsecInterfaceView, IpsecSaView } from "../../../src/ios/show/views.ts";
import { tunnelName } from "../../../src/peer/fromIos.ts";
import { type PairPlane, UDP_OCTETS } from "../../../src/peer/pairPlane.ts";
import { REPLAY_WINDOW, type Tunnel } from "../../../src/peer/tunnel.ts";
import { type Device, type Port, pairPlaneOf, planeOf } from "../device.ts";
import type { RoleState } from "../spec.ts";
import { entryOf, ivOctets, secondsLeft, transformOf } from "./common.ts";

/** None for an interface without a crypto map. */
export function ipsecViews(
  device: Device,
  config: IosConfig,
  roles: readonly RoleState[],
  port: Port,
  now: Micros,
): IpsecInterfaceView[] {
  const { map, mtu } = port;
  const plane = planeOf(device, port);
  const pairPlane = pairPlaneOf(device, port);
  if (map === undefined || (plane === undefined && pairPlane === undefined)) return [];
  const address = port.addresses[0]?.address;
  const ofGroups = plane && [...plane.groups.values()].flatMap((group) => flowsOf(plane, group, mtu, now));
  const ofPairs = pairPlane && pairFlows(pairPlane, config.cryptoMaps.get(map), childrenOf(roles), mtu, now);
  return [
    {
      name: port.name,
      map,
      address: address === undefined ? "0.0.0.0" : formatIpv4(address),
      mtu,
      flows: [...(ofGroups ?? []), ...(ofPairs ?? [])],
    },
  ];
}

const EVERYBODY = { address: "0.0.0.0", port: 848 } as const;

function flowsOf(plane: DataPlane, group: GroupPolicy, mtu: number, now: Micros): IpsecFlowView[] {
  const rules = group.rules.filter(({ action }) => action === "protect");
  return rules.map(({ selector, family }): IpsecFlowView => {
    const sas = installed(plane, group.name, family, now);
    const sender = group.senders[family];
    return {
      group: group.name,
      peer: EVERYBODY,
      pfsGroup: undefined,
      entry: entryOf("permit", selector),
      counters: countersOf(rules.length === 1 ? group.counters : sumOf(sas.map(({ sa }) => sa.counters))),
      plaintextMtu: sas[0] === undefined ? mtu : plaintextMtu(mtu, sas[0].sa.protection),
      outboundSpi: sender === undefined ? undefined : spiText(sender),
      sas: sas.map(({ sa, number }) => saView(sa, number, now)),
    };
  });
}

interface Numbered {
  readonly sa: InstalledSa;
  /** Place among all SAs of the data plane, from 0. */
  readonly number: number;
}

/** Newest first; what has ended is not shown. */
function installed(plane: DataPlane, group: string, family: number, now: Micros): Numbered[] {
  return [...plane.sas.values()]
    .map((sa, number) => ({ sa, number }))
    .filter(({ sa }) => sa.sa.group === group && sa.sa.family === family && isAlive(sa, now))
    .sort((a, b) => b.sa.sa.generation - a.sa.sa.generation);
}

function sumOf(all: readonly Counters[]): Counters {
  const sum = newCounters();
  for (const counters of all) {
    for (const name of Object.keys(sum) as (keyof Counters)[]) sum[name] += counters[name];
  }
  return sum;
}

function countersOf(counters: Counters): IpsecFlowView["counters"] {
  const { encaps, encrypt, digest, decaps, decrypt, verify, sendErrors, recvErrors } = counters;
  return { encaps, encrypt, digest, decaps, decrypt, verify, sendErrors, receiveErrors: recvErrors };
}

const FIRST_CONNECTION = 2001;

/** Each SA has two numbers, for receiving and for sending. */
function saView({ sa }: InstalledSa, number: number, now: Micros): IpsecSaView {
  return {
    inboundSpi: spiText(sa.spi),
    outboundSpi: spiText(sa.spi),
    isInUdp: false,
    transform: transformOf(sa),
    mode: sa.mode,
    connectionId: FIRST_CONNECTION + 2 * number,
    remaining: secondsLeft(sa.expiresAt, now),
    ivOctets: ivOctets(sa),
    replay: { method: "none" },
  };
}

// ---------------------------------------------------------------------------------------------- tunnels to single peers

/** When the Child SAs of a router end, by inbound SPI. */
function childrenOf(roles: readonly RoleState[]): ReadonlyMap<number, Micros | undefined> {
  const endpoints = roles.flatMap((role) => (role.kind === "site" ? [role.state.endpoint] : []));
  const children = endpoints.flatMap(({ sas }) => [...sas.values()].flatMap((sa) => sa.children));
  return new Map(children.map(({ inboundSpi, endAt }) => [inboundSpi, endAt]));
}

const IKE_PORT = 500;

/** One for each permit entry of each tunnel's list. A pair serves all entries of its tunnel, and is counted as a whole. */
function pairFlows(
  plane: PairPlane,
  map: CryptoMap | undefined,
  ends: ReadonlyMap<number, Micros | undefined>,
  mtu: number,
  now: Micros,
): IpsecFlowView[] {
  const entries = map === undefined ? [] : [...map.tunnels.values()];
  return plane.config.policies.flatMap(({ name, rules }): IpsecFlowView[] => {
    const configured = entries.find((entry) => tunnelName(map!, entry) === name);
    const pairs = [...plane.pairs.values()]
      .map((pair, number) => ({ pair, number }))
      .filter(({ pair }) => pair.policy === name && (pair.fadesAt === undefined || pair.fadesAt > now))
      .reverse();
    const sender = plane.pairs.get(plane.senders.get(name) ?? 0);
    const { view, protection } = sender?.tunnel ?? {};
    const address = configured?.peer === undefined ? "0.0.0.0" : formatIpv4(configured.peer.value);
    return rules
      .filter(({ action }) => action === "protect")
      .map(({ selector }) => ({
        group: undefined,
        peer: sender?.remote ?? { address, port: IKE_PORT },
        pfsGroup: configured?.pfsGroup,
        entry: entryOf("permit", selector),
        counters: countersOf(plane.byPolicy.get(name)?.counters ?? newCounters()),
        plaintextMtu: protection === undefined ? mtu : plaintextMtu(mtu, protection, view!.udp ? UDP_OCTETS : 0),
        outboundSpi: view === undefined ? undefined : spiText(view.outboundSpi),
        sas: pairs.map(({ pair, number }) => pairView(pair.tunnel, number, ends, now)),
      }));
  });
}

function pairView(
  { view }: Tunnel,
  number: number,
  ends: ReadonlyMap<number, Micros | undefined>,
  now: Micros,
): IpsecSaView {
  const { suite, inboundSpi, outboundSpi, mode, udp } = view;
  return {
    inboundSpi: spiText(inboundSpi),
    outboundSpi: spiText(outboundSpi),
    isInUdp: udp,
    transform: transformOf(suite),
    mode,
    connectionId: FIRST_CONNECTION + 2 * number,
    remaining: secondsLeft(ends.get(inboundSpi) ?? now, now),
    ivOctets: ivOctets(suite),
    replay: { method: "counter", window: REPLAY_WINDOW },
  };
}

function spiText(spi: number): string {
  return spi.toString(16).padStart(8, "0");
}
