/**
 * A field tree laid out for the screen: rows with their depth, and for every row the octets that it stands for. Octets
 * belong to a buffer: the packet itself, or the decrypted content of a field.
 */
import type { Bytes } from "../../src/base/bytes.ts";
import type { Field } from "../../src/wire/field.ts";

export interface FieldRow {
  readonly field: Field;
  readonly depth: number;
  /** Row of the enclosing field, or -1. */
  readonly parent: number;
  /** Number of the buffer that `offset` counts in. */
  readonly buffer: number;
  /** Rows below this one, at any depth. */
  readonly descendants: number;
}

export interface FieldBuffer {
  readonly octets: Bytes;
  /** Label of the field whose decrypted content this is; `Packet` for the wire. */
  readonly title: string;
}

export interface FieldTree {
  readonly rows: readonly FieldRow[];
  readonly buffers: readonly FieldBuffer[];
}

/**
 * Flattens `root` in the order of the wire. With `decrypted` false the content of encrypted fields is left out: what
 * remains is what somebody on the path sees.
 */
export function layOutFields(root: Field, packet: Bytes, decrypted: boolean): FieldTree {
  const rows: { -readonly [K in keyof FieldRow]: FieldRow[K] }[] = [];
  const buffers: FieldBuffer[] = [{ octets: packet, title: "Packet" }];
  const visit = (field: Field, depth: number, parent: number, buffer: number): void => {
    const row = rows.length;
    rows.push({ field, depth, parent, buffer, descendants: 0 });
    let inner = buffer;
    if (field.plain !== undefined) {
      if (!decrypted) return;
      inner = buffers.length;
      buffers.push({ octets: field.plain, title: field.label });
    }
    for (const child of field.children) visit(child, depth + 1, row, inner);
    rows[row]!.descendants = rows.length - row - 1;
  };
  visit(root, 0, -1, 0);
  return { rows, buffers };
}

/**
 * Rows that are closed when a packet is looked at first. Of the layers side by side the innermost one is open, and in it
 * the way to what was decrypted: a message shows as the list of its payloads.
 */
export function closedAtFirst(tree: FieldTree): Set<number> {
  const closed = new Set<number>();
  const layers = tree.rows.flatMap((row, number) => (row.depth === 1 ? [number] : []));
  const last = layers.at(-1);
  for (const [number, row] of tree.rows.entries()) {
    if (row.descendants === 0 || row.depth === 0 || number === last) continue;
    const inside = tree.rows.slice(number, number + row.descendants + 1);
    if (!inside.some(({ field }) => field.plain !== undefined)) closed.add(number);
  }
  return closed;
}

/** The innermost row that holds octet `offset` of `buffer`, or -1. */
export function rowAt(tree: FieldTree, buffer: number, offset: number): number {
  let found = -1;
  tree.rows.forEach((row, number) => {
    const { field } = row;
    if (row.buffer !== buffer || offset < field.offset || offset >= field.offset + field.length) return;
    if (found < 0 || row.depth >= tree.rows[found]!.depth) found = number;
  });
  return found;
}

/** Whether anything in the tree was decrypted. */
export function hasPlain(field: Field): boolean {
  return field.plain !== undefined || field.children.some(hasPlain);
}
