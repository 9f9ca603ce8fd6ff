/** Object identifiers that certificates are made of: content octets in hexadecimal, as the DER reader yields them. */

/** RFC 5280 section 4.2. */
export const ExtensionOid = {
  subjectKeyIdentifier: "551d0e",
  keyUsage: "551d0f",
  subjectAltName: "551d11",
  issuerAltName: "551d12",
  basicConstraints: "551d13",
  crlNumber: "551d14",
  reasonCode: "551d15",
  invalidityDate: "551d18",
  crlDistributionPoints: "551d1f",
  certificatePolicies: "551d20",
  authorityKeyIdentifier: "551d23",
  extendedKeyUsage: "551d25",
  authorityInfoAccess: "2b06010505070101",
} as const;

/** Name attributes by the word that IOS prints; the first row of a word is the one that is written. RFC 5280 appendix A. */
const ATTRIBUTES: readonly (readonly [word: string, oid: string])[] = [
  ["cn", "550403"],
  ["sn", "550404"],
  ["serialNumber", "550405"],
  ["c", "550406"],
  ["l", "550407"],
  ["st", "550408"],
  ["street", "550409"],
  ["o", "55040a"],
  ["ou", "55040b"],
  ["title", "55040c"],
  ["name", "550429"],
  ["given", "55042a"],
  ["initials", "55042b"],
  ["dnq", "55042e"],
  ["e", "2a864886f70d010901"],
  ["hostname", "2a864886f70d010902"],
  ["dc", "0992268993f22c640119"],
  ["uid", "0992268993f22c640101"],
];

const WORDS: ReadonlyMap<string, string> = new Map(ATTRIBUTES.map(([word, oid]) => [oid, word]));
const OIDS: ReadonlyMap<string, string> = new Map(ATTRIBUTES.map(([word, oid]) => [word.toLowerCase(), oid]));

export const HOSTNAME = "2a864886f70d010902";
export const EMAIL_ATTRIBUTE = "2a864886f70d010901";
export const DOMAIN_COMPONENT = "0992268993f22c640119";
export const COUNTRY = "550406";
export const ORGANIZATIONAL_UNIT = "55040b";

/** `cn`, or dotted numbers where the attribute has no word here. */
export function wordOfAttribute(oid: string): string {
  return WORDS.get(oid) ?? dotted(oid);
}

/** Undefined where the word is none of those that IOS knows. */
export function attributeOfWord(word: string): string | undefined {
  return OIDS.get(word.toLowerCase());
}

/** `2a864886f70d` as `1.2.840.113549`; numbers beyond 2^53 lose their last digits, which only a reader would notice. */
export function dotted(oid: string): string {
  const arcs: number[] = [];
  let value = 0;
  for (let i = 0; i + 1 < oid.length; i += 2) {
    const octet = Number.parseInt(oid.slice(i, i + 2), 16);
    value = value * 128 + (octet & 0x7f);
    if (octet >= 0x80) continue;
    if (arcs.length === 0) {
      const first = Math.min(Math.floor(value / 40), 2);
      arcs.push(first, value - 40 * first);
    } else arcs.push(value);
    value = 0;
  }
  return arcs.join(".");
}
