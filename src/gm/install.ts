/** What a member holds: putting policy and keys in place, changing them by rekeys, and taking them out again. */
import { assert } from "../base/errors.ts";
import { isMulticastIpv4, parseIpv4 } from "../base/ipv4.ts";
import type { Micros } from "../base/micros.ts";
import { SECOND } from "../base/micros.ts";
import type { Secret } from "../base/secret.ts";
import { NO_SECRET, secret } from "../base/secret.ts";
import { type SaKeys, saKeyOctets, splitSaKeys } from "../crypto/prf.ts";
import type { DataSa } from "../esp/api.ts";
import type { DataSaPolicy, DataSuite, Deletion, Grant, GroupUpdate, KekKeys, KekPolicy } from "../gikev2/policy.ts";
import { isCounterMode, specsOf, usesCounterMode } from "../gikev2/policy.ts";
import { gmEvent, protocolEvent } from "./events.ts";
import { chooseSender } from "./rollover.ts";
import { familyOf, trafficRules } from "./rules.ts";
import type { GmGroup, GmPhase, HeldKek, HeldPolicy, HeldTek, Turn } from "./state.ts";
import { order, rekeyProtocolOf, startTimer, stopTimer } from "./state.ts";
import { reregisterInstant } from "./timing.ts";

type RemovalReason = "expired" | "deleted" | "replaced" | "left" | "cleared" | "excluded";

/** Why a member cannot work with what it was given. */
export type UpdateProblem = "noSenderId" | "senderIdTooLong" | "unauthenticatedKek";

// -------------------------------------------------------------------------------------------------------- registration

/** A member that sends needs a Sender-ID for counter-mode ciphers, and one that fits. RFC 9838 section 2.5.2. */
export function grantProblem(group: GmGroup, { policy, senderIds }: Grant): UpdateProblem | undefined {
  if (group.config.senderIds === undefined || !usesCounterMode(policy)) return undefined;
  if (senderIds.length === 0) return "noSenderId";
  const limit = 2 ** (policy.senderIdBits ?? 0);
  return senderIds.some((id) => id >= limit) ? "senderIdTooLong" : undefined;
}

/** A registration replaces all policy and keys of the group (RFC 9838 section 2.3.3), or the part that was asked for. */
export function installGrant(
  turn: Turn,
  group: GmGroup,
  grant: Grant,
  { server, sa, since }: Extract<GmPhase, { at: "registering" }>,
  kwk: Secret | undefined,
): void {
  const { policy, keys, senderIds } = grant;
  const { want } = group.config;
  const old = group.held;
  const held: HeldPolicy = {
    server,
    sa,
    kwk,
    kek: undefined,
    path: keys.path ?? (want === "teks" ? old?.path : undefined) ?? [],
    missing: undefined,
    assembly: undefined,
    answered: undefined,
    previousKekSpi: old?.kek?.sa.spi,
    teks: [],
    rules: want === "kek" ? (old?.rules ?? []) : trafficRules(group, policy, old?.rules ?? []),
    senderIds: senderIds.slice(),
    senderIdBits: policy.senderIdBits ?? 0,
    joined: old?.joined,
    transport: old?.transport ?? "unicast",
    sequence: 0,
    installedAt: turn.now,
    rekeys: 0,
    rekeyedAt: old?.rekeyedAt,
    sending: [...(old?.sending ?? [])],
  };
  group.held = held;
  order(turn, { kind: "rules", group: group.config.name, rules: held.rules });
  if (policy.kek !== undefined) installKek(turn, group, held, newKek(turn, policy.kek, keys.kek!, old?.kek), old);
  else if (want === "teks") held.kek = old?.kek;
  else if (old?.kek !== undefined) kekRemoved(turn, group, old.kek, "replaced");
  if (want === "kek") held.teks = old?.teks ?? [];
  else replaceTeks(turn, group, held, grant, old?.teks ?? [], turn.now - since);
  tellTransport(turn, group, held, old?.transport);
  refreshKeys(turn, group);
  armReregistration(turn, group);
}

