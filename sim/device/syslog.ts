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

/** What a router has logged since it was switched on last, oldest first: `*Mar  1 00:00:10.919: %GDOI-5-...`. */
export function logOf({ trace }: Network, { number }: Device): readonly string[] {
  let lines: string[] = [];
  for (let i = 0; i < trace.events; i++) {
    const event = trace.event(i);
    if (event.device !== number) continue;
    // The buffer is memory like any other.
    if (event.kind === "device.up") lines = [];
    lines.push(...syslogMessages(event.kind, event.data).map((message) => `${logStamp(event.time)}: ${message}`));
  }
  return lines;
}
