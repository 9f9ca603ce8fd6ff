/**
 * The declarations of `src/wire` as Lua tables: what `reader.lua` reads octets by, and the fields that Wireshark has to be
 * told of beforehand. Nothing here knows a format; a payload that is declared tomorrow is dissected tomorrow.
 *
 * The name of a field is the way to it: kind of payload, list elements, keys in snake case. `getvpn.gsa.policy.spi` is the
 * SPI of a policy in both dialects and in GDOI's `sak`; an attribute is called by its name, `...policy.gsa_key_lifetime`.
 */
import type { NumberSpace } from "../../../src/wire/kit.ts";
import type { PayloadsShape, Shape } from "../../../src/wire/shape.ts";
import { type LuaCode, type LuaValue, luaTable, luaText } from "./luaText.ts";

export type FieldType = "none" | "uint8" | "uint16" | "uint24" | "uint32" | "bytes" | "ipv4" | "ipv6" | "string";

export interface LuaField {
  readonly type: FieldType;
  readonly label: string;
  readonly isHex: boolean;
  /** Names of numbers. Where two registries share the field, a number that means two things has both names. */
  readonly names: ReadonlyMap<number, string>;
}

/** Gathers what is written while formats are added; the texts refer to each other by the names of Lua locals. */
export interface FormatWriter {
  /** `local names = {}` and so on, in the order in which they need each other. */
  readonly lines: string[];
  readonly fields: Map<string, LuaField>;
  readonly formats: Map<Shape, number>;
  readonly spaces: Map<NumberSpace, number>;
}

export function formatWriter(): FormatWriter {
  return {
    lines: ["local names, format = {}, {}"],
    fields: new Map(),
    formats: new Map(),
    spaces: new Map(),
  };
}

/** `startPort`, `NAT-D` and `Key bag` as parts of a field's name: `start_port`, `nat_d`, `key_bag`. */
export function slug(text: string): string {
  const words = text.replace(/([a-z0-9])([A-Z])/g, "$1_$2").replace(/[^A-Za-z0-9]+/g, "_");
  return words.toLowerCase();
}

/** A payload's kind without the mark of its dialect. */
export function payloadSlug(kind: string): string {
  return slug(kind.replace(/07$/, ""));
}

/** Names of a registry, as an expression. */
export function namesCode(writer: FormatWriter, space: NumberSpace): LuaCode {
  let index = writer.spaces.get(space);
  if (index === undefined) {
    index = writer.spaces.size + 1;
    writer.spaces.set(space, index);
    writer.lines.push(`names[${index}] = ${luaText(space.names)} -- ${space.title}`);
  }
  return { code: `names[${index}]` };
}

/** What payload numbers mean, as an expression; their fields lie below `parent`. */
export function payloadsCode(
  writer: FormatWriter,
  payloads: PayloadsShape,
  parent: string,
  sealed: readonly number[],
  isIsakmp: boolean,
): LuaCode {
  const bodies = new Map<number, LuaValue>();
  for (const [number, { kind, shape }] of payloads.bodies) {
    const key = payloadSlug(kind);
    addField(writer, `${parent}.${key}`, "none", `${kind} payload`);
    bodies.set(number, luaTable({ kind, key, format: formatCode(writer, shape, parent, key, kind) }));
  }
  const numbers = namesCode(writer, payloads.numbers);
  const isSealed = new Map(sealed.map((number) => [number, true]));
  return luaTable({ numbers, bodies, isSealed, isIsakmp });
}

/**
 * A format as an expression. Its fields are added under the name `parent.key`; a format that is used in several places is
 * written once and has the fields of all of them. An assertion fails for a codec that does not tell its shape.
 */
export function formatCode(
  writer: FormatWriter,
  shape: Shape | undefined,
  parent: string,
  key: string,
  label: string,
): LuaCode {
  if (shape === undefined) throw new Error(`${parent}.${key}: the codec has no shape`);
  const text = luaTable({ form: shape.form, ...partsOf(writer, shape, parent, key, label) });
  let index = writer.formats.get(shape);
  if (index === undefined) {
    index = writer.formats.size + 1;
    writer.formats.set(shape, index);
    writer.lines.push(`format[${index}] = ${text.code}`);
  }
  return { code: `format[${index}]` };
}

type Parts = Readonly<Record<string, LuaValue | undefined>>;

