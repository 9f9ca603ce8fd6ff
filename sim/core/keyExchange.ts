/**
 * Diffie-Hellman exchanges that a run will most likely see, by the random streams that their private keys come from:
 * both keys of an exchange are settled before it takes place, so a host with a processor to spare can work it out ahead.
 */
import type { Rng } from "../../src/base/rng.ts";
import type { DhGroup } from "../../src/crypto/api.ts";

/** Paths below a run's seed. A forecast that does not come true costs time, never a different octet. */
export interface KeyExchange {
  /** Stream of the private keys of who opens the exchange: its first draw. */
  readonly initiator: string;
  /** Stream of the private keys of who answers: its fork by the initiator's public value. */
  readonly responder: string;
  readonly group: DhGroup;
}

/** The stream of a machine's private keys, below its own. */
export function privateKeyStream<R extends Rng>(machine: R): R {
  return machine.fork("private keys") as R;
}