function replaceTeks(
  turn: Turn,
  group: GmGroup,
  held: HeldPolicy,
  grant: Grant,
  old: readonly HeldTek[],
  doubt: Micros,
): void {
  for (const tek of old) if (!hasSpi(grant.policy.dataSas, tek.spi)) removeTek(turn, group, tek, "replaced");
  held.teks = teksOf(turn, group, grant, [], doubt);
  for (const tek of held.teks) {
    // A TEK that is held already stays as it is, unless the new Sender-ID has to get into its IVs.
    if (!hasSpi(old, tek.spi) || isCounterMode(tek.suite)) installTek(turn, group, held, tek);
  }
}

function hasSpi(list: readonly { readonly spi: number }[], spi: number): boolean {
  for (const one of list) if (one.spi === spi) return true;
  return false;
}

/**
 * The data SAs of a policy that are not among the `known` ones, the newest generation first; those of one family are
 * numbered downwards from the newest.
 */
function teksOf(
  turn: Turn,
  group: GmGroup,
  { policy, keys }: GroupUpdate,
  known: readonly HeldTek[],
  doubt: Micros,
): HeldTek[] {
  const { dataSas } = policy;
  const families = new Array<number>(dataSas.length);
  for (let i = 0; i < dataSas.length; i++) families[i] = familyOf(group, dataSas[i]!.selector, i);
  const before = group.generation;
  for (let i = 0; i < dataSas.length; i++) {
    group.generation = Math.max(group.generation, before + depthOf(families, i) + 1);
  }
  const teks: HeldTek[] = [];
  for (let i = 0; i < dataSas.length; i++) {
    const sa = dataSas[i]!;
    if (hasSpi(known, sa.spi)) continue;
    const key = keys.teks.get(sa.spi)!;
    teks.push(heldTek(turn, sa, families[i]!, group.generation - depthOf(families, i), key, policy, doubt));
  }
  return teks;
}

/** How many in front are of the same family. */
function depthOf(families: readonly number[], index: number): number {
  let depth = 0;
  for (let i = 0; i < index; i++) if (families[i] === families[index]) depth++;
  return depth;
}

function heldTek(
  turn: Turn,
  sa: DataSaPolicy,
  family: number,
  generation: number,
  key: Secret,
  { mode, atdSeconds }: GroupUpdate["policy"],
  doubt: Micros,
): HeldTek {
  return {
    spi: sa.spi,
    family,
    generation,
    suite: sa.suite,
    sequenceNumbers: sa.sequenceNumbers,
    mode,
    key,
    installedAt: turn.now,
    lifetimeSeconds: sa.lifetimeSeconds,
    expiresAt: turn.now + sa.lifetimeSeconds * SECOND,
    doubt,
    sendFrom: atdSeconds === undefined ? undefined : turn.now + atdSeconds * SECOND,
    nextSpis: sa.nextSpis,
  };
}

// --------------------------------------------------------------------------------------------------------------- rekeys

