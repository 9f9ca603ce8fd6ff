/**
 * Two endpoints, two queues, a delay, and a virtual clock that jumps to whatever is due next: datagrams on their way or
 * deadlines of either side. A drop pattern says which datagrams get lost. No room above: a `Decide` function stands in.
 */

import { createRng } from "../../sim/core/rng.ts";
import { type Bytes, utf8 } from "../../src/base/bytes.ts";
import type { Datagram, Endpoint } from "../../src/base/machine.ts";
import { MILLISECOND, type Micros } from "../../src/base/micros.ts";
import type { Rng } from "../../src/base/rng.ts";
import { secret } from "../../src/base/secret.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import type {
  AuthProfile,
  EndpointConfig,
  IkeOutcome,
  IkeProposal,
  InitiateOptions,
  Tools,
} from "../../src/ikev2/api.ts";
import {
  answerAuth,
  createEndpoint,
  expire,
  type IkeEndpoint,
  initiate,
  lastSa,
  nextDeadline,
  receive,
  respond,
} from "../../src/ikev2/endpoint.ts";
import { DEFAULT_RETRANSMIT } from "../../src/ikev2/window.ts";
import type { Id } from "../../src/wire/ikev2.ts";
import { Exchange, IdType } from "../../src/wire/ikev2Numbers.ts";
import type { Payload } from "../../src/wire/payloads.ts";

export type SideName = "initiator" | "responder";

export interface Side {
  readonly name: SideName;
  readonly endpoint: IkeEndpoint;
  readonly tools: Tools;
  readonly address: Endpoint;
  /** Every outcome but datagrams, in order. */
  readonly log: IkeOutcome[];
}

interface InFlight {
  readonly at: Micros;
  readonly order: number;
  readonly to: Side;
  readonly datagram: Datagram;
}

export interface Sent {
  readonly from: SideName;
  readonly octets: Bytes;
  readonly at: Micros;
  readonly lost: boolean;
}

export interface Pair {
  now: Micros;
  readonly initiator: Side;
  readonly responder: Side;
  readonly flight: InFlight[];
  /** All datagrams, lost ones included. */
  readonly sent: Sent[];
  /** Number of the datagram, counted from 0 over both directions: true loses it. */
  lose: (number: number, from: SideName) => boolean;
  /** Answers outcomes that ask the room above. */
  decide: Decide;
  order: number;
}

export type Decide = (pair: Pair, side: Side, outcome: IkeOutcome) => readonly IkeOutcome[];

export const DELAY: Micros = 10 * MILLISECOND;

export const SUITE: IkeProposal = {
  encr: [{ id: 20, keyBits: 256 }],
  prf: [5],
  integ: [],
  dh: [31],
  kwa: [],
};

export function keyId(text: string): Id {
  return { type: IdType.KEY_ID, data: utf8(text) };
}

export function fqdn(text: string): Id {
  return { type: IdType.FQDN, data: utf8(text) };
}

export function pskProfile(local: Id, key: string, change: Partial<AuthProfile> = {}): AuthProfile {
  const octets = secret(utf8(key));
  return {
    name: "default",
    localIdentity: local,
    local: "pre-share",
    remote: ["pre-share"],
    match: { remoteAddresses: [], remoteIdentities: [], anyRemote: true },
    keys: [
      { peer: "any", address: { network: "0.0.0.0", mask: "0.0.0.0" }, localKey: octets, remoteKey: octets },
      { peer: "any6", address: { network: "::", mask: "::" }, localKey: octets, remoteKey: octets },
    ],
    lifetimeSeconds: 0,
    ...change,
  };
}

export function config(profile: AuthProfile, change: Partial<EndpointConfig> = {}): EndpointConfig {
  return { proposals: [SUITE], profiles: [profile], retransmit: DEFAULT_RETRANSMIT, ...change };
}

export interface PairOptions {
  readonly initiator?: Partial<EndpointConfig>;
  readonly responder?: Partial<EndpointConfig>;
  readonly crypto?: Crypto;
  readonly seed?: string;
  readonly addresses?: readonly [Endpoint, Endpoint];
}

export function createPair(options: PairOptions = {}): Pair {
  const rng = createRng(options.seed ?? "pair");
  const crypto = options.crypto ?? native;
  const [a, b] = options.addresses ?? [
    { address: "192.0.2.1", port: 500 },
    { address: "192.0.2.2", port: 500 },
  ];
  const gm = config(pskProfile(fqdn("gm1.example"), "shared"), options.initiator);
  const ks = config(pskProfile(fqdn("ks1.example"), "shared"), options.responder);
  const side = (name: SideName, own: EndpointConfig, address: Endpoint, stream: Rng): Side => ({
    name,
    endpoint: createEndpoint(own),
    tools: { crypto, rng: stream },
    address,
    log: [],
  });
  return {
    now: 0,
    initiator: side("initiator", gm, a, rng.fork("initiator")),
    responder: side("responder", ks, b, rng.fork("responder")),
    flight: [],
    sent: [],
    lose: () => false,
    decide: acceptAll,
    order: 0,
  };
}

