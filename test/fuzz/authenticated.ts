/** What of a machine's state only authentic octets may change, as text that can be compared. */
import { type Bytes, equal, toHex } from "../../src/base/bytes.ts";
import { ackSpiOf } from "../../src/gdoi/ack.ts";
import { pushSpiOf } from "../../src/gdoi/push.ts";
import { Exchange } from "../../src/wire/ikev2Numbers.ts";
import { IsakmpExchange } from "../../src/wire/isakmpNumbers.ts";
import type { Recording, Role } from "./record.ts";

/** Parts of a machine's state that any datagram may touch: counters, half-open SAs, timers. */
const LOOSE: ReadonlySet<string> = new Set([
  "counters",
  "dropped",
  "cookies",
  "halfOpen",
  "nextSa",
  "byInit",
  "bySpi",
  "byCookie",
  "byFirst",
  "timers",
  "unknownRekeys",
]);
/**
 * An answer to IKE_SA_INIT is not authenticated: it may end an attempt to register, and the member waits or tries the
 * next server. What the member holds is not touched by it.
 */
const LOOSE_DURING_INIT: ReadonlySet<string> = new Set([...LOOSE, "phase", "server", "nextServer", "attempt"]);
/**
 * What no hash of phase 1 covers: vendor ids, NAT-D, what stands behind HASH or SIG, padding, and with the last block the
 * IV of what follows. RFC 2409 section 5.
 */
const LOOSE_IN_PHASE1: ReadonlySet<string> = new Set([
  ...LOOSE,
  "abilities",
  "nat",
  "local",
  "remote",
  "marker",
  "iv",
  "heard",
  "sent",
]);
const AUTHENTICATED: ReadonlySet<string> = new Set(["established", "deleting"]);

function asText(state: unknown, loose: ReadonlySet<string>): string {
  return JSON.stringify(state, (key, value: unknown) => {
    if (loose.has(key)) return undefined;
    if (key === "sas" && value instanceof Map) {
      return [...value.entries()].filter(([, sa]) => AUTHENTICATED.has((sa as { phase: { at: string } }).phase.at));
    }
    if (value instanceof Map) return [...value.entries()];
    if (value instanceof Set) return [...value];
    if (value instanceof Uint8Array) return toHex(value);
    return value;
  });
}

/** The authenticated state of a machine that the datagram of this recording is for. */
export function authenticatedState({ exchange, response }: Recording, state: unknown): string {
  return asText(state, exchange === Exchange.IKE_SA_INIT && response ? LOOSE_DURING_INIT : LOOSE);
}

const ISAKMP_ROLES: readonly Role[] = ["isakmp", "gdoiKs", "gdoiGm"];
const PHASE1: readonly number[] = [IsakmpExchange.IDENTITY_PROTECTION, IsakmpExchange.AGGRESSIVE];

/**
 * The state behind a message of phase 1 as far as it is vouched for; undefined for other messages. A mutated one may be
 * taken where all that it proves is as in the good one.
 */
export function phase1State({ role, exchange }: Recording, state: unknown): string | undefined {
  return ISAKMP_ROLES.includes(role) && PHASE1.includes(exchange) ? asText(state, LOOSE_IN_PHASE1) : undefined;
}

/**
 * Octets of the ISAKMP header that no HASH covers: in phase 2 next payload, version, exchange type and flags; of these an
 * acknowledgement of a rekey may have another minor version only. The SIG of a rekey covers them all.
 */
const UNCOVERED_IN_PHASE2 = [16, 20] as const;
const UNCOVERED_IN_ACK = [17, 18] as const;

function uncoveredOf({ role, datagram: { octets } }: Recording): readonly [from: number, to: number] | undefined {
  if (pushSpiOf(octets) !== undefined) return undefined;
  if (role === "ack" || (role === "gdoiKs" && ackSpiOf(octets) !== undefined)) return UNCOVERED_IN_ACK;
  return ISAKMP_ROLES.includes(role) ? UNCOVERED_IN_PHASE2 : undefined;
}

/** Whether the octets differ from the good ones only where the HASH of an ISAKMP message does not reach. */
export function isCarriedOver(recording: Recording, octets: Bytes): boolean {
  const uncovered = uncoveredOf(recording);
  if (uncovered === undefined) return false;
  const { datagram } = recording;
  const [from, to] = uncovered;
  const good = datagram.octets;
  return equal(octets.subarray(0, from), good.subarray(0, from)) && equal(octets.subarray(to), good.subarray(to));
}
