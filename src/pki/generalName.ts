/** Alternative names of a certificate, as far as IKE identities can be compared with them. RFC 5280 section 4.2.1.6. */
import { type Bytes, fromUtf8, utf8 } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { contextTag, DER_SEQUENCE, DerReader, der } from "../crypto/der.ts";
import { decodeName, type Name } from "./name.ts";

export type GeneralName =
  | { readonly kind: "email" | "dns" | "uri"; readonly text: string }
  /** 4 or 16 octets. */
  | { readonly kind: "ip"; readonly octets: Bytes }
  | { readonly kind: "directory"; readonly name: Name }
  /** A kind that no identity of IKE compares with: the whole element. */
  | { readonly kind: "other"; readonly octets: Bytes };

const TEXT_TAGS = { email: 0x81, dns: 0x82, uri: 0x86 } as const;
const IP_TAG = 0x87;
const DIRECTORY_TAG = contextTag(4);
const NAMES_MAX = 100;

const TEXT_KINDS: ReadonlyMap<number, "email" | "dns" | "uri"> = new Map([
  [TEXT_TAGS.email, "email"],
  [TEXT_TAGS.dns, "dns"],
  [TEXT_TAGS.uri, "uri"],
]);

/** Throws a WireError. */
export function readGeneralNames(reader: DerReader): readonly GeneralName[] {
  const sequence = reader.enter(DER_SEQUENCE);
  const names: GeneralName[] = [];
  while (sequence.left > 0) {
    if (names.length >= NAMES_MAX) throw new WireError("tooMany", "alternative names", sequence.at, "subjectAltName");
    names.push(readGeneralName(sequence.element()));
  }
  return names;
}

function readGeneralName(element: Bytes): GeneralName {
  const tag = element[0]!;
  const reader = new DerReader(element);
  const kind = TEXT_KINDS.get(tag);
  if (kind !== undefined) return { kind, text: fromUtf8(reader.content(tag)) };
  if (tag === IP_TAG) return { kind: "ip", octets: reader.content(tag) };
  if (tag === DIRECTORY_TAG) return { kind: "directory", name: decodeName(reader.content(tag)) };
  return { kind: "other", octets: element };
}

export function encodeGeneralNames(names: readonly GeneralName[]): Bytes {
  return der(DER_SEQUENCE, ...names.map(encodeGeneralName));
}

function encodeGeneralName(name: GeneralName): Bytes {
  switch (name.kind) {
    case "ip":
      return der(IP_TAG, name.octets);
    case "directory":
      return der(DIRECTORY_TAG, name.name.octets);
    case "other":
      return name.octets;
    default:
      return der(TEXT_TAGS[name.kind], utf8(name.text));
  }
}
