/**
 * The group member as a machine: datagrams, deadlines and commands in; datagrams, events, keys for export and orders to
 * the data plane of its router out. One endpoint of each version of IKE serves all groups that register with it; messages
 * under a KEK are told from those of the endpoints by version and exchange type.
 */
import type { Datagram, Machine } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { nextTimer, takeDue } from "../base/timers.ts";
import { arrivalOf, groupRekeyOf, isIkev1 } from "../gdoi/groupMessage.ts";
import type { ClearIkeSas } from "../gikev2/clearIkeSas.ts";
import {
  closeChosen as closeIsakmpSas,
  expire as expireIsakmp,
  nextDeadline as nextIsakmpDeadline,
  receive as receiveIsakmp,
} from "../ikev1/endpoint.ts";
import type { Tools } from "../ikev2/api.ts";
import { closeChosen, expire, nextDeadline, receive } from "../ikev2/endpoint.ts";
import type { GmConfig } from "./config.ts";
import { gmEvent } from "./events.ts";
import { gdoiRegistrar } from "./gdoiRegistration.ts";
import { gikev2Registrar } from "./gikev2Registration.ts";
import { followIke } from "./ikeOutcomes.ts";
import { dropPolicy, refreshKeys } from "./install.ts";
import { followIsakmp } from "./isakmpOutcomes.ts";
import { noteUnknownSpi, onMissedTimer } from "./missedRekey.ts";
import { beginRegistration, reregister } from "./registration.ts";
import { onRekeyMessage } from "./rekey.ts";
import type { GmCommand, GmGroup, GmInput, GmOutput, GmState, GmTimer, Registrars, Turn } from "./state.ts";
import { createGmState, moveTo, registrarOf, stopTimer } from "./state.ts";

export type { GmCommand, GmInput, GmOutput, GmState } from "./state.ts";
export { createGmState } from "./state.ts";

const REGISTRARS: Registrars = { gikev2: gikev2Registrar, gdoi: gdoiRegistrar };

/** All that `input` causes at `now`, in order. Never throws for foreign octets. */
export function handleGm(state: GmState, tools: Tools, input: GmInput, now: Micros): readonly GmOutput[] {
  const turn: Turn = { state, tools, now, out: [], registrars: REGISTRARS };
  switch (input.kind) {
    case "datagram":
      onDatagram(turn, input.datagram);
      break;
    case "timeout":
      if (state.endpoint !== undefined) followIke(turn, expire(state.endpoint, tools, now));
      if (state.isakmp !== undefined) followIsakmp(turn, expireIsakmp(state.isakmp.endpoint, tools, now));
      runTimers(turn);
      break;
    case "command":
      obey(turn, input.command);
      break;
  }
  return turn.out;
}

export function nextGmTimeout(state: GmState): Micros | undefined {
  const { endpoint, isakmp, timers } = state;
  const ike = endpoint && nextDeadline(endpoint);
  return earlier(earlier(nextTimer(timers), ike), isakmp && nextIsakmpDeadline(isakmp.endpoint));
}

function earlier(a: Micros | undefined, b: Micros | undefined): Micros | undefined {
  return a === undefined || (b !== undefined && b < a) ? b : a;
}

/** The same as an object for a driver; `state` can be copied with structuredClone between two calls. */
export function groupMember(config: GmConfig, tools: Tools): Machine<GmInput, GmOutput> & { readonly state: GmState } {
  const state = createGmState(config);
  return {
    state,
    handle: (input, now) => handleGm(state, tools, input, now),
    nextTimeout: () => nextGmTimeout(state),
  };
}

function onDatagram(turn: Turn, datagram: Datagram): void {
  const { state, tools, now } = turn;
  const arrival = arrivalOf(datagram);
  const header = arrival && groupRekeyOf(arrival.octets);
  if (arrival !== undefined && header !== undefined) onRekeyMessage(turn, arrival, header);
  else if (state.isakmp !== undefined && (state.endpoint === undefined || isIkev1(datagram.octets))) {
    followIsakmp(turn, receiveIsakmp(state.isakmp.endpoint, tools, datagram, now));
  } else if (state.endpoint !== undefined) followIke(turn, receive(state.endpoint, tools, datagram, now));
}

