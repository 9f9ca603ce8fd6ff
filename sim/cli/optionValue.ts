/** Values of options; what is not one ends the program with a usage error. */
import { InvalidArgumentError } from "commander";
import { type Micros, parseDuration } from "../../src/base/micros.ts";

export function parseRunNumber(text: string): number {
  return whole(text, 0, Number.MAX_SAFE_INTEGER);
}

export function parsePort(text: string): number {
  return whole(text, 0, 65_535);
}

/** 0: none. */
export function parseThreads(text: string): number {
  return whole(text, 0, 64);
}

export function parseUntil(text: string): Micros {
  const micros = parseDuration(text);
  if (micros === undefined) throw new InvalidArgumentError("A duration with its unit is expected, such as 90s.");
  return micros;
}

export function parseMegabytes(text: string): number {
  return whole(text, 0, 1_000_000);
}

function whole(text: string, min: number, max: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(`A whole number from ${min} to ${max} is expected.`);
}
