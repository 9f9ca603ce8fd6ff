/**
 * Which attribute may stand where. RFC 9838 section 5, tables 9 and 10. A registration whose policy has a rekey SA follows
 * the multicast columns even if this member will be rekeyed in its IKE SA: the RFC lets a key server mix both methods.
 */
import { NotifyType } from "../../wire/ikev2Numbers.ts";
import { ProtocolError } from "../protocolError.ts";

/** The message that carries the policy. */
export type Carrier = "registration" | "gsaRekey" | "inbandRegistration" | "inbandRekey";

type Occurs = "one" | "optional" | "any" | "some" | "never";

const LIMITS: Readonly<Record<Occurs, readonly [least: number, most: number]>> = {
  one: [1, 1],
  optional: [0, 1],
  any: [0, Number.POSITIVE_INFINITY],
  some: [1, Number.POSITIVE_INFINITY],
  never: [0, 0],
};

type Row = Readonly<Record<Carrier, Occurs>>;

function row(registration: Occurs, gsaRekey: Occurs, inbandRegistration: Occurs, inbandRekey: Occurs): Row {
  return { registration, gsaRekey, inbandRegistration, inbandRekey };
}

const NEVER = row("never", "never", "never", "never");

/** Of a rekey SA's policy. */
export const KEK_POLICY: Readonly<Record<string, Row>> = {
  GSA_KEY_LIFETIME: row("one", "one", "optional", "optional"),
  // In GSA_REKEY it is honoured where it comes and never sent: a new rekey SA starts at 0 (note 2).
  GSA_INITIAL_MESSAGE_ID: row("optional", "optional", "never", "never"),
  GSA_NEXT_SPI: row("any", "any", "never", "never"),
};

/** Of a data SA's policy: message IDs belong to rekey SAs alone. */
export const DATA_POLICY: Readonly<Record<string, Row>> = {
  ...KEK_POLICY,
  GSA_INITIAL_MESSAGE_ID: NEVER,
};

const DELAY = row("optional", "optional", "optional", "optional");

/**
 * Of the group-wide policy. `counted`: a counter-mode cipher is in the policy and the member sent GROUP_SENDER. Section
 * 4.4.3.1.2 demands the Sender-ID bits for every group with several senders, table 9 forbids them for a member that will
 * not send: we follow the table (note 10 of docs/rfc9838-notes.md).
 */
export function groupWideRows(counted: boolean): Readonly<Record<string, Row>> {
  return counted ? GROUP_WIDE_COUNTED : GROUP_WIDE;
}

const GROUP_WIDE = { GWP_ATD: DELAY, GWP_DTD: DELAY, GWP_SENDER_ID_BITS: NEVER };
const GROUP_WIDE_COUNTED = { ...GROUP_WIDE, GWP_SENDER_ID_BITS: row("one", "never", "one", "never") };

/** Of the bag of a rekey SA: several copies of its key only where the message goes to many members. */
export const KEK_BAG: Readonly<Record<string, Row>> = { SA_KEY: row("one", "some", "one", "one") };

export const DATA_BAG: Readonly<Record<string, Row>> = { SA_KEY: row("one", "one", "one", "one") };

/**
 * Of the member bag. Section 4.5.3 bans member bags from GSA_REKEY, table 9 and appendix A put WRAP_KEY and AUTH_KEY
 * there: they are allowed, Sender-IDs are not (note 1 of docs/rfc9838-notes.md). `signed`: rekeys carry a digital signature.
 */
export function memberBagRows(signed: boolean, counted: boolean): Readonly<Record<string, Row>> {
  return MEMBER_BAG[signed ? 1 : 0]![counted ? 1 : 0]!;
}

const MEMBER_BAG = [NEVER, row("one", "optional", "never", "never")].map((authKey) =>
  [NEVER, row("some", "never", "some", "never")].map((senderId) => ({
    WRAP_KEY: row("any", "any", "never", "never"),
    AUTH_KEY: authKey,
    GM_SENDER_ID: senderId,
  })),
);

/**
 * Throws ProtocolError INVALID_SYNTAX where an attribute stands too often, not often enough or where it must not.
 * Attributes that have no row, such as those of the private-use range, are passed over.
 */
export function checkAttributes(
  place: string,
  attributes: readonly { readonly kind: string }[],
  rows: Readonly<Record<string, Row>>,
  carrier: Carrier,
): void {
  // No entries or pairs are made: this runs seven times for each registration and each rekey.
  for (const kind in rows) {
    let count = 0;
    for (let i = 0; i < attributes.length; i++) if (attributes[i]!.kind === kind) count++;
    const occurs = rows[kind]![carrier];
    const limits = LIMITS[occurs];
    if (count >= limits[0] && count <= limits[1]) continue;
    throw new ProtocolError(
      NotifyType.INVALID_SYNTAX,
      `${count} of ${kind} in the ${place} of a ${carrier} (${occurs})`,
    );
  }
}
