/**
 * Lists whose elements name their own format by a number: IKEv2 attributes and payloads. A value is
 * `{ kind: "KEY_LENGTH", value: 256 }`; numbers that the table does not know survive as `{ kind: "unknown", ... }`.
 */
import { type Bytes, type Reader, toHex } from "../base/bytes.ts";
import { type Codec, list, type Scope } from "./kit.ts";
import type { Tree } from "./tree.ts";

/** An attribute's value: `tv` = the two octets of the short form as a number, otherwise the codec of the long form. */
export type AttributeForm = "tv" | Codec<unknown>;
// biome-ignore lint/suspicious/noExplicitAny: codecs of unlike types
export type AttributeTable = Readonly<Record<string, readonly [number: number, form: "tv" | Codec<any>]>>;

export interface UnknownAttribute {
  readonly kind: "unknown";
  readonly type: number;
  /** A number came in the short form (TV), octets in the long one (TLV). */
  readonly value: number | Bytes;
}

type FormValue<F> = F extends "tv" ? number : F extends Codec<infer T> ? T : never;
export type Attribute<T extends AttributeTable> =
  | { [K in keyof T & string]: { readonly kind: K; readonly value: FormValue<T[K][1]> } }[keyof T & string]
  | UnknownAttribute;

/**
 * Attributes in the format of RFC 7296 section 3.3.5: the top bit of the type says that two octets of value follow (TV),
 * otherwise a two-octet length and the value (TLV). A known number in the other form is kept as unknown.
 */
export function attributes<const T extends AttributeTable>(
  title: string,
  rfc: string,
  table: T,
): Codec<readonly Attribute<T>[]> {
  const byNumber = new Map<number, { kind: string; form: AttributeForm }>();
  for (const [kind, [number, form]] of Object.entries(table)) byNumber.set(number, { kind, form });
  type Item = { kind: string; type?: number; value: unknown };

  const item: Codec<Item> = {
    write(w, value, scope) {
      const entry = value.kind === "unknown" ? undefined : table[value.kind];
      const type = entry === undefined ? value.type! : entry[0];
      if (typeof value.value === "number" && (entry === undefined || entry[1] === "tv")) {
        w.u16(0x8000 | type);
        w.u16(value.value);
        return;
      }
      w.u16(type);
      const at = w.at;
      w.u16(0);
      if (entry === undefined) w.bytes(value.value as Bytes);
      else (entry[1] as Codec<unknown>).write(w, value.value, scope);
      w.patch16(at, w.at - at - 2);
    },
    read(r, tree, _name, scope) {
      const start = r.at;
      const head = r.u16();
      const type = head & 0x7fff;
      const short = head >= 0x8000;
      const known = byNumber.get(type);
      const fits = known !== undefined && (known.form === "tv") === short;
      const label = known?.kind ?? `unknown(${type})`;
      tree?.enter(label, start, rfc);
      tree?.leaf("Type", start, r.at, `${label} (${type}), ${short ? "TV" : "TLV"}`);
      const value = short
        ? readShort(r, tree)
        : readLong(r, tree, scope, fits ? (known.form as Codec<unknown>) : undefined);
      tree?.leave(r.at, typeof value === "number" ? String(value) : "");
      return fits ? { kind: known.kind, value } : { kind: "unknown", type, value };
    },
  };
  return list(item, title) as unknown as Codec<readonly Attribute<T>[]>;
}

function readShort(r: Reader, tree: Tree | undefined): number {
  const at = r.at;
  const value = r.u16();
  tree?.leaf("Value", at, r.at, String(value));
  return value;
}

function readLong(r: Reader, tree: Tree | undefined, scope: Scope, codec: Codec<unknown> | undefined): unknown {
  const at = r.at;
  const length = r.u16();
  tree?.leaf("Length", at, r.at, String(length));
  r.need(length);
  if (codec === undefined) {
    const from = r.at;
    const octets = r.bytes(length);
    tree?.leaf("Value", from, r.at, toHex(octets));
    return octets;
  }
  const outerEnd = r.end;
  r.end = r.at + length;
  const value = codec.read(r, tree, "Value", scope);
  if (r.left > 0) r.bytes(r.left + 1);
  r.end = outerEnd;
  return value;
}

/** The first attribute of a kind, typed. */
export function attributeOf<A extends { kind: string; value: unknown }, K extends A["kind"]>(
  list: readonly A[],
  kind: K,
): Extract<A, { kind: K }>["value"] | undefined {
  return list.find((attribute) => attribute.kind === kind)?.value as Extract<A, { kind: K }>["value"] | undefined;
}
