/**
 * The format kit: a format is declared once, and the declaration yields the encoder, the decoder, the TypeScript type
 * and the inspector's field tree.
 *
 *     const Ke = struct("Key exchange", "RFC 7296 3.4", { group: u16.named(DhGroups), reserved: zero(2), data: rest });
 *     type Ke = Infer<typeof Ke>;                    // { group: number; data: Bytes }
 *
 * The order of the fields is the order on the wire. A field that can be derived is not part of the value: reserved
 * octets, lengths, counts and chain markers are filled in by the encoder and checked by the decoder. One `read` serves
 * decoding and dissecting: given a Tree it also notes which octets it took, so both always agree about a format.
 */
import { type Bytes, Reader, toHex, Writer } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import type { Field } from "./field.ts";
import type { Shape } from "./shape.ts";
import { Tree } from "./tree.ts";

/** Values of the fields read so far, derived ones included: what later fields may depend on. */
export type Scope = Record<string, unknown>;

/** Around a format that stands alone there is nothing. */
export const NO_SCOPE: Scope = Object.freeze({});

export interface Codec<T> {
  write(w: Writer, value: T, scope: Scope | undefined): void;
  /** `name` labels the octets in `tree`; `scope` holds what the enclosing struct has read so far. */
  read(r: Reader, tree: Tree | undefined, name: string, scope: Scope): T;
  /** The format as data, where it can be told so. */
  readonly shape?: Shape;
}

/** A field that the encoder derives: it is on the wire, but not in the value. */
export interface Derived {
  readonly derived: true;
  /** Writes a placeholder or the value; `key` is the field's own name. */
  write(w: Writer, value: Scope): void;
  /** Called when the struct is complete; `start` is where it began, `at` where this field stands. */
  finish?(w: Writer, start: number, at: number): void;
  read(r: Reader, tree: Tree | undefined, name: string, scope: Scope, start: number): void;
  /** True: `read` leaves nothing in `scope`. */
  readonly silent?: boolean;
  readonly shape?: Shape;
}

// biome-ignore lint/suspicious/noExplicitAny: a table of codecs of unlike types
type AnyCodec = Codec<any>;
export type Fields = Readonly<Record<string, AnyCodec | Derived>>;

type ValueOf<C> = C extends Codec<infer T> ? T : never;
type Visible<F extends Fields> = { [K in keyof F as F[K] extends Derived ? never : K]: ValueOf<F[K]> };
export type Infer<C> = C extends Codec<infer T> ? T : never;

// ---------------------------------------------------------------------------------------------------- number spaces

/** Code points of one registry: read by encoder, decoder, inspector and machines alike. */
export interface NumberSpace {
  readonly title: string;
  readonly source: string;
  readonly names: ReadonlyMap<number, string>;
}

/** Declares a registry; the result has one property per name and `space` for looking names up. */
export function numberSpace<const T extends Readonly<Record<string, number>>>(
  title: string,
  source: string,
  table: T,
): T & { readonly space: NumberSpace } {
  const names = new Map<number, string>();
  for (const [name, number] of Object.entries(table)) names.set(number, name);
  return { ...table, space: { title, source, names } };
}

/** `GSA_AUTH`, or `unknown(77)`: unknown numbers survive, only the receiver's rules refuse them. */
export function nameOf(space: NumberSpace, number: number): string {
  return space.names.get(number) ?? `unknown(${number})`;
}

// ------------------------------------------------------------------------------------------------------- primitives

export interface UintCodec extends Codec<number> {
  readonly width: 1 | 2 | 3 | 4;
  /** The same number with names from a registry in the field tree. */
  named(table: { readonly space: NumberSpace }): Codec<number>;
  /** The same number, shown with this function. */
  shown(text: (value: number) => string): Codec<number>;
}

function readUint(r: Reader, width: 1 | 2 | 3 | 4): number {
  return width === 1 ? r.u8() : width === 2 ? r.u16() : width === 4 ? r.u32() : r.u24();
}

function writeUint(w: Writer, width: 1 | 2 | 3 | 4, value: number): void {
  if (width === 1) w.u8(value);
  else if (width === 2) w.u16(value);
  else if (width === 4) w.u32(value);
  else w.u24(value);
}

function uint(width: 1 | 2 | 3 | 4): UintCodec {
  const shaped = (text: (value: number) => string, how: { names?: NumberSpace; isHex?: true }): Codec<number> => ({
    shape: { form: "uint", width, ...how },
    write: (w, value) => writeUint(w, width, value),
    read(r, tree, name) {
      const at = r.at;
      const value = readUint(r, width);
      tree?.leaf(name, at, r.at, text(value));
      return value;
    },
  });
  return {
    width,
    ...shaped(String, {}),
    shown: (text) => shaped(text, { isHex: true }),
    named: ({ space }) => shaped((value) => `${nameOf(space, value)} (${value})`, { names: space }),
  };
}

