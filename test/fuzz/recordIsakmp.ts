/**
 * IKEv1 sessions: Main and Aggressive Mode with pre-shared keys and RSA signatures, GROUPKEY-PULL, dead peer detection,
 * Informationals. The machine is an endpoint with the PULLs beside it; the room above takes who is vouched for and grants
 * one policy.
 */
import { EMPTY } from "../../src/base/bytes.ts";
import type { Datagram } from "../../src/base/machine.ts";
import type { Micros } from "../../src/base/micros.ts";
import { type IsakmpConfig, judgePeer } from "../../src/gdoi/peerCertificates.ts";
import {
  createPulls,
  grantKeys,
  offerPolicy,
  type PullOutcome,
  type Pulls,
  startPull,
  takePullOutcome,
} from "../../src/gdoi/pull.ts";
import { DEFAULT_SWITCHES } from "../../src/gdoi/switches.ts";
import type { Ikev1Outcome, Phase1Mode, Tools } from "../../src/ikev1/api.ts";
import { answerAuth, close, type Ikev1Endpoint, inform, probe, receive } from "../../src/ikev1/endpoint.ts";
import { distinguishedName } from "../../src/pki/identity.ts";
import { Doi, IsakmpNotifyType, IsakmpProtocol } from "../../src/wire/isakmpNumbers.ts";
import { POLICY as GROUP_POLICY, keysFor } from "../gdoi/group.ts";
import { carryOut, config, connect, createPair, type PairOptions, POLICY, profile, type Side } from "../ikev1/pair.ts";
import { type Holder, NOW } from "../pki/authority.ts";
import { RSA_GM, RSA_KS, SUB, trustpointOf } from "./certificates.ts";
import type { Recording } from "./record.ts";

export interface IsakmpMachine {
  readonly endpoint: Ikev1Endpoint;
  readonly pulls: Pulls;
}

const GRANTED = { ...GROUP_POLICY, kek: { ...GROUP_POLICY.kek!, acknowledgement: 1 }, senderIdBits: 16 };
const GRANTED_KEYS = keysFor(GRANTED);

/** What the room above answers to an outcome; nothing where it is not asked. */
function decide({ endpoint, pulls }: IsakmpMachine, tools: Tools, outcome: PullOutcome, now: Micros) {
  switch (outcome.kind) {
    case "authenticating":
      return answerAuth(endpoint, tools, outcome.sa, judgePeer(tools.crypto, endpoint.config, outcome, now), now);
    case "pullAsked":
      return offerPolicy(pulls, endpoint, tools, outcome.pull, { policy: GRANTED, keys: GRANTED_KEYS }, now);
    case "pullWanted": {
      const senderIds = Array.from({ length: Math.min(outcome.senderIds, 8) }, (_, index) => index + 1);
      return grantKeys(pulls, endpoint, tools, outcome.pull, { senderIds }, now);
    }
    case "pullGranted":
    case "pullRefused":
      return [];
    default:
      return takePullOutcome(pulls, endpoint, tools, outcome, now);
  }
}

/** All that outcomes lead to, those of the room above included, in order. */
function settle(machine: IsakmpMachine, tools: Tools, outcomes: readonly PullOutcome[], now: Micros): PullOutcome[] {
  return outcomes.flatMap((one) => [one, ...settle(machine, tools, decide(machine, tools, one, now), now)]);
}

export function handleIsakmp(machine: IsakmpMachine, tools: Tools, datagram: Datagram, now: Micros): PullOutcome[] {
  return settle(machine, tools, receive(machine.endpoint, tools, datagram, now), now);
}

// ----------------------------------------------------------------------------------------------------------- recording

interface Session {
  readonly name: string;
  readonly mode: Phase1Mode;
  readonly options: PairOptions;
}

