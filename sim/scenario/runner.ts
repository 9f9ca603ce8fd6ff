/**
 * A run of a scenario: built, driven in slices, reported. Pure: the same scenario, seed and number of the run leave the
 * same trace in every host, with every back end, with and without shared results.
 */
import { assert } from "../../src/base/errors.ts";
import type { Micros } from "../../src/base/micros.ts";
import { SECOND } from "../../src/base/micros.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import type { KeyEntry } from "../../src/crypto/keyEntry.ts";
import { sendersOf } from "../../src/esp/dataPlane.ts";
import { createChecker } from "../check/checker.ts";
import type { MemberView } from "../check/members.ts";
import { createMetrics, type Protection } from "../check/metrics.ts";
import type { Spill } from "../core/blockList.ts";
import type { Sha256 } from "../core/fingerprint.ts";
import type { KeyExchange } from "../core/keyExchange.ts";
import { createRng } from "../core/rng.ts";
import { Scheduler } from "../core/scheduler.ts";
import { Trace, type TraceLevel } from "../core/trace.ts";
import type { TraceEnd, TraceHead } from "../core/traceTypes.ts";
import { createNetwork, perform } from "../device/network.ts";
import type { Network } from "../device/networkState.ts";
import type { Action } from "../device/spec.ts";
import { headOf } from "./head.ts";
import { keyForecast } from "./keyForecast.ts";
import { memoCrypto } from "./memo.ts";
import { withCertificates } from "./pki.ts";
import { routerSpec } from "./reconfigure.ts";
import type { Report } from "./report.ts";
import type { Scenario } from "./scenario.ts";

export interface RunOptions {
  readonly crypto: Crypto;
  /** Of all random streams; the scenario's own unless told. */
  readonly seed?: string;
  /** Number of the repetition, 0 unless told: other draws under the same seed, the same long-term keys. */
  readonly run?: number;
  /** Ends the run earlier than the scenario does. */
  readonly untilMicros?: Micros;
  /** Results of pure functions are shared between devices; default true. */
  readonly memo?: boolean;
  /** Of a host with processors to spare: the back end with results at hand that the run will ask for. Used with the memo. */
  readonly ahead?: (crypto: Crypto, seed: string, forecast: readonly KeyExchange[]) => Crypto;
  /** Default `full`. Without events (`off`) nothing can be checked or measured. */
  readonly traceLevel?: TraceLevel;
  /** SHA-256 of the host, for the fingerprint. */
  readonly hash?: Sha256;
  /** Where the trace goes that memory has no room for; without it all stays in memory. */
  readonly spill?: Spill;
}

/** How far one call of `step` goes: whatever comes first. Without bounds it goes to the end. */
export interface Slice {
  /** Events of the queue. */
  readonly maxEvents?: number;
  /** Events of this instant are still handled. */
  readonly untilMicros?: Micros;
}

export interface Run {
  readonly head: TraceHead;
  readonly trace: Trace;
  readonly now: Micros;
  readonly done: boolean;
  /** To be looked at from outside (see `views.ts` of sim/device); changed by `perform` only. */
  readonly network: Network;
  /** Lets the next events happen. */
  step(slice?: Slice): void;
  /** Lets time pass: everything up to `time` happens, that instant included, and then it is `time`, or the end. */
  passTo(time: Micros): void;
  /** Does something that is not in the scenario's timeline, now. */
  perform(action: Action): void;
  /** Keys that have been negotiated and handed out so far, oldest first. */
  keys(): readonly KeyEntry[];
  end(): TraceEnd;
  /** At any time; what has not been decided yet is inconclusive. */
  report(): Report;
}

