/** All kinds of events that a trace of a run may hold, from the tables of the rooms that make them. */
import { GM_EVENTS } from "../../src/gm/events.ts";
import { ISAKMP_EVENTS } from "../../src/ikev1/events.ts";
import { IKE_EVENTS } from "../../src/ikev2/events.ts";
import { KS_EVENTS } from "../../src/ks/events.ts";
import { PEER_EVENTS } from "../../src/peer/events.ts";
import { DEVICE_EVENTS } from "../device/events.ts";

const NETWORK_EVENTS = ["packet.sent", "packet.received", "packet.lost"];

export const EVENT_KINDS: ReadonlySet<string> = new Set([
  ...NETWORK_EVENTS,
  ...[DEVICE_EVENTS, IKE_EVENTS, ISAKMP_EVENTS, KS_EVENTS, GM_EVENTS, PEER_EVENTS].flatMap((table) =>
    Object.keys(table),
  ),
]);
