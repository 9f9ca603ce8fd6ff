/**
 * A member of GDOI without the role: an IKEv1 endpoint, GROUPKEY-PULL, and a hand that opens pushes. With a key server it
 * makes a world in which datagrams arrive at once and time jumps to the next deadline.
 */
import { createRng } from "../../sim/core/rng.ts";
import { utf8 } from "../../src/base/bytes.ts";
import type { Datagram, Happened, Send } from "../../src/base/machine.ts";
import type { Micros } from "../../src/base/micros.ts";
import { secret } from "../../src/base/secret.ts";
import type { KeyEntry } from "../../src/crypto/keyEntry.ts";
import { native } from "../../src/crypto/native.ts";
import { gdoiProtocol } from "../../src/gdoi/gdoiProtocol.ts";
import { groupRekeyOf } from "../../src/gdoi/groupMessage.ts";
import type { IsakmpConfig } from "../../src/gdoi/peerCertificates.ts";
import { createPulls, type PullOutcome, type Pulls, startPull, takePullOutcome } from "../../src/gdoi/pull.ts";
import { DEFAULT_SWITCHES } from "../../src/gdoi/switches.ts";
import type { RekeySa } from "../../src/gikev2/dialect.ts";
import type { Grant, GroupUpdate, KekKeys, KekPolicy } from "../../src/gikev2/policy.ts";
import type { Phase1Mode, Tools } from "../../src/ikev1/api.ts";
import {
  answerAuth,
  createEndpoint,
  expire,
  type Ikev1Endpoint,
  initiate,
  lastSa,
  nextDeadline,
  receive,
} from "../../src/ikev1/endpoint.ts";
import type { GdoiService, KsConfig, KsGroupConfig } from "../../src/ks/config.ts";
import { createKsState, handleKs, type KsCommand, type KsState, nextKsTimeout } from "../../src/ks/keyServer.ts";
import { addressOctets } from "../../src/wire/address.ts";
import { IsakmpIdType } from "../../src/wire/isakmpNumbers.ts";
import { gmAddress, ike, KS_ADDRESS, ksGroup } from "../gm/network.ts";

export const GDOI: GdoiService = { kekSuite: { encr: 12, encrKeyBits: 128, integ: 0, kwa: 0 } };

/** Of an endpoint at this address, with a pre-shared key that all have. */
export function isakmp(address: string, key = "shared"): IsakmpConfig {
  const id = { type: IsakmpIdType.IPV4_ADDR, protocol: 0, port: 0, data: addressOctets(address) };
  const match = { remoteAddresses: [], remoteIdentities: [], anyRemote: true };
  return {
    policies: [{ encryption: 7, keyBits: 128, hash: 4, group: 19, authentication: 1, lifetimeSeconds: 0 }],
    profiles: [{ name: "default", localIdentity: id, match }],
    keys: [{ address: { network: "0.0.0.0", mask: "0.0.0.0" }, key: secret(utf8(key)) }],
  };
}

export interface GdoiMember {
  readonly address: string;
  readonly endpoint: Ikev1Endpoint;
  readonly pulls: Pulls;
  readonly tools: Tools;
  readonly outcomes: PullOutcome[];
  /** Rekeys that it has opened and that were new. */
  readonly updates: GroupUpdate[];
  /** Pushes as they came. */
  readonly pushes: Datagram[];
  kek: { readonly sa: RekeySa; nextMessageId: number } | undefined;
  answers: boolean;
}

export interface World {
  now: Micros;
  readonly ks: KsState;
  readonly tools: Tools;
  readonly members: readonly GdoiMember[];
  readonly events: Happened[];
  readonly keys: KeyEntry[];
  /** Everything that the key server sent. */
  readonly sent: Send[];
}

export interface WorldOptions {
  readonly members?: number;
  readonly group?: Partial<KsGroupConfig>;
  readonly change?: (config: KsConfig) => KsConfig;
  readonly key?: (index: number) => string;
}

export function createWorld(options: WorldOptions = {}): World {
  const rng = createRng("gdoi world");
  const { gikev2: _, ...plain } = ksGroup();
  const config: KsConfig = {
    local: { address: KS_ADDRESS, port: 848 },
    ike: ike(KS_ADDRESS),
    isakmp: isakmp(KS_ADDRESS),
    groups: [{ ...plain, gdoi: GDOI, ...options.group }],
  };
  const members = Array.from({ length: options.members ?? 1 }, (_, i): GdoiMember => {
    const address = gmAddress(i + 1);
    return {
      address,
      endpoint: createEndpoint(isakmp(address, options.key?.(i + 1))),
      pulls: createPulls(DEFAULT_SWITCHES),
      tools: { crypto: native, rng: rng.fork(`gm${i + 1}`) },
      outcomes: [],
      updates: [],
      pushes: [],
      kek: undefined,
      answers: true,
    };
  });
  return {
    now: 0,
    ks: createKsState(options.change?.(config) ?? config),
    tools: { crypto: native, rng: rng.fork("ks") },
    members,
    events: [],
    keys: [],
    sent: [],
  };
}

const swap = ({ local, remote, octets }: Datagram): Datagram => ({ local: remote, remote: local, octets });

export function toKs(world: World, datagram: Datagram): void {
  takeFromKs(world, handleKs(world.ks, world.tools, { kind: "datagram", datagram }, world.now));
}

export function command(world: World, command: KsCommand): void {
  takeFromKs(world, handleKs(world.ks, world.tools, { kind: "command", command }, world.now));
}

