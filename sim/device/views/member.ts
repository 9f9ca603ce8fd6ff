/** Groups that a router is a member of. */
import { toHex } from "../../../src/base/bytes.ts";
import { formatIpv4 } from "../../../src/base/ipv4.ts";
import type { Micros } from "../../../src/base/micros.ts";
import { encodeSpki } from "../../../src/crypto/spki.ts";
import type { Counters } from "../../../src/esp/counters.ts";
import { newCounters } from "../../../src/esp/counters.ts";
import type { DataPlane } from "../../../src/esp/dataPlane.ts";
import { isCounterMode } from "../../../src/gikev2/policy.ts";
import type { GmGroup, GmState, HeldPolicy, HeldTek } from "../../../src/gm/state.ts";
import type { AclEntry, GkmClient, GkmGroup, GkmMapEntry, IosConfig, IosInterface } from "../../../src/ios/model.ts";
import { VERSIONS } from "../../../src/ios/show/text.ts";
import type { DataPlaneView, MemberGroupView, MemberKekView, MemberTekView } from "../../../src/ios/show/views.ts";
import type { RoleState } from "../spec.ts";
import {
  entryOf,
  ivOctets,
  kekCipherText,
  keyOctetsOf,
  secondsLeft,
  secondsSince,
  signatureHashText,
  signatureView,
  transformOf,
} from "./common.ts";

const GKM_PORT = 848;

/** All groups that a crypto map on an interface names. */
export function memberViews(
  config: IosConfig,
  roles: readonly RoleState[],
  planes: readonly DataPlane[],
  now: Micros,
): MemberGroupView[] {
  const states = roles.flatMap((role) => (role.kind === "gm" ? [role.state] : []));
  const seen = new Set<string>();
  return attachments(config).flatMap((attachment) => {
    const { group } = attachment;
    if (seen.has(group.name)) return [];
    seen.add(group.name);
    const found = states.flatMap((state) => runningGroup(state, group.name))[0];
    const counters = planes.flatMap(({ groups }) => groups.get(group.name)?.counters ?? [])[0];
    return [memberView(config, attachment, found, counters ?? newCounters(), now)];
  });
}

interface Attachment {
  readonly group: GkmGroup;
  readonly entry: GkmMapEntry;
  readonly map: string;
  readonly on: IosInterface;
}

function attachments(config: IosConfig): Attachment[] {
  return [...config.interfaces.values()].flatMap((on) => {
    const map = on.cryptoMap && config.cryptoMaps.get(on.cryptoMap.name);
    return [...(map?.entries.values() ?? [])].flatMap((entry) => {
      const group = entry.group && config.groups.get(entry.group.name);
      return group === undefined || group.server !== undefined ? [] : [{ group, entry, map: map!.name, on }];
    });
  });
}

interface Running {
  readonly state: GmState;
  readonly group: GmGroup;
}

function runningGroup(state: GmState, name: string): Running[] {
  return state.groups.filter(({ config }) => config.name === name).map((group) => ({ state, group }));
}

function memberView(
  ios: IosConfig,
  { group, entry, map, on }: Attachment,
  running: Running | undefined,
  counters: Counters,
  now: Micros,
): MemberGroupView {
  const { client, identity } = group;
  const own = running?.group;
  const held = own?.held;
  const list = entry.acl && ios.accessLists.get(entry.acl.name);
  const rekeys = (own?.counters.rekeysUnicast ?? 0) + (own?.counters.rekeysMulticast ?? 0);
  return {
    name: group.name,
    identity: identity?.kind === "address" ? formatIpv4(identity.address) : String(identity?.number ?? ""),
    type: client.protocol === "gikev2" ? "G-IKEv2 (IKEv2)" : "GDOI (ISAKMP)",
    profile: client.protocol === "gikev2" ? client.profile?.name : undefined,
    family: group.family,
    servers: group.servers.map((server) =>
      server.kind === "ipv4" ? formatIpv4(server.address) : server.kind === "ipv6" ? server.address : server.name,
    ),
    interface: on.name,
    address: own?.config.local.address ?? (on.address === undefined ? "0.0.0.0" : formatIpv4(on.address.address)),
    port: own?.config.local.port ?? GKM_PORT,
    version: VERSIONS.member,
    status: statusOf(own),
    server: held?.server.address ?? (own?.phase.at === "registering" ? own.phase.server.address : undefined),
    reregisterIn: own?.reregisterAt === undefined ? undefined : secondsLeft(own.reregisterAt, now),
    succeeded: own?.counters.successes ?? 0,
    attempted: own?.counters.attempts ?? 0,
    transport: held?.transport === "multicast" ? "Multicast" : "Unicast",
    rekeys: {
      unicast: own?.counters.rekeysUnicast ?? 0,
      multicast: own?.counters.rekeysMulticast ?? 0,
      acksSent: own?.counters.acksSent ?? 0,
      sinceRegistration: held?.rekeys ?? 0,
      lastAgo: held?.rekeyedAt === undefined ? undefined : secondsSince(held.rekeyedAt, now),
      lastFrom: rekeys === 0 ? undefined : held?.server.address,
      lastSequence: held?.sequence ?? 0,
    },
    isFailCloseRevert: client.failCloseRevert,
    allowedCipher: client.rekeyEncryption.length === 0 ? "any" : client.rekeyEncryption.join(" "),
    allowedHash: client.rekeyHash.length === 0 ? "any" : client.rekeyHash.join(" "),
    allowedTransforms:
      client.transformSets.length === 0 ? "any ESP" : client.transformSets.map(({ name }) => name).join(" "),
    kek: own === undefined || held === undefined ? undefined : kekView(client, own, held, now),
    teks: own === undefined || held === undefined ? [] : tekViews(own, held, now),
    downloaded: own === undefined || held === undefined ? [] : downloaded(own, held),
    local: list === undefined ? undefined : { map, acl: list.name, entries: list.entries },
    senderIds: held?.senderIds ?? [],
    senderIdBits: held?.senderIdBits ?? 0,
    senderIdsRequested: own?.config.senderIds ?? 0,
    isCounterMode: held?.teks.some(({ suite }) => isCounterMode(suite)) ?? false,
    dataPlane: dataPlaneView(counters),
    kekCount: kekCount(held),
  };
}

