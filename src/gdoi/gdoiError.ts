/** A peer that broke the rules of GDOI. Thrown by leaf functions, caught at the front door of this room. */
import type { Read } from "../gikev2/protocolError.ts";
import { IsakmpNotifyType } from "../wire/isakmpNumbers.ts";
import { nameOf } from "../wire/kit.ts";

/** `notify`: ISAKMP's notify type that says what is wrong. */
export class GdoiError extends Error {
  readonly notify: number;

  constructor(notify: number, message: string) {
    super(message);
    this.name = "GdoiError";
    this.notify = notify;
  }
}

/** What contradicts RFC 6407. */
export function malformed(problem: string): never {
  throw new GdoiError(IsakmpNotifyType["PAYLOAD-MALFORMED"], problem);
}

/** What RFC 6407 allows and we do not have. */
export function unsupported(problem: string): never {
  throw new GdoiError(IsakmpNotifyType["NO-PROPOSAL-CHOSEN"], problem);
}

/** A GDOI implementation aborts when it meets an attribute that it does not understand. Sections 5.3.2 and 5.4. */
export function checkKnown(place: string, attributes: readonly { readonly kind: string }[]): void {
  if (attributes.some(({ kind }) => kind === "unknown")) {
    throw new GdoiError(IsakmpNotifyType["ATTRIBUTES-NOT-SUPPORTED"], `unknown attribute in the ${place}`);
  }
}

/** Runs `read` and turns a GdoiError into a value. */
export function reading<T>(read: () => T): Read<T> {
  try {
    return { ok: true, value: read() };
  } catch (error) {
    if (!(error instanceof GdoiError)) throw error;
    const { notify, message } = error;
    return { ok: false, notify, problem: `${nameOf(IsakmpNotifyType.space, notify)}: ${message}` };
  }
}
