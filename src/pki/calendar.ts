/**
 * Calendar time as certificates need it: whole seconds since 1970-01-01T00:00:00Z, in the proleptic Gregorian calendar
 * without leap seconds. Whole numbers only, so that every engine agrees.
 */
import { type Bytes, fromUtf8, utf8 } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { type DerReader, der } from "../crypto/der.ts";

/** Seconds since 1970-01-01T00:00:00Z. */
export type CalendarSeconds = number;

const DAY = 86_400;
const DER_UTC_TIME = 0x17;
const DER_GENERALIZED_TIME = 0x18;
/** UTCTime ends here. RFC 5280 section 4.1.2.5. */
const YEAR_2050 = 2_524_608_000;

interface Fields {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Days from 1970-01-01; years begin in March here, so that the leap day is their last. */
function daysOf(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

function fieldsOf(at: CalendarSeconds): Fields {
  const days = Math.floor(at / DAY);
  const rest = at - days * DAY;
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leaps = Math.floor(dayOfEra / 1_460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
    hour: Math.floor(rest / 3_600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
  };
}

/** Undefined for a day or an hour that does not exist. */
function secondsOf({ year, month, day, hour, minute, second }: Fields): CalendarSeconds | undefined {
  if (month < 1 || month > 12 || day < 1 || hour > 23 || minute > 59 || second > 59) return undefined;
  const next = month === 12 ? daysOf(year + 1, 1, 1) : daysOf(year, month + 1, 1);
  if (day > next - daysOf(year, month, 1)) return undefined;
  return daysOf(year, month, day) * DAY + hour * 3_600 + minute * 60 + second;
}

function digits(value: number, count: number): string {
  return String(value).padStart(count, "0");
}

/** `2026-11-22T02:35:16Z`. */
export function formatCalendar(at: CalendarSeconds): string {
  const { year, month, day, hour, minute, second } = fieldsOf(at);
  const time = [hour, minute, second].map((part) => digits(part, 2)).join(":");
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}T${time}Z`;
}

/** `2026-11-22T02:35:16Z` or a bare day; undefined for anything else. */
export function parseCalendar(text: string): CalendarSeconds | undefined {
  const found = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)Z)?$/.exec(text);
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1).map((part) => Number(part ?? 0));
  return secondsOf({ year: year!, month: month!, day: day!, hour: hour!, minute: minute!, second: second! });
}

/** When a run begins unless its configuration says otherwise. */
export const EPOCH_DEFAULT: CalendarSeconds = parseCalendar("2026-01-01")!;

/** UTCTime or GeneralizedTime in the one form that RFC 5280 section 4.1.2.5 allows. Throws a WireError. */
export function readTime(reader: DerReader): CalendarSeconds {
  const at = reader.at;
  const isUtc = reader.peek() === DER_UTC_TIME;
  const text = fromUtf8(reader.content(isUtc ? DER_UTC_TIME : DER_GENERALIZED_TIME));
  const found = (isUtc ? /^(\d\d)(\d{10})Z$/ : /^(\d{4})(\d{10})Z$/).exec(text);
  if (found === null) throw new WireError("badValue", `no time: ${text.slice(0, 20)}`, at, "time");
  const short = Number(found[1]);
  const year = isUtc ? (short >= 50 ? 1900 : 2000) + short : short;
  const [month, day, hour, minute, second] = found[2]!.match(/\d\d/g)!.map(Number);
  const seconds = secondsOf({ year, month: month!, day: day!, hour: hour!, minute: minute!, second: second! });
  if (seconds === undefined) throw new WireError("badValue", `no such time: ${text}`, at, "time");
  return seconds;
}

export function derTime(at: CalendarSeconds): Bytes {
  const { year, month, day, hour, minute, second } = fieldsOf(at);
  const rest = `${[month, day, hour, minute, second].map((part) => digits(part, 2)).join("")}Z`;
  return at < YEAR_2050
    ? der(DER_UTC_TIME, utf8(digits(year % 100, 2) + rest))
    : der(DER_GENERALIZED_TIME, utf8(digits(year, 4) + rest));
}
