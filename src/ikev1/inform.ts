/** Sending Informational exchanges: one way, with a message ID of their own, never repeated. RFC 2409 section 5.7. */
import { concat, EMPTY, fromHex } from "../base/bytes.ts";
import { Doi, IsakmpExchange, IsakmpProtocol } from "../wire/isakmpNumbers.ts";
import type { IsakmpPayload } from "../wire/isakmpPayloads.ts";
import type { Tools } from "./api.ts";
import { firstIv, sealPhase2 } from "./message.ts";
import type { IsakmpSa, Turn } from "./state.ts";
import { transmit } from "./transmit.ts";

/** Random, never zero, and not in use: zero is phase 1. */
export function newMessageId(tools: Tools, sa: IsakmpSa): number {
  for (;;) {
    const messageId = tools.rng.u32();
    if (messageId !== 0 && !sa.phase2.has(messageId) && !sa.informed.includes(messageId)) return messageId;
  }
}

export function sendInformational(turn: Turn, sa: IsakmpSa, payload: IsakmpPayload): void {
  if (sa.keys === undefined) return;
  const { crypto } = turn.tools;
  const messageId = newMessageId(turn.tools, sa);
  const iv = firstIv(crypto, sa, messageId);
  transmit(turn, sa, sealPhase2(crypto, sa, IsakmpExchange.INFORMATIONAL, messageId, iv, [], [payload]).octets);
}

function spiOf(sa: IsakmpSa): Uint8Array {
  return concat(fromHex(sa.cookieInitiator), fromHex(sa.cookieResponder));
}

/** About the SA itself; its SPI is the pair of cookies. */
export function notifyPayload(sa: IsakmpSa, type: number, doi = sa.doi, data = EMPTY): IsakmpPayload {
  return { kind: "N", body: { doi, protocol: IsakmpProtocol.ISAKMP, type, spi: spiOf(sa), data } };
}

/** INITIAL-CONTACT and dead peer detection belong to the IPsec DOI whatever the SA's own is. */
export function ipsecNotify(sa: IsakmpSa, type: number, data = EMPTY): IsakmpPayload {
  return notifyPayload(sa, type, Doi.IPSEC, data);
}

/** Ends the SA. */
export function deletePayload(sa: IsakmpSa): IsakmpPayload {
  const spi = spiOf(sa);
  return {
    kind: "D",
    body: { doi: sa.doi, protocol: IsakmpProtocol.ISAKMP, spiSize: spi.length, spis: [spi] },
  };
}

/** True for the SPI of the SA itself. */
export function isOwnSpi(sa: IsakmpSa, spi: Uint8Array): boolean {
  const own = spiOf(sa);
  return spi.length === own.length && spi.every((octet, i) => octet === own[i]);
}
