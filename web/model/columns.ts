/** Typed columns that grow: a million numbers without a million objects. */

type Column = Float64Array | Uint32Array | Uint16Array | Uint8Array | Int32Array;

/** `column` itself where it holds `count` elements, else a copy with room to spare. */
export function grown<T extends Column>(column: T, count: number): T {
  if (count <= column.length) return column;
  const Type = column.constructor as new (length: number) => T;
  const copy = new Type(Math.max(count, column.length * 2, 1024));
  copy.set(column as never);
  return copy;
}

/** Number of elements of the ascending `column[0 .. count)` that are below `value`. */
export function lowerBound(column: Column, count: number, value: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (column[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