function takeFromKs(world: World, outputs: ReturnType<typeof handleKs>): void {
  for (const output of outputs) {
    if (output.kind === "event") world.events.push(output);
    else if (output.kind === "keys") world.keys.push(output.entry);
    else {
      world.sent.push(output);
      const isMulticast = output.remote.address.startsWith("239.");
      for (const member of world.members) {
        if (isMulticast || output.remote.address === member.address) toMember(world, member, swap(output));
      }
    }
  }
}

function toMember(world: World, member: GdoiMember, datagram: Datagram): void {
  if (groupRekeyOf(datagram.octets)?.protocol === "gdoi") {
    member.pushes.push(datagram);
    takePush(world, member, datagram);
    return;
  }
  // What is of IKEv2 is not for this member.
  if (datagram.octets[17]! >>> 4 !== 1) return;
  takeFromEndpoint(world, member, receive(member.endpoint, member.tools, datagram, world.now));
}

/** Takes a push as a member does: what is new is kept, what is genuine is answered where the policy asks for it. */
export function takePush(world: World, member: GdoiMember, datagram: Datagram): string {
  const { kek } = member;
  const protocol = gdoiProtocol();
  if (kek === undefined || groupRekeyOf(datagram.octets)?.spi !== kek.sa.spi) return "unknown";
  const opened = protocol.openRekey(native, kek.sa, datagram.octets, undefined, kek.nextMessageId);
  if (opened.kind !== "whole") return opened.kind;
  kek.nextMessageId = opened.messageId + 1;
  const read = protocol.readRekey(native, kek.sa, opened.payloads, []);
  if (!read.ok || "excluded" in read.value) throw new Error("a push that cannot be read");
  member.updates.push(read.value);
  const nextIv = () => new Uint8Array(16);
  const ack = protocol.rekeyAck(native, kek.sa, { messageId: opened.messageId, nextIv, address: member.address });
  const { policy, keys } = read.value;
  if (policy.kek !== undefined) holdKek(member, policy.kek, keys.kek!);
  if (ack !== undefined && member.answers) toKs(world, { local: datagram.remote, remote: datagram.local, octets: ack });
  return "whole";
}

function holdKek(member: GdoiMember, kek: KekPolicy, keys: KekKeys): void {
  const { spi, suite, authentication, publicKey, acknowledgement, nextMessageId } = kek;
  const sa: RekeySa = {
    spi,
    suite,
    keys,
    authentication: authentication!,
    ...(publicKey === undefined ? {} : { publicKey }),
    ...(acknowledgement === undefined ? {} : { acknowledgement }),
  };
  member.kek = { sa, nextMessageId };
}

function takeFromEndpoint(world: World, member: GdoiMember, outcomes: readonly PullOutcome[]): void {
  for (const outcome of outcomes) {
    if (outcome.kind === "send") toKs(world, swap(outcome));
    else if (outcome.kind === "authenticating") {
      const { endpoint, tools } = member;
      takeFromEndpoint(world, member, answerAuth(endpoint, tools, outcome.sa, { accept: true }, world.now));
    } else {
      member.outcomes.push(outcome);
      takeOutcome(world, member, outcome);
    }
  }
}

function takeOutcome(world: World, member: GdoiMember, outcome: PullOutcome): void {
  const { pulls, endpoint, tools } = member;
  switch (outcome.kind) {
    case "pullGranted": {
      const { policy, keys } = outcome.grant;
      if (policy.kek !== undefined) holdKek(member, policy.kek, keys.kek!);
      break;
    }
    case "pullAsked":
    case "pullWanted":
    case "pullRefused":
      break;
    default:
      takeFromEndpoint(world, member, takePullOutcome(pulls, endpoint, tools, outcome, world.now));
  }
}

/** Phase 1 with the key server. */
export function connect(world: World, member: GdoiMember, mode: Phase1Mode = "main"): void {
  const local = { address: member.address, port: 848 };
  const options = { local, remote: { address: KS_ADDRESS, port: 848 }, profile: "default", mode };
  takeFromEndpoint(world, member, initiate(member.endpoint, member.tools, options, world.now));
}

/** GROUPKEY-PULL over the phase 1 that stands; `group`: its number. */
export function pull(world: World, member: GdoiMember, senderIds: number | undefined = 1, group = 1111): void {
  const wish = { group: { kind: "number", number: group } as const, senderIds };
  const { endpoint, tools, pulls } = member;
  const { outcomes } = startPull(pulls, endpoint, tools, lastSa(endpoint), wish, world.now);
  takeFromEndpoint(world, member, outcomes);
}

export function join(world: World, member: GdoiMember): void {
  connect(world, member);
  pull(world, member);
}

/** The grant that came last. */
export function grantOf(member: GdoiMember): Grant {
  const granted = member.outcomes.filter((one) => one.kind === "pullGranted").at(-1);
  if (granted === undefined) throw new Error("nothing was granted");
  return granted.grant;
}

export function refusalOf(member: GdoiMember): number | undefined {
  return member.outcomes.filter((one) => one.kind === "pullRefused").at(-1)?.notify;
}

export function eventsOf(world: World, name: string) {
  return world.events.filter((event) => event.name === name).map(({ data }) => data);
}

export function runUntil(world: World, end: Micros): void {
  for (;;) {
    const due = [nextKsTimeout(world.ks), ...world.members.map(({ endpoint }) => nextDeadline(endpoint))];
    const next = Math.min(...due.map((at) => at ?? Number.POSITIVE_INFINITY));
    if (next > end) break;
    world.now = Math.max(world.now, next);
    takeFromKs(world, handleKs(world.ks, world.tools, { kind: "timeout" }, world.now));
    for (const member of world.members) {
      takeFromEndpoint(world, member, expire(member.endpoint, member.tools, world.now));
    }
  }
  world.now = end;
}