function record({ name, mode, options }: Session): Recording[] {
  const recordings: Recording[] = [];
  const pair = createPair(options);
  const pulls = new Map([pair.initiator, pair.responder].map((side) => [side, createPulls(DEFAULT_SWITCHES)]));
  const machineOf = (side: Side): IsakmpMachine => ({ endpoint: side.endpoint, pulls: pulls.get(side)! });
  // `settle` has asked the room above already.
  pair.decide = () => [];
  const take = (side: Side, outcomes: readonly PullOutcome[]): void => {
    carryOut(pair, side, settle(machineOf(side), side.tools, outcomes, pair.now) as Ikev1Outcome[]);
  };
  const drain = (): void => {
    for (let next = pair.flight.shift(); next !== undefined; next = pair.flight.shift()) {
      const { to, datagram, at } = next;
      pair.now = at;
      recordings.push({
        session: name,
        role: "isakmp",
        exchange: datagram.octets[18] ?? 0,
        response: to === pair.initiator,
        datagram,
        now: at,
        state: structuredClone(machineOf(to)),
        tools: to.tools,
        keys: [],
      });
      take(to, receive(to.endpoint, to.tools, datagram, at));
    }
  };
  const { initiator, responder } = pair;
  const sa = connect(pair, { mode });
  drain();
  const registration = { group: { kind: "number", number: 1234 } as const, senderIds: 3 };
  const { endpoint, tools } = initiator;
  const pull = startPull(pulls.get(initiator)!, endpoint, tools, sa, registration, pair.now);
  take(initiator, pull.outcomes);
  drain();
  take(initiator, probe(endpoint, tools, sa, pair.now));
  drain();
  const notify = {
    doi: Doi.GDOI,
    protocol: IsakmpProtocol.ISAKMP,
    type: IsakmpNotifyType["INVALID-ID-INFORMATION"],
    spi: EMPTY,
    data: EMPTY,
  };
  take(responder, inform(responder.endpoint, responder.tools, sa, { kind: "N", body: notify }, pair.now));
  drain();
  const deletion = { doi: Doi.GDOI, protocol: 1, spiSize: 4, count: 1, spis: [Uint8Array.of(0, 0, 0x10, 0)] };
  take(responder, inform(responder.endpoint, responder.tools, sa, { kind: "D", body: deletion }, pair.now));
  drain();
  take(initiator, close(endpoint, tools, sa, pair.now));
  drain();
  return recordings;
}

function signed(own: readonly Holder[]): PairOptions["initiator"] {
  const { certificate, key: signer } = own[0]!;
  const identity = { ...distinguishedName(certificate.subject), protocol: 0, port: 0 };
  const holder = profile(identity, { signer, certificates: own.map(({ octets }) => octets) });
  const trust: Partial<IsakmpConfig> = { trustpoints: [trustpointOf(own)], epoch: NOW };
  return { ...config(holder, { policies: [{ ...POLICY, authentication: 3 }], keys: [] }), ...trust };
}

const SIGNED: PairOptions = { initiator: signed([RSA_GM, SUB]), responder: signed([RSA_KS]) };
/** Two policies, so that an answer has something to choose from; 3DES and a MODP group of 1,536 bits. */
const CLASSIC: PairOptions = {
  initiator: { policies: [POLICY, { ...POLICY, encryption: 5, keyBits: 0, hash: 1, group: 5 }] },
  responder: { policies: [{ ...POLICY, encryption: 5, keyBits: 0, hash: 1, group: 5 }] },
};

export function recordIsakmp(): readonly Recording[] {
  const sessions: readonly Session[] = [
    { name: "Main Mode, pre-shared key", mode: "main", options: {} },
    { name: "Main Mode, pre-shared key, 3DES and MODP 5", mode: "main", options: CLASSIC },
    { name: "Main Mode, RSA signatures", mode: "main", options: SIGNED },
    { name: "Aggressive Mode, pre-shared key", mode: "aggressive", options: {} },
    { name: "Aggressive Mode, RSA signatures", mode: "aggressive", options: SIGNED },
  ];
  return sessions.flatMap(record);
}
