/**
 * A router with tunnels to single peers, as a machine: IKEv2 below, the crypto map's entries above. A packet that needs a
 * tunnel asks for it by the command `tunnelWanted`; whoever calls first, both ends have it then. What travels through it is
 * the data plane's affair (pairPlane.ts).
 *
 *     tunnelWanted -> an IKE SA with that peer stands -> CREATE_CHILD_SA -> pairUp
 *                  -> none                            -> IKE_SA_INIT, IKE_AUTH with the Child SA -> pairUp
 */
import type { Datagram, Endpoint, Happened, Machine, Send } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import type { KeyEntry } from "../crypto/keyEntry.ts";
import type { ClearIkeSas } from "../gikev2/clearIkeSas.ts";
import type { ChildPolicy, ChildView, EndpointConfig, IkeOutcome, SaNumber, Tools } from "../ikev2/api.ts";
import {
  answerAuth,
  closeChosen,
  createChild,
  createEndpoint,
  deleteChild,
  expire,
  type IkeEndpoint,
  initiate,
  lastSa,
  nextDeadline,
  receive,
  respond,
  saView,
} from "../ikev2/endpoint.ts";
import { notify } from "../ikev2/nat.ts";
import type { TrafficSelector } from "../wire/ikev2.ts";
import { Exchange, NotifyType } from "../wire/ikev2Numbers.ts";
import { happened } from "./events.ts";
import type { PairOrder } from "./pairPlane.ts";
import { covers } from "./selectors.ts";
import { createTunnel, hexSpi, suiteName, tunnelKeys } from "./tunnel.ts";

/** One entry of a crypto map. */
export interface SiteTunnel {
  /** `MESH 10`. */
  readonly name: string;
  readonly local: Endpoint;
  readonly peer: Endpoint;
  /** Name of the IKEv2 profile. */
  readonly profile: string;
  readonly child: ChildPolicy;
}

export interface SiteConfig {
  /** Its profiles grant every Child SA that one of their tunnels has; see `granted`. */
  readonly ike: EndpointConfig;
  readonly tunnels: readonly SiteTunnel[];
}

export type SiteCommand =
  | { readonly name: "tunnelWanted"; readonly tunnel: string }
  /** `clear crypto sa`: deletes Child SAs, and leaves their IKE SAs. `peer`: address; absent: all. */
  | { readonly name: "clearTunnels"; readonly peer?: string }
  | ClearIkeSas;

export type SiteInput =
  | { readonly kind: "datagram"; readonly datagram: Datagram }
  | { readonly kind: "timeout" }
  | { readonly kind: "command"; readonly command: SiteCommand };

export type SiteOutput = Send | Happened | { readonly kind: "keys"; readonly entry: KeyEntry } | PairOrder;

/** A pair that is there. */
interface Pair {
  readonly tunnel: string;
  sa: SaNumber;
  local: Endpoint;
  remote: Endpoint;
}

/** Plain data. */
export interface SiteState {
  readonly config: SiteConfig;
  readonly endpoint: IkeEndpoint;
  /** IKE SAs that stand, oldest first. */
  readonly sas: SaNumber[];
  /** Tunnels that are being made, and by which IKE SA. */
  readonly calls: Map<string, SaNumber>;
  /** By inbound SPI. */
  readonly pairs: Map<number, Pair>;
}

export interface SiteMachine extends Machine<SiteInput, SiteOutput> {
  readonly state: SiteState;
}

export function createSite(config: SiteConfig, tools: Tools): SiteMachine {
  const state: SiteState = {
    config,
    endpoint: createEndpoint(config.ike),
    sas: [],
    calls: new Map(),
    pairs: new Map(),
  };
  return {
    state,
    handle: (input, now) => handleSite(state, tools, input, now),
    nextTimeout: () => nextDeadline(state.endpoint),
  };
}

/** One call from outside. */
interface Turn {
  readonly state: SiteState;
  readonly tools: Tools;
  readonly now: Micros;
  readonly outputs: SiteOutput[];
}

