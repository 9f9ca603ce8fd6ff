import { expect } from "vitest";
import type { Bytes } from "../../src/base/bytes.ts";
import type { Field } from "../../src/wire/field.ts";

/** Asserts that the leaves of a field tree cover the octets in order, without gap or overlap, decrypted parts too. */
export function leavesCover(field: Field, octets: Bytes): void {
  expect(coverEnd(field, 0)).toBe(octets.length);
}

function coverEnd(field: Field, from: number): number {
  if (field.plain !== undefined) {
    let inner = 0;
    for (const child of field.children) inner = coverEnd(child, inner);
    expect(inner, `decrypted part of ${field.label}`).toBe(field.plain.length);
  } else if (field.children.length > 0) {
    expect(field.offset, field.label).toBe(from);
    let at = from;
    for (const child of field.children) at = coverEnd(child, at);
    expect(at, field.label).toBe(field.offset + field.length);
    return at;
  }
  expect(field.offset, field.label).toBe(from);
  return field.offset + field.length;
}
