/** Groups of G-IKEv2 in both dialects: registration, rekeys, clearing of the members, registration again. */
import { HOUR, SECOND } from "../../src/base/micros.ts";
import type { EndpointConfig } from "../../src/ikev2/api.ts";
import {
  commandKs,
  createNetwork,
  GCM,
  gike,
  gikev2,
  ike,
  ksGroup,
  MULTICAST,
  type NetworkOptions,
  runUntil,
  startAll,
  type Wire,
} from "../gm/network.ts";
import type { Recording } from "./record.ts";

function proposal(dh: number, aead: boolean): EndpointConfig["proposals"][number] {
  const encr = aead ? [{ id: 20, keyBits: 256 }] : [{ id: 12, keyBits: 256 }];
  return { encr, prf: [5], integ: aead ? [] : [12], dh: [dh], kwa: [3] };
}

interface Session {
  readonly name: string;
  readonly options: NetworkOptions;
}

function session(name: string, dh: number, aead: boolean, group: NetworkOptions["group"]): Session {
  const change = { proposals: [proposal(dh, aead)] };
  return {
    name,
    options: {
      members: 2,
      seed: name,
      group,
      ksConfig: (config) => ({ ...config, ike: ike(config.local.address, "cisco", change) }),
      gmConfig: (_index, config) => ({ ...config, ike: { ...config.ike!, ...change } }),
    },
  };
}

const SHORT = { lifetimeSeconds: 600 };

const SESSIONS: readonly Session[] = [
  session("unicast, Curve25519, AES-GCM", 31, true, { dataSas: [{ ...ksGroup().dataSas[0]!, ...SHORT }] }),
  session("unicast, ECP-256, AES-CBC, counter-mode TEK", 19, false, {
    dataSas: [{ ...ksGroup().dataSas[0]!, ...SHORT, suite: GCM }],
  }),
  session("multicast, Curve25519, AES-GCM", 31, true, {
    transport: MULTICAST,
    dataSas: [{ ...ksGroup().dataSas[0]!, ...SHORT }],
  }),
];

/** The same session in the Cisco dialect. */
function inCiscoDialect({ name, options }: Session): Session {
  const dialect = { dialect: "yeung-07" } as const;
  const group = { ...options.group, gikev2: gike(dialect) };
  return {
    name: `${name}, Cisco dialect`,
    options: { ...options, group, member: () => ({ protocol: gikev2(dialect) }) },
  };
}

/** Recordings of every datagram of every session: registration, rekeys, clearing of the members, registration again. */
export function recordGroups(): readonly Recording[] {
  const sessions = [...SESSIONS, ...SESSIONS.map(inCiscoDialect)];
  return sessions.flatMap(({ name, options }) => recordGroup(name, options));
}

function recordGroup(name: string, options: NetworkOptions): Recording[] {
  const net = createNetwork(options);
  const recordings: Recording[] = [];
  net.alter = (wire: Wire, target: string) => {
    const server = net.servers.find((node) => node.address === target);
    const node = server ?? net.members.find((member) => member.address === target)!;
    recordings.push({
      session: name,
      role: server === undefined ? "gm" : "ks",
      exchange: wire.exchange,
      response: wire.response,
      datagram: {
        local: { address: wire.to, port: 848 },
        remote: { address: wire.from, port: 848 },
        octets: wire.octets,
      },
      now: net.now,
      state: structuredClone(node.state),
      tools: node.tools,
      keys: net.keys,
    });
    return wire.octets;
  };
  startAll(net);
  runUntil(net, 30 * SECOND);
  runUntil(net, HOUR / 4);
  commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
  runUntil(net, HOUR / 3);
  commandKs(net, { name: "clearMembers", group: "GROUP", now: true });
  runUntil(net, HOUR / 2);
  return recordings;
}