export const u8: UintCodec = uint(1);
export const u16: UintCodec = uint(2);
export const u32: UintCodec = uint(4);

/** Hexadecimal rendering for numbers that are identifiers: `0x1f2e3d4c`. */
export function hexNumber(width: 1 | 2 | 3 | 4): (value: number) => string {
  return (value) => `0x${value.toString(16).padStart(2 * width, "0")}`;
}

/** Long octet strings are cut in the tree's text; the octets themselves stand beside it. */
function textOf(octets: Bytes): string {
  return octets.length <= 32 ? toHex(octets) : `${toHex(octets.subarray(0, 32))}... (${octets.length} octets)`;
}

/** Octets whose number is fixed, or stands in the entry of the scope that is named. */
export function bytes(count: number | string): Codec<Bytes> {
  return {
    shape: typeof count === "number" ? { form: "bytes", count } : { form: "bytes", from: count },
    write(w, value) {
      if (typeof count === "number" && value.length !== count) {
        throw new WireError("badLength", `${count} octets expected, ${value.length} given`, w.at);
      }
      w.bytes(value);
    },
    read(r, tree, name, scope) {
      const at = r.at;
      const value = r.bytes(typeof count === "number" ? count : (scope[count] as number));
      tree?.leaf(name, at, r.at, textOf(value));
      return value;
    },
  };
}

/** All octets up to the end of the enclosing format. */
export const rest: Codec<Bytes> = bytesShown(textOf);

export function bytesShown(text: (octets: Bytes) => string): Codec<Bytes> {
  return {
    shape: { form: "bytes" },
    write: (w, value) => w.bytes(value),
    read(r, tree, name) {
      const at = r.at;
      const value = r.rest();
      if (value.length > 0) tree?.leaf(name, at, r.at, text(value));
      return value;
    },
  };
}

// --------------------------------------------------------------------------------------------------- derived fields

/** Reserved octets: zero when sent, ignored when received. */
export function zero(count: number): Derived {
  const zeros = new Uint8Array(count);
  return {
    derived: true,
    silent: true,
    shape: { form: "reserved", count },
    write: (w) => w.bytes(zeros),
    read(r, tree, name) {
      const at = r.at;
      r.skip(count);
      if (tree === undefined) return;
      const found = r.octets.subarray(at, r.at);
      tree.leaf(name, at, r.at, found.every((octet) => octet === 0) ? "0" : `${toHex(found)} (ignored)`);
    },
  };
}

/** Length in octets of the struct that this field stands in. Narrows what later fields may read. */
export function lengthOfStruct(field: UintCodec): Derived {
  const limit = 2 ** (8 * field.width);
  return {
    derived: true,
    silent: true,
    shape: { form: "length", width: field.width },
    write: (w) => writeUint(w, field.width, 0),
    finish(w, start, at) {
      const length = w.at - start;
      if (length >= limit) throw new WireError("badLength", "content exceeds its length field", at);
      if (field.width === 1) w.patch8(at, length);
      else if (field.width === 2) w.patch16(at, length);
      else w.patch32(at, length);
    },
    read(r, tree, name, _scope, start) {
      const at = r.at;
      const length = readUint(r, field.width);
      tree?.leaf(name, at, r.at, String(length));
      if (start + length < r.at || start + length > r.end) {
        throw new WireError("badLength", `length ${length} does not fit (${r.end - start} octets are there)`, at);
      }
      r.end = start + length;
    },
  };
}

/** Where the scope holds the number of octets or elements of the field `key`. */
function sizeOf(key: string): string {
  return `#${key}`;
}

/** Number of octets or elements in the field named `key` of the same struct. */
export function lengthOf(field: UintCodec, key: string): Derived {
  const size = sizeOf(key);
  const limit = 2 ** (8 * field.width);
  return {
    derived: true,
    shape: { form: "size", width: field.width, of: key },
    write(w, value) {
      const length = (value[key] as { length: number }).length;
      if (length >= limit) throw new WireError("tooMany", `${key} is too long`, w.at);
      writeUint(w, field.width, length);
    },
    read(r, tree, name, scope) {
      const at = r.at;
      const length = readUint(r, field.width);
      tree?.leaf(name, at, r.at, String(length));
      scope[size] = length;
    },
  };
}

/** Octets whose number was given by `lengthOf(..., key)` before. */
export function sizedBytes(key: string): Codec<Bytes> {
  return bytes(sizeOf(key));
}

/** The marker octet of a chained structure (`Last Substruc`): filled in by `chain`. */
export function chainMarker(more: number): Derived {
  return {
    derived: true,
    silent: true,
    shape: { form: "marker", more },
    write: (w) => w.u8(0),
    read(r, tree, name) {
      const at = r.at;
      const value = r.u8();
      tree?.leaf(name, at, r.at, value === 0 ? "last (0)" : value === more ? `more (${more})` : String(value));
      if (value !== 0 && value !== more) throw new WireError("badValue", `chain marker ${value}`, at);
    },
  };
}

