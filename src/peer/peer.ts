/**
 * A plain IKEv2 peer as a machine: the IKE room below, tunnels beside it, datagrams told apart by the non-ESP marker. RFC
 * 7296 section 2.23, RFC 3948.
 *
 *     datagram -> 0000 0000 ... IKE      -> endpoint -> child -> a tunnel is there
 *              -> a known SPI: ESP       -> tunnel -> echo request or reply
 *              -> anything else          -> endpoint (IKE without marker, keepalives, rubbish)
 *
 * ESP always travels in UDP, on the ports that IKE uses at that moment: who has no NAT on the way must take that too (RFC
 * 7296 section 2.23), and user space has no other way.
 */
import { type Bytes, utf8 } from "../base/bytes.ts";
import { formatIpv4 } from "../base/ipv4.ts";
import type { Datagram, Machine } from "../base/machine.ts";
import { type Micros, SECOND } from "../base/micros.ts";
import { readLabel } from "../esp/espPacket.ts";
import type { ChildPolicy, ChildView, EndpointConfig, IkeOutcome, SaNumber, Tools } from "../ikev2/api.ts";
import {
  answerAuth,
  close,
  createChild,
  createEndpoint,
  deleteChild,
  expire,
  type IkeEndpoint,
  initiate,
  nextDeadline,
  receive,
  rekeyChild,
  rekeySa,
  respond,
  saView,
} from "../ikev2/endpoint.ts";
import { notify } from "../ikev2/nat.ts";
import { Exchange, NotifyType } from "../wire/ikev2Numbers.ts";
import type { Payload } from "../wire/payloads.ts";
import type { PeerCommand, PeerConfig, PeerInput, PeerOutput } from "./api.ts";
import { type Echo, echoPacket, echoReply, readEcho } from "./echo.ts";
import { happened } from "./events.ts";
import { concludePings, isPingDone, nextPing, notePong, type PingRun } from "./pings.ts";
import { hostAddress } from "./selectors.ts";
import { createTunnel, hexSpi, openTunnel, sealTunnel, suiteName, type Tunnel, tunnelKeys } from "./tunnel.ts";

const PROFILE = "peer";
/** Data of an echo request: what `ping` sends by default, in octets. */
const ECHO_OCTETS = 56;
/** How long a tunnel that has a successor still receives: packets under its keys may be on their way. As strongSwan. */
const FADE: Micros = 5 * SECOND;

/** A tunnel that is gone but for what is on its way to us. */
interface Fading {
  readonly tunnel: Tunnel;
  readonly until: Micros;
  /** Inbound SPI. */
  readonly successor: number;
}

/** Plain data. */
export interface PeerState {
  readonly config: PeerConfig;
  readonly endpoint: IkeEndpoint;
  /** IKE SAs that stand, oldest first; commands go to the last. */
  readonly sas: SaNumber[];
  /** By inbound SPI, oldest first. */
  readonly tunnels: Map<number, Tunnel>;
  /** By inbound SPI, in the order in which they end. */
  readonly fading: Map<number, Fading>;
  /** Inbound SPI of the tunnel that traffic leaves by; 0 for none. */
  sending: number;
  pings: PingRun | undefined;
}

export function createPeer(config: PeerConfig): PeerState {
  const endpoint = createEndpoint(endpointConfig(config));
  return { config, endpoint, sas: [], tunnels: new Map(), fading: new Map(), sending: 0, pings: undefined };
}

/** The machine that a driver feeds. */
export function peerMachine(state: PeerState, tools: Tools): Machine<PeerInput, PeerOutput> {
  return {
    handle: (input, now) => handlePeer(state, tools, input, now),
    nextTimeout: () => nextPeerTimeout(state),
  };
}

function nextPeerTimeout({ endpoint, pings, fading }: PeerState): Micros | undefined {
  const [firstToEnd] = fading.values();
  const deadlines = [nextDeadline(endpoint), pings?.dueAt, firstToEnd?.until].filter((at) => at !== undefined);
  return deadlines.length === 0 ? undefined : Math.min(...deadlines);
}

function childPolicy(config: PeerConfig): ChildPolicy {
  const { esp, localSelectors, remoteSelectors, childLifetimeSeconds } = config;
  return { proposals: esp, mode: "tunnel", localSelectors, remoteSelectors, lifetimeSeconds: childLifetimeSeconds };
}

