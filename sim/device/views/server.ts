/** Groups that a router serves. */
import { formatIpv4 } from "../../../src/base/ipv4.ts";
import type { Micros } from "../../../src/base/micros.ts";
import { timerAt } from "../../../src/base/timers.ts";
import { isCounterMode } from "../../../src/gikev2/policy.ts";
import { selectorKey } from "../../../src/gikev2/selectors.ts";
import type { GkmGroup, IosConfig, LocalServer, SaIpsec } from "../../../src/ios/model.ts";
import { typeText, VERSIONS } from "../../../src/ios/show/text.ts";
import type {
  ReplayView,
  SenderIdView,
  ServerGroupView,
  ServerKekView,
  ServerMemberView,
  ServerSaView,
  ServerTekView,
} from "../../../src/ios/show/views.ts";
import { rekeyMargin } from "../../../src/ks/schedule.ts";
import {
  type KsBranch,
  type KsGroup,
  type KsKek,
  type KsMember,
  type KsState,
  timerKey,
} from "../../../src/ks/state.ts";
import type { RoleState } from "../spec.ts";
import {
  ivOctets,
  kekCipherText,
  keyOctetsOf,
  secondsLeft,
  secondsSince,
  signatureHashText,
  signatureView,
  transformOf,
} from "./common.ts";

/** All groups with `server local`, those included that no machine serves. */
export function serverViews(config: IosConfig, roles: readonly RoleState[], now: Micros): ServerGroupView[] {
  const states = roles.flatMap((role) => (role.kind === "ks" ? [role.state] : []));
  return [...config.groups.values()].flatMap((group) => {
    const { server } = group;
    if (server === undefined) return [];
    const state = states.find(({ groups }) => [...groups.values()].some((one) => one.config.name === group.name));
    const running = state && [...state.groups.values()].find((one) => one.config.name === group.name);
    return [serverView(config, group, server, state, running, now)];
  });
}

function serverView(
  ios: IosConfig,
  group: GkmGroup,
  server: LocalServer,
  state: KsState | undefined,
  running: KsGroup | undefined,
  now: Micros,
): ServerGroupView {
  const { identity } = group;
  const counters = running?.counters;
  const copyAt = state && running?.branches.flatMap(({ id }) => timerAt(state.timers, timerKey("copy", id)) ?? [])[0];
  return {
    name: group.name,
    identity: identity?.kind === "address" ? formatIpv4(identity.address) : String(identity?.number ?? ""),
    type: typeText(server.gdoi, server.gikev2 !== undefined),
    family: group.family,
    transport: server.rekeyTransport === "unicast" ? "Unicast" : "Multicast",
    address: server.address === undefined ? "0.0.0.0" : formatIpv4(server.address.value),
    members: [...(running?.members.values() ?? [])].map(memberView),
    isReceiveOnly: server.saReceiveOnly,
    d3pWindowMillis: server.saD3pWindowMillis,
    isCkmEnabled: server.saPairWiseKeying,
    isReauthOnCrl: server.registrationCrlTrustpoint !== undefined,
    acknowledgement: server.rekeyAcknowledgement,
    splitResiliencyFactor: 0,
    redundancy:
      server.redundancy === undefined
        ? undefined
        : {
            address: server.address === undefined ? "0.0.0.0" : formatIpv4(server.address.value),
            priority: server.redundancy.localPriority,
            status: "Alive",
            role: "Primary",
          },
    rekeyLifetime: server.rekeyLifetimeSeconds,
    retransmitPeriod: server.rekeyRetransmitSeconds,
    retransmitAttempts: server.rekeyRetransmitCount,
    retransmitRemaining: copyAt === undefined ? 0 : secondsLeft(copyAt, now),
    sas: [...server.saIpsec.values()].map((sa) => saView(ios, sa, state, running, now)),
    keks: running === undefined ? [] : kekViews(server, running, now),
    teks: running === undefined || state === undefined ? [] : tekViews(server, state, running, now),
    senderIds: senderIdView(server, running),
    rekeysSent: counters?.rekeys ?? 0,
    retransmitsTotal: counters?.retransmits ?? 0,
    lastRetransmits: counters?.lastRetransmits ?? 0,
    lastDurationMillis: counters?.lastDurationMillis ?? 0,
  };
}

const MEMBER_TYPES: Readonly<Record<KsMember["protocol"], ServerMemberView["type"]>> = {
  gikev2: "G-IKEv2 (IKEv2)",
  gdoi: "GDOI (ISAKMP)",
};

function memberView(member: KsMember): ServerMemberView {
  return {
    address: member.remote.address,
    version: VERSIONS.member,
    type: MEMBER_TYPES[member.protocol],
    rekeysSent: member.rekeysSent,
    retries: member.rekeyRetries,
    acksReceived: member.acksReceived,
    acksMissed: member.acksMissed,
    sequencesSent: member.sequencesSent,
    sequencesReceived: member.sequencesAcked,
  };
}

function replayView({ replay }: SaIpsec): ReplayView {
  switch (replay.method) {
    case "counter":
      return { method: "counter", window: replay.windowSize };
    case "time":
      return { method: "time", seconds: replay.windowSeconds };
    case "none":
      return { method: "none" };
  }
}