/** All that an input causes, in order. Never throws for foreign octets. */
function handleSite(state: SiteState, tools: Tools, input: SiteInput, now: Micros): readonly SiteOutput[] {
  const turn: Turn = { state, tools, now, outputs: [] };
  switch (input.kind) {
    case "datagram":
      carryOut(turn, receive(state.endpoint, tools, input.datagram, now));
      followPeers(turn);
      break;
    case "timeout":
      carryOut(turn, expire(state.endpoint, tools, now));
      break;
    case "command":
      obey(turn, input.command);
      break;
  }
  return turn.outputs;
}

function obey(turn: Turn, command: SiteCommand): void {
  const { state, tools, now } = turn;
  switch (command.name) {
    case "tunnelWanted":
      want(turn, command.tunnel);
      break;
    case "clearTunnels":
      for (const [spi, { sa, remote }] of [...state.pairs]) {
        if (command.peer !== undefined && command.peer !== remote.address) continue;
        carryOut(turn, deleteChild(state.endpoint, tools, sa, spi, now));
      }
      break;
    case "clearIkeSas":
      // Tunnels of IKEv1 are not made here.
      if (command.version !== "ikev1") carryOut(turn, closeChosen(state.endpoint, tools, command, now));
      break;
  }
}

// --------------------------------------------------------------------------------------------------------------- calls

function want(turn: Turn, name: string): void {
  const { state, tools, now, outputs } = turn;
  const tunnel = state.config.tunnels.find((one) => one.name === name);
  if (tunnel === undefined || state.calls.has(name)) return;
  const { local, peer, profile, child } = tunnel;
  outputs.push(happened("peer.tunnelWanted", { tunnel: name, remote: peer.address }));
  const standing = state.sas.findLast((sa) => saView(state.endpoint, sa)?.remote.address === peer.address);
  if (standing !== undefined) {
    state.calls.set(name, standing);
    carryOut(turn, createChild(state.endpoint, tools, standing, child, now));
    return;
  }
  const options = { local, remote: peer, profile, authExchange: Exchange.IKE_AUTH, payloads: [], child };
  const outcomes = initiate(state.endpoint, tools, options, now);
  state.calls.set(name, lastSa(state.endpoint));
  carryOut(turn, outcomes);
}

/** The tunnels that were waiting for an IKE SA come to nothing. */
function failCalls(turn: Turn, sa: SaNumber): void {
  const { calls } = turn.state;
  for (const [tunnel, waiting] of calls) {
    if (waiting !== sa) continue;
    calls.delete(tunnel);
    turn.outputs.push({ kind: "pairFailed", policy: tunnel });
  }
}

// --------------------------------------------------------------------------------------------- what the IKE room says

function carryOut(turn: Turn, outcomes: readonly IkeOutcome[]): void {
  for (const outcome of outcomes) carryOutOne(turn, outcome);
}

function carryOutOne(turn: Turn, outcome: IkeOutcome): void {
  const { state, tools, now, outputs } = turn;
  const { endpoint, sas } = state;
  switch (outcome.kind) {
    case "send":
    case "event":
    case "keys":
      outputs.push(outcome);
      break;
    case "authenticating":
      carryOut(turn, answerAuth(endpoint, tools, outcome.sa, { accept: true, payloads: [] }, now));
      break;
    case "established":
      sas.push(outcome.sa);
      break;
    case "request":
      // The IKE room serves every exchange of plain IKEv2 itself.
      carryOut(turn, respond(endpoint, tools, outcome.sa, outcome.messageId, [notify(NotifyType.INVALID_SYNTAX)], now));
      break;
    case "child":
      addPair(turn, outcome.sa, outcome.child);
      break;
    case "childClosed":
      removePair(turn, outcome.inboundSpi, outcome.reason);
      break;
    case "childRefused":
      outputs.push(happened("peer.tunnelRefused", { sa: outcome.sa, notify: outcome.notify }));
      failCalls(turn, outcome.sa);
      break;
    case "rekeyed":
      succeed(turn, outcome.sa, outcome.successor);
      break;
    case "closed":
      forgetSa(turn, outcome.sa);
      break;
    case "response":
    case "retransmitted":
    case "unanswered":
      break;
  }
}

function succeed({ state, outputs }: Turn, sa: SaNumber, successor: SaNumber): void {
  const at = state.sas.indexOf(sa);
  if (at >= 0) state.sas[at] = successor;
  for (const pair of state.pairs.values()) if (pair.sa === sa) pair.sa = successor;
  for (const [tunnel, waiting] of state.calls) if (waiting === sa) state.calls.set(tunnel, successor);
  outputs.push(happened("peer.rekeyed", { sa, successor }));
}

