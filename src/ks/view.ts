/** What may be known of a key server, as plain data without keys: for `show` commands and drawings. */
import type { Micros } from "../base/micros.ts";
import { MILLISECOND } from "../base/micros.ts";
import { timerAt } from "../base/timers.ts";
import { formatSelector } from "../gikev2/selectors.ts";
import type { SaView as IsakmpSaView } from "../ikev1/api.ts";
import { saNumbers, saView } from "../ikev1/endpoint.ts";
import type { ProtocolKind } from "./config.ts";
import { spiText } from "./keys.ts";
import { rekeyMargin } from "./schedule.ts";
import type { KsBranch, KsCounters, KsGroup, KsMember, KsState, Tek, TekGeneration } from "./state.ts";
import { timerKey } from "./state.ts";

export interface KsView {
  readonly address: string;
  /** Phase 1 of members of GDOI, whether they are registered or not. */
  readonly isakmpSas: readonly IsakmpSaView[];
  readonly groups: readonly KsGroupView[];
}

export interface KsGroupView {
  readonly name: string;
  /** Group number, or address. */
  readonly identity: string;
  /** IKEv2 profile of members of G-IKEv2; empty where none are served. */
  readonly profile: string;
  readonly transport: "unicast" | "multicast";
  /** Of multicast rekeys; empty otherwise. */
  readonly destination: string;
  readonly mode: "tunnel" | "transport";
  readonly retransmitSeconds: number;
  readonly retransmitCount: number;
  readonly members: readonly KsMemberView[];
  /** One for each protocol that has had members. */
  readonly keks: readonly KsKekView[];
  /** Newest first. */
  readonly teks: readonly KsTekView[];
  /** In order, `permit` or `deny` with the selector. */
  readonly entries: readonly string[];
  readonly rekeying: boolean;
  readonly counters: Readonly<KsCounters>;
}

export interface KsKekView {
  readonly protocol: ProtocolKind;
  readonly spi: string;
  readonly encr: number;
  readonly encrKeyBits: number;
  readonly integ: number;
  readonly lifetimeSeconds: number;
  readonly remainingMillis: number;
  /** Until its own rekey starts. */
  readonly rekeyMillis: number;
  readonly sequence: number;
  readonly signed: boolean;
}

export interface KsTekView {
  /** 8 hexadecimal digits. */
  readonly spi: string;
  readonly generation: number;
  readonly family: number;
  readonly selector: string;
  readonly encr: number;
  readonly encrKeyBits: number;
  readonly integ: number;
  readonly lifetimeSeconds: number;
  /** 0 once it has ended: it stays listed until the next rekey. */
  readonly remainingMillis: number;
  readonly elapsedMillis: number;
  /** Until the rekey of the newest generation; undefined for older ones. */
  readonly rekeyMillis: number | undefined;
}

export interface KsMemberView {
  readonly protocol: ProtocolKind;
  readonly address: string;
  readonly port: number;
  readonly identity: string;
  readonly registeredAt: Micros;
  readonly senderIds: readonly number[];
  readonly rekeysSent: number;
  readonly rekeyRetries: number;
  readonly acksReceived: number;
  readonly acksMissed: number;
  /** The last four, newest first. */
  readonly sequencesSent: readonly number[];
  readonly sequencesAcked: readonly number[];
}

export function viewKs(state: KsState, now: Micros): KsView {
  const groups = [...state.groups.values()].map((group) => viewGroup(state, group, now));
  const { isakmp, config } = state;
  const sas = isakmp === undefined ? [] : saNumbers(isakmp.endpoint).map((sa) => saView(isakmp.endpoint, sa)!);
  return { address: config.local.address, isakmpSas: sas, groups };
}

function millis(time: Micros): number {
  return Math.max(0, Math.floor(time / MILLISECOND));
}

function viewGroup(state: KsState, group: KsGroup, now: Micros): KsGroupView {
  const { config } = group;
  const { transport, retransmit } = config;
  return {
    name: config.name,
    identity: group.id,
    profile: config.gikev2?.profile ?? "",
    transport: transport.kind,
    destination: transport.kind === "multicast" ? transport.destination.address : "",
    mode: config.mode,
    retransmitSeconds: retransmit.seconds,
    retransmitCount: retransmit.count,
    members: [...group.members.values()].map(viewMember),
    keks: group.branches.flatMap((branch) => viewKek(group, branch, now) ?? []),
    teks: group.generations.flatMap((generation, depth) =>
      generation.teks.map((tek) => viewTek(state, group, generation, tek, depth === 0, now)),
    ),
    entries: config.dataSas.flatMap(({ entries }) =>
      entries.map(({ action, selector }) => `${action} ${formatSelector(selector)}`),
    ),
    rekeying: group.branches.some(({ round, copies }) => round !== undefined || copies !== undefined),
    counters: { ...group.counters },
  };
}

function viewKek({ config }: KsGroup, { kind, kek }: KsBranch, now: Micros): KsKekView | undefined {
  if (kek === undefined) return undefined;
  const { suite, spi, authentication } = kek.sa;
  const retransmit = config.transport.kind === "unicast" ? config.retransmit : undefined;
  return {
    protocol: kind,
    spi,
    encr: suite.encr,
    encrKeyBits: suite.encrKeyBits,
    integ: suite.integ,
    lifetimeSeconds: kek.lifetimeSeconds,
    remainingMillis: millis(kek.expiresAt - now),
    rekeyMillis: millis(kek.expiresAt - rekeyMargin("kek", kek.lifetimeSeconds, retransmit) - now),
    sequence: kek.sequence,
    signed: authentication.kind === "signature",
  };
}

function viewTek(
  state: KsState,
  group: KsGroup,
  generation: TekGeneration,
  tek: Tek,
  newest: boolean,
  now: Micros,
): KsTekView {
  const rekeyAt = newest ? timerAt(state.timers, timerKey("rekeyTek", group.id)) : undefined;
  return {
    spi: spiText(tek.spi),
    generation: generation.number,
    family: tek.family,
    selector: formatSelector(tek.selector),
    ...tek.suite,
    lifetimeSeconds: tek.lifetimeSeconds,
    remainingMillis: millis(tek.expiresAt - now),
    elapsedMillis: millis(now - generation.createdAt),
    rekeyMillis: rekeyAt === undefined ? undefined : millis(rekeyAt - now),
  };
}

function viewMember(member: KsMember): KsMemberView {
  const { protocol, remote, identity, registeredAt, rekeysSent, rekeyRetries, acksReceived, acksMissed } = member;
  return {
    protocol,
    address: remote.address,
    port: remote.port,
    identity,
    registeredAt,
    senderIds: [...member.senderIds],
    rekeysSent,
    rekeyRetries,
    acksReceived,
    acksMissed,
    sequencesSent: [...member.sequencesSent],
    sequencesAcked: [...member.sequencesAcked],
  };
}
