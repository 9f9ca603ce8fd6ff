/**
 * The identity of a group: what members name in IDg. Cisco groups have a number or an IPv4 address; on the wire a number
 * travels as ID_KEY_ID with four octets (a convention of ours, no document says how IOS writes it).
 */
import { u32, uintFrom } from "../base/bytes.ts";
import { addressOctets, formatAddress } from "../wire/address.ts";
import type { Id } from "../wire/ikev2.ts";
import { IdType } from "../wire/ikev2Numbers.ts";

export type GroupId =
  | { readonly kind: "number"; readonly number: number }
  | { readonly kind: "address"; readonly address: string };

/** Equal for equal identities: a key for tables, and text for people. */
export function groupIdText(id: GroupId): string {
  return id.kind === "number" ? String(id.number) : id.address;
}

/** Body of an IDg payload. RFC 9838 section 4.2. */
export function idOfGroup(id: GroupId): Id {
  return id.kind === "number"
    ? { type: IdType.KEY_ID, data: u32(id.number) }
    : { type: IdType.IPV4_ADDR, data: addressOctets(id.address) };
}

/** The group that an IDg payload names, or undefined where it is none that a key server here could have. */
export function groupOfId(id: Id): GroupId | undefined {
  if (id.type === IdType.KEY_ID && id.data.length === 4) return { kind: "number", number: uintFrom(id.data) };
  if (id.type === IdType.IPV4_ADDR && id.data.length === 4) return { kind: "address", address: formatAddress(id.data) };
  return undefined;
}