function forgetSa(turn: Turn, sa: SaNumber): void {
  const { sas, pairs } = turn.state;
  const at = sas.indexOf(sa);
  if (at >= 0) sas.splice(at, 1);
  for (const [spi, pair] of pairs) if (pair.sa === sa) removePair(turn, spi, "withIkeSa");
  failCalls(turn, sa);
}

/** The entry that a Child SA belongs to: the one that was being made by this IKE SA, or the first that covers it. */
function tunnelFor({ config, calls, pairs }: SiteState, sa: SaNumber, view: ChildView): SiteTunnel | undefined {
  const replaced = pairs.get(view.replaces)?.tunnel;
  const fitting = config.tunnels.filter(({ name, child }) => {
    if (replaced !== undefined) return name === replaced;
    return covers(child.localSelectors, view.localSelectors) && covers(child.remoteSelectors, view.remoteSelectors);
  });
  return fitting.find(({ name }) => calls.get(name) === sa) ?? fitting[0];
}

function addPair(turn: Turn, sa: SaNumber, view: ChildView): void {
  const { state, tools, now, outputs } = turn;
  const tunnel = tunnelFor(state, sa, view);
  if (tunnel === undefined) {
    // Its selectors are those of two entries mixed.
    carryOut(turn, deleteChild(state.endpoint, tools, sa, view.inboundSpi, now));
    return;
  }
  const { inboundSpi, outboundSpi, local, remote, udp, replaces } = view;
  state.calls.delete(tunnel.name);
  state.pairs.set(inboundSpi, { tunnel: tunnel.name, sa, local, remote });
  outputs.push(
    ...tunnelKeys(view).map((entry) => ({ kind: "keys" as const, entry })),
    happened("peer.tunnelUp", {
      sa,
      tunnel: tunnel.name,
      inbound: hexSpi(inboundSpi),
      outbound: hexSpi(outboundSpi),
      suite: suiteName(view.suite),
      remote: remote.address,
      port: remote.port,
      udp,
      ...(replaces !== 0 && { replaces: hexSpi(replaces) }),
    }),
    { kind: "pairUp", policy: tunnel.name, tunnel: createTunnel(sa, view) },
  );
}

function removePair(turn: Turn, inboundSpi: number, reason: string): void {
  const { state, outputs } = turn;
  const pair = state.pairs.get(inboundSpi);
  if (pair === undefined) return;
  state.pairs.delete(inboundSpi);
  outputs.push(happened("peer.tunnelDown", { tunnel: pair.tunnel, inbound: hexSpi(inboundSpi), reason }), {
    kind: "pairDown",
    inboundSpi,
  });
}

/** A peer behind a NAT may come from elsewhere: its tunnels go there from now on. RFC 7296 section 2.23. */
function followPeers({ state, outputs }: Turn): void {
  for (const [inboundSpi, pair] of state.pairs) {
    const view = saView(state.endpoint, pair.sa);
    if (view === undefined || (isSame(view.remote, pair.remote) && isSame(view.local, pair.local))) continue;
    const { local, remote } = view;
    Object.assign(pair, { local, remote });
    outputs.push({ kind: "pairMoved", inboundSpi, local, remote });
  }
}

function isSame(a: Endpoint, b: Endpoint): boolean {
  return a.address === b.address && a.port === b.port;
}

/** What a profile grants to whoever calls: everything that one of its tunnels has. The map decides afterwards. */
export function granted(tunnels: readonly SiteTunnel[], profile: string): ChildPolicy | undefined {
  const own = tunnels.filter((tunnel) => tunnel.profile === profile).map(({ child }) => child);
  const [first] = own;
  if (first === undefined) return undefined;
  const all = (pick: (child: ChildPolicy) => readonly TrafficSelector[]) => own.flatMap(pick);
  return {
    ...first,
    proposals: own.flatMap(({ proposals }) => proposals),
    localSelectors: all(({ localSelectors }) => localSelectors),
    remoteSelectors: all(({ remoteSelectors }) => remoteSelectors),
  };
}
