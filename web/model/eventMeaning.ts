/** What a kind of event means, from the tables of the rooms that report it. */

import { DEVICE_EVENTS } from "../../sim/device/events.ts";
import { GM_EVENTS } from "../../src/gm/events.ts";
import { ISAKMP_EVENTS } from "../../src/ikev1/events.ts";
import { IKE_EVENTS } from "../../src/ikev2/events.ts";
import { KS_EVENTS } from "../../src/ks/events.ts";

const TABLES: Readonly<Record<string, string | { readonly meaning: string }>> = {
  ...DEVICE_EVENTS,
  ...IKE_EVENTS,
  ...ISAKMP_EVENTS,
  ...KS_EVENTS,
  ...GM_EVENTS,
};

/** A sentence such as `A member got policy and keys.`; undefined for kinds that no table has. */
export function eventMeaning(kind: string): string | undefined {
  if (!Object.hasOwn(TABLES, kind)) return undefined;
  const row = TABLES[kind]!;
  const text = typeof row === "string" ? row : row.meaning;
  // The tables go on with the names of the data, which the inspector lists with their values.
  const sentence = text.split(/;? ?\bdata /)[0]!.trim();
  if (sentence === "") return undefined;
  return sentence.endsWith(".") ? sentence : `${sentence}.`;
}
