/** Numbers as people read them. */
import { HOUR, MILLISECOND, MINUTE, type Micros, SECOND } from "../../src/base/micros.ts";

/** Simulated time: seconds with six decimals below an hour (`12.345678 s`), `hh:mm:ss.mmm` above. */
export function formatTime(time: Micros): string {
  if (time < HOUR) return `${secondsWith(time, 6)} s`;
  const whole = Math.floor(time / MILLISECOND);
  const two = (value: number) => String(value).padStart(2, "0");
  const hours = two(Math.floor(whole / 3_600_000));
  return `${hours}:${two(Math.floor(whole / 60_000) % 60)}:${secondsWith((whole % 60_000) * MILLISECOND, 3).padStart(6, "0")}`;
}

/** For axes: as many decimals as `step` microseconds between two labels need. */
export function formatTick(time: Micros, step: Micros): string {
  if (time >= HOUR) return formatTime(time).slice(0, step < SECOND ? undefined : 8);
  const decimals = step >= SECOND ? 0 : step >= 100 * MILLISECOND ? 1 : step >= MILLISECOND ? 3 : 6;
  return `${secondsWith(time, decimals)} s`;
}

function secondsWith(time: Micros, decimals: number): string {
  return (Math.round(time) / SECOND).toFixed(decimals);
}

const UNITS: readonly (readonly [Micros, string])[] = [
  [24 * HOUR, "d"],
  [HOUR, "h"],
  [MINUTE, "min"],
  [SECOND, "s"],
  [MILLISECOND, "ms"],
  [1, "µs"],
];

/** A duration with its unit and about three digits: `58 min`, `2.41 s`, `20 ms`. */
export function formatDuration(micros: Micros): string {
  const [size, unit] = UNITS.find(([size]) => micros >= size) ?? [1, "µs"];
  const value = micros / size;
  const text = value >= 100 || Number.isInteger(value) ? Math.round(value).toString() : value.toPrecision(3);
  return `${text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text} ${unit}`;
}

const COUNTS = new Intl.NumberFormat("en");

export function formatCount(count: number): string {
  return COUNTS.format(count);
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
