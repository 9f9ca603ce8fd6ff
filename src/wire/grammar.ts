/**
 * Which payloads a message may and must have, as tables. A message is checked against its grammar before any handler
 * looks at it, so handlers need not doubt what is there. Order is free (RFC 7296 section 2.5); unknown payloads are the
 * business of the critical bit, not of the grammar.
 */
import { Exchange, NotifyType, nameOfNotify } from "./ikev2Numbers.ts";
import type { Payload, PayloadKind } from "./payloads.ts";

export interface Rule {
  readonly kind: PayloadKind;
  readonly least: number;
  readonly most: number;
}

export const one = (kind: PayloadKind): Rule => ({ kind, least: 1, most: 1 });
export const optional = (kind: PayloadKind): Rule => ({ kind, least: 0, most: 1 });
export const many = (kind: PayloadKind, most = 32): Rule => ({ kind, least: 0, most });
export const some = (kind: PayloadKind, most = 32): Rule => ({ kind, least: 1, most });

export interface MessageForm {
  readonly name: string;
  /** One for each kind. */
  readonly rules: readonly Rule[];
  readonly kinds: ReadonlySet<PayloadKind>;
}

export interface MessageGrammar {
  readonly exchange: number;
  readonly response: boolean;
  readonly encrypted: boolean;
  /** Alternatives; the first that fits names the message. */
  readonly forms: readonly MessageForm[];
}

function form(name: string, rules: readonly Rule[]): MessageForm {
  return { name, rules, kinds: new Set(rules.map((rule) => rule.kind)) };
}

function grammar(exchange: number, response: boolean, encrypted: boolean, ...forms: MessageForm[]): MessageGrammar {
  return { exchange, response, encrypted, forms };
}

const CLEAR = false;
const SEALED = true;
const REQUEST = false;
const RESPONSE = true;

/** What every message may carry beside its own payloads. */
const EXTRAS: readonly Rule[] = [many("N"), many("V")];

const CERTIFICATES: readonly Rule[] = [many("CERT", 20), many("CERTREQ", 20)];

/**
 * RFC 7296 sections 1.2 to 1.4; RFC 9838 sections 2.3 and 2.4; draft-yeung-g-ikev2-08 section 3, whose payloads cannot be
 * mixed with those of RFC 9838, as the registry of an SA knows but one kind of them.
 */
export const GRAMMARS: readonly MessageGrammar[] = [
  grammar(
    Exchange.IKE_SA_INIT,
    REQUEST,
    CLEAR,
    form("IKE_SA_INIT request", [one("SA"), one("KE"), one("NONCE"), ...EXTRAS]),
  ),
  grammar(
    Exchange.IKE_SA_INIT,
    RESPONSE,
    CLEAR,
    form("IKE_SA_INIT response", [one("SA"), one("KE"), one("NONCE"), many("CERTREQ", 20), ...EXTRAS]),
    form("IKE_SA_INIT refusal", [some("N"), many("V")]),
  ),
  grammar(
    Exchange.IKE_AUTH,
    REQUEST,
    SEALED,
    form("IKE_AUTH request", [
      one("IDi"),
      optional("IDr"),
      one("AUTH"),
      ...CERTIFICATES,
      optional("SA"),
      optional("TSi"),
      optional("TSr"),
      optional("CP"),
      ...EXTRAS,
    ]),
    // Without AUTH: section 2.16.
    form("IKE_AUTH request for EAP", [
      one("IDi"),
      optional("IDr"),
      ...CERTIFICATES,
      optional("SA"),
      optional("TSi"),
      optional("TSr"),
      optional("CP"),
      ...EXTRAS,
    ]),
  ),
  grammar(
    Exchange.IKE_AUTH,
    RESPONSE,
    SEALED,
    form("IKE_AUTH response", [
      one("IDr"),
      one("AUTH"),
      many("CERT", 20),
      optional("SA"),
      optional("TSi"),
      optional("TSr"),
      optional("CP"),
      ...EXTRAS,
    ]),
    form("IKE_AUTH refusal", [some("N"), many("V")]),
  ),
  grammar(
    Exchange.CREATE_CHILD_SA,
    REQUEST,
    SEALED,
    form("CREATE_CHILD_SA request", [
      one("SA"),
      one("NONCE"),
      optional("KE"),
      optional("TSi"),
      optional("TSr"),
      ...EXTRAS,
    ]),
  ),
  grammar(
    Exchange.CREATE_CHILD_SA,
    RESPONSE,
    SEALED,
    form("CREATE_CHILD_SA response", [
      one("SA"),
      one("NONCE"),
      optional("KE"),
      optional("TSi"),
      optional("TSr"),
      ...EXTRAS,
    ]),
    form("CREATE_CHILD_SA refusal", [some("N"), many("V")]),
  ),
  grammar(
    Exchange.INFORMATIONAL,
    REQUEST,
    SEALED,
    form("INFORMATIONAL request", [many("D"), optional("CP"), ...EXTRAS]),
  ),
  grammar(
    Exchange.INFORMATIONAL,
    RESPONSE,
    SEALED,
    form("INFORMATIONAL response", [many("D"), optional("CP"), ...EXTRAS]),
  ),
  grammar(
    Exchange.GSA_AUTH,
    REQUEST,
    SEALED,
    form("GSA_AUTH request", [
      one("IDi"),
      optional("IDr"),
      one("AUTH"),
      one("IDg"),
      optional("SA"),
      ...CERTIFICATES,
      ...EXTRAS,
    ]),
    form("GSA_AUTH request for EAP", [
      one("IDi"),
      optional("IDr"),
      one("IDg"),
      optional("SA"),
      ...CERTIFICATES,
      ...EXTRAS,
    ]),
  ),
  grammar(
    Exchange.GSA_AUTH,
    RESPONSE,
    SEALED,
    form("GSA_AUTH response", [one("IDr"), one("AUTH"), many("CERT", 20), one("GSA"), one("KD"), many("D"), ...EXTRAS]),
    form("GSA_AUTH response", [
      one("IDr"),
      one("AUTH"),
      many("CERT", 20),
      one("GSA07"),
      one("KD07"),
      optional("SEQ07"),
      many("D"),
      ...EXTRAS,
    ]),
    form("GSA_AUTH group refusal", [one("IDr"), one("AUTH"), many("CERT", 20), some("N"), many("V")]),
    form("GSA_AUTH refusal", [some("N"), many("V")]),
  ),
  grammar(
    Exchange.GSA_REGISTRATION,
    REQUEST,
    SEALED,
    form("GSA_REGISTRATION request", [one("IDg"), optional("SA"), ...EXTRAS]),
  ),
  grammar(
    Exchange.GSA_REGISTRATION,
    RESPONSE,
    SEALED,
    form("GSA_REGISTRATION response", [one("GSA"), one("KD"), many("D"), ...EXTRAS]),
    form("GSA_REGISTRATION response", [one("GSA07"), one("KD07"), optional("SEQ07"), many("D"), ...EXTRAS]),
    form("GSA_REGISTRATION refusal or leave", EXTRAS),
  ),
  grammar(
    Exchange.GSA_REKEY,
    REQUEST,
    SEALED,
    form("GSA_REKEY", [one("GSA"), one("KD"), many("D"), optional("AUTH"), ...EXTRAS]),
    form("GSA_REKEY", [one("GSA07"), one("KD07"), many("D"), optional("AUTH"), ...EXTRAS]),
    form("GSA_REKEY delete", [some("D"), optional("AUTH"), ...EXTRAS]),
  ),
  grammar(Exchange.GSA_REKEY, RESPONSE, SEALED, form("GSA_REKEY acknowledgement", EXTRAS)),
  grammar(
    Exchange.GSA_INBAND_REKEY,
    REQUEST,
    SEALED,
    form("GSA_INBAND_REKEY", [one("GSA"), one("KD"), many("D"), ...EXTRAS]),
    form("GSA_INBAND_REKEY delete", [some("D"), ...EXTRAS]),
  ),
  grammar(Exchange.GSA_INBAND_REKEY, RESPONSE, SEALED, form("GSA_INBAND_REKEY response", EXTRAS)),
];