function endpointConfig(config: PeerConfig): EndpointConfig {
  const { certificates, psk, remoteIdentity, natLocalPort, natRemotePort } = config;
  const everybody = (network: string) => {
    return { peer: network, address: { network, mask: network }, localKey: psk, remoteKey: psk };
  };
  return {
    proposals: config.ike,
    profiles: [
      {
        name: PROFILE,
        localIdentity: config.localIdentity,
        local: certificates?.local ?? "pre-share",
        remote: certificates?.remote ?? ["pre-share"],
        trustpoints: certificates?.trustpoints,
        match: {
          remoteAddresses: [],
          remoteIdentities: remoteIdentity === undefined ? [] : [remoteIdentity],
          anyRemote: remoteIdentity === undefined,
        },
        keys: [everybody("0.0.0.0"), everybody("::")],
        lifetimeSeconds: config.ikeLifetimeSeconds,
        atLifetime: "rekey",
        child: childPolicy(config),
      },
    ],
    retransmit: config.retransmit,
    dialect: "ikev2",
    nat: { localPort: natLocalPort, remotePort: natRemotePort },
    fragmentation: config.fragmentation,
    liveness: config.liveness,
    cookieThreshold: config.cookieThreshold,
    pki: certificates?.pki,
  };
}

// ------------------------------------------------------------------------------------------------------------ a turn

/** One call from outside. */
interface Turn {
  readonly state: PeerState;
  readonly tools: Tools;
  readonly now: Micros;
  readonly outputs: PeerOutput[];
}

/** All that an input causes, in order. Never throws for foreign octets. */
export function handlePeer(state: PeerState, tools: Tools, input: PeerInput, now: Micros): readonly PeerOutput[] {
  const turn: Turn = { state, tools, now, outputs: [] };
  switch (input.kind) {
    case "datagram":
      receiveDatagram(turn, input);
      break;
    case "timeout":
      carryOut(turn, expire(state.endpoint, tools, now));
      onPingTimer(turn);
      for (const [spi, { until }] of state.fading) if (until <= now) state.fading.delete(spi);
      break;
    case "command":
      obey(turn, input.command);
      break;
  }
  return turn.outputs;
}

function receiveDatagram(turn: Turn, datagram: Datagram): void {
  const { state, tools, now } = turn;
  const label = readLabel(datagram.octets);
  const tunnel =
    label === undefined ? undefined : (state.tunnels.get(label.spi) ?? state.fading.get(label.spi)?.tunnel);
  if (tunnel !== undefined) receiveEsp(turn, tunnel, datagram.octets);
  else if (label !== undefined && label.spi !== 0 && !isIke(datagram.octets)) dropEsp(turn, "spi");
  else carryOut(turn, receive(state.endpoint, tools, datagram, now));
}

/** IKE without marker: the version stands at octet 17, the length at octet 24. RFC 7296 section 3.1. */
function isIke(octets: Bytes): boolean {
  if (octets.length < 28 || octets[17] !== 0x20) return false;
  const length = ((octets[24]! << 24) | (octets[25]! << 16) | (octets[26]! << 8) | octets[27]!) >>> 0;
  return length === octets.length;
}

// ---------------------------------------------------------------------------------------------- what the IKE room says

function carryOut(turn: Turn, outcomes: readonly IkeOutcome[]): void {
  for (const outcome of outcomes) carryOutOne(turn, outcome);
}

function carryOutOne(turn: Turn, outcome: IkeOutcome): void {
  const { state, tools, now, outputs } = turn;
  const { endpoint } = state;
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
      state.sas.push(outcome.sa);
      break;
    case "request":
      // The IKE room serves every exchange of plain IKEv2 itself.
      carryOut(turn, respond(endpoint, tools, outcome.sa, outcome.messageId, [notify(NotifyType.INVALID_SYNTAX)], now));
      break;
    case "child":
      addTunnel(turn, outcome.sa, outcome.child);
      break;
    case "childClosed":
      removeTunnel(turn, outcome.inboundSpi, outcome.reason);
      break;
    case "childRefused":
      outputs.push(happened("peer.tunnelRefused", { sa: outcome.sa, notify: outcome.notify }));
      break;
    case "rekeyed":
      succeed(turn, outcome.sa, outcome.successor);
      break;
    case "closed":
      forgetSa(turn, outcome);
      break;
    case "response":
    case "retransmitted":
    case "unanswered":
      break;
  }
}

function succeed(turn: Turn, sa: SaNumber, successor: SaNumber): void {
  const { sas, tunnels, fading } = turn.state;
  const at = sas.indexOf(sa);
  if (at >= 0) sas[at] = successor;
  for (const tunnel of tunnels.values()) if (tunnel.sa === sa) tunnel.sa = successor;
  for (const { tunnel } of fading.values()) if (tunnel.sa === sa) tunnel.sa = successor;
  turn.outputs.push(happened("peer.rekeyed", { sa, successor }));
}

