/**
 * Lists whose elements name their own format by a number: IKEv2 attributes and payloads. A value is
 * `{ kind: "KEY_LENGTH", value: 256 }`; numbers that the table does not know survive as `{ kind: "unknown", ... }`.
 */
import { type Bytes, type Reader, toHex, uintFrom } from "../base/bytes.ts";
import { type Codec, list, type NumberSpace, nameOf, type Scope } from "./kit.ts";
import type { AttributeShape } from "./shape.ts";
import type { Tree } from "./tree.ts";

/**
 * An attribute's value: `tv` = the two octets of the short form as a number, `either` = that, or the octets of the long
 * form, otherwise the codec of the long form.
 */
export type AttributeForm = "tv" | "either" | Codec<unknown>;
/** `values` names the numbers of the short form in the field tree. */
export type AttributeTable = Readonly<
  Record<
    string,
    // biome-ignore lint/suspicious/noExplicitAny: codecs of unlike types
    readonly [number: number, form: "tv" | "either" | Codec<any>, values?: { readonly space: NumberSpace }]
  >
>;

export interface UnknownAttribute {
  readonly kind: "unknown";
  readonly type: number;
  /** A number came in the short form (TV), octets in the long one (TLV). */
  readonly value: number | Bytes;
}

type FormValue<F> = F extends "tv"
  ? number
  : F extends "either"
    ? number | Bytes
    : F extends Codec<infer T>
      ? T
      : never;
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
  const byNumber = new Map<number, { kind: string; form: AttributeForm; values: NumberSpace | undefined }>();
  for (const [kind, [number, form, values]] of Object.entries(table)) {
    byNumber.set(number, { kind, form, values: values?.space });
  }
  type Item = { kind: string; type?: number; value: unknown };

  const shapes = Object.entries(table).map(([kind, [number, form, values]]): AttributeShape => {
    const value = typeof form === "string" ? form : form.shape;
    return { number, kind, value, ...(values === undefined ? {} : { names: values.space }) };
  });
  const item: Codec<Item> = {
    write(w, value, scope) {
      const entry = value.kind === "unknown" ? undefined : table[value.kind];
      const type = entry === undefined ? value.type! : entry[0];
      if (typeof value.value === "number" && (entry === undefined || typeof entry[1] === "string")) {
        w.u16(0x8000 | type);
        w.u16(value.value);
        return;
      }
      w.u16(type);
      const at = w.at;
      w.u16(0);
      if (entry === undefined || entry[1] === "either") w.bytes(value.value as Bytes);
      else (entry[1] as Codec<unknown>).write(w, value.value, scope);
      w.patch16(at, w.at - at - 2);
    },
    read(r, tree, _name, scope) {
      const start = r.at;
      const head = r.u16();
      const type = head & 0x7fff;
      const short = head >= 0x8000;
      const known = byNumber.get(type);
      const fits = known !== undefined && (known.form === "either" || (known.form === "tv") === short);
      const label = known?.kind ?? `unknown(${type})`;
      tree?.enter(label, start, rfc);
      tree?.leaf("Type", start, r.at, `${label} (${type}), ${short ? "TV" : "TLV"}`);
      const codec = fits && typeof known.form !== "string" ? known.form : undefined;
      const value = short ? readShort(r, tree, known?.values) : readLong(r, tree, scope, codec);
      const number =
        typeof value === "number" || known?.form === "either" ? numberValue(value as number | Bytes) : undefined;
      tree?.leave(r.at, number === undefined ? "" : shortText(number, known?.values));
      return fits ? { kind: known.kind, value } : { kind: "unknown", type, value };
    },
  };
  const codec: Codec<readonly Item[]> = { ...list(item, title), shape: { form: "attributes", rfc, table: shapes } };
  return codec as unknown as Codec<readonly Attribute<T>[]>;
}

function readShort(r: Reader, tree: Tree | undefined, values: NumberSpace | undefined): number {
  const at = r.at;
  const value = r.u16();
  tree?.leaf("Value", at, r.at, shortText(value, values));
  return value;
}

function shortText(value: number, values: NumberSpace | undefined): string {
  return values === undefined ? String(value) : `${nameOf(values, value)} (${value})`;
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
  for (let i = 0; i < list.length; i++) {
    if (list[i]!.kind === kind) return list[i]!.value as Extract<A, { kind: K }>["value"];
  }
  return undefined;
}

/**
 * The number that an attribute of the form `either` holds: big-endian where it came in the long form, up to six octets.
 * Undefined where the attribute is absent, has more octets or none.
 */
export function numberValue(value: number | Bytes | undefined): number | undefined {
  if (value === undefined || typeof value === "number") return value;
  return value.length >= 1 && value.length <= 6 ? uintFrom(value) : undefined;
}
