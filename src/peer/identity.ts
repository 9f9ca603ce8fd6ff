/** Identities as an operator types them. RFC 7296 section 3.5. */
import { utf8 } from "../base/bytes.ts";
import { parseAddress } from "../wire/address.ts";
import type { Id } from "../wire/ikev2.ts";
import { IdType } from "../wire/ikev2Numbers.ts";

/**
 * `192.0.2.1` and `2001:db8::1` are addresses, `user@example.com` is a mail address, `keyid:TEXT` a key ID, everything
 * else (`gm1.example.com`, `@gm1.example.com`) a domain name. Undefined for an empty text.
 */
export function parseIdentity(text: string): Id | undefined {
  if (text === "" || text === "@" || text === "keyid:") return undefined;
  const address = parseAddress(text);
  if (address !== undefined) {
    return { type: address.length === 4 ? IdType.IPV4_ADDR : IdType.IPV6_ADDR, data: address };
  }
  if (text.startsWith("keyid:")) return { type: IdType.KEY_ID, data: utf8(text.slice("keyid:".length)) };
  if (text.startsWith("@")) return { type: IdType.FQDN, data: utf8(text.slice(1)) };
  return { type: text.includes("@") ? IdType.RFC822_ADDR : IdType.FQDN, data: utf8(text) };
}