function statusOf(group: GmGroup | undefined): MemberGroupView["status"] {
  if (group === undefined || group.phase.at === "idle") return "Not Registered";
  if (group.phase.at === "registered") return "Registered";
  return "Registering";
}

/** Of the KEKs that are still known. */
function kekCount(held: HeldPolicy | undefined): MemberGroupView["kekCount"] {
  const installed = (held?.kek === undefined ? 0 : 1) + (held?.previousKekSpi === undefined ? 0 : 1);
  return { installed, removed: held?.previousKekSpi === undefined ? 0 : 1 };
}

const FIRST_CONNECTION = 1000;

/** The hash is that of the member's own restriction; without one it is told by the algorithm of the rekey SA. */
function kekView(client: GkmClient, group: GmGroup, held: HeldPolicy, now: Micros): MemberKekView | undefined {
  const { kek } = held;
  if (kek === undefined) return undefined;
  const { suite, publicKey } = kek.sa;
  const hash = HASH_OF_INTEG[suite.integ] ?? client.rekeyHash[0] ?? "sha";
  return {
    spi: kek.sa.spi,
    previousSpi: held.previousKekSpi,
    cipher: kekCipherText(suite),
    keyBits: 8 * keyOctetsOf(suite),
    ivOctets: ivOctets(suite),
    lifetime: kek.lifetimeSeconds,
    remaining: secondsLeft(kek.expiresAt, now),
    sequence: held.sequence,
    signature: publicKey && signatureView(publicKey, "", signatureHashText(hash)),
    publicKey: publicKey && toHex(encodeSpki(publicKey)),
    connectionId: FIRST_CONNECTION + (held.sa ?? group.index + 1),
  };
}

/** A rekey SA of G-IKEv2 is made with the hash that signs (see `kekSuiteOf`). */
const HASH_OF_INTEG: Readonly<Record<number, GkmClient["rekeyHash"][number]>> = {
  2: "sha",
  12: "sha256",
  13: "sha384",
  14: "sha512",
};

function tekViews(group: GmGroup, held: HeldPolicy, now: Micros): MemberTekView[] {
  return held.teks.map((tek) => ({
    spi: tek.spi.toString(16).padStart(8, "0"),
    transform: transformOf(tek.suite),
    mode: tek.mode,
    lifetime: tek.lifetimeSeconds,
    remaining: secondsLeft(tek.expiresAt, now),
    // Several members send under one number, so that none can be missed or repeated: the window says nothing.
    replay: { method: "counter", window: 64 },
    entry: protectedBy(held, tek) ?? ANY,
  }));

  function protectedBy({ rules }: HeldPolicy, { family }: HeldTek): AclEntry | undefined {
    const rule = rules.find(({ action, family: own }) => action === "protect" && own === family);
    return rule && entryOf("permit", rule.selector, group.index);
  }
}

/** A TEK whose traffic the list in force does not name any more. */
const ANY: AclEntry = entryOf("permit", {
  sourceFirst: 0,
  sourceLast: 0xffffffff,
  destinationFirst: 0,
  destinationLast: 0xffffffff,
  protocol: 0,
  sourcePortFirst: 0,
  sourcePortLast: 65_535,
  destinationPortFirst: 0,
  destinationPortLast: 65_535,
});

/** The list of the key server: without what the member has put in front, its own control traffic and its own list. */
function downloaded({ config }: GmGroup, { rules }: HeldPolicy): AclEntry[] {
  const own = (config.bypassControl ? 2 : 0) + config.localBypass.length;
  return rules
    .slice(own)
    .map(({ action, selector }, index) =>
      entryOf(action === "protect" ? "permit" : "deny", selector, 10 * (index + 1)),
    );
}

function dataPlaneView(counters: Counters): DataPlaneView {
  return {
    encrypted: counters.encrypt,
    decrypted: counters.decrypt,
    noSa: counters.noSa,
    invalidSa: counters.invalidSa,
    encapsFail: counters.encapsFail,
    decapFail: counters.decapsFail,
    invalidProtocol: counters.invalidProtocol,
    verifyFail: counters.verifyFail,
    internalSend: counters.internalErrors,
    internalReceive: 0,
    replayFail: counters.replayFail,
  };
}
