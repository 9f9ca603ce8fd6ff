/** What both sides announce about themselves in their first messages. RFC 3947 section 3.1, RFC 3706 section 5.1. */
import { equal, fromHex } from "../base/bytes.ts";
import type { IsakmpPayload } from "../wire/isakmpPayloads.ts";
import type { EndpointConfig } from "./api.ts";
import { natEnabled } from "./nat.ts";
import type { PeerAbilities } from "./state.ts";

const NAT_TRAVERSAL = fromHex("4a131c81070358455c5728f20e95452f");
const DEAD_PEER_DETECTION = fromHex("afcad71368a1f1c96b8696fc77570100");

/** Questions of a peer are always answered, so dead peer detection is always announced. */
export function vendorPayloads(config: EndpointConfig): IsakmpPayload[] {
  const ids = [...(natEnabled(config) ? [NAT_TRAVERSAL] : []), DEAD_PEER_DETECTION, ...(config.vendorIds ?? [])];
  return ids.map((data) => ({ kind: "VID", body: { data } }));
}

export function abilitiesOf(payloads: readonly IsakmpPayload[]): PeerAbilities {
  const announces = (id: Uint8Array) =>
    payloads.some((payload) => payload.kind === "VID" && equal(payload.body.data, id));
  return { nat: announces(NAT_TRAVERSAL), dpd: announces(DEAD_PEER_DETECTION) };
}
