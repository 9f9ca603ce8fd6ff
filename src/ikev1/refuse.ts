/** Refusals before there are keys: an Informational in clear, without state. RFC 2408 section 4.8. */
import { concat, EMPTY, fromHex } from "../base/bytes.ts";
import { encodeIsakmp, type IsakmpMessage } from "../wire/isakmpMessage.ts";
import { IsakmpExchange, IsakmpProtocol } from "../wire/isakmpNumbers.ts";
import { ISAKMP } from "../wire/isakmpPayloads.ts";
import { markedIf } from "../wire/nonEsp.ts";
import { happened } from "./events.ts";
import { newCookie } from "./phase1.ts";
import type { Arrival, Turn } from "./state.ts";

/** Answers message 1 with an error; a hint that no peer acts on, for it could be anybody's. */
export function refuseFirst(turn: Turn, message: IsakmpMessage, from: Arrival, type: number, doi: number): void {
  const { cookieInitiator, exchange } = message;
  const cookieResponder = newCookie(turn.tools);
  const { local, remote, marked } = from;
  turn.outcomes.push(happened("isakmp.refused", 0, remote, { side: "local", notify: type, exchange }));
  const messageId = turn.tools.rng.u32() || 1;
  const head = { cookieInitiator, cookieResponder, exchange: IsakmpExchange.INFORMATIONAL, flags: 0, messageId };
  const spi = concat(fromHex(cookieInitiator), fromHex(cookieResponder));
  const body = { doi, protocol: IsakmpProtocol.ISAKMP, type, spi, data: EMPTY };
  const octets = encodeIsakmp(head, [{ kind: "N", body }], ISAKMP);
  turn.outcomes.push({ kind: "send", local, remote, octets: markedIf(marked, octets) });
}