// ------------------------------------------------------------------------------------------------------- structures

export interface Struct<T> extends Codec<T> {
  readonly title: string;
  encode(value: T): Bytes;
  /** Throws WireError; octets after the struct are an error `trailing`. */
  decode(octets: Bytes): T;
  /** The field tree of `octets`; never throws. */
  dissect(octets: Bytes): Field;
}

/** Adds encode, decode and dissect to a codec that can stand alone. */
export function standalone<T>(title: string, codec: Codec<T>): Struct<T> {
  return {
    title,
    shape: codec.shape,
    write: codec.write,
    read: codec.read,
    encode(value) {
      const w = new Writer();
      codec.write(w, value, undefined);
      return w.finish();
    },
    decode(octets) {
      const r = new Reader(octets);
      const value = codec.read(r, undefined, title, NO_SCOPE);
      if (r.left > 0) throw new WireError("trailing", `${r.left} octets after ${title}`, r.at);
      return value;
    },
    dissect(octets) {
      const tree = new Tree(title, octets.length);
      const r = new Reader(octets);
      tree.attempt(r, octets.length, () => void codec.read(r, tree, title, NO_SCOPE));
      return tree.finish(octets.length);
    },
  };
}

/** Field name as a label: `startPort` becomes `Start port`. */
function labelOf(key: string): string {
  const spaced = key.replace(/([a-z0-9])([A-Z])/g, "$1 $2");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1).toLowerCase();
}

/**
 * Makes empty objects for the fields of one struct. The engine learns from the first ones how many fields there are and
 * gives the others room for just those; `{}` has room for four, and what comes behind them costs arrays that grow.
 */
function makerOfBlanks(): new () => Scope {
  function Blank(): void {}
  Blank.prototype = Object.prototype;
  return Blank as unknown as new () => Scope;
}

/**
 * Fields in the order of the wire. `summary` gives the text of the node in the field tree. `Label: codec` keys become
 * labels; a key in camel case is spelled out.
 */
export function struct<const F extends Fields>(
  title: string,
  rfc: string,
  fields: F,
  summary?: (value: Visible<F>) => string,
): Struct<Visible<F>> {
  const entries = Object.entries(fields).map(([key, field]) => {
    const isDerived = "derived" in field;
    return {
      key,
      label: labelOf(key),
      shape: field.shape,
      derived: isDerived ? field : undefined,
      codec: isDerived ? undefined : field,
      finish: isDerived ? field.finish?.bind(field) : undefined,
    };
  });
  const finished = entries.filter(({ finish }) => finish !== undefined);
  // What derived fields tell later ones is kept apart from the value, so that all values have one hidden class.
  const isScopeApart = entries.some(({ derived }) => derived !== undefined && derived.silent !== true);
  // One for all reads: formats do not hold themselves, and nobody keeps it.
  const apart: Scope | undefined = isScopeApart ? {} : undefined;
  const Value = makerOfBlanks();
  const codec: Codec<Visible<F>> = {
    shape: { form: "struct", title, rfc, fields: entries.map(({ key, label, shape }) => ({ key, label, shape })) },
    write(w, value) {
      const start = w.at;
      const places = finished.length > 0 ? new Array<number>(finished.length) : undefined;
      let place = 0;
      for (let i = 0; i < entries.length; i++) {
        const { key, derived, finish, codec } = entries[i]!;
        if (finish !== undefined) places![place++] = w.at;
        if (derived !== undefined) derived.write(w, value as Scope);
        else codec!.write(w, (value as Scope)[key], value as Scope);
      }
      if (places === undefined) return;
      for (let i = 0; i < places.length; i++) finished[i]!.finish!(w, start, places[i]!);
    },
    read(r, tree, name) {
      const start = r.at;
      const end = r.end;
      const value = new Value();
      const scope = apart ?? value;
      // Without a name of its own the struct describes the node that is open, such as its payload.
      if (name !== "") tree?.enter(name, start, rfc);
      let key = "";
      try {
        for (let i = 0; i < entries.length; i++) {
          const entry = entries[i]!;
          key = entry.key;
          const { derived, codec, label } = entry;
          if (derived !== undefined) derived.read(r, tree, label, scope, start);
          else {
            const read: unknown = codec!.read(r, tree, label, scope);
            value[key] = read;
            if (apart !== undefined) apart[key] = read;
          }
        }
        key = "";
        if (r.end !== end) {
          if (r.at !== r.end) throw new WireError("trailing", `${r.end - r.at} octets left in ${title}`, r.at);
          r.end = end;
        }
      } catch (error) {
        if (error instanceof WireError && key !== "") error.within(key);
        throw error;
      }
      if (tree !== undefined) {
        const text = summary?.(value as Visible<F>) ?? "";
        if (name !== "") tree.leave(r.at, text);
        else tree.describe(text, rfc);
      }
      return value as Visible<F>;
    },
  };
  return standalone(title, codec);
}

