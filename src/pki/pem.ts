/** PEM text around DER octets. RFC 7468. */
import type { Bytes } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----([\s\S]*?)-----END \1-----/g;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Octets of all blocks with this label, in order. Throws a WireError where one is no base64. */
export function pemBlocks(text: string, label: string): Bytes[] {
  const blocks: Bytes[] = [];
  for (const block of text.matchAll(BLOCK)) {
    if (block[1] !== label) continue;
    const digits = block[2]!.replace(/\s/g, "");
    if (!BASE64.test(digits)) throw new WireError("badValue", "PEM block with odd characters", block.index);
    blocks.push(Uint8Array.from(atob(digits), (char) => char.charCodeAt(0)));
  }
  return blocks;
}

/** With lines of 64 characters and a newline at the end. */
export function toPem(label: string, octets: Bytes): string {
  const digits = btoa(Array.from(octets, (octet) => String.fromCharCode(octet)).join(""));
  const lines = digits.match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}