/** Builds a run; nothing has happened yet. */
export function createRun(scenario: Scenario, options: RunOptions): Run {
  const { seed = scenario.seed, run: number = 0, memo = true, traceLevel = "full" } = options;
  const root = createRng(seed);
  const trace = new Trace({ level: traceLevel, sha256: options.hash, spill: options.spill });
  const scheduler = new Scheduler();
  const keys = root.fork("keys");
  const nodes = withCertificates(scenario.pki, scenario.nodes, keys, options.crypto);
  const devices = nodes.map((node) => (node.kind === "host" ? node : routerSpec(node, keys)));
  const { links, clouds, timeline, ospfHellos } = scenario;
  const rng = root.fork(`run${number}`);
  const { ahead = (given: Crypto) => given } = options;
  const crypto = memo ? memoCrypto(ahead(options.crypto, seed, keyForecast(devices, rng))) : options.crypto;
  const network = createNetwork({ devices, links, clouds, timeline, ospfHellos }, { rng, crypto, trace, scheduler });
  const head = headOf(scenario, seed, number);
  const checker = createChecker(scenario.expectations, (device) => memberView(network, device));
  const metrics = createMetrics((device) => protection(network, device), scenario.parts);
  const until = Math.min(scenario.duration, options.untilMicros ?? scenario.duration);
  let isOver = false;
  let seen = 0;
  // Behind what the timeline has planned for that instant, before what only comes up on the way there.
  const end = scheduler.register("end of the run", () => {
    isOver = true;
  });
  scheduler.schedule(until, end, 0);

  const follow = () => {
    if (traceLevel === "off") return;
    for (; seen < trace.events; seen++) {
      const event = trace.event(seen);
      metrics.watch(event);
      checker.watch(event);
    }
  };
  const isDone = () => isOver || scheduler.handled >= scenario.limits.events;
  const isComplete = () => isOver && until === scenario.duration && traceLevel !== "off";

  const tick = scheduler.register("an instant that somebody waits for", () => undefined);
  const step = ({ maxEvents = Number.POSITIVE_INFINITY, untilMicros = Number.POSITIVE_INFINITY }: Slice = {}) => {
    const isBounded = untilMicros < until;
    for (let count = 0; count < maxEvents && !isDone(); count++) {
      if (isBounded && scheduler.nextTime()! > untilMicros) break;
      const went = scheduler.step();
      assert(went, "the end of the run is pending until it comes");
      // One by one, because what members hold is looked at as each event has left it.
      follow();
    }
  };

  return {
    head,
    trace,
    network,
    get now() {
      return scheduler.now;
    },
    get done() {
      return isDone();
    },
    step,
    passTo(time) {
      step({ untilMicros: time });
      if (isDone() || scheduler.now >= time) return;
      scheduler.schedule(time, tick, 0);
      step({ untilMicros: time });
    },
    perform(action) {
      perform(network, action);
      follow();
    },
    keys: () => network.keys.map(({ entry }) => entry),
    end: () => ({
      fingerprint: trace.fingerprint(),
      events: trace.events,
      packets: trace.packets,
      virtualMicros: scheduler.now,
    }),
    report() {
      const figures = metrics.figures();
      return {
        scenario: scenario.name,
        seed,
        run: number,
        fingerprint: trace.fingerprint(),
        events: trace.events,
        packets: trace.packets,
        virtualSeconds: scheduler.now / SECOND,
        isComplete: isComplete(),
        expectations: checker.outcomes({ now: scheduler.now, isComplete: isComplete(), metrics: figures }),
        metrics: figures,
        ignored: scenario.ignored,
      };
    },
  };
}

/** What a router holds and has sealed; undefined for a device without a data plane. */
function protection(network: Network, number: number): Protection | undefined {
  const device = network.devices[number];
  if (device === undefined || device.planes.size + device.pairPlanes.size === 0) return undefined;
  const ofGroups = new Set([...device.planes.values()].flatMap(sendersOf));
  const ofPairs = [...device.pairPlanes.values()].flatMap(({ senders }) => [...senders]);
  return { dataSas: ofGroups.size + ofPairs.length, ...device.sealed };
}

/** What the data planes of a router hold; undefined for a device without any. */
function memberView(network: Network, number: number): MemberView | undefined {
  const device = network.devices[number];
  if (device === undefined || !device.isUp || device.planes.size === 0) return undefined;
  const planes = [...device.planes.values()];
  return {
    sendsWith: planes.flatMap(sendersOf),
    opens: new Map(planes.flatMap(({ sas }) => [...sas.values()].map(({ sa }) => [sa.spi, sa.expiresAt] as const))),
  };
}
