/** Plain data as the text of a Lua expression. */

export type LuaValue =
  | string
  | number
  | boolean
  | LuaCode
  | readonly LuaValue[]
  | ReadonlyMap<number | string, LuaValue>;

/** An expression that stands as it is. */
export interface LuaCode {
  readonly code: string;
}

/** Lists count from 1, as Lua's do; maps keep their keys. */
export function luaText(value: LuaValue): string {
  if (typeof value === "string") return quoted(value);
  if (typeof value !== "object") return String(value);
  if (value instanceof Map) {
    const rows = [...(value as ReadonlyMap<number | string, LuaValue>)];
    return `{ ${rows.map(([key, entry]) => `[${luaText(key)}] = ${luaText(entry)}`).join(", ")} }`;
  }
  if (Array.isArray(value)) return `{ ${value.map(luaText).join(", ")} }`;
  return (value as LuaCode).code;
}

/** A table with these names as keys; entries that are undefined are left out. */
export function luaTable(entries: Readonly<Record<string, LuaValue | undefined>>): LuaCode {
  const rows = Object.entries(entries).filter((row): row is [string, LuaValue] => row[1] !== undefined);
  return { code: `{ ${rows.map(([key, value]) => `${key} = ${luaText(value)}`).join(", ")} }` };
}

/** Printable ASCII; everything else as the decimal escapes of its UTF-8 octets. */
function quoted(text: string): string {
  const octets = [...new TextEncoder().encode(text)];
  const parts = octets.map((octet) => {
    if (octet === 0x22 || octet === 0x5c) return `\\${String.fromCharCode(octet)}`;
    return octet >= 0x20 && octet < 0x7f ? String.fromCharCode(octet) : `\\${String(octet).padStart(3, "0")}`;
  });
  return `"${parts.join("")}"`;
}