/** New keys and deletions of a rekey. Returns why it cannot be used; then nothing has changed. */
export function applyUpdate(turn: Turn, group: GmGroup, update: GroupUpdate): UpdateProblem | undefined {
  const { held } = group;
  assert(held !== undefined, "a rekey without policy");
  const { policy, keys } = update;
  // Such a member must not install the SA and must register again (RFC 9838 section 2.4.1.4).
  if (group.config.senderIds !== undefined && held.senderIds.length === 0 && usesCounterMode(policy)) {
    return "noSenderId";
  }
  if (policy.kek !== undefined && held.kek === undefined) return "unauthenticatedKek";
  const before = held.teks;
  if (policy.dataSas.length > 0) {
    const added = teksOf(turn, group, update, before, 0);
    const rules = trafficRules(group, policy, held.rules);
    if (rules !== held.rules) {
      held.rules = rules;
      order(turn, { kind: "rules", group: group.config.name, rules });
    }
    held.teks = [...added, ...before];
    for (const tek of added) installTek(turn, group, held, tek);
  }
  if (policy.kek !== undefined) {
    held.previousKekSpi = held.kek!.sa.spi;
    installKek(turn, group, held, newKek(turn, policy.kek, keys.kek!, held.kek), undefined);
    held.sequence = 0;
    held.assembly = undefined;
    held.path = keys.path ?? held.path;
  }
  for (const deletion of update.deletions) deleteTeks(turn, group, before, deletion, policy);
  refreshKeys(turn, group);
  if (policy.dataSas.length > 0 || policy.kek !== undefined) armReregistration(turn, group);
  return undefined;
}

/**
 * What the message itself names lives on: some key servers of GDOI repeat the TEKs in use. A deactivation delay lets
 * packets under way arrive: the SA receives until it has passed. RFC 9838 section 4.4.3.1.
 */
function deleteTeks(
  turn: Turn,
  group: GmGroup,
  teks: readonly HeldTek[],
  deletion: Deletion,
  { dataSas, dtdSeconds = 0 }: GroupUpdate["policy"],
): void {
  if (deletion.kind === "member") return;
  for (const tek of teks) {
    if (deletion.kind === "dataSas" && !deletion.spis.includes(tek.spi)) continue;
    if (hasSpi(dataSas, tek.spi)) continue;
    if (dtdSeconds > 0) tek.expiresAt = Math.min(tek.expiresAt, turn.now + dtdSeconds * SECOND);
    else dropTek(turn, group, tek, "deleted");
  }
}

// ----------------------------------------------------------------------------------------------------------------- KEK

/** In a rekey the way of authentication is not repeated: it stays what it was. */
function newKek(turn: Turn, policy: KekPolicy, keys: KekKeys, old: HeldKek | undefined): HeldKek {
  const { spi, suite, destination, lifetimeSeconds, nextSpis, acknowledgement } = policy;
  // A registration that was overtaken by a rekey must not make the member accept that one again.
  const known = old?.sa.spi === spi ? old.nextMessageId : 0;
  return {
    sa: {
      spi,
      suite,
      keys,
      authentication: policy.authentication ?? old!.sa.authentication,
      publicKey: policy.publicKey ?? old?.sa.publicKey,
      acknowledgement,
    },
    destination,
    lifetimeSeconds,
    expiresAt: turn.now + lifetimeSeconds * SECOND,
    nextMessageId: Math.max(policy.nextMessageId, known),
    nextSpis,
  };
}

function installKek(turn: Turn, group: GmGroup, held: HeldPolicy, kek: HeldKek, old: HeldPolicy | undefined): void {
  held.kek = kek;
  held.sequence = kek.nextMessageId - rekeyProtocolOf(group).firstMessageId;
  const { spi } = kek.sa;
  if (old?.kek?.sa.spi !== spi) {
    const { name, protocol } = group.config;
    const { lifetimeSeconds } = kek;
    turn.out.push(gmEvent("gm.kekInstalled", { group: name, protocol: protocol.kind, spi, lifetimeSeconds }));
    turn.out.push({ kind: "keys", entry: rekeyProtocolOf(group).keyEntry(kek.sa) });
  }
  listen(turn, held, multicastAddress(kek));
}

/** The address that rekeys are sent to, or undefined where they come in the IKE SA. */
function multicastAddress({ destination }: HeldKek): string | undefined {
  const { first, last } = destination;
  const address = parseIpv4(first);
  return first === last && address !== undefined && isMulticastIpv4(address) ? first : undefined;
}

