/** A peer that broke the rules of a group exchange. Thrown by leaf functions, caught at the front door of the dialect. */
import { nameOfNotify } from "../wire/ikev2Numbers.ts";

/** `notify`: the error type that answers the fault, such as INVALID_SYNTAX (7) or NO_PROPOSAL_CHOSEN (14). */
export class ProtocolError extends Error {
  readonly notify: number;

  constructor(notify: number, message: string) {
    super(message);
    this.name = "ProtocolError";
    this.notify = notify;
  }
}

/** The value of a reading function: what was read, or the notify that refuses it and a sentence for the log. */
export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly notify: number; readonly problem: string };

/** Runs `read` and turns a ProtocolError into a value. */
export function reading<T>(read: () => T): Read<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { ok: false, notify: error.notify, problem: `${nameOfNotify(error.notify)}: ${error.message}` };
  }
}
