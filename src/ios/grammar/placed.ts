/** Lists of values that each have a place: a value stands in such a list once, and `no` takes it out again. */
import type { Args } from "../args.ts";
import type { Placed } from "../model.ts";

export function add<T>(list: Placed<T>[], value: T, args: Args): void {
  const text = JSON.stringify(value);
  if (!list.some((known) => JSON.stringify(known.value) === text)) list.push({ value, at: args.at });
}

export function without<T>(list: readonly Placed<T>[], value: T): Placed<T>[] {
  const text = JSON.stringify(value);
  return list.filter((known) => JSON.stringify(known.value) !== text);
}
