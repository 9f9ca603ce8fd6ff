/**
 * One run of `getvpn live ike`: the peer machine on real sockets, and the steps of the command one after the other, each
 * begun by an event of the one before.
 */
import type { Happened, Machine, Send } from "../../src/base/machine.ts";
import { MILLISECOND, type Micros } from "../../src/base/micros.ts";
import { native } from "../../src/crypto/native.ts";
import { localAddress } from "../../src/host/localAddress.ts";
import { realClock } from "../../src/host/realClock.ts";
import { realRng } from "../../src/host/realRng.ts";
import { type Driver, driveUdp } from "../../src/host/udpDriver.ts";
import type { PeerCommand, PeerInput, PeerOutput } from "../../src/peer/api.ts";
import { parseIdentity } from "../../src/peer/identity.ts";
import { createPeer, type PeerState, peerMachine } from "../../src/peer/peer.ts";
import { isClosing, type PeerStatus, peerStatus } from "../../src/peer/status.ts";
import { NotifyType } from "../../src/wire/ikev2Numbers.ts";
import { nameOf } from "../../src/wire/kit.ts";
import { type LiveCapture, noteDatagram } from "./liveCapture.ts";
import type { LiveIkePlan, RekeyTarget } from "./liveOptions.ts";

/**
 * `refused`: the peer, or we, would not have it. `lost`: a ping was not answered. `timeout`: nothing came, or a step took
 * too long. `interrupted`: by the operator.
 */
export type LiveEnd = "ok" | "refused" | "lost" | "timeout" | "interrupted";

export interface LiveSummary {
  readonly end: LiveEnd;
  /** In words. */
  readonly reason: string;
  readonly role: "initiator" | "responder";
  readonly local: string;
  readonly remote: string;
  readonly identity: string;
  readonly ikeSuite: string;
  readonly espSuite: string;
  readonly pingsSent: number;
  readonly pingsReceived: number;
  readonly ikeRekeys: number;
  readonly childRekeys: number;
}

export interface LiveListener {
  event(event: Happened, now: Micros): void;
  /** The sockets are bound. */
  bound(address: string, port: number): void;
}

const PING_INTERVAL: Micros = 200 * MILLISECOND;
/** How long the answer to our Delete is waited for: the tunnel is gone for us either way. */
const GOODBYE_MILLIS = 2_000;

/** Waits for events by what they are. */
interface Waiter {
  readonly wants: (event: Happened) => boolean;
  readonly done: (event: Happened | undefined) => void;
}

interface Live {
  readonly plan: LiveIkePlan;
  readonly state: PeerState;
  readonly driver: Driver<PeerInput>;
  readonly waiters: Set<Waiter>;
  readonly counts: Counts;
}

interface Counts {
  sent: number;
  received: number;
  ike: number;
  child: number;
  /** As it was while there was something to tell. */
  status: PeerStatus;
}

/** Thrown through the steps to where the run ends; no fault. */
class Ended extends Error {
  readonly end: LiveEnd;

  constructor(end: LiveEnd, reason: string) {
    super(reason);
    this.end = end;
  }
}

/** Rejects only where a socket cannot be bound or there is no route. `stop`: the operator's interrupt. */
export async function runLiveIke(
  plan: LiveIkePlan,
  capture: LiveCapture,
  listener: LiveListener,
  stop: AbortSignal,
): Promise<LiveSummary> {
  const live = await start(plan, capture, listener);
  const interrupted = () => settle(live, INTERRUPT);
  stop.addEventListener("abort", interrupted);
  let end: LiveEnd = "ok";
  let reason = "";
  try {
    await perform(live);
  } catch (error) {
    if (!(error instanceof Ended)) throw error;
    end = error.end;
    reason = error.message;
  } finally {
    stop.removeEventListener("abort", interrupted);
  }
  await goodbye(live);
  const { sent, received, ike, child, status } = live.counts;
  const { address, port } = live.driver.bound[0]!;
  return {
    end: end === "ok" && received < sent ? "lost" : end,
    reason,
    role: plan.remote === undefined ? "responder" : "initiator",
    local: `${address}:${port}`,
    ...status,
    pingsSent: sent,
    pingsReceived: received,
    ikeRekeys: ike,
    childRekeys: child,
  };
}

async function start(plan: LiveIkePlan, capture: LiveCapture, listener: LiveListener): Promise<Live> {
  const { remote } = plan;
  const address = plan.listen?.address ?? (await localAddress(remote!));
  const port = plan.listen?.port ?? 0;
  // Who has port 500 has 4500 beside it, for what comes through NATs.
  const listen = port === 500 ? [500, 4500] : [port];
  const clock = realClock();
  const waiters = new Set<Waiter>();
  let state: PeerState | undefined;
  const counts: Counts = { sent: 0, received: 0, ike: 0, child: 0, status: NOTHING };
  const driver = await driveUdp<PeerInput, PeerOutput>(
    listen.map((number) => ({ address, port: number })),
    (bound) => {
      const local = bound[0]!;
      state = createPeer({
        ...plan.peer,
        local,
        remote,
        natLocalPort: bound.at(-1)!.port,
        natRemotePort: plan.natRemotePort,
        localIdentity: parseIdentity(plan.localId ?? local.address)!,
      });
      return tapped(peerMachine(state, { crypto: native, rng: realRng() }), capture);
    },
    clock,
    (output, now) => {
      if (output.kind === "keys") {
        capture.keys.push(output.entry);
        return;
      }
      listener.event(output, now);
      count(counts, output);
      if (TELLING.includes(output.name)) counts.status = peerStatus(state!);
      for (const waiter of [...waiters]) if (waiter.wants(output)) waiter.done(output);
    },
  );
  counts.status = peerStatus(state!);
  listener.bound(driver.bound[0]!.address, driver.bound[0]!.port);
  return { plan, state: state!, driver, waiters, counts };
}