function forgetSa(turn: Turn, closed: Extract<IkeOutcome, { kind: "closed" }>): void {
  const { sas, tunnels, fading } = turn.state;
  const { sa, reason, notify: error, established } = closed;
  const at = sas.indexOf(sa);
  if (at >= 0) sas.splice(at, 1);
  for (const [spi, tunnel] of tunnels) if (tunnel.sa === sa) removeTunnel(turn, spi, "withIkeSa");
  for (const [spi, { tunnel }] of fading) if (tunnel.sa === sa) fading.delete(spi);
  // An SA that was replaced has a successor in its place.
  if (sas.length === 0 && reason !== "replaced") {
    turn.outputs.push(happened("peer.ended", { reason, notify: error, established }));
  }
}

// ----------------------------------------------------------------------------------------------------------- tunnels

function addTunnel(turn: Turn, sa: SaNumber, view: ChildView): void {
  const { state, outputs } = turn;
  state.tunnels.set(view.inboundSpi, createTunnel(sa, view));
  // A successor receives at once but sends only when the peer has it for certain: see `receiveEsp` and `removeTunnel`.
  if (!state.tunnels.has(state.sending) || view.replaces !== state.sending) state.sending = view.inboundSpi;
  outputs.push(
    ...tunnelKeys(view).map((entry) => ({ kind: "keys" as const, entry })),
    happened("peer.tunnelUp", {
      sa,
      inbound: hexSpi(view.inboundSpi),
      outbound: hexSpi(view.outboundSpi),
      suite: suiteName(view.suite),
      remote: view.remote.address,
      port: view.remote.port,
      ...(view.replaces !== 0 && { replaces: hexSpi(view.replaces) }),
    }),
  );
}

function removeTunnel(turn: Turn, inboundSpi: number, reason: string): void {
  const { state, outputs } = turn;
  const tunnel = state.tunnels.get(inboundSpi);
  if (tunnel === undefined) return;
  state.tunnels.delete(inboundSpi);
  const successor = [...state.tunnels.values()].find(({ view }) => view.replaces === inboundSpi)?.view.inboundSpi;
  if (successor !== undefined) state.fading.set(inboundSpi, { tunnel, until: turn.now + FADE, successor });
  if (state.sending === inboundSpi) state.sending = successor ?? [...state.tunnels.keys()].at(-1) ?? 0;
  const { sent, received } = tunnel;
  outputs.push(happened("peer.tunnelDown", { inbound: hexSpi(inboundSpi), reason, sent, received }));
}

function dropEsp(turn: Turn, reason: string): void {
  turn.outputs.push(happened("peer.espDropped", { reason }));
}

function receiveEsp(turn: Turn, tunnel: Tunnel, octets: Bytes): void {
  const { state, tools, now, outputs } = turn;
  const packet = openTunnel(tools.crypto, tunnel, octets);
  if (typeof packet === "string") {
    dropEsp(turn, packet);
    return;
  }
  // Who sends with the successor of our tunnel has it. RFC 7296 section 2.8.
  if (tunnel.view.replaces === state.sending && state.sending !== 0) state.sending = tunnel.view.inboundSpi;
  const echo = readEcho(packet);
  if (echo === undefined) return;
  if (echo.isRequest) {
    sendEcho(turn, successorOf(state, tunnel), echoReply(echo));
    outputs.push(happened("peer.echoAnswered", { from: formatIpv4(echo.source), sequence: echo.sequence }));
    return;
  }
  const { pings } = state;
  if (pings === undefined) return;
  outputs.push(...notePong(pings, echo.identifier, echo.sequence, now));
  finishPings(turn, pings);
}

/** Who has asked through a tunnel that is gone is answered through what took its place. */
function successorOf(state: PeerState, tunnel: Tunnel): Tunnel {
  let current = tunnel;
  for (;;) {
    const fading = state.fading.get(current.view.inboundSpi);
    const next = fading && (state.tunnels.get(fading.successor) ?? state.fading.get(fading.successor)?.tunnel);
    if (next === undefined) return current;
    current = next;
  }
}