// -------------------------------------------------------------------------------------------------------------- timers

const ON_GROUP: Readonly<Record<GmTimer, (turn: Turn, group: GmGroup) => void>> = {
  reregister: (turn, group) => reregister(turn, group, "lead"),
  retry: (turn, group) => beginRegistration(turn, group, "retryDue"),
  missed: onMissedTimer,
  keys: onKeysTimer,
};

function runTimers(turn: Turn): void {
  const { state, now } = turn;
  for (let key = takeDue(state.timers, now); key !== undefined; key = takeDue(state.timers, now)) {
    const [timer, index] = key.split(" ") as [GmTimer, string];
    ON_GROUP[timer](turn, state.groups[Number(index)]!);
  }
}

/** Permitted traffic is dropped once no TEK is left: the rules stay, the SAs are gone. */
function onKeysTimer(turn: Turn, group: GmGroup): void {
  refreshKeys(turn, group);
  if (group.held?.teks.length === 0) reregister(turn, group, "expired");
}

// ------------------------------------------------------------------------------------------------------------- commands

function obey(turn: Turn, command: GmCommand): void {
  if (command.name === "unknownSpi") {
    for (const group of turn.state.groups) noteUnknownSpi(turn, group, command.spi);
    return;
  }
  if (command.name === "clearIkeSas") {
    clearIkeSas(turn, command);
    return;
  }
  for (const group of turn.state.groups) {
    if (group.config.name !== command.group) continue;
    if (command.name === "mapApplied") applyMap(turn, group);
    else if (command.name === "mapRemoved") removeMap(turn, group);
    else clear(turn, group);
  }
}

function applyMap(turn: Turn, group: GmGroup): void {
  if (group.phase.at !== "idle") return;
  const { name, local } = group.config;
  const first = turn.state.groups.every(({ phase }) => phase.at === "idle");
  turn.out.push(gmEvent("gm.attached", { group: name, address: local.address, first }));
  beginRegistration(turn, group, "mapApplied");
}

/** The key server is told, so that it stops counting on the member. */
function removeMap(turn: Turn, group: GmGroup): void {
  if (group.phase.at === "idle") return;
  const sa = group.held?.sa;
  if (sa !== undefined) registrarOf(turn, group).leave(turn, group, sa);
  dropPolicy(turn, group, "left");
  stopTimer(turn, "retry", group);
  moveTo(group, "mapRemoved", { at: "idle" });
  const last = turn.state.groups.every(({ phase }) => phase.at === "idle");
  turn.out.push(gmEvent("gm.unregistered", { group: group.config.name, reason: "mapRemoved", last }));
}

/** Policy, KEK and TEKs stay: they are not bound to the SA that they came over. A registration under way has failed. */
function clearIkeSas(turn: Turn, command: ClearIkeSas): void {
  const { state, tools, now } = turn;
  const { endpoint, isakmp } = state;
  if (endpoint !== undefined && command.version !== "ikev1") {
    followIke(turn, closeChosen(endpoint, tools, command, now));
  }
  if (isakmp !== undefined && command.version !== "ikev2") {
    followIsakmp(turn, closeIsakmpSas(isakmp.endpoint, tools, command, now));
  }
}

function clear(turn: Turn, group: GmGroup): void {
  if (group.phase.at === "idle") return;
  const { name } = group.config;
  const sa = group.held?.sa;
  turn.out.push(gmEvent("gm.cleared", { group: name }));
  if (sa !== undefined) registrarOf(turn, group).retire(turn, group, sa);
  dropPolicy(turn, group, "cleared");
  turn.out.push(gmEvent("gm.unregistered", { group: name, reason: "cleared" }));
  beginRegistration(turn, group, "cleared");
}
