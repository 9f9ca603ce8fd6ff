import { describe, expect, it } from "vitest";
import type { Field } from "../../../src/wire/field.ts";
import { closedAtFirst, hasPlain, layOutFields, rowAt } from "../../../web/model/fieldTree.ts";

const leaf = (label: string, offset: number, length: number): Field => ({
  label,
  offset,
  length,
  text: "",
  children: [],
});
const packet = new Uint8Array(40);
const root: Field = {
  ...leaf("IPv4", 0, 40),
  children: [
    leaf("Header", 0, 20),
    { ...leaf("SK", 20, 20), plain: new Uint8Array(12), children: [leaf("IDg", 0, 8), leaf("SA", 8, 4)] },
  ],
};

describe("layOutFields", () => {
  it("lists fields in the order of the wire, decrypted ones in a buffer of their own", () => {
    const tree = layOutFields(root, packet, true);
    expect(tree.rows.map((row) => [row.field.label, row.depth, row.buffer])).toEqual([
      ["IPv4", 0, 0],
      ["Header", 1, 0],
      ["SK", 1, 0],
      ["IDg", 2, 1],
      ["SA", 2, 1],
    ]);
    expect(tree.buffers.map((buffer) => buffer.octets.length)).toEqual([40, 12]);
    expect(tree.rows[0]!.descendants).toBe(4);
  });

  it("shows on the wire what somebody on the path sees", () => {
    const tree = layOutFields(root, packet, false);
    expect(tree.rows.map((row) => row.field.label)).toEqual(["IPv4", "Header", "SK"]);
    expect(tree.buffers).toHaveLength(1);
  });

  it("leads from an octet to its innermost field, in the right buffer", () => {
    const tree = layOutFields(root, packet, true);
    expect(tree.rows[rowAt(tree, 0, 5)]!.field.label).toBe("Header");
    expect(tree.rows[rowAt(tree, 1, 5)]!.field.label).toBe("IDg");
    expect(tree.rows[rowAt(tree, 1, 8)]!.field.label).toBe("SA");
    expect(rowAt(tree, 1, 12)).toBe(-1);
  });

  it("opens at first the innermost layer and the way to what was decrypted", () => {
    const payload = { ...leaf("IDg payload", 0, 8), children: [leaf("Type", 0, 1)] };
    const message = {
      ...leaf("IKEv2", 20, 20),
      children: [
        { ...leaf("Header", 20, 4), children: [leaf("SPI", 20, 4)] },
        { ...leaf("SK", 24, 16), plain: new Uint8Array(8), children: [payload] },
      ],
    };
    const ip = { ...leaf("IPv4", 0, 20), children: [leaf("TTL", 8, 1)] };
    const tree = layOutFields({ ...leaf("Packet", 0, 40), children: [ip, message] }, packet, true);
    const labels = [...closedAtFirst(tree)].map((row) => tree.rows[row]!.field.label);
    expect(labels).toEqual(["IPv4", "Header", "IDg payload"]);
  });

  it("knows whether anything was decrypted", () => {
    expect([hasPlain(root), hasPlain(leaf("x", 0, 1))]).toEqual([true, false]);
  });
});
