import { describe, expect, it } from "vitest";
import { addField, fieldLines, formatCode, formatWriter, slug } from "../../../../sim/capture/wireshark/luaFormats.ts";
import { luaTable, luaText } from "../../../../sim/capture/wireshark/luaText.ts";
import { wiresharkProfile } from "../../../../sim/capture/wireshark/profile.ts";
import { lengthOf, numberSpace, sizedBytes, struct, u8, u16 } from "../../../../src/wire/kit.ts";

const Kind = numberSpace("Kinds", "RFC 1", { ONE: 1, TWO: 2 });
const Item = struct("Item", "RFC 1", {
  itemKind: u8.named(Kind),
  size: lengthOf(u16, "data"),
  data: sizedBytes("data"),
});

describe("a declaration in Lua", () => {
  it("has a table for its format, and a field for each part under the way to it", () => {
    const writer = formatWriter();
    expect(formatCode(writer, Item.shape, "getvpn.x", "item", "Item")).toEqual({ code: "format[4]" });
    expect(writer.lines).toContain('names[1] = { [1] = "ONE", [2] = "TWO" } -- Kinds');
    expect(writer.lines).toContain('format[2] = { form = "size", width = 2, of = "data" }');
    expect(writer.lines).toContain('format[3] = { form = "bytes", from = "#data" }');
    expect([...writer.fields.keys()]).toEqual([
      "getvpn.x.item",
      "getvpn.x.item.item_kind",
      "getvpn.x.item.size",
      "getvpn.x.item.data",
    ]);
    expect(fieldLines(writer)).toContain(
      'fields["getvpn.x.item.item_kind"] = ProtoField.uint8("getvpn.x.item.item_kind", "Item kind", base.DEC, { [1] = "ONE", [2] = "TWO" })',
    );
  });
  it("is refused without a shape, so that a new payload cannot be forgotten", () => {
    expect(() => formatCode(formatWriter(), undefined, "getvpn", "new", "New")).toThrow("getvpn.new");
  });
  it("shares a field with another one where their types agree, with both names of a number", () => {
    const writer = formatWriter();
    const other = numberSpace("Others", "RFC 2", { UNO: 1, TWO: 2 });
    addField(writer, "getvpn.kind", "uint8", "Kind", Kind.space);
    addField(writer, "getvpn.kind", "uint16", "Kind", other.space);
    const { type, names } = writer.fields.get("getvpn.kind")!;
    expect([type, ...names.values()]).toEqual(["uint16", "ONE or UNO", "TWO"]);
    expect(() => addField(writer, "getvpn.kind", "bytes", "Kind")).toThrow("uint16 and bytes");
  });
  it("is called in snake case", () => {
    expect(["startPort", "NAT-D", "Key bag", "GSA_KEY_LIFETIME", "reserved2"].map(slug)).toEqual([
      "start_port",
      "nat_d",
      "key_bag",
      "gsa_key_lifetime",
      "reserved2",
    ]);
  });
});

it("spells values as Lua does", () => {
  expect(luaText('a"\\\né')).toBe('"a\\"\\\\\\010\\195\\169"');
  expect(luaText([1, true, ["x"]])).toBe('{ 1, true, { "x" } }');
  expect(luaTable({ a: 1, b: undefined, c: new Map([[3, "d"]]) }).code).toBe('{ a = 1, c = { [3] = "d" } }');
});

it("makes the same profile every time", () => {
  expect(wiresharkProfile()).toEqual(wiresharkProfile());
});
