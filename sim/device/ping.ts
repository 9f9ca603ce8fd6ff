/**
 * `ping` as IOS does it: one echo request after the other, the next one when the last is answered or given up. A dot for
 * an echo without answer, `U` for one that a router refused, `M` for one that could not be cut.
 */

import type { Bytes } from "../../src/base/bytes.ts";
import { formatIpv4, type Ipv4, isMulticastIpv4 } from "../../src/base/ipv4.ts";
import { MILLISECOND, type Micros, SECOND } from "../../src/base/micros.ts";
import { type EventHandle, NO_EVENT } from "../core/scheduler.ts";
import { NONE } from "../core/trace.ts";
import { type Device, nextIdentification } from "./device.ts";
import { echoRequest, type Icmp, Unreachable } from "./icmp.ts";
import { type Network, note } from "./networkState.ts";
import { addressTowards, sendOwn } from "./output.ts";
import type { PingAction } from "./spec.ts";

/** Plain data. */
export interface Ping {
  readonly tag: string;
  readonly identifier: number;
  readonly source: Ipv4;
  readonly destination: Ipv4;
  readonly repeat: number;
  readonly size: number;
  readonly timeout: Micros;
  readonly interval: Micros;
  readonly isDf: boolean;
  readonly tos: number;
  /** One character per echo that is decided. */
  text: string;
  sent: number;
  received: number;
  minMicros: Micros;
  maxMicros: Micros;
  sumMicros: Micros;
  /** Of the echo under way. */
  sentAt: Micros;
  isOpen: boolean;
  /** Answers to it so far; several from a multicast group. */
  answers: number;
  due: EventHandle;
  /** The event that the next one follows from. */
  cause: number;
}

const REPEAT = 5;
const SIZE = 100;
const TIMEOUT: Micros = 2 * SECOND;
/** IP and ICMP header. */
const HEADERS = 28;
const SIZE_MIN = 36;
const SIZE_MAX = 18_024;

/** Without a way to the destination or an address to send from, every echo is lost, as on IOS. */
export function startPing(network: Network, device: Device, action: PingAction, cause = NONE): void {
  if (!device.isUp) return;
  device.pingCount += 1;
  const identifier = device.pingCount & 0xffff;
  const { destination } = action;
  const source = sourceOf(device, action) ?? 0;
  const ping: Ping = {
    tag: action.tag ?? `PING ${device.pingCount}`,
    identifier,
    source,
    destination,
    repeat: action.repeat ?? REPEAT,
    size: Math.min(SIZE_MAX, Math.max(SIZE_MIN, action.size ?? SIZE)),
    timeout: action.timeout ?? TIMEOUT,
    interval: action.interval ?? 0,
    isDf: action.df ?? false,
    tos: action.tos ?? 0,
    text: "",
    sent: 0,
    received: 0,
    minMicros: Number.POSITIVE_INFINITY,
    maxMicros: 0,
    sumMicros: 0,
    sentAt: network.scheduler.now,
    isOpen: false,
    answers: 0,
    due: NO_EVENT,
    cause,
  };
  ping.cause = note(network, device.number, "ping.started", cause, undefined, {
    ping: ping.tag,
    from: formatIpv4(source),
    to: formatIpv4(destination),
    repeat: ping.repeat,
    size: ping.size,
  });
  device.pings.set(identifier, ping);
  sendEcho(network, device, ping);
}

function sourceOf(device: Device, { source, destination }: PingAction): Ipv4 | undefined {
  if (typeof source === "number") return source;
  if (source === undefined) return addressTowards(device, destination);
  return device.ports.find(({ name }) => name === source)?.addresses[0]?.address;
}

/** The pattern of IOS. */
function pattern(octets: number): Bytes {
  return Uint8Array.from({ length: octets }, (_, i) => (i % 2 === 0 ? 0xab : 0xcd));
}

function sendEcho(network: Network, device: Device, ping: Ping): void {
  const { scheduler, targets } = network;
  const packet = echoRequest({
    source: ping.source,
    destination: ping.destination,
    identification: nextIdentification(device),
    identifier: ping.identifier,
    sequence: ping.sent & 0xffff,
    data: pattern(ping.size - HEADERS),
    tos: ping.tos,
    isDf: ping.isDf,
  });
  ping.sentAt = scheduler.now;
  ping.isOpen = true;
  ping.answers = 0;
  ping.cause = note(network, device.number, "ping.sent", ping.cause, undefined, {
    ping: ping.tag,
    sequence: ping.sent,
  });
  ping.sent += 1;
  const { identifier } = ping;
  ping.due = scheduler.schedule(scheduler.now + ping.timeout, targets.ping, {
    device,
    life: device.life,
    identifier,
    what: "timeout",
  });
  sendOwn(network, device, packet, ping.cause);
}

