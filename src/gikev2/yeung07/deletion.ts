/**
 * Deletions as Delete payloads. draft-yeung-g-ikev2-08 sections 3.3.4 and 4.8. Delete is IKEv2's own payload, so data SAs
 * have its protocol number (ESP is 3), not that of TEK policies; the number of the rekey SA is a switch. An SPI of zero
 * means everything; one SPI of zeros is sent and an empty list taken as well.
 */
import { u32, uintFrom } from "../../base/bytes.ts";
import type { Delete } from "../../wire/ikev2.ts";
import { Protocol } from "../../wire/ikev2Numbers.ts";
import type { Deletion } from "../policy.ts";
import type { Yeung07Switches } from "./switches.ts";

/** None (section 3.3.4), IKE (version 04), GIKE_UPDATE (RFC 9838) and version 16's. */
const KEK_PROTOCOLS: readonly number[] = [Protocol.NONE, Protocol.IKE, Protocol.GIKE_UPDATE, 41];

export function deleteOfDeletion(deletion: Deletion, { deleteKekProtocol }: Yeung07Switches): Delete {
  switch (deletion.kind) {
    case "dataSas":
      return { protocol: Protocol.ESP, spiSize: 4, spis: deletion.spis.map(u32) };
    case "allDataSas":
      return { protocol: Protocol.ESP, spiSize: 4, spis: [u32(0)] };
    case "member":
      return { protocol: deleteKekProtocol, spiSize: 16, spis: [new Uint8Array(16)] };
  }
}

/** What a Delete payload asks for; undefined for protocols and SPIs that mean nothing here. */
export function deletionOfDelete(body: Delete, { deleteKekProtocol }: Yeung07Switches): Deletion | undefined {
  const all = body.spis.every((spi) => spi.every((octet) => octet === 0));
  if (body.protocol === Protocol.ESP) {
    if (all) return { kind: "allDataSas" };
    return body.spiSize === 4 ? { kind: "dataSas", spis: body.spis.map(uintFrom) } : undefined;
  }
  const isKek = body.protocol === deleteKekProtocol || KEK_PROTOCOLS.includes(body.protocol);
  return isKek && all ? { kind: "member" } : undefined;
}