function listen(turn: Turn, held: HeldPolicy, address: string | undefined): void {
  held.transport = address === undefined ? "unicast" : "multicast";
  if (held.joined === address) return;
  if (held.joined !== undefined) order(turn, { kind: "leave", address: held.joined });
  if (address !== undefined) order(turn, { kind: "join", address });
  held.joined = address;
}

function tellTransport(turn: Turn, group: GmGroup, held: HeldPolicy, before: string | undefined): void {
  if (held.transport === before) return;
  turn.out.push(protocolEvent(group, "gm.transport", { transport: held.transport }));
}

/** The member can open no rekey message any more. */
export function dropKek(turn: Turn, group: GmGroup, reason: RemovalReason): void {
  const { held } = group;
  if (held?.kek === undefined) return;
  kekRemoved(turn, group, held.kek, reason);
  held.previousKekSpi = held.kek.sa.spi;
  held.kek = undefined;
}

function kekRemoved(turn: Turn, group: GmGroup, kek: HeldKek, reason: RemovalReason): void {
  turn.out.push(protocolEvent(group, "gm.kekRemoved", { spi: kek.sa.spi, reason }));
}

// ---------------------------------------------------------------------------------------------------------------- TEKs

/** As events name it: 8 hexadecimal digits. */
export function spiText(spi: number): string {
  return spi.toString(16).padStart(8, "0");
}

function installTek(turn: Turn, group: GmGroup, held: HeldPolicy, tek: HeldTek): void {
  const sa = dataSaOf(group, held, tek);
  order(turn, { kind: "install", sa });
  const spi = spiText(tek.spi);
  const { family, generation, lifetimeSeconds } = tek;
  turn.out.push(gmEvent("gm.tekInstalled", { group: group.config.name, spi, family, generation, lifetimeSeconds }));
  const { encr, encrKeyBits, integ, encrKey, integKey } = sa;
  const entry = {
    kind: "esp",
    spi,
    source: "*",
    destination: "*",
    encr,
    encrKeyBits,
    integ,
    encrKey,
    integKey,
  } as const;
  turn.out.push({ kind: "keys", entry });
}

function dataSaOf(group: GmGroup, held: HeldPolicy, tek: HeldTek): DataSa {
  const { suite } = tek;
  const keys = splitTek(suite, tek.key);
  const senderId = isCounterMode(suite) ? held.senderIds[0] : undefined;
  return {
    group: group.config.name,
    family: tek.family,
    generation: tek.generation,
    spi: tek.spi,
    encr: suite.encr,
    encrKeyBits: suite.encrKeyBits,
    integ: suite.integ,
    encrKey: keys === undefined ? tek.key : secret(keys.encr),
    integKey: keys === undefined ? NO_SECRET : secret(keys.integ),
    sequenceNumbers: tek.sequenceNumbers,
    mode: tek.mode,
    installedAt: tek.installedAt,
    expiresAt: tek.expiresAt,
    senderId: senderId === undefined ? undefined : { value: senderId, bits: held.senderIdBits },
  };
}

/** Undefined with an AEAD cipher, for which the key is one whole. */
function splitTek(suite: DataSuite, { secret: key }: Secret): SaKeys | undefined {
  const specs = specsOf(suite);
  assert(specs !== undefined, "a TEK of a suite that we do not have");
  const { encr, integ } = specs;
  if (integ !== undefined) return splitSaKeys(encr, integ, key);
  assert(key.length === saKeyOctets(encr, integ), "a TEK of another length than its suite's");
  return undefined;
}

function dropTek(turn: Turn, group: GmGroup, tek: HeldTek, reason: RemovalReason): void {
  const held = group.held!;
  const place = held.teks.indexOf(tek);
  if (place < 0) return;
  held.teks = held.teks.toSpliced(place, 1);
  removeTek(turn, group, tek, reason);
}

