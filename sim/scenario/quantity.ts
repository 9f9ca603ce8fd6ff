/**
 * The quantities of a scenario file as people write them: odds, rates and sizes as text with a unit, turned into whole
 * numbers without a rounding. Durations are those of `parseDuration`.
 */

/** `hits` in `outOf`, both whole numbers without a common factor. */
export interface Odds {
  readonly hits: number;
  readonly outOf: number;
}

const ODDS_MAX = 2 ** 32;

/**
 * Reads `20%`, `0.05%` or `1/5`. Returns undefined for anything else, for odds above one and for ratios of numbers beyond
 * 2^32. Decimal digits become a power of ten, so `0.1%` is exactly 1 in 1,000.
 */
export function parseOdds(text: string): Odds | undefined {
  const percent = /^(\d{1,3})(?:\.(\d{1,7}))?%$/.exec(text);
  if (percent !== null) {
    const fraction = percent[2] ?? "";
    return reduced(Number(percent[1]! + fraction), 100 * 10 ** fraction.length);
  }
  const ratio = /^(\d{1,10})\/(\d{1,10})$/.exec(text);
  return ratio === null ? undefined : reduced(Number(ratio[1]), Number(ratio[2]));
}

function reduced(hits: number, outOf: number): Odds | undefined {
  if (outOf === 0 || hits > outOf) return undefined;
  const factor = greatestCommonDivisor(hits, outOf);
  const odds = { hits: hits / factor, outOf: outOf / factor };
  return odds.outOf > ODDS_MAX ? undefined : odds;
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

const BITS: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, Mbit: 1e6, Gbit: 1e9 };

/** Reads `512kbit/s`, `1.5Mbit/s` or `1Gbit/s` as bits per second; undefined for anything else and for 0. */
export function parseRate(text: string): number | undefined {
  return scaled(/^(\d{1,12})(?:\.(\d{1,9}))?(bit|kbit|Mbit|Gbit)\/s$/.exec(text), BITS);
}

const OCTETS: Readonly<Record<string, number>> = { B: 1, kB: 1e3, KiB: 1024, MB: 1e6, MiB: 1024 * 1024 };

/** Reads `1500B`, `64kB`, `64KiB`, `1MB` or `1MiB` as octets; undefined for anything else and for 0. */
export function parseOctets(text: string): number | undefined {
  return scaled(/^(\d{1,12})(?:\.(\d{1,9}))?(B|kB|KiB|MB|MiB)$/.exec(text), OCTETS);
}

function scaled(match: RegExpExecArray | null, units: Readonly<Record<string, number>>): number | undefined {
  if (match === null) return undefined;
  const fraction = match[2] ?? "";
  const scale = 10 ** fraction.length;
  const value = Number(match[1]! + fraction) * units[match[3]!]!;
  return Number.isSafeInteger(value) && value > 0 && value % scale === 0 ? value / scale : undefined;
}