/** Which `sa ipsec` each data SA of the group comes from, in the order in which data SAs are numbered. */
function saOfFamilies(running: KsGroup): readonly number[] {
  const seen = new Set<string>();
  return running.config.dataSas.flatMap(({ number, entries }) =>
    entries.flatMap(({ action, selector }) => {
      const key = selectorKey(selector);
      if (action === "deny" || seen.has(key)) return [];
      seen.add(key);
      return [number];
    }),
  );
}

function saView(
  ios: IosConfig,
  sa: SaIpsec,
  state: KsState | undefined,
  running: KsGroup | undefined,
  now: Micros,
): ServerSaView {
  const families = running === undefined ? [] : saOfFamilies(running);
  const newest = running?.generations[0]?.teks.filter(({ family }) => families[family] === sa.number) ?? [];
  const rekeyAt = running && state && timerAt(state.timers, timerKey("rekeyTek", running.id));
  return {
    number: sa.number,
    lifetime: (sa.profile && ios.ipsecProfiles.get(sa.profile.name)?.lifetimeSeconds) ?? 0,
    profile: sa.profile?.name ?? "",
    replay: replayView(sa),
    isTagged: sa.tagSgt,
    remaining: newest.length === 0 ? undefined : Math.min(...newest.map((tek) => secondsLeft(tek.expiresAt, now))),
    rekeyIn: newest.length === 0 || rekeyAt === undefined ? undefined : secondsLeft(rekeyAt, now),
    acl: sa.acl?.name ?? "",
    entries: (sa.acl && ios.accessLists.get(sa.acl.name)?.entries) ?? [],
  };
}

/** One for each protocol that has had members, G-IKEv2 first. */
function kekViews(server: LocalServer, { branches, config }: KsGroup, now: Micros): ServerKekView[] {
  return branches.flatMap(({ kind, kek }) => (kek === undefined ? [] : [kekView(server, config, kind, kek, now)]));
}

function kekView(
  server: LocalServer,
  config: KsGroup["config"],
  kind: KsBranch["kind"],
  kek: KsKek,
  now: Micros,
): ServerKekView {
  const { suite, spi, publicKey } = kek.sa;
  const retransmit = config.transport.kind === "unicast" ? config.retransmit : undefined;
  const rekeyAt = kek.expiresAt - rekeyMargin("kek", kek.lifetimeSeconds, retransmit);
  const label = server.rekeyAuthentication?.name ?? "";
  return {
    type: MEMBER_TYPES[kind],
    spi,
    cipher: kekCipherText(suite),
    ivOctets: ivOctets(suite),
    keyOctets: keyOctetsOf(suite),
    lifetime: kek.lifetimeSeconds,
    remaining: secondsLeft(kek.expiresAt, now),
    rekeyIn: secondsLeft(rekeyAt, now),
    sequence: kek.sequence,
    signature: publicKey && signatureView(publicKey, label, signatureHashText(server.rekeySigHash)),
  };
}

function tekViews(server: LocalServer, state: KsState, running: KsGroup, now: Micros): ServerTekView[] {
  const families = saOfFamilies(running);
  const rekeyAt = timerAt(state.timers, timerKey("rekeyTek", running.id));
  return running.generations.flatMap((generation, depth) =>
    generation.teks.map((tek): ServerTekView => {
      const sa = server.saIpsec.get(families[tek.family] ?? -1) ?? [...server.saIpsec.values()][0];
      return {
        spi: tek.spi.toString(16).padStart(8, "0"),
        acl: sa?.acl?.name ?? "",
        mode: running.config.mode,
        transform: transformOf(tek.suite),
        lifetime: tek.lifetimeSeconds,
        remaining: secondsLeft(tek.expiresAt, now),
        elapsed: secondsSince(generation.createdAt, now),
        rekeyIn: depth > 0 || rekeyAt === undefined ? undefined : secondsLeft(rekeyAt, now),
        replay: sa === undefined ? { method: "none" } : replayView(sa),
      };
    }),
  );
}

const BITS: Readonly<Record<LocalServer["groupSize"], number>> = {
  "small-8": 8,
  "small-12": 12,
  "small-16": 16,
  medium: 24,
  large: 32,
};

const SIZE_NAMES = { medium: "MEDIUM", large: "LARGE" } as const;
/** Bits of a Sender-ID that name the key server. */
const KSSID_BITS = { medium: 7, large: 9 } as const;

function senderIdView({ groupSize, identifiers }: LocalServer, running: KsGroup | undefined): SenderIdView {
  const bits = BITS[groupSize];
  const isNamed = groupSize === "medium" || groupSize === "large";
  const gmBits = bits - (isNamed ? KSSID_BITS[groupSize] : 0);
  const isCounted = running?.config.dataSas.some(({ suite }) => isCounterMode(suite)) ?? false;
  const first = running?.config.senderIds?.first ?? 0;
  const count = running?.config.senderIds?.count ?? 2 ** bits;
  const used = running?.senderIdsUsed ?? 0;
  const last = isCounted && used > 0 ? first + used - 1 : undefined;
  return {
    isCounterMode: isCounted,
    bits,
    sizeName: isNamed ? SIZE_NAMES[groupSize] : "SMALL",
    assigned: identifiers.map(({ from, to }) => ({ from, to })),
    current: last === undefined ? undefined : Math.floor(last / 2 ** gmBits),
    lastGmSid: last === undefined ? undefined : last % 2 ** gmBits,
    remaining: count - used,
  };
}
