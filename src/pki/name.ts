/**
 * Distinguished names: RDNSequence (RFC 5280 section 4.1.2.4), and the text that IOS shows and takes. The text begins
 * with the most specific part, so it runs against the order on the wire: `cn=gm1.example.org,o=Vectors,c=CH`.
 */
import { type Bytes, fromHex, fromUtf8, toHex, utf8 } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { DER_OID, DER_SEQUENCE, DerReader, der } from "../crypto/der.ts";
import { attributeOfWord, COUNTRY, DOMAIN_COMPONENT, EMAIL_ATTRIBUTE, HOSTNAME, wordOfAttribute } from "./oid.ts";

const DER_SET = 0x31;
const UTF8_STRING = 0x0c;
const PRINTABLE_STRING = 0x13;
const TELETEX_STRING = 0x14;
const IA5_STRING = 0x16;
const UNIVERSAL_STRING = 0x1c;
const BMP_STRING = 0x1e;

export interface NameAttribute {
  /** Object identifier, content octets in hexadecimal. */
  readonly type: string;
  readonly value: string;
}

/** `octets`: the DER encoding as it came. Attributes are in the order of the wire, least specific first. */
export interface Name {
  readonly octets: Bytes;
  readonly attributes: readonly NameAttribute[];
}

/** More would be somebody's joke. */
const ATTRIBUTES_MAX = 100;

/** Throws a WireError for octets that are no Name. */
export function readName(reader: DerReader): Name {
  const octets = reader.element();
  const sequence = new DerReader(octets).enter(DER_SEQUENCE);
  const attributes: NameAttribute[] = [];
  while (sequence.left > 0) {
    const set = sequence.enter(DER_SET);
    if (set.left === 0) throw new WireError("badLength", "an empty relative name", set.at, "name");
    while (set.left > 0) attributes.push(readAttribute(set.enter(DER_SEQUENCE)));
    if (attributes.length > ATTRIBUTES_MAX) throw new WireError("tooMany", "attributes of a name", set.at, "name");
  }
  return { octets, attributes };
}

export function decodeName(octets: Bytes): Name {
  const reader = new DerReader(octets);
  const name = readName(reader);
  reader.done();
  return name;
}

function readAttribute(sequence: DerReader): NameAttribute {
  const type = toHex(sequence.content(DER_OID));
  const tag = sequence.peek();
  const at = sequence.at;
  if (tag === undefined) throw new WireError("truncated", "an attribute without a value", at, "name");
  const value = textOf(tag, sequence.content(tag));
  sequence.done();
  return { type, value };
}

/** Values of other types than strings show as their octets. */
function textOf(tag: number, octets: Bytes): string {
  switch (tag) {
    case BMP_STRING:
      return wideText(octets, 2);
    case UNIVERSAL_STRING:
      return wideText(octets, 4);
    case TELETEX_STRING:
      return Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
    default:
      return tag === UTF8_STRING || (tag >= 0x12 && tag <= 0x1b) ? fromUtf8(octets) : `#${toHex(octets)}`;
  }
}

function wideText(octets: Bytes, width: number): string {
  let text = "";
  for (let i = 0; i + width <= octets.length; i += width) {
    let code = 0;
    for (let j = 0; j < width; j++) code = code * 256 + octets[i + j]!;
    text += code > 0x10ffff ? "\ufffd" : String.fromCodePoint(code);
  }
  return text;
}

/** A name of one attribute per relative name, in the order of the wire: [["c", "CH"], ["o", "Vectors"]]. */
export function makeName(attributes: readonly NameAttribute[]): Name {
  const octets = der(
    DER_SEQUENCE,
    ...attributes.map(({ type, value }) =>
      der(DER_SET, der(DER_SEQUENCE, der(DER_OID, fromHex(type)), der(stringTag(type, value), utf8(value)))),
    ),
  );
  return { octets, attributes };
}

/** PrintableString where the value is one, as IOS writes; IA5String where the attribute is defined so. */
function stringTag(type: string, value: string): number {
  if (type === EMAIL_ATTRIBUTE || type === DOMAIN_COMPONENT) return IA5_STRING;
  if (type === COUNTRY || /^[A-Za-z0-9 '()+,\-./:=?]*$/.test(value)) return PRINTABLE_STRING;
  return type === HOSTNAME && /^[\x20-\x7e]*$/.test(value) ? IA5_STRING : UTF8_STRING;
}

/** `cn=gm1.example.org,o=Vectors,c=CH`; commas and backslashes of values stand behind a backslash. */
export function formatName(name: Name): string {
  return nameParts(name)
    .map((part) => part.replace(/[\\,]/g, "\\$&"))
    .join(",");
}

/** `cn=gm1.example.org`, `o=Vectors`, `c=CH`, values as they are. */
export function nameParts({ attributes }: Name): readonly string[] {
  return [...attributes].reverse().map(({ type, value }) => `${wordOfAttribute(type)}=${value}`);
}

/** The name that `subject-name` of IOS means, or undefined where a part has no `=` or an attribute that IOS does not know. */
export function parseName(text: string): Name | undefined {
  const attributes: NameAttribute[] = [];
  for (const part of text.match(/(?:\\.|[^,\\])+/g) ?? []) {
    const split = part.indexOf("=");
    const type = split < 0 ? undefined : attributeOfWord(part.slice(0, split).trim());
    if (type === undefined) return undefined;
    attributes.unshift({
      type,
      value: part
        .slice(split + 1)
        .trim()
        .replace(/\\(.)/g, "$1"),
    });
  }
  return attributes.length === 0 ? undefined : makeName(attributes);
}

/** Equal for names that RFC 5280 section 7.1 calls equal: letters of either case, runs of blanks counted once. */
export function nameKey(name: Name): string {
  return name.attributes.map(attributeKey).join("\u0000");
}

function attributeKey({ type, value }: NameAttribute): string {
  return `${type}=${value.trim().replace(/\s+/g, " ").toLowerCase()}`;
}

export function sameName(a: Name, b: Name): boolean {
  return nameKey(a) === nameKey(b);
}

/** Whether each of the attributes stands somewhere in the name, values compared as by `nameKey`. */
export function hasAttributes({ attributes }: Name, wanted: readonly NameAttribute[]): boolean {
  const held = new Set(attributes.map(attributeKey));
  return wanted.every((attribute) => held.has(attributeKey(attribute)));
}