/** The time of an echo is up, or the next one is due. */
export function pingDue(network: Network, device: Device, identifier: number, what: "send" | "timeout"): void {
  const ping = device.pings.get(identifier);
  if (ping === undefined) return;
  if (what === "send") {
    sendEcho(network, device, ping);
    return;
  }
  if (ping.answers > 0) {
    decide(network, device, ping, "!");
    return;
  }
  const data = { ping: ping.tag, sequence: ping.sent - 1 };
  ping.cause = note(network, device.number, "ping.lost", ping.cause, undefined, data);
  decide(network, device, ping, ".");
}

/** ICMP has come for this device. Answers that come too late, or for another ping, are nobody's. */
export function pingHeard(network: Network, device: Device, from: Ipv4, icmp: Icmp, cause: number): void {
  if (icmp.kind === "reply") answered(network, device, from, icmp.echo, cause);
  else if (icmp.kind === "error" && icmp.about !== undefined) refused(network, device, from, icmp, icmp.about, cause);
}

function openPing(device: Device, about: { identifier: number; sequence: number }): Ping | undefined {
  const ping = device.pings.get(about.identifier);
  const isCurrent = ping?.isOpen === true && ((ping.sent - 1) & 0xffff) === about.sequence;
  return isCurrent ? ping : undefined;
}

function answered(
  network: Network,
  device: Device,
  from: Ipv4,
  echo: { readonly identifier: number; readonly sequence: number },
  cause: number,
): void {
  const ping = openPing(device, echo);
  const isGroup = ping !== undefined && isMulticastIpv4(ping.destination);
  if (ping === undefined || (!isGroup && from !== ping.destination)) return;
  const rtt = network.scheduler.now - ping.sentAt;
  ping.answers += 1;
  ping.cause = note(network, device.number, "ping.reply", cause, undefined, {
    ping: ping.tag,
    sequence: ping.sent - 1,
    rttMicros: rtt,
    from: formatIpv4(from),
  });
  if (ping.answers === 1) {
    ping.received += 1;
    ping.minMicros = Math.min(ping.minMicros, rtt);
    ping.maxMicros = Math.max(ping.maxMicros, rtt);
    ping.sumMicros += rtt;
  }
  // A group is listened to until the time is up: all its members may answer.
  if (!isGroup) decide(network, device, ping, "!");
}

function refused(
  network: Network,
  device: Device,
  from: Ipv4,
  { type, code }: { readonly type: number; readonly code: number },
  about: { readonly identifier: number; readonly sequence: number },
  cause: number,
): void {
  const ping = openPing(device, about);
  if (ping === undefined) return;
  ping.cause = note(network, device.number, "ping.unreachable", cause, undefined, {
    ping: ping.tag,
    sequence: ping.sent - 1,
    from: formatIpv4(from),
    type,
    code,
  });
  decide(network, device, ping, code === Unreachable.fragmentationNeeded ? "M" : "U");
}

function decide(network: Network, device: Device, ping: Ping, character: string): void {
  const { scheduler, targets } = network;
  scheduler.cancel(ping.due);
  ping.isOpen = false;
  ping.text += character;
  if (ping.sent >= ping.repeat) {
    finish(network, device, ping);
    return;
  }
  const at = Math.max(scheduler.now, ping.sentAt + ping.interval);
  const { identifier } = ping;
  ping.due = scheduler.schedule(at, targets.ping, { device, life: device.life, identifier, what: "send" });
}

function finish(network: Network, device: Device, ping: Ping): void {
  device.pings.delete(ping.identifier);
  const average = ping.received === 0 ? 0 : Math.floor(ping.sumMicros / ping.received);
  note(network, device.number, "ping.done", ping.cause, undefined, {
    ping: ping.tag,
    from: formatIpv4(ping.source),
    to: formatIpv4(ping.destination),
    sent: ping.sent,
    received: ping.received,
    percent: Math.floor((ping.received * 100) / ping.sent),
    text: ping.text,
    line: successLine(ping, average),
    minMicros: ping.received === 0 ? 0 : ping.minMicros,
    avgMicros: average,
    maxMicros: ping.maxMicros,
  });
}

/** IOS counts in whole milliseconds and knows nothing below one. */
function successLine({ sent, received, minMicros, maxMicros }: Ping, average: Micros): string {
  const rate = `Success rate is ${Math.floor((received * 100) / sent)} percent (${received}/${sent})`;
  if (received === 0) return rate;
  const [min, avg, max] = [minMicros, average, maxMicros].map((time) => Math.max(1, Math.floor(time / MILLISECOND)));
  return `${rate}, round-trip min/avg/max = ${min}/${avg}/${max} ms`;
}
