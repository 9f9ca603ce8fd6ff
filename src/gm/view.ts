/** What may be known of a group member, as plain data without keys: for `show` commands and drawings. */
import type { Micros } from "../base/micros.ts";
import { MILLISECOND } from "../base/micros.ts";
import { groupIdText } from "../gikev2/groupId.ts";
import { formatSelector } from "../gikev2/selectors.ts";
import type { ProtocolKind } from "./config.ts";
import { spiText } from "./install.ts";
import type { GmCounters, GmGroup, GmState, HeldTek } from "./state.ts";
import type { GmStateName } from "./states.ts";

export interface GmView {
  readonly groups: readonly GmGroupView[];
}

export interface GmGroupView {
  readonly name: string;
  /** Group number, or address. */
  readonly identity: string;
  readonly protocol: ProtocolKind;
  readonly address: string;
  readonly servers: readonly string[];
  readonly state: GmStateName;
  /** `Registered`, `Re-registering` ...: as IOS prints it. */
  readonly registration: "Not initialised" | "Registering" | "Re-registering" | "Registered";
  /** Key server of the policy in place; empty where there is none. */
  readonly server: string;
  readonly transport: "unicast" | "multicast" | "";
  readonly reregisterMillis: number | undefined;
  readonly kek:
    | { readonly spi: string; readonly encr: number; readonly encrKeyBits: number; readonly remainingMillis: number }
    | undefined;
  /** Number of the last rekey under the KEK. */
  readonly sequence: number;
  /** Newest first. */
  readonly teks: readonly GmTekView[];
  /** `protect` or `bypass` with the selector, in order. */
  readonly rules: readonly string[];
  readonly senderIds: readonly number[];
  readonly counters: Readonly<GmCounters>;
}

export interface GmTekView {
  /** 8 hexadecimal digits. */
  readonly spi: string;
  readonly family: number;
  readonly generation: number;
  readonly encr: number;
  readonly encrKeyBits: number;
  readonly integ: number;
  readonly lifetimeSeconds: number;
  readonly remainingMillis: number;
  readonly sending: boolean;
}

export function viewGm(state: GmState, now: Micros): GmView {
  return { groups: state.groups.map((group) => viewGroup(group, now)) };
}

function millis(time: Micros): number {
  return Math.max(0, Math.floor(time / MILLISECOND));
}

function viewGroup(group: GmGroup, now: Micros): GmGroupView {
  const { config, held, phase, counters, reregisterAt } = group;
  const kek = held?.kek;
  return {
    name: config.name,
    identity: groupIdText(config.id),
    protocol: config.protocol.kind,
    address: config.local.address,
    servers: config.servers.map(({ address }) => address),
    state: phase.at,
    registration: registrationText(group),
    server: held?.server.address ?? "",
    transport: held?.transport ?? "",
    reregisterMillis: reregisterAt === undefined ? undefined : millis(reregisterAt - now),
    kek: kek && {
      spi: kek.sa.spi,
      encr: kek.sa.suite.encr,
      encrKeyBits: kek.sa.suite.encrKeyBits,
      remainingMillis: millis(kek.expiresAt - now),
    },
    sequence: held?.sequence ?? 0,
    teks: (held?.teks ?? []).map((tek) => viewTek(group, tek, now)),
    rules: (held?.rules ?? []).map(({ action, selector }) => `${action} ${formatSelector(selector)}`),
    senderIds: [...(held?.senderIds ?? [])],
    counters: { ...counters },
  };
}

function registrationText({ phase, held }: GmGroup): GmGroupView["registration"] {
  if (phase.at === "idle") return "Not initialised";
  if (phase.at === "registered") return "Registered";
  return held === undefined ? "Registering" : "Re-registering";
}

function viewTek({ held }: GmGroup, tek: HeldTek, now: Micros): GmTekView {
  const { spi, family, generation, suite, lifetimeSeconds, expiresAt } = tek;
  return {
    spi: spiText(spi),
    family,
    generation,
    ...suite,
    lifetimeSeconds,
    remainingMillis: millis(expiresAt - now),
    sending: held?.sending[family] === spi,
  };
}