const BY_EXCHANGE: ReadonlyMap<number, MessageGrammar> = new Map(
  GRAMMARS.map((entry) => [entry.exchange * 2 + (entry.response ? 1 : 0), entry]),
);

export function grammarOf(exchange: number, response: boolean): MessageGrammar | undefined {
  return BY_EXCHANGE.get(exchange * 2 + (response ? 1 : 0));
}

export type GrammarResult =
  | { readonly ok: true; readonly form: string }
  | { readonly ok: false; readonly problem: string };

/**
 * Checks the payloads of a message, the inner ones of an encrypted message. In a response an error notify may always
 * stand alone, so it fits the refusal form of its exchange.
 */
export function checkGrammar(exchange: number, response: boolean, payloads: readonly Payload[]): GrammarResult {
  const found = grammarOf(exchange, response);
  if (found === undefined)
    return { ok: false, problem: `no ${response ? "response" : "request"} of exchange ${exchange}` };
  let problem = "";
  for (const candidate of found.forms) {
    const complaint = complaintOf(candidate, payloads);
    if (complaint === undefined) return { ok: true, form: candidate.name };
    problem = problem === "" ? complaint : problem;
  }
  const error = response ? errorNotify(payloads) : undefined;
  if (error !== undefined && payloads.every((payload) => payload.kind === "N" || payload.kind === "V")) {
    return { ok: true, form: `refusal ${nameOfNotify(error)}` };
  }
  return { ok: false, problem };
}

/** Counts once for each rule instead of keeping a table: messages have a handful of payloads, forms a dozen rules. */
function complaintOf(candidate: MessageForm, payloads: readonly Payload[]): string | undefined {
  for (let i = 0; i < payloads.length; i++) {
    const { kind } = payloads[i]!;
    if (kind !== "unknown" && !candidate.kinds.has(kind)) return `${candidate.name} must not hold ${kind}`;
  }
  for (let i = 0; i < candidate.rules.length; i++) {
    const { kind, least, most } = candidate.rules[i]!;
    const count = countOf(payloads, kind);
    if (count < least) return `${candidate.name} lacks ${kind}`;
    if (count > most) return `${candidate.name} holds ${count} of ${kind}, at most ${most} allowed`;
  }
  return undefined;
}

function countOf(payloads: readonly Payload[], kind: PayloadKind): number {
  let count = 0;
  for (let i = 0; i < payloads.length; i++) if (payloads[i]!.kind === kind) count++;
  return count;
}

/** The first notify of the error class (below 16384). RFC 7296 section 3.10.1. */
export function errorNotify(payloads: readonly Payload[]): number | undefined {
  for (const payload of payloads) {
    if (payload.kind === "N" && payload.body.type < NotifyType.INITIAL_CONTACT) return payload.body.type;
  }
  return undefined;
}