function removeTek(turn: Turn, group: GmGroup, tek: HeldTek, reason: RemovalReason): void {
  order(turn, { kind: "remove", group: group.config.name, spi: tek.spi });
  const { sending } = group.held!;
  if (sending[tek.family] === tek.spi) sending[tek.family] = undefined;
  const data = { group: group.config.name, spi: spiText(tek.spi), family: tek.family, reason };
  turn.out.push(gmEvent("gm.tekRemoved", data));
}

export function dropTeks(turn: Turn, group: GmGroup, reason: RemovalReason): void {
  for (const tek of group.held?.teks ?? []) dropTek(turn, group, tek, reason);
}

/** Everything of the group is given up, its rules included: traffic goes in clear as before the first registration. */
export function dropPolicy(turn: Turn, group: GmGroup, reason: RemovalReason): void {
  const { held } = group;
  if (held === undefined) return;
  dropTeks(turn, group, reason);
  dropKek(turn, group, reason);
  order(turn, { kind: "rules", group: group.config.name, rules: [] });
  if (held.joined !== undefined) order(turn, { kind: "leave", address: held.joined });
  group.held = undefined;
  stopTimer(turn, "keys", group);
  stopTimer(turn, "reregister", group);
  group.reregisterAt = undefined;
}

// -------------------------------------------------------------------------------------------------------------- timers

/** Takes out what has ended, lets the right TEK of each family send, and sets the timer for the next change. */
export function refreshKeys(turn: Turn, group: GmGroup): void {
  const { held } = group;
  if (held === undefined) return;
  for (const tek of held.teks) if (tek.expiresAt <= turn.now) dropTek(turn, group, tek, "expired");
  if (held.kek !== undefined && held.kek.expiresAt <= turn.now) dropKek(turn, group, "expired");
  let next = held.kek?.expiresAt ?? NEVER;
  for (const tek of held.teks) next = Math.min(next, tek.expiresAt);
  // A member that does not send has no use for an outbound SA.
  if (group.config.senderIds !== undefined) next = Math.min(next, chooseSenders(turn, group, held));
  if (next === NEVER) stopTimer(turn, "keys", group);
  else startTimer(turn, "keys", group, next);
}

const NEVER = Number.POSITIVE_INFINITY;

/** The first instant at which a choice must be made anew. */
function chooseSenders(turn: Turn, group: GmGroup, held: HeldPolicy): Micros {
  const { teks } = held;
  let next = NEVER;
  for (let i = 0; i < teks.length; i++) {
    if (!isNewest(teks, i)) continue;
    const { family } = teks[i]!;
    const { tek, until } = chooseSender(teks, family, turn.now, group.tuning.rolloverLeft);
    if (until !== undefined) next = Math.min(next, until);
    if (tek === undefined || held.sending[family] === tek.spi) continue;
    held.sending[family] = tek.spi;
    order(turn, { kind: "sendWith", group: group.config.name, family, spi: tek.spi });
    turn.out.push(gmEvent("gm.sendingWith", { group: group.config.name, spi: spiText(tek.spi), family }));
  }
  return next;
}

/** The earliest instant at which a key would be missed. New draws with each key that is installed. */
function armReregistration(turn: Turn, group: GmGroup): void {
  const { teks, kek } = group.held!;
  let first = NEVER;
  for (let i = 0; i < teks.length; i++) if (isNewest(teks, i)) first = Math.min(first, missedAt(turn, teks[i]!));
  if (kek !== undefined) first = Math.min(first, missedAt(turn, kek));
  group.reregisterAt = first;
  startTimer(turn, "reregister", group, first);
}

function missedAt({ now, tools }: Turn, { expiresAt, lifetimeSeconds }: HeldTek | HeldKek): Micros {
  return reregisterInstant(now, expiresAt, lifetimeSeconds, tools.rng);
}

/** The newest TEK of each family stands in front of the others. */
function isNewest(teks: readonly HeldTek[], index: number): boolean {
  for (let i = 0; i < index; i++) if (teks[i]!.family === teks[index]!.family) return false;
  return true;
}
