/**
 * What a role's events table says about each event: what it means, and how a router logs it. Wording of syslog lines
 * follows Cisco's mnemonics; where no real line was found it is approximate.
 */
import type { EventData, Scalar } from "../base/machine.ts";

export interface SyslogLine {
  readonly facility: "GDOI" | "CRYPTO" | "PKI" | "SYS" | "LINEPROTO";
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
  /** Logged behind that one, each where it fits. */
  readonly also?: readonly SyslogLine[];
}

/** The first line of an event, or undefined where it is not logged. */
export function syslogText(row: EventRow, data: EventData): string | undefined {
  return syslogTexts({ syslog: row.syslog }, data)[0];
}

/** `%GDOI-5-GM_REGS_COMPL: Registration to KS ...`: all lines of an event; none where it is not logged. */
export function syslogTexts(row: Pick<EventRow, "syslog" | "also">, data: EventData): readonly string[] {
  const first = row.syslog?.find((line) => fits(line, data));
  const others = row.also?.filter((line) => fits(line, data)) ?? [];
  return [...(first === undefined ? [] : [first]), ...others].map((line) => filledIn(line, data));
}

function fits({ when }: SyslogLine, data: EventData): boolean {
  return Object.entries(when ?? {}).every(([name, value]) => data[name] === value);
}

function filledIn(line: SyslogLine, data: EventData): string {
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
