/**
 * A small group with well-formed packets, made without the simulator: enough of a trace to test what the page derives
 * and shows. One key server, `members` members around a cloud: registration, data, a multicast rekey with losses.
 */

import { Trace } from "../../sim/core/trace.ts";
import type { TraceDevice, TraceHead, TraceLink } from "../../sim/core/traceTypes.ts";
import { type Bytes, concat, u16, u32 } from "../../src/base/bytes.ts";

export interface Synthetic {
  readonly head: TraceHead;
  readonly trace: Trace;
}

const LATENCY = 8_000;

export function syntheticHead(members: number): TraceHead {
  const devices: TraceDevice[] = [
    { name: "wan", role: "cloud", addresses: [] },
    { name: "ks1", role: "ks", site: "dc", addresses: ["192.168.1.254"] },
  ];
  const links: TraceLink[] = [link("ks1-wan", 1)];
  for (let i = 1; i <= members; i++) {
    devices.push({ name: `gm${i}`, role: "gm", site: `branch${i}`, addresses: [`192.168.${i}.1`, `10.${i}.0.1`] });
    links.push(link(`gm${i}-wan`, i + 1));
  }
  return {
    version: 1,
    scenario: `synthetic ${members}`,
    description: "Members register, exchange data and are rekeyed.",
    seed: "7",
    run: 0,
    devices,
    links,
    notes: [
      { at: 0, text: "Nobody holds a key yet." },
      { at: 1_000_000, text: "The members register one after another." },
      { at: 3_600_000_000, text: "The key server sends new keys by multicast.", question: true },
    ],
  };
}

export function syntheticTrace(members: number, rekeys = 2): Synthetic {
  const head = syntheticHead(members);
  const { devices, links } = head;
  const queue: { readonly at: number; readonly run: (at: number) => void }[] = [];
  /** Sorted with the next entry last; of one instant the oldest entry is the next. */
  const later = (at: number, run: (at: number) => void) => {
    let low = 0;
    let high = queue.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (queue[middle]!.at > at) low = middle + 1;
      else high = middle;
    }
    queue.splice(low, 0, { at, run });
  };
  const trace = new Trace();
  const cross = (
    at: number,
    from: number,
    to: readonly number[],
    packet: Bytes,
    cause: number,
    arrived: Arrived,
    lost: (to: number) => boolean = () => false,
  ) => {
    const linkOf = (device: number) => links[device - 1]!.name;
    later(at, () => {
      const sent = trace.append(at, from, "packet.sent", cause, packet, {
        link: linkOf(from),
        interface: "Gi0",
        octets: packet.length,
      });
      later(at + LATENCY, (now) => {
        const inner = trace.append(now, 0, "packet.received", sent, packet, {
          link: linkOf(from),
          interface: linkOf(from),
        });
        for (const target of to) {
          const out = trace.append(now, 0, "packet.sent", inner, packet, {
            link: linkOf(target),
            interface: linkOf(target),
            octets: packet.length,
          });
          if (lost(target)) {
            later(now + LATENCY / 2, (then) =>
              trace.append(then, 0, "packet.lost", out, packet, { link: linkOf(target), reason: "loss" }),
            );
          } else {
            later(now + LATENCY + target * 37, (then) => {
              arrived(
                target,
                then,
                trace.append(then, target, "packet.received", out, packet, { link: linkOf(target), interface: "Gi0" }),
              );
            });
          }
        }
      });
    });
  };
  const address = (device: number) => devices[device]!.addresses[0]!;
  const ikePacket = (from: number, to: string, exchange: number, response: boolean, id: number) =>
    ip(
      17,
      address(from),
      to,
      udp(
        concat(
          new Uint8Array(8).fill(from),
          new Uint8Array(8).fill(9),
          Uint8Array.of(46, 0x20, exchange, response ? 0x20 : 8),
          u32(id),
          u32(92),
          new Uint8Array(64).fill(id + 65),
        ),
      ),
    );

  for (let gm = 2; gm < devices.length; gm++) {
    later(1_000_000 + (gm % 17) * 9_000 + gm * 500, (at) => {
      const start = trace.append(at, gm, "gm.registering", -1, undefined, { group: 1 });
      cross(at, gm, [1], ikePacket(gm, address(1), 34, false, 0), start, (_, t1, e1) => {
        cross(t1 + 400, 1, [gm], ikePacket(1, address(gm), 34, true, 0), e1, (__, t2, e2) => {
          cross(t2 + 500, gm, [1], ikePacket(gm, address(1), 39, false, 1), e2, (___, t3, e3) => {
            cross(t3 + 600, 1, [gm], ikePacket(1, address(gm), 39, true, 1), e3, (____, t4, e4) => {
              trace.append(t4, gm, "gm.registered", e4, undefined, { group: 1, ks: address(1) });
              trace.append(t4, gm, "gm.tekInstalled", e4, undefined, { spi: "1f2e3d01" });
            });
          });
        });
      });
    });
  }
  for (let i = 0; i < 12; i++) {
    const from = 2 + (i % Math.max(1, members));
    const to = 2 + ((i + 1) % Math.max(1, members));
    later(3_000_000 + i * 40_000, (at) => {
      const packet = ip(
        50,
        `10.${from - 1}.0.1`,
        `10.${to - 1}.0.1`,
        concat(Uint8Array.of(0x1f, 0x2e, 0x3d, 1), u32(i + 1), new Uint8Array(84)),
      );
      cross(at, from, [to], packet, -1, () => undefined);
    });
  }
  for (let rekey = 1; rekey <= rekeys; rekey++) {
    later(3_600_000_000 * rekey, (at) => {
      const start = trace.append(at, 1, "ks.rekeyStarted", -1, undefined, { group: 1, sequence: rekey });
      const everybody = devices.map((_, i) => i).slice(2);
      cross(
        at,
        1,
        everybody,
        ikePacket(1, "239.1.1.1", 41, false, rekey),
        start,
        (gm, then, event) => {
          trace.append(then, gm, "gm.rekeyReceived", event, undefined, { sequence: rekey });
          trace.append(then, gm, "gm.tekInstalled", event, undefined, { spi: `1f2e3d0${rekey + 1}` });
          cross(then + 300 * gm, gm, [1], ikePacket(gm, address(1), 41, true, rekey), event, () => undefined);
        },
        (gm) => gm % 10 === 5,
      );
    });
  }
  while (queue.length > 0) {
    const next = queue.pop()!;
    next.run(next.at);
  }
  return { head, trace };
}

type Arrived = (device: number, at: number, event: number) => void;

function link(name: string, device: number): TraceLink {
  return { name, a: device, aInterface: "Gi0", b: 0, bInterface: name, latencyMicros: LATENCY };
}

function udp(payload: Bytes): Bytes {
  return concat(u16(848), u16(848), u16(payload.length + 8), u16(0), payload);
}

export function ip(protocol: number, source: string, target: string, payload: Bytes): Bytes {
  const address = (text: string) => Uint8Array.from(text.split(".").map(Number));
  const head = concat(
    Uint8Array.of(0x45, 0),
    u16(20 + payload.length),
    u16(0),
    u16(0),
    Uint8Array.of(64, protocol),
    u16(0),
    address(source),
    address(target),
  );
  let sum = 0;
  for (let i = 0; i < 20; i += 2) sum += (head[i]! << 8) | head[i + 1]!;
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  head.set(u16(~sum & 0xffff), 10);
  return concat(head, payload);
}
