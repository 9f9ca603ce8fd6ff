/**
 * What routers would log: the lines that the tables of the rooms have for an event. The clock is virtual time, never set,
 * as the asterisk says.
 */
import type { EventData } from "../../src/base/machine.ts";
import { type EventRow, syslogTexts } from "../../src/gikev2/eventTable.ts";
import { GM_EVENTS } from "../../src/gm/events.ts";
import { logStamp } from "../../src/ios/clock.ts";
import { KS_EVENTS } from "../../src/ks/events.ts";
import type { TraceEvent, TraceHead } from "../core/traceTypes.ts";
import type { Device } from "./device.ts";
import { DEVICE_LOG, DEVICE_LOG_ALSO } from "./log.ts";
import type { Network } from "./networkState.ts";

type Lines = Pick<EventRow, "syslog" | "also">;

const ROWS: ReadonlyMap<string, Lines> = new Map<string, Lines>([
  ...Object.entries<EventRow>(KS_EVENTS),
  ...Object.entries<EventRow>(GM_EVENTS),
  ...Object.entries(DEVICE_LOG).map(([kind, syslog]): [string, Lines] => [
    kind,
    { syslog, also: DEVICE_LOG_ALSO[kind] },
  ]),
]);

/** `%GDOI-5-GM_REGS_COMPL: Registration to KS ...`; none where a router logs nothing. */
export function syslogMessages(kind: string, data: EventData): readonly string[] {
  const row = ROWS.get(kind);
  return row === undefined ? [] : syslogTexts(row, data);
}

/** `gm1: *Mar  1 00:00:10.919: %GDOI-5-...`: none for hosts and clouds. */
export function syslogLines(head: TraceHead, event: TraceEvent): readonly string[] {
  const device = head.devices[event.device];
  if (device === undefined || device.role === "host" || device.role === "cloud") return [];
  const stamp = logStamp(event.time);
  return syslogMessages(event.kind, event.data).map((message) => `${device.name}: ${stamp}: ${message}`);
}

/** What has happened at a device since it was switched on last, oldest first. */
export function eventsOf({ trace }: Network, { number }: Device): readonly TraceEvent[] {
  let events: TraceEvent[] = [];
  for (let i = 0; i < trace.events; i++) {
    const event = trace.event(i);
    if (event.device !== number) continue;
    if (event.kind === "device.up") events = [];
    events.push(event);
  }
  return events;
}

/** What a router has logged since then: `*Mar  1 00:00:10.919: %GDOI-5-...`. The buffer is memory like any other. */
export function logOf(network: Network, device: Device): readonly string[] {
  return eventsOf(network, device).flatMap(({ kind, data, time }) =>
    syslogMessages(kind, data).map((message) => `${logStamp(time)}: ${message}`),
  );
}
