/** SAs of the data planes, by interface and by the traffic that they protect. */
import { formatIpv4 } from "../../../src/base/ipv4.ts";
import type { Micros } from "../../../src/base/micros.ts";
import type { Counters } from "../../../src/esp/counters.ts";
import { newCounters } from "../../../src/esp/counters.ts";
import { type DataPlane, type GroupPolicy, type InstalledSa, isAlive } from "../../../src/esp/dataPlane.ts";
import { plaintextMtu } from "../../../src/esp/mtu.ts";
import type { IpsecFlowView, IpsecInterfaceView, IpsecSaView } from "../../../src/ios/show/views.ts";
import { type Device, type Port, planeOf } from "../device.ts";
import { entryOf, ivOctets, secondsLeft, transformOf } from "./common.ts";

/** None for an interface without a crypto map. */
export function ipsecViews(device: Device, port: Port, now: Micros): IpsecInterfaceView[] {
  const plane = planeOf(device, port);
  if (plane === undefined || port.map === undefined) return [];
  const address = port.addresses[0]?.address;
  const groups = [...plane.groups.values()];
  return [
    {
      name: port.name,
      map: port.map,
      address: address === undefined ? "0.0.0.0" : formatIpv4(address),
      mtu: port.mtu,
      flows: groups.flatMap((group) => flowsOf(plane, group, port.mtu, now)),
    },
  ];
}

function flowsOf(plane: DataPlane, group: GroupPolicy, mtu: number, now: Micros): IpsecFlowView[] {
  const rules = group.rules.filter(({ action }) => action === "protect");
  return rules.map(({ selector, family }): IpsecFlowView => {
    const sas = installed(plane, group.name, family, now);
    const sender = group.senders.get(family);
    return {
      group: group.name,
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
    spi: spiText(sa.spi),
    transform: transformOf(sa),
    mode: sa.mode,
    connectionId: FIRST_CONNECTION + 2 * number,
    remaining: secondsLeft(sa.expiresAt, now),
    ivOctets: ivOctets(sa),
    replay: { method: "none" },
  };
}

function spiText(spi: number): string {
  return spi.toString(16).padStart(8, "0");
}
