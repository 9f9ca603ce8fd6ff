/** What the campaign must know of each kind of machine: how it is called, how its messages are read and sealed again. */
import type { Bytes } from "../../src/base/bytes.ts";
import type { Datagram } from "../../src/base/machine.ts";
import type { Micros } from "../../src/base/micros.ts";
import type { Rng } from "../../src/base/rng.ts";
import { type GmState, handleGm, nextGmTimeout } from "../../src/gm/groupMember.ts";
import { expire as expireIkev1, nextDeadline as ikev1Deadline } from "../../src/ikev1/endpoint.ts";
import type { IkeOutcome, Tools } from "../../src/ikev2/api.ts";
import {
  answerAuth,
  expire as expireIkev2,
  type IkeEndpoint,
  nextDeadline as ikev2Deadline,
  receive,
  respond,
} from "../../src/ikev2/endpoint.ts";
import { handleKs, type KsState, nextKsTimeout } from "../../src/ks/keyServer.ts";
import { GDOI } from "../../src/wire/isakmpPayloads.ts";
import { DER_FORMAT, type Format, IKEV2_FORMAT, ISAKMP_FORMAT, isakmpFormat } from "./format.ts";
import type { InnerMutator } from "./inner.ts";
import type { Recording, Role } from "./record.ts";
import {
  handleAuthority,
  handleCertificate,
  handleCrl,
  recordCertificates,
  type TrustMachine,
} from "./recordCertificates.ts";
import { recordGroups } from "./recordGroup.ts";
import { recordIke } from "./recordIke.ts";
import { handleIsakmp, type IsakmpMachine, recordIsakmp } from "./recordIsakmp.ts";
import { type AckMachine, handleAck, handlePush, type PushMachine, recordPushes } from "./recordPush.ts";
import { resealIke } from "./resealIke.ts";
import { resealAck, resealIsakmp, resealPush, resealToGm, resealToKs } from "./resealIsakmp.ts";

export interface Output {
  readonly kind: string;
}

/** A recorded message with mutated payloads, sealed as its sender would have; undefined where nothing seals it. */
export type Reseal = (recording: Recording, mutate: InnerMutator, rng: Rng) => Bytes | undefined;

interface Deadlines {
  readonly next: (state: unknown) => Micros | undefined;
  readonly run: (state: unknown, tools: Tools, now: Micros) => readonly Output[];
}

interface Machine {
  readonly handle: (state: unknown, tools: Tools, datagram: Datagram, now: Micros) => readonly Output[];
  /** What its deadlines bring. */
  readonly expire: Deadlines;
  readonly format: Format;
  readonly reseal: Reseal;
}

/** Whoever proved its identity is welcome, every request gets an empty answer. */
function handleIke(endpoint: IkeEndpoint, tools: Tools, datagram: Datagram, now: Micros): IkeOutcome[] {
  const settle = (outcomes: readonly IkeOutcome[]): IkeOutcome[] =>
    outcomes.flatMap((one) => {
      if (one.kind === "authenticating") {
        return [one, ...settle(answerAuth(endpoint, tools, one.sa, { accept: true, payloads: [] }, now))];
      }
      if (one.kind === "request") return [one, ...settle(respond(endpoint, tools, one.sa, one.messageId, [], now))];
      return [one];
    });
  return settle(receive(endpoint, tools, datagram, now));
}

const ROOMS: Pick<Machine, "format" | "reseal"> = { format: IKEV2_FORMAT, reseal: resealIke };
const REKEYS = isakmpFormat(GDOI);
const nothing: Reseal = () => undefined;
const timeless: Deadlines = { next: () => undefined, run: () => [] };
const KS: Deadlines = {
  next: (state) => nextKsTimeout(state as KsState),
  run: (state, tools, now) => handleKs(state as KsState, tools, { kind: "timeout" }, now),
};
const GM: Deadlines = {
  next: (state) => nextGmTimeout(state as GmState),
  run: (state, tools, now) => handleGm(state as GmState, tools, { kind: "timeout" }, now),
};
const IKE: Deadlines = {
  next: (state) => ikev2Deadline(state as IkeEndpoint),
  run: (state, tools, now) => expireIkev2(state as IkeEndpoint, tools, now),
};
const ISAKMP_SAS: Deadlines = {
  next: (state) => ikev1Deadline((state as IsakmpMachine).endpoint),
  run: (state, tools, now) => expireIkev1((state as IsakmpMachine).endpoint, tools, now),
};

type Handler = Pick<Machine, "handle" | "expire">;

const KEY_SERVER: Handler = {
  expire: KS,
  handle: (state, tools, datagram, now) => handleKs(state as KsState, tools, { kind: "datagram", datagram }, now),
};
const GROUP_MEMBER: Handler = {
  expire: GM,
  handle: (state, tools, datagram, now) => handleGm(state as GmState, tools, { kind: "datagram", datagram }, now),
};

export const MACHINES: Readonly<Record<Role, Machine>> = {
  ks: { ...KEY_SERVER, ...ROOMS },
  gm: { ...GROUP_MEMBER, ...ROOMS },
  gdoiKs: { ...KEY_SERVER, format: REKEYS, reseal: resealToKs },
  gdoiGm: { ...GROUP_MEMBER, format: REKEYS, reseal: resealToGm },
  ike: {
    ...ROOMS,
    expire: IKE,
    handle: (state, tools, datagram, now) => handleIke(state as IkeEndpoint, tools, datagram, now),
  },
  isakmp: {
    format: ISAKMP_FORMAT,
    reseal: resealIsakmp,
    expire: ISAKMP_SAS,
    handle: (state, tools, datagram, now) => handleIsakmp(state as IsakmpMachine, tools, datagram, now),
  },
  push: {
    format: REKEYS,
    reseal: resealPush,
    expire: timeless,
    handle: (state, tools, datagram) => handlePush(state as PushMachine, tools, datagram),
  },
  ack: {
    format: REKEYS,
    reseal: resealAck,
    expire: timeless,
    handle: (state, tools, datagram) => handleAck(state as AckMachine, tools, datagram),
  },
  certificate: {
    format: DER_FORMAT,
    reseal: nothing,
    expire: timeless,
    handle: (state, tools, datagram) => handleCertificate(state as TrustMachine, tools, datagram),
  },
  authority: {
    format: DER_FORMAT,
    reseal: nothing,
    expire: timeless,
    handle: (state, tools, datagram) => handleAuthority(state as TrustMachine, tools, datagram),
  },
  crl: {
    format: DER_FORMAT,
    reseal: nothing,
    expire: timeless,
    handle: (state, tools, datagram) => handleCrl(state as TrustMachine, tools, datagram),
  },
};

/** Every datagram of every session. */
export function recordAll(): readonly Recording[] {
  return [...recordGroups(), ...recordIke(), ...recordIsakmp(), ...recordPushes(), ...recordCertificates()];
}
