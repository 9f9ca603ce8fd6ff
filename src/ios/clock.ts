/**
 * The clock of a router whose time was never set: it starts at midnight of 1 March 1993 and marks what it prints with an
 * asterisk. Virtual time is that clock, for all devices alike.
 */
import type { Micros } from "../base/micros.ts";
import { DAY, HOUR, MILLISECOND, MINUTE, SECOND } from "../base/micros.ts";

const MONTHS: readonly (readonly [name: string, days: number])[] = [
  ["Mar", 31],
  ["Apr", 30],
  ["May", 31],
  ["Jun", 30],
  ["Jul", 31],
  ["Aug", 31],
  ["Sep", 30],
  ["Oct", 31],
  ["Nov", 30],
  ["Dec", 31],
  ["Jan", 31],
  ["Feb", 28],
];
const DAYS_OF_YEAR = 365;
/** 1 March 1993 was a Monday. */
const WEEKDAYS: readonly string[] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const FIRST_YEAR = 1993;

interface CalendarDay {
  readonly month: string;
  readonly day: number;
  readonly year: number;
  readonly weekday: string;
}

/** Leap years are left out: a run that meets one lasts for three years. */
function calendarDay(days: number): CalendarDay {
  let left = days % DAYS_OF_YEAR;
  let index = 0;
  while (left >= MONTHS[index]![1]) left -= MONTHS[index++]![1];
  const startYear = FIRST_YEAR + Math.floor(days / DAYS_OF_YEAR);
  // The table begins with March: its last two months belong to the next year.
  const year = index >= 10 ? startYear + 1 : startYear;
  return { month: MONTHS[index]![0], day: left + 1, year, weekday: WEEKDAYS[days % 7]! };
}

/** `00:00:10.919`. */
function timeOfDay(time: Micros): string {
  const digits = (value: number, count: number) => String(value).padStart(count, "0");
  const rest = time % DAY;
  const hours = digits(Math.floor(rest / HOUR), 2);
  const minutes = digits(Math.floor(rest / MINUTE) % 60, 2);
  const seconds = digits(Math.floor(rest / SECOND) % 60, 2);
  return `${hours}:${minutes}:${seconds}.${digits(Math.floor(rest / MILLISECOND) % 1000, 3)}`;
}

/** `*Mar  1 00:00:10.919`: the start of a line of the log. */
export function logStamp(time: Micros): string {
  const { month, day } = calendarDay(Math.floor(time / DAY));
  return `*${month} ${String(day).padStart(2)} ${timeOfDay(time)}`;
}

/** `00:00:10 UTC Mar 1 1993`. */
export function calendarText(time: Micros): string {
  const { month, day, year } = calendarDay(Math.floor(time / DAY));
  return `${timeOfDay(time).slice(0, "00:00:00".length)} UTC ${month} ${day} ${year}`;
}

/** `*00:00:10.919 UTC Mon Mar 1 1993`: what `show clock` prints. */
export function clockLine(time: Micros): string {
  const { month, day, year, weekday } = calendarDay(Math.floor(time / DAY));
  return `*${timeOfDay(time)} UTC ${weekday} ${month} ${day} ${year}`;
}
