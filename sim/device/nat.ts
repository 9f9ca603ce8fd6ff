/**
 * A router that translates addresses. On the way out it does so behind the route and before the crypto map, on the way in
 * behind the crypto map and before the route: IOS's order of operation.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import { assert } from "../../src/base/errors.ts";
import { formatIpv4, type Ipv4, isMulticastIpv4 } from "../../src/base/ipv4.ts";
import type { Scalar } from "../../src/base/machine.ts";
import { reassemble } from "../../src/esp/fragment.ts";
import type { IpHeader } from "../../src/esp/ipHeader.ts";
import type { IosConfig } from "../../src/ios/model.ts";
import { IpProtocol } from "../../src/wire/ip.ts";
import { nameOf } from "../../src/wire/kit.ts";
import { NO_EVENT } from "../core/scheduler.ts";
import {
  createNat,
  expireEntries,
  type Nat,
  type NatEntry,
  type NatSourceRule,
  natTimeouts,
  nextExpiry,
  type Translation,
  translateIn,
  translateOut,
} from "../net/nat.ts";
import type { End } from "../net/rewrite.ts";
import type { Device, Port } from "./device.ts";
import { type Network, note } from "./networkState.ts";

const STATIC_PROTOCOLS = { tcp: IpProtocol.TCP, udp: IpProtocol.UDP } as const;

/** Undefined where the configuration translates nothing. Rules whose list, pool or address is missing are left out. */
export function natOf(config: IosConfig): Nat | undefined {
  const { statics, sources } = config.nat;
  if (statics.length + sources.length === 0) return undefined;
  return createNat({
    statics: statics.map(({ local, global, ports }) => ({
      local,
      global,
      ...(ports === undefined ? {} : { ports: { ...ports, protocol: STATIC_PROTOCOLS[ports.protocol] } }),
    })),
    sources: sources.flatMap((source): NatSourceRule[] => {
      const acl = config.accessLists.get(source.acl.name);
      const address = source.interface && config.interfaces.get(source.interface.name)?.address?.address;
      const pool = source.pool && config.nat.pools.get(source.pool.name);
      const range = pool ?? (address === undefined ? undefined : { first: address, last: address });
      if (acl === undefined || range === undefined) return [];
      return [{ acl, first: range.first, last: range.last, overload: source.overload }];
    }),
    timeouts: natTimeouts(config.nat),
  });
}

/** The translation of a changed configuration; entries stay where the rules are the same. */
export function natAfter(config: IosConfig, before: Nat | undefined): Nat | undefined {
  const next = natOf(config);
  return JSON.stringify(next?.rules) === JSON.stringify(before?.rules) ? before : next;
}

/** Addresses that only exist on the outside: whoever stands before the router has to send them there. */
export function globalAddresses({ nat }: IosConfig): readonly Ipv4[] {
  const ofPools = nat.sources.flatMap(({ pool }) => {
    const range = pool && nat.pools.get(pool.name);
    if (range === undefined) return [];
    return Array.from({ length: range.last - range.first + 1 }, (_, i) => range.first + i);
  });
  return [...nat.statics.map((one) => one.global), ...ofPools];
}

/** A packet that came in from outside, in its words of the inside; undefined where it ended here or waits for its rest. */
export function fromOutside(
  network: Network,
  device: Device,
  port: Port,
  header: IpHeader,
  packet: Bytes,
  cause: number,
): Bytes | undefined {
  const { nat } = device;
  if (nat === undefined || port.nat !== "outside" || isMulticastIpv4(header.destination)) return packet;
  const whole = reassemble(device.reassembly, header, packet, network.scheduler.now);
  if (whole === undefined) return undefined;
  const isOwn = device.ownAddresses.has(header.destination);
  return carryOut(network, device, whole, translateIn(nat, whole, isOwn, network.scheduler.now), cause);
}

/** A packet that goes from the inside to the outside; undefined as above. */
export function toOutside(
  network: Network,
  device: Device,
  from: Port,
  to: Port,
  header: IpHeader,
  packet: Bytes,
  cause: number,
): Bytes | undefined {
  const { nat } = device;
  if (nat === undefined || from.nat !== "inside" || to.nat !== "outside") return packet;
  const whole = reassemble(device.reassembly, header, packet, network.scheduler.now);
  if (whole === undefined) return undefined;
  return carryOut(network, device, whole, translateOut(nat, whole, network.scheduler.now), cause);
}

/** An ICMP error of the router itself about a packet that it has translated already goes to who sent that packet. */
export function errorInside(network: Network, device: Device, packet: Bytes): Bytes {
  if (device.nat === undefined) return packet;
  const result = translateIn(device.nat, packet, true, network.scheduler.now);
  return result.kind === "translated" ? result.packet : packet;
}

function carryOut(
  network: Network,
  device: Device,
  packet: Bytes,
  result: Translation,
  cause: number,
): Bytes | undefined {
  switch (result.kind) {
    case "untouched":
      return packet;
    case "dropped":
      note(network, device.number, "nat.dropped", cause, packet, { reason: result.reason });
      return undefined;
    case "translated":
      if (result.entry !== undefined) {
        note(network, device.number, "nat.translated", cause, undefined, entryData(result.entry));
        armExpiry(network, device, result.entry);
      }
      return result.packet;
  }
}

function entryData({ protocol, local, global, outside }: NatEntry): Record<string, Scalar> {
  const text = ({ address, port }: End) => (port === 0 ? formatIpv4(address) : `${formatIpv4(address)}:${port}`);
  return {
    protocol: protocol === 0 ? "ip" : nameOf(IpProtocol.space, protocol).toLowerCase(),
    local: text(local),
    global: text(global),
    ...(outside !== undefined && { outside: text(outside) }),
  };
}

/** One wake-up per router, at the earliest end of an entry as it stood when it was set: entries only ever live longer. */
function armExpiry(network: Network, device: Device, { expiresAt }: NatEntry): void {
  if (expiresAt === undefined || (device.natWakeAt !== undefined && device.natWakeAt <= expiresAt)) return;
  const { scheduler, targets } = network;
  scheduler.cancel(device.natWake);
  device.natWakeAt = expiresAt;
  device.natWake = scheduler.schedule(expiresAt, targets.nat, { device, life: device.life });
}

export function natDue(network: Network, device: Device): void {
  const { nat } = device;
  device.natWake = NO_EVENT;
  device.natWakeAt = undefined;
  if (nat === undefined) return;
  const { scheduler, targets } = network;
  for (const entry of expireEntries(nat, scheduler.now)) {
    note(network, device.number, "nat.expired", -1, undefined, entryData(entry));
  }
  const next = nextExpiry(nat);
  if (next === undefined) return;
  assert(next > scheduler.now, "what has ended is gone");
  device.natWakeAt = next;
  device.natWake = scheduler.schedule(next, targets.nat, { device, life: device.life });
}
