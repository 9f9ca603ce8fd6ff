/**
 * Groups of G-IKEv2 in both dialects, of GDOI, and of both protocols: registration, rekeys, eviction by a key tree, deletion
 * of keys, clearing of the members, registration again.
 */
import { HOUR, MINUTE, SECOND } from "../../src/base/micros.ts";
import type { EndpointConfig } from "../../src/ikev2/api.ts";
import { GDOI_SERVICE, gdoiNetwork, isakmp, PUSH } from "../gm/gdoiNetwork.ts";
import {
  commandKs,
  createNetwork,
  GCM,
  gike,
  gikev2,
  gmAddress,
  ike,
  ksGroup,
  MULTICAST,
  type Network,
  type NetworkOptions,
  runUntil,
  startAll,
  type Wire,
} from "../gm/network.ts";
import type { Recording, Role } from "./record.ts";

function proposal(dh: number, aead: boolean): EndpointConfig["proposals"][number] {
  const encr = aead ? [{ id: 20, keyBits: 256 }] : [{ id: 12, keyBits: 256 }];
  return { encr, prf: [5], integ: aead ? [] : [12], dh: [dh], kwa: [3] };
}

interface Session {
  readonly name: string;
  readonly options: NetworkOptions;
}

function session(name: string, dh: number, aead: boolean, group: NetworkOptions["group"], members = 2): Session {
  const change = { proposals: [proposal(dh, aead)] };
  return {
    name,
    options: {
      members,
      seed: name,
      group,
      ksConfig: (config) => ({ ...config, ike: ike(config.local.address, "cisco", change) }),
      gmConfig: (_index, config) => ({ ...config, ike: { ...config.ike!, ...change } }),
    },
  };
}

/** One TEK, which does not live long. */
const dataSas = (suite = ksGroup().dataSas[0]!.suite) => [{ ...ksGroup().dataSas[0]!, lifetimeSeconds: 600, suite }];

const TREE = { transport: MULTICAST, tuning: { keyTree: "lkh" } } as const;
const CBC_KEK = { encr: 12, encrKeyBits: 128, integ: 12, kwa: 3 };

const SESSIONS: readonly Session[] = [
  session("unicast, Curve25519, AES-GCM", 31, true, { dataSas: dataSas() }),
  session("unicast, ECP-256, AES-CBC, counter-mode TEK", 19, false, { dataSas: dataSas(GCM) }),
  session("multicast, Curve25519, AES-GCM", 31, true, { transport: MULTICAST, dataSas: dataSas() }),
  session("key tree", 31, true, { ...TREE, dataSas: dataSas(), gikev2: gike({ kekSuite: CBC_KEK }) }, 3),
];

/** The same session in the Cisco dialect. */
function inCiscoDialect({ name, options }: Session): Session {
  const dialect = { dialect: "yeung-07" } as const;
  const group = { ...options.group, gikev2: gike({ ...options.group?.gikev2, ...dialect }) };
  return {
    name: `${name}, Cisco dialect`,
    options: { ...options, group, member: () => ({ protocol: gikev2(dialect) }) },
  };
}

/** Unicast rekeys with the acknowledgement of Cisco and that of RFC 8263, and multicast ones. */
const GDOI_SESSIONS: Readonly<Record<string, () => Network>> = {
  "GDOI, unicast, Cisco's acknowledgement": () =>
    gdoiNetwork({ members: 2, group: { dataSas: dataSas() } }, { switches: { acknowledgement: "cisco" } }),
  "GDOI, unicast, counter-mode TEK": () => gdoiNetwork({ members: 2, group: { dataSas: dataSas(GCM) } }),
  "GDOI, multicast": () => gdoiNetwork({ members: 2, group: { transport: MULTICAST, dataSas: dataSas() } }),
  "GDOI, key tree": () => gdoiNetwork({ members: 3, group: { ...TREE, dataSas: dataSas() } }),
  "GDOI and G-IKEv2, unicast": () => dualNetwork({ dataSas: dataSas() }),
  "GDOI and G-IKEv2, multicast": () => dualNetwork({ transport: MULTICAST, dataSas: dataSas() }),
};

/** The first member speaks GDOI, the second one G-IKEv2. */
function dualNetwork(group: NetworkOptions["group"]): Network {
  return createNetwork({
    members: 2,
    group: { ...group, gdoi: GDOI_SERVICE },
    ksConfig: (config) => ({ ...config, isakmp: isakmp(config.local.address) }),
    member: (index) => (index === 1 ? { protocol: { kind: "gdoi" } } : {}),
    gmConfig: (index, config) => ({ ...config, isakmp: isakmp(gmAddress(index)) }),
  });
}

/** Recordings of every datagram of every session. */
export function recordGroups(): readonly Recording[] {
  const sessions = [...SESSIONS, ...SESSIONS.map(inCiscoDialect)];
  return [
    ...sessions.flatMap(({ name, options }) => recordGroup(name, createNetwork(options))),
    ...Object.entries(GDOI_SESSIONS).flatMap(([name, create]) => recordGroup(name, create())),
  ];
}

const ROLES: Readonly<Record<"server" | "member", Readonly<Record<number, Role>>>> = {
  server: { 1: "gdoiKs", 2: "ks" },
  member: { 1: "gdoiGm", 2: "gm" },
};

function recordGroup(session: string, net: Network): Recording[] {
  const recordings: Recording[] = [];
  net.alter = ({ octets, ...wire }: Wire, target: string) => {
    const server = net.servers.find((node) => node.address === target);
    const node = server ?? net.members.find((member) => member.address === target)!;
    const version = octets[17]! >>> 4;
    recordings.push({
      session,
      role: ROLES[server === undefined ? "member" : "server"][version]!,
      exchange: wire.exchange,
      // IKEv1 has no flag for it: what a key server sends answers a member, unless it is a rekey.
      response: version === 2 ? wire.response : server === undefined && wire.exchange !== PUSH,
      datagram: { local: { address: wire.to, port: 848 }, remote: { address: wire.from, port: 848 }, octets },
      now: net.now,
      state: structuredClone(node.state),
      tools: node.tools,
      keys: net.keys,
    });
    return octets;
  };
  startAll(net);
  runUntil(net, 30 * SECOND);
  runUntil(net, HOUR / 4);
  commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
  runUntil(net, HOUR / 3);
  if (net.servers[0]!.state.config.groups[0]!.tuning?.keyTree === "lkh") {
    const { address } = net.members.at(-1)!;
    commandKs(net, { name: "evictMember", group: "GROUP", member: address, now: false, bar: true });
    runUntil(net, net.now + MINUTE);
  }
  commandKs(net, { name: "deleteDataSas", group: "GROUP" });
  runUntil(net, net.now + MINUTE);
  commandKs(net, { name: "clearMembers", group: "GROUP", now: true });
  runUntil(net, HOUR / 2);
  return recordings;
}
