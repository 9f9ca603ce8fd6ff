/** What the dialects of its groups ask of an IKE endpoint. */
import type { EndpointConfig } from "../ikev2/api.ts";
import type { DialectChoice } from "./dialects.ts";

/**
 * RFC 9838 wants a key wrap algorithm in the proposals of an IKE SA, draft-yeung knows none. An endpoint of both has each
 * proposal twice, the one with key wrap first; group payloads are then written as octets and read as those of RFC 9838,
 * which serves a key server, as it is never sent any.
 */
export function endpointFor(ike: EndpointConfig, groups: readonly DialectChoice[]): EndpointConfig {
  const names = new Set(groups.map(({ dialect }) => dialect));
  if (!names.has("yeung-07")) return names.size === 1 ? { ...ike, dialect: "rfc9838" } : ike;
  const plain = ike.proposals.map((proposal) => ({ ...proposal, kwa: [] }));
  if (names.size === 1) return { ...ike, proposals: plain, dialect: "yeung-07" };
  return { ...ike, proposals: [...ike.proposals, ...plain] };
}
