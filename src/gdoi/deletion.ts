/** Deletions as Delete payloads of a PUSH. RFC 6407 section 5.9: an SPI of zeros means all SAs of the protocol. */
import { u32, uintFrom } from "../base/bytes.ts";
import type { Deletion } from "../gikev2/policy.ts";
import { TekProtocol } from "../wire/gdoiNumbers.ts";
import type { Delete } from "../wire/isakmp.ts";
import { Doi } from "../wire/isakmpNumbers.ts";

export function deleteOfDeletion(deletion: Deletion): Delete {
  const doi = Doi.GDOI;
  switch (deletion.kind) {
    case "dataSas":
      return { doi, protocol: TekProtocol.ESP, spiSize: 4, spis: deletion.spis.map(u32) };
    case "allDataSas":
      return { doi, protocol: TekProtocol.ESP, spiSize: 4, spis: [u32(0)] };
    case "member":
      return { doi, protocol: TekProtocol.KEK, spiSize: 16, spis: [new Uint8Array(16)] };
  }
}

/** `kekSpi`: of the rekey SA that carries the message. Undefined for what concerns none of our SAs. */
export function deletionOfDelete({ protocol, spiSize, spis }: Delete, kekSpi: Uint8Array): Deletion | undefined {
  const isAll = spis.some((spi) => spi.every((octet) => octet === 0));
  if (protocol === TekProtocol.ESP) {
    if (isAll) return { kind: "allDataSas" };
    return spiSize === 4 ? { kind: "dataSas", spis: spis.map(uintFrom) } : undefined;
  }
  if (protocol !== TekProtocol.KEK) return undefined;
  const isOurs = spis.some((spi) => spi.length === kekSpi.length && spi.every((octet, i) => octet === kekSpi[i]));
  return isAll || isOurs ? { kind: "member" } : undefined;
}
