/**
 * What a role's events table says about each event: what it means, and how a router logs it. Wording of syslog lines
 * follows Cisco's mnemonics; where no real line was found it is approximate.
 */
import type { EventData, Scalar } from "../base/machine.ts";

export interface SyslogLine {
  readonly facility: "GDOI" | "CRYPTO";
  readonly severity: 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;
  readonly mnemonic: string;
  /** `{name}` stands for the event's datum of that name. */
  readonly text: string;
  /** Data that the event must have for this line; absent: any. */
  readonly when?: Readonly<Record<string, Scalar>>;
}

export interface EventRow {
  readonly meaning: string;
  /** The first line that fits is the one that is logged; absent: a real router logs nothing. */
  readonly syslog?: readonly SyslogLine[];
}

/** `%GDOI-5-GM_REGS_COMPL: Registration to KS ...`, or undefined where the event is not logged. */
export function syslogText(row: EventRow, data: EventData): string | undefined {
  const line = row.syslog?.find(({ when }) =>
    Object.entries(when ?? {}).every(([name, value]) => data[name] === value),
  );
  if (line === undefined) return undefined;
  const text = line.text.replace(/\{(\w+)\}/g, (_, name: string) => String(data[name] ?? "?"));
  return `%${line.facility}-${line.severity}-${line.mnemonic}: ${text}`;
}

export function gdoi(
  severity: SyslogLine["severity"],
  mnemonic: string,
  text: string,
  when?: SyslogLine["when"],
): SyslogLine {
  return { facility: "GDOI", severity, mnemonic, text, ...(when === undefined ? {} : { when }) };
}
