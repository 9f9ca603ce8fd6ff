/**
 * Deletions as Delete payloads. RFC 9838 sections 2.4.3 and 4.6. How an SPI of zero is written is not specified: we send
 * one SPI of zeros (4 octets, 16 for the rekey SA) and accept an empty list as well; section 4.6 speaks of protocol 0
 * where section 2.4.3 has 6, so both are taken for the member's exclusion (notes 3 and 9 of docs/rfc9838-notes.md).
 */
import { u32, uintFrom } from "../../base/bytes.ts";
import type { Delete } from "../../wire/ikev2.ts";
import { Protocol } from "../../wire/ikev2Numbers.ts";
import type { Deletion } from "../policy.ts";

export function deleteOfDeletion(deletion: Deletion): Delete {
  switch (deletion.kind) {
    case "dataSas":
      return { protocol: Protocol.ESP, spiSize: 4, spis: deletion.spis.map(u32) };
    case "allDataSas":
      return { protocol: Protocol.ESP, spiSize: 4, spis: [u32(0)] };
    case "member":
      return { protocol: Protocol.GIKE_UPDATE, spiSize: 16, spis: [new Uint8Array(16)] };
  }
}

/** What a Delete payload asks for; undefined for protocols and SPIs that mean nothing here. */
export function deletionOfDelete(body: Delete): Deletion | undefined {
  const all = body.spis.every((spi) => spi.every((octet) => octet === 0));
  if (body.protocol === Protocol.ESP) {
    if (all) return { kind: "allDataSas" };
    return body.spiSize === 4 ? { kind: "dataSas", spis: body.spis.map(uintFrom) } : undefined;
  }
  if (body.protocol === Protocol.GIKE_UPDATE || body.protocol === Protocol.NONE)
    return all ? { kind: "member" } : undefined;
  return undefined;
}
