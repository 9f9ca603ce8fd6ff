/**
 * Two IKEv1 endpoints, two queues, a delay, and a virtual clock that jumps to whatever is due next. `lose` says which
 * datagrams get lost; a `Decide` function stands for the room above.
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
  EndpointConfig,
  Ikev1Outcome,
  Ikev1Profile,
  InitiateOptions,
  IsakmpPolicy,
  Tools,
} from "../../src/ikev1/api.ts";
import {
  answerAuth,
  createEndpoint,
  expire,
  type Ikev1Endpoint,
  initiate,
  lastSa,
  nextDeadline,
  receive,
} from "../../src/ikev1/endpoint.ts";
import type { Id } from "../../src/wire/isakmp.ts";
import { IsakmpIdType } from "../../src/wire/isakmpNumbers.ts";

export type SideName = "initiator" | "responder";

export interface Side {
  readonly name: SideName;
  readonly endpoint: Ikev1Endpoint;
  readonly tools: Tools;
  readonly address: Endpoint;
  /** Every outcome but datagrams, in order. */
  readonly log: Ikev1Outcome[];
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
  readonly remote: Endpoint;
}

export type Decide = (pair: Pair, side: Side, outcome: Ikev1Outcome) => readonly Ikev1Outcome[];

export interface Pair {
  now: Micros;
  readonly initiator: Side;
  readonly responder: Side;
  readonly flight: InFlight[];
  /** All datagrams, lost ones included. */
  readonly sent: Sent[];
  lose: (number: number, from: SideName) => boolean;
  /** What a NAT makes of a datagram's source on its way. */
  translate: (source: Endpoint, from: SideName) => Endpoint;
  /** Back from a translated address to the one behind it. */
  restore: (target: Endpoint, from: SideName) => Endpoint;
  decide: Decide;
  order: number;
}

export const DELAY: Micros = 10 * MILLISECOND;

export const POLICY: IsakmpPolicy = {
  encryption: 7,
  keyBits: 128,
  hash: 2,
  group: 19,
  authentication: 1,
  lifetimeSeconds: 0,
};

export function fqdn(text: string): Id {
  return { type: IsakmpIdType.FQDN, protocol: 0, port: 0, data: utf8(text) };
}

export function profile(local: Id, change: Partial<Ikev1Profile> = {}): Ikev1Profile {
  return {
    name: "default",
    localIdentity: local,
    match: { remoteAddresses: [], remoteIdentities: [], anyRemote: true },
    ...change,
  };
}

export const ANY_KEY = {
  address: { network: "0.0.0.0", mask: "0.0.0.0" },
  key: secret(utf8("shared")),
};

export function config(own: Ikev1Profile, change: Partial<EndpointConfig> = {}): EndpointConfig {
  return { policies: [POLICY], profiles: [own], keys: [ANY_KEY], ...change };
}

export interface PairOptions {
  readonly initiator?: Partial<EndpointConfig>;
  readonly responder?: Partial<EndpointConfig>;
  readonly crypto?: Crypto;
  readonly port?: number;
}

export function createPair(options: PairOptions = {}): Pair {
  const rng = createRng("pair");
  const { crypto = native, port = 848 } = options;
  const side = (name: SideName, own: EndpointConfig, address: string, stream: Rng): Side => ({
    name,
    endpoint: createEndpoint(own),
    tools: { crypto, rng: stream },
    address: { address, port },
    log: [],
  });
  const gm = config(profile(fqdn("gm1.example")), options.initiator);
  const ks = config(profile(fqdn("ks1.example")), options.responder);
  return {
    now: 0,
    initiator: side("initiator", gm, "192.0.2.1", rng.fork("initiator")),
    responder: side("responder", ks, "192.0.2.2", rng.fork("responder")),
    flight: [],
    sent: [],
    lose: () => false,
    translate: (source) => source,
    restore: (target) => target,
    decide: acceptAll,
    order: 0,
  };
}

/** The room above: whoever named itself is welcome. */
export const acceptAll: Decide = (pair, side, outcome) =>
  outcome.kind === "authenticating"
    ? answerAuth(side.endpoint, side.tools, outcome.sa, { accept: true }, pair.now)
    : [];

export function other(pair: Pair, side: Side): Side {
  return side === pair.initiator ? pair.responder : pair.initiator;
}

export function carryOut(pair: Pair, side: Side, outcomes: readonly Ikev1Outcome[]): void {
  for (const outcome of outcomes) {
    if (outcome.kind === "send") {
      const { octets, local, remote } = outcome;
      const lost = pair.lose(pair.sent.length, side.name);
      pair.sent.push({ from: side.name, octets, at: pair.now, lost, remote });
      const datagram = { local: pair.restore(remote, side.name), remote: pair.translate(local, side.name), octets };
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

/** Runs until nothing is on its way. */
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

/** Begins an SA from the initiator's side; returns its number there. */
export function connect(pair: Pair, change: Partial<InitiateOptions> = {}): number {
  const { initiator, responder } = pair;
  const options = { local: initiator.address, remote: responder.address, profile: "default", ...change };
  carryOut(pair, initiator, initiate(initiator.endpoint, initiator.tools, options, pair.now));
  return lastSa(initiator.endpoint);
}

/** An SA that stands on both sides, with number 1. */
export function establishedPair(options: PairOptions = {}, change: Partial<InitiateOptions> = {}): Pair {
  const pair = createPair(options);
  connect(pair, change);
  settle(pair);
  return pair;
}

export function outcomesOf<K extends Ikev1Outcome["kind"]>(side: Side, kind: K): Extract<Ikev1Outcome, { kind: K }>[] {
  return side.log.filter((outcome): outcome is Extract<Ikev1Outcome, { kind: K }> => outcome.kind === kind);
}

export function closedReasons(side: Side): string[] {
  return outcomesOf(side, "closed").map(({ reason }) => reason);
}

export function events(side: Side): string[] {
  return outcomesOf(side, "event").map(({ name }) => name);
}

export function isUp(side: Side): boolean {
  return [...side.endpoint.sas.values()].some((sa) => sa.phase.at === "established");
}

/** Hands an altered copy of a datagram to a side, as if it came from the other. */
export function inject(pair: Pair, to: Side, octets: Bytes): void {
  const { endpoint, tools, address: local } = to;
  carryOut(pair, to, receive(endpoint, tools, { local, remote: other(pair, to).address, octets }, pair.now));
}