const NOTHING: PeerStatus = { remote: "", identity: "", ikeSuite: "", espSuite: "" };
/** Events after which there is more to tell than before. */
const TELLING = ["ike.established", "peer.tunnelUp", "peer.rekeyed", "peer.tunnelRefused"];

/** The machine with every datagram noted. */
function tapped(
  machine: Machine<PeerInput, PeerOutput>,
  capture: LiveCapture,
): Machine<PeerInput, Exclude<PeerOutput, Send> | Send> {
  return {
    handle(input, now) {
      if (input.kind === "datagram") noteDatagram(capture, input, false, now);
      const outputs = machine.handle(input, now);
      for (const output of outputs) if (output.kind === "send") noteDatagram(capture, output, true, now);
      return outputs;
    },
    nextTimeout: () => machine.nextTimeout(),
  };
}

function count(counts: Counts, { name, data }: Happened): void {
  if (name === "peer.rekeyed") counts.ike += 1;
  if (name === "peer.tunnelUp" && data.replaces !== undefined) counts.child += 1;
  if (name === "peer.pingDone") {
    counts.sent += Number(data.sent);
    counts.received += Number(data.received);
  }
}

// ------------------------------------------------------------------------------------------------------------- steps

async function perform(live: Live): Promise<void> {
  const { plan } = live;
  const isCaller = plan.remote !== undefined;
  // Who waits to be called has no deadline of its own.
  const up = isUp(live) ? undefined : await step(live, isCaller ? { name: "up" } : undefined, UP, isCaller);
  if (up?.name === "peer.tunnelRefused") throw new Ended("refused", `the tunnel${errorName(up)}`);
  await ping(live);
  for (const target of plan.rekeys) {
    await rekey(live, target);
    await ping(live);
  }
  await hold(live);
}

function isUp(live: Live): boolean {
  return live.state.tunnels.size > 0;
}

const UP = ["peer.tunnelUp", "peer.tunnelRefused"];

async function ping(live: Live): Promise<void> {
  const { pings, timeout } = live.plan;
  if (pings === 0) return;
  const command: PeerCommand = { name: "ping", count: pings, intervalMicros: PING_INTERVAL, timeoutMicros: timeout };
  // The pings have a deadline themselves.
  await step(live, command, ["peer.pingDone"], false);
}

async function rekey(live: Live, target: RekeyTarget): Promise<void> {
  if (target === "ike") await step(live, { name: "rekeyIke" }, ["peer.rekeyed"], true);
  else await step(live, { name: "rekeyChild" }, ["peer.tunnelDown"], true);
}

/** Keeps the tunnel; a peer that ends it then is no failure. */
async function hold(live: Live): Promise<void> {
  const { duration, remote } = live.plan;
  if (duration === undefined && remote !== undefined) return;
  const event = await waitFor(live, ({ name }) => name === "peer.ended", duration);
  if (event === INTERRUPT) throw new Ended("interrupted", "");
  if (event !== undefined && event.data.reason !== "deletedByPeer") throw endOf(event);
}

/** Gives a command and waits for one of these events. */
async function step(
  live: Live,
  command: PeerCommand | undefined,
  until: readonly string[],
  hasDeadline: boolean,
): Promise<Happened> {
  const wanted = [...until, "peer.ended", "peer.commandRefused"];
  const waiting = waitFor(live, ({ name }) => wanted.includes(name), hasDeadline ? live.plan.timeout : undefined);
  if (command !== undefined) live.driver.input({ kind: "command", command });
  const event = await waiting;
  if (event === undefined) throw new Ended("timeout", `${command?.name ?? "waiting"} took too long`);
  if (event === INTERRUPT) throw new Ended("interrupted", "");
  if (event.name === "peer.ended") throw endOf(event);
  if (event.name === "peer.commandRefused") throw new Ended("refused", `${command?.name}: ${event.data.reason}`);
  return event;
}

function endOf(event: Happened): Ended {
  const { data } = event;
  return new Ended(data.reason === "timeout" ? "timeout" : "refused", `${data.reason}${errorName(event)}`);
}

/** The notify that came with it. */
function errorName({ data }: Happened): string {
  const type = Number(data.notify);
  return type > 0 ? `, ${nameOf(NotifyType.space, type)}` : "";
}

const INTERRUPT: Happened = { kind: "event", name: "interrupt", data: {} };

/** The first event that fits; undefined where it took longer than `wait`. */
function waitFor(live: Live, wants: Waiter["wants"], wait: Micros | undefined): Promise<Happened | undefined> {
  return new Promise((resolve) => {
    const waiter: Waiter = {
      wants,
      done(event) {
        if (timer !== undefined) clearTimeout(timer);
        live.waiters.delete(waiter);
        resolve(event);
      },
    };
    const timer = wait === undefined ? undefined : setTimeout(() => waiter.done(undefined), wait / MILLISECOND);
    live.waiters.add(waiter);
  });
}

function settle(live: Live, event: Happened): void {
  for (const waiter of [...live.waiters]) waiter.done(event);
}

/** Deletes what still stands and gives the peer a moment to answer. */
async function goodbye(live: Live): Promise<void> {
  const { driver, state } = live;
  if (state.sas.length > 0) {
    driver.input({ kind: "command", command: { name: "down" } });
    const deadline = Date.now() + GOODBYE_MILLIS;
    while (isClosing(state) && Date.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  await driver.close();
}
