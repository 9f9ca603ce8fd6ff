/** Reads what IOS prints as `label : value` back into a table, blanks at both ends of each cut off. */
export function labels(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*([^:]*[^:\s])\s*: ?(.*)$/.exec(line);
    if (match !== null && !found.has(match[1]!)) found.set(match[1]!, match[2]!.trim());
  }
  return found;
}

/** Both pairs of each line of two columns. */
export function twins(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^\s*(\S.*?)\s*: (\S+)\s+(\S.*?)\s*: (\S+)\s*$/.exec(line);
    if (match === null) continue;
    found.set(match[1]!, match[2]!);
    found.set(match[3]!, match[4]!);
  }
  return found;
}