/** The room above: whoever proved its identity is welcome, every request gets an empty answer. */
export const acceptAll: Decide = (pair, side, outcome) => {
  if (outcome.kind === "authenticating") {
    return answerAuth(side.endpoint, side.tools, outcome.sa, { accept: true, payloads: [] }, pair.now);
  }
  if (outcome.kind === "request") {
    return respond(side.endpoint, side.tools, outcome.sa, outcome.messageId, [], pair.now);
  }
  return [];
};

export function other(pair: Pair, side: Side): Side {
  return side === pair.initiator ? pair.responder : pair.initiator;
}

/** Carries out what a call returned: datagrams go on their way, the rest is logged and decided upon. */
export function carryOut(pair: Pair, side: Side, outcomes: readonly IkeOutcome[]): void {
  for (const outcome of outcomes) {
    if (outcome.kind === "send") {
      const lost = pair.lose(pair.sent.length, side.name);
      pair.sent.push({ from: side.name, octets: outcome.octets, at: pair.now, lost });
      const datagram = { local: outcome.remote, remote: outcome.local, octets: outcome.octets };
      if (!lost) pair.flight.push({ at: pair.now + DELAY, order: pair.order++, to: other(pair, side), datagram });
      continue;
    }
    side.log.push(outcome);
    carryOut(pair, side, pair.decide(pair, side, outcome));
  }
}

/** What happens next, at the instant at which it is due. False where nothing is due any more. */
export function step(pair: Pair): boolean {
  const arrival = pair.flight[0];
  const deadlines = [pair.initiator, pair.responder].map((side) => nextDeadline(side.endpoint) ?? Infinity);
  const next = Math.min(arrival?.at ?? Infinity, ...deadlines);
  if (next === Infinity) return false;
  pair.now = next;
  if (arrival !== undefined && arrival.at === next) {
    pair.flight.shift();
    const { endpoint, tools } = arrival.to;
    carryOut(pair, arrival.to, receive(endpoint, tools, arrival.datagram, next));
    return true;
  }
  const side = deadlines[0] === next ? pair.initiator : pair.responder;
  carryOut(pair, side, expire(side.endpoint, side.tools, next));
  return true;
}

/** Runs until nothing is on its way, or to the end where deadlines are to be waited for. */
export function settle(pair: Pair): void {
  while (pair.flight.length > 0) step(pair);
}

/** Runs until `until` (microseconds) or until nothing is left to happen. */
export function run(pair: Pair, until: Micros = Infinity): void {
  const nextAt = () =>
    Math.min(
      pair.flight[0]?.at ?? Infinity,
      nextDeadline(pair.initiator.endpoint) ?? Infinity,
      nextDeadline(pair.responder.endpoint) ?? Infinity,
    );
  while (nextAt() <= until && step(pair));
  if (until !== Infinity) pair.now = until;
}

export const IDG: Payload = { kind: "IDg", body: keyId("1111") };

/** Begins an SA from the initiator's side; returns its number there. */
export function connect(pair: Pair, change: Partial<InitiateOptions> = {}): number {
  const { initiator, responder } = pair;
  const options: InitiateOptions = {
    local: initiator.address,
    remote: responder.address,
    profile: "default",
    authExchange: Exchange.IKE_AUTH,
    payloads: [],
    ...change,
  };
  carryOut(pair, initiator, initiate(initiator.endpoint, initiator.tools, options, pair.now));
  return lastSa(initiator.endpoint);
}

/** Both sides established; returns the SA's number on the initiator's and on the responder's side. */
export function establishedPair(options: PairOptions = {}): Pair {
  const pair = createPair(options);
  connect(pair);
  settle(pair);
  return pair;
}

export function kinds(side: Side): string[] {
  return side.log.filter((outcome) => outcome.kind !== "event" && outcome.kind !== "keys").map(({ kind }) => kind);
}

export function events(side: Side): string[] {
  return side.log.flatMap((outcome) => (outcome.kind === "event" ? [outcome.name] : []));
}

export function closedReasons(side: Side): string[] {
  return side.log.flatMap((outcome) => (outcome.kind === "closed" ? [outcome.reason] : []));
}

export function outcomesOf<K extends IkeOutcome["kind"]>(side: Side, kind: K): Extract<IkeOutcome, { kind: K }>[] {
  return side.log.filter((outcome): outcome is Extract<IkeOutcome, { kind: K }> => outcome.kind === kind);
}

/** Inner payloads of the shortest GSA_INBAND_REKEY: a request that the room above must answer. */
export const DELETE_TEK: readonly Payload[] = [
  { kind: "D", body: { protocol: 3, spiSize: 4, spis: [Uint8Array.of(1, 2, 3, 4)] } },
];