/** The peer's address is that of the IKE SA now: it may have moved since the tunnel came up. */
function sendEcho(turn: Turn, tunnel: Tunnel, echo: Echo): void {
  const { state, tools, outputs } = turn;
  const octets = sealTunnel(tools.crypto, tools.rng, tunnel, echoPacket(echo));
  if (typeof octets === "string") {
    dropEsp(turn, octets);
    return;
  }
  const { local, remote } = saView(state.endpoint, tunnel.sa) ?? tunnel.view;
  outputs.push({ kind: "send", local, remote, octets });
}

// ------------------------------------------------------------------------------------------------------------- pings

function startPings(turn: Turn, command: Extract<PeerCommand, { name: "ping" }>): void {
  const { state, tools, now } = turn;
  if (state.pings !== undefined) {
    refuse(turn, command, "pings are under way");
    return;
  }
  const { count, intervalMicros, timeoutMicros } = command;
  const identifier = tools.rng.below(0x10000);
  state.pings = {
    identifier,
    count,
    intervalMicros,
    timeoutMicros,
    sent: 0,
    received: 0,
    waiting: new Map(),
    dueAt: now,
  };
  onPingTimer(turn);
}

function onPingTimer(turn: Turn): void {
  const { state, now } = turn;
  const { pings } = state;
  if (pings === undefined || now < pings.dueAt) return;
  if (pings.sent < pings.count) sendPing(turn, pings);
  finishPings(turn, pings);
}

/** Without a tunnel the request is lost, as it would be on a router. */
function sendPing(turn: Turn, pings: PingRun): void {
  const { state, now } = turn;
  const sequence = nextPing(pings, now);
  const tunnel = state.tunnels.get(state.sending);
  if (tunnel === undefined) return;
  const source = hostAddress(tunnel.view.localSelectors);
  const destination = hostAddress(tunnel.view.remoteSelectors);
  if (source === undefined || destination === undefined) return;
  const data = utf8("getvpn live ike".padEnd(ECHO_OCTETS, "."));
  sendEcho(turn, tunnel, { isRequest: true, source, destination, identifier: pings.identifier, sequence, data });
}

function finishPings(turn: Turn, pings: PingRun): void {
  if (!isPingDone(pings, turn.now)) return;
  turn.state.pings = undefined;
  turn.outputs.push(...concludePings(pings));
}

// ---------------------------------------------------------------------------------------------------------- commands

function refuse(turn: Turn, command: PeerCommand, reason: string): void {
  turn.outputs.push(happened("peer.commandRefused", { command: command.name, reason }));
}

function obey(turn: Turn, command: PeerCommand): void {
  const { state, tools, now } = turn;
  const { endpoint, config } = state;
  if (command.name === "up") {
    bringUp(turn, command);
    return;
  }
  const sa = state.sas.at(-1);
  const tunnel = state.tunnels.get(state.sending);
  if (sa === undefined) {
    refuse(turn, command, "there is no IKE SA");
    return;
  }
  if (tunnel === undefined && NEEDS_TUNNEL.includes(command.name)) {
    refuse(turn, command, "there is no tunnel");
    return;
  }
  switch (command.name) {
    case "ping":
      startPings(turn, command);
      break;
    case "rekeyIke":
      carryOut(turn, rekeySa(endpoint, tools, sa, now));
      break;
    case "rekeyChild":
      carryOut(turn, rekeyChild(endpoint, tools, tunnel!.sa, tunnel!.view.inboundSpi, now));
      break;
    case "createChild":
      carryOut(turn, createChild(endpoint, tools, sa, childPolicy(config), now));
      break;
    case "deleteChild":
      carryOut(turn, deleteChild(endpoint, tools, tunnel!.sa, tunnel!.view.inboundSpi, now));
      break;
    case "down":
      for (const number of [...state.sas]) carryOut(turn, close(endpoint, tools, number, now));
      break;
  }
}

const NEEDS_TUNNEL: readonly PeerCommand["name"][] = ["ping", "rekeyChild", "deleteChild"];

function bringUp(turn: Turn, command: PeerCommand): void {
  const { state, tools, now } = turn;
  const { config, endpoint } = state;
  if (config.remote === undefined) {
    refuse(turn, command, "there is nobody to call");
    return;
  }
  const options = {
    local: config.local,
    remote: config.remote,
    profile: PROFILE,
    authExchange: Exchange.IKE_AUTH,
    payloads: greetings(config),
    child: childPolicy(config),
  };
  carryOut(turn, initiate(endpoint, tools, options, now));
}

/** Whom we want to speak to. RFC 7296 section 3.5. */
function greetings({ remoteIdentity }: PeerConfig): Payload[] {
  return remoteIdentity === undefined ? [] : [{ kind: "IDr", body: remoteIdentity }];
}
