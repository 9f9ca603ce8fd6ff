/**
 * Virtual time: whole microseconds since the start of the run, in a `number`. Exact for 285 years.
 */

/** Microseconds, an instant or a duration. */
export type Micros = number;

export const MILLISECOND: Micros = 1_000;
export const SECOND: Micros = 1_000_000;
export const MINUTE: Micros = 60 * SECOND;
export const HOUR: Micros = 60 * MINUTE;
export const DAY: Micros = 24 * HOUR;

/** Seconds with six decimals, such as `12.345678`. */
export function formatSeconds(time: Micros): string {
  const negative = time < 0;
  const whole = Math.floor(Math.abs(time) / SECOND);
  const rest = Math.abs(time) % SECOND;
  return `${negative ? "-" : ""}${whole}.${String(rest).padStart(6, "0")}`;
}

const UNITS: Readonly<Record<string, Micros>> = {
  us: 1,
  ms: MILLISECOND,
  s: SECOND,
  m: MINUTE,
  min: MINUTE,
  h: HOUR,
  d: DAY,
};

/**
 * Reads a duration with its unit: `250us`, `1.5ms`, `90s`, `2m30s`, `1h`. Returns undefined for anything else, for
 * negative values and for values that are no whole number of microseconds. Decimal arithmetic is done on the digits, so
 * `0.1s` is exactly 100,000.
 */
export function parseDuration(text: string): Micros | undefined {
  const trimmed = text.trim();
  if (!/^(?:\d+(?:\.\d+)?(?:us|ms|s|min|m|h|d))+$/.test(trimmed)) return undefined;
  let total = 0;
  for (const match of trimmed.matchAll(/(\d+)(?:\.(\d+))?(us|ms|s|min|m|h|d)/g)) {
    const unit = UNITS[match[3]!]!;
    const fraction = match[2] ?? "";
    const scale = 10 ** fraction.length;
    const scaled = Number(match[1]! + fraction) * unit;
    if (!Number.isSafeInteger(scaled) || scaled % scale !== 0) return undefined;
    total += scaled / scale;
  }
  return Number.isSafeInteger(total) ? total : undefined;
}
