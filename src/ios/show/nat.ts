/** `show ip nat translations`. */
import { lines } from "./text.ts";
import type { NatEntryView } from "./views.ts";

/** Entries that the configuration made stand first, then the others in the order in which they came up. */
export function natTranslations(entries: readonly NatEntryView[]): string {
  const row = (protocol: string, ...ends: readonly string[]) =>
    `${protocol.padEnd(5)}${ends.map((end) => end.padEnd(22)).join("")}`.trimEnd();
  return lines(
    ...(entries.length === 0 ? [] : [row("Pro", "Inside global", "Inside local", "Outside local", "Outside global")]),
    // The outside is not translated: it has one address for both sides.
    entries.map(({ protocol, insideGlobal, insideLocal, outside = "---" }) =>
      row(protocol ?? "---", insideGlobal, insideLocal, outside, outside),
    ),
    `Total number of translations: ${entries.length}`,
  );
}