/** Adds the fields of a format and returns its entries. */
function partsOf(writer: FormatWriter, shape: Shape, parent: string, key: string, label: string): Parts {
  const path = key === "" ? parent : `${parent}.${key}`;
  switch (shape.form) {
    case "uint":
      addField(writer, path, uintType(shape.width), label, shape.names, shape.isHex);
      return { width: shape.width, isHex: shape.isHex, names: shape.names && namesCode(writer, shape.names) };
    case "bytes":
      addField(writer, path, "bytes", label);
      return { count: shape.count, from: shape.from, octetNames: shape.names };
    case "address":
      if (shape.size === 4) addField(writer, path, "ipv4", label);
      else addField(writer, `${path}6`, "ipv6", label);
      return { size: shape.size };
    case "reserved":
      return { count: shape.count };
    case "length":
      addField(writer, path, uintType(shape.width), label);
      return { width: shape.width };
    case "size":
      addField(writer, path, uintType(shape.width), label);
      return { width: shape.width, of: shape.of };
    case "marker":
      addField(writer, path, "uint8", label);
      return { more: shape.more };
    case "struct": {
      if (key !== "") addField(writer, path, "none", label);
      const fields = shape.fields.map((field) => {
        const format = formatCode(writer, field.shape, path, slug(field.key), field.label);
        return luaTable({ key: field.key, slug: slug(field.key), label: field.label, format });
      });
      return { title: shape.title, fields };
    }
    case "list": {
      const item = formatCode(writer, shape.item, parent, slug(shape.title), shape.title);
      const { title, count, isChain, isEven } = shape;
      return { title, slug: slug(title), item, count, isChain, isEven };
    }
    case "choice": {
      const table = new Map<number, LuaValue>();
      for (const [number, one] of shape.table) table.set(number, formatCode(writer, one, parent, key, label));
      return { by: shape.by, table, other: formatCode(writer, shape.other, parent, key, label) };
    }
    case "attributes":
      return { table: attributeRows(writer, shape, parent) };
    case "payloads":
      addField(writer, `${parent}.next_policy`, "uint16", shape.title);
      return { title: shape.title, set: payloadsCode(writer, shape.payloads, parent, [], true) };
  }
}

function attributeRows(
  writer: FormatWriter,
  { table }: Extract<Shape, { form: "attributes" }>,
  parent: string,
): ReadonlyMap<number, LuaValue> {
  const rows = new Map<number, LuaValue>();
  for (const { number, kind, value, names } of table) {
    const key = slug(kind);
    const path = `${parent}.${key}`;
    const isNumber = value === "tv" || value === "either";
    if (isNumber) addField(writer, path, value === "tv" ? "uint16" : "uint32", kind, names);
    const form = isNumber ? value : formatCode(writer, value, parent, key, kind);
    rows.set(number, luaTable({ kind, key, value: form, names: names && namesCode(writer, names) }));
  }
  return rows;
}

function uintType(width: number): FieldType {
  return `uint${8 * width}` as FieldType;
}

/** The wider type wins where two formats share a name; other types do not mix. */
export function addField(
  { fields }: FormatWriter,
  path: string,
  type: FieldType,
  label: string,
  space?: NumberSpace,
  isHex = false,
): void {
  const known = fields.get(path);
  if (known === undefined) {
    fields.set(path, { type, label, isHex, names: new Map(space?.names) });
    return;
  }
  const isUint = known.type.startsWith("uint") && type.startsWith("uint");
  if (known.type !== type && !isUint) throw new Error(`${path} is ${known.type} and ${type}`);
  const names = new Map(known.names);
  for (const [number, name] of space?.names ?? []) {
    const other = names.get(number);
    names.set(
      number,
      other === undefined || other.split(" or ").includes(name) ? (other ?? name) : `${other} or ${name}`,
    );
  }
  const wider = isUint && Number(type.slice(4)) > Number(known.type.slice(4)) ? type : known.type;
  fields.set(path, { ...known, type: wider, isHex: known.isHex && isHex, names });
}

/** The declarations of all fields: `fields["getvpn.exchange"] = ProtoField.uint8(...)`. */
export function fieldLines({ fields }: FormatWriter): string[] {
  return [...fields].map(([path, { type, label, isHex, names }]) => {
    const base = type.startsWith("uint") ? [`base.${isHex ? "HEX" : "DEC"}`] : [];
    const values = names.size > 0 ? [luaText(names)] : [];
    const args = [luaText(path), luaText(label), ...base, ...values].join(", ");
    return `fields[${luaText(path)}] = ProtoField.${type}(${args})`;
  });
}