/** Most lists have one or two elements: an array that grows takes room for 17 at once. */
export function withOne<T>(values: T[] | undefined, value: T): T[] {
  if (values === undefined) return [value];
  if (values.length === 1) return [values[0]!, value];
  values.push(value);
  return values;
}

/** Elements up to the end of the enclosing format, at most `most`. */
export function list<T>(item: Codec<T>, title: string, most = 1024): Codec<readonly T[]> {
  return {
    shape: { form: "list", title, item: item.shape },
    write(w, values, scope) {
      for (const value of values) item.write(w, value, scope);
    },
    read(r, tree, _name, scope) {
      let values: T[] | undefined;
      while (r.left > 0) {
        if (values !== undefined && values.length >= most) {
          throw new WireError("tooMany", `more than ${most} of ${title}`, r.at);
        }
        const before = r.at;
        values = withOne(values, item.read(r, tree, title, scope));
        if (r.at === before) throw new WireError("badLength", `empty ${title}`, r.at);
      }
      return values ?? [];
    },
  };
}

/** As many elements as `lengthOf(..., key)` said. */
export function counted<T>(item: Codec<T>, key: string, title: string): Codec<readonly T[]> {
  const size = sizeOf(key);
  return {
    shape: { form: "list", title, item: item.shape, count: size },
    write(w, values, scope) {
      for (const value of values) item.write(w, value, scope);
    },
    read(r, tree, _name, scope) {
      const count = scope[size] as number;
      let values: T[] | undefined;
      for (let i = 0; i < count; i++) {
        const before = r.at;
        values = withOne(values, item.read(r, tree, title, scope));
        // 65,535 elements of no octets would cost time without having cost the sender anything.
        if (r.at === before) throw new WireError("badLength", `${count} of ${title} without octets`, r.at);
      }
      return values ?? [];
    },
  };
}

/**
 * Structures that begin with a `chainMarker(more)`: each but the last carries `more`, the last 0. With `counts`, the
 * number of elements must equal what `lengthOf(..., counts)` said. An empty chain ends where the format ends.
 */
export function chain<T>(item: Codec<T>, more: number, title: string, counts?: string): Codec<readonly T[]> {
  const statedIn = counts === undefined ? undefined : sizeOf(counts);
  return {
    shape: {
      form: "list",
      title,
      item: item.shape,
      isChain: true,
      ...(statedIn === undefined ? {} : { count: statedIn }),
    },
    write(w, values, scope) {
      for (let i = 0; i < values.length; i++) {
        const at = w.at;
        item.write(w, values[i]!, scope);
        if (i + 1 < values.length) w.patch8(at, more);
      }
    },
    read(r, tree, _name, scope) {
      let values: T[] | undefined;
      let size = 0;
      const stated = statedIn === undefined ? undefined : (scope[statedIn] as number);
      let goesOn = r.left > 0 && stated !== 0;
      while (goesOn) {
        if (size >= 255) throw new WireError("tooMany", `more than 255 of ${title}`, r.at);
        goesOn = r.peek8() !== 0;
        values = withOne(values, item.read(r, tree, title, scope));
        size++;
      }
      if (stated !== undefined && stated !== size) {
        throw new WireError("badLength", `${stated} of ${title} announced, ${size} found`, r.at);
      }
      return values ?? [];
    },
  };
}

/** One of several formats, told apart by the next octet. */
export function choice<T>(
  pick: (value: T) => Codec<T>,
  table: ReadonlyMap<number, Codec<T>>,
  other: Codec<T>,
): Codec<T> {
  return {
    shape: {
      form: "choice",
      table: new Map([...table].map(([number, codec]) => [number, codec.shape])),
      other: other.shape,
    },
    write: (w, value, scope) => pick(value).write(w, value, scope),
    read: (r, tree, name, scope) => (table.get(r.peek8()) ?? other).read(r, tree, name, scope),
  };
}

/** Maps a codec's value to another representation of the same octets. */
export function mapped<A, B>(
  codec: Codec<A>,
  decode: (value: A, at: number) => B,
  encode: (value: B) => A,
  text: (value: B) => string,
): Codec<B> {
  return {
    shape: codec.shape,
    write: (w, value, scope) => codec.write(w, encode(value), scope),
    read(r, tree, name, scope) {
      const at = r.at;
      const value = decode(codec.read(r, undefined, name, scope), at);
      tree?.leaf(name, at, r.at, text(value));
      return value;
    },
  };
}
