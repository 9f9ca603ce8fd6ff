/** Our peer machine on a real socket, with everything that it says at hand. */
import { type Bytes, utf8 } from "../../src/base/bytes.ts";
import type { Endpoint, EventData, Happened } from "../../src/base/machine.ts";
import { MILLISECOND, SECOND } from "../../src/base/micros.ts";
import { secret } from "../../src/base/secret.ts";
import { native } from "../../src/crypto/native.ts";
import { realClock } from "../../src/host/realClock.ts";
import { realRng } from "../../src/host/realRng.ts";
import { driveUdp } from "../../src/host/udpDriver.ts";
import type { ChildProposal, IkeProposal } from "../../src/ikev2/api.ts";
import type { PeerCommand, PeerConfig, PeerInput, PeerOutput } from "../../src/peer/api.ts";
import { parseIdentity } from "../../src/peer/identity.ts";
import { createPeer, handlePeer, type PeerState, peerMachine } from "../../src/peer/peer.ts";
import { espProposal, ikeProposal } from "../../src/peer/proposalWords.ts";
import { parseSelector } from "../../src/peer/selectors.ts";
import { CHARON_TS, type Charon, OUR_TS, PSK } from "./charon.ts";
import { until } from "./until.ts";

export interface OurPeer {
  readonly address: string;
  readonly port: number;
  readonly state: PeerState;
  readonly events: readonly Happened[];
  command(command: PeerCommand): void;
  /** The next event of this name that nobody has waited for; fails where `peer.ended` comes instead. */
  next(name: string): Promise<EventData>;
  /** Pings and demands all answers. */
  ping(count?: number): Promise<{ readonly sent: number; readonly received: number }>;
  close(): Promise<void>;
}

export interface OurOptions {
  readonly ike?: readonly string[];
  readonly esp?: readonly string[];
  readonly psk?: string;
  /** Only answers. */
  readonly isResponder?: boolean;
  readonly change?: Partial<PeerConfig>;
}

function parsed<T extends object>(value: T | { readonly problem: string }): T {
  if ("problem" in value) throw new Error(value.problem);
  return value;
}

export function ikeProposals(...words: string[]): IkeProposal[] {
  return words.map((word) => parsed(ikeProposal(word)));
}

export function espProposals(...words: string[]): ChildProposal[] {
  return words.map((word) => parsed(espProposal(word)));
}

function configOf(charon: Charon, local: Endpoint, natLocalPort: number, options: OurOptions): PeerConfig {
  return {
    local,
    remote: options.isResponder ? undefined : { address: charon.address, port: charon.port },
    natLocalPort,
    natRemotePort: charon.natPort,
    localIdentity: parseIdentity("gm.test")!,
    psk: secret(utf8(options.psk ?? PSK)),
    ike: ikeProposals(...(options.ike ?? ["aes256-sha256-modp2048"])),
    esp: espProposals(...(options.esp ?? ["aes256-sha256"])),
    localSelectors: [parseSelector(OUR_TS)!],
    remoteSelectors: [parseSelector(CHARON_TS)!],
    retransmit: { first: 500 * MILLISECOND, factor: 2, repeats: 4 },
    ikeLifetimeSeconds: 0,
    childLifetimeSeconds: 0,
    ...options.change,
  };
}

/** An IKE_SA_INIT request as a datagram for charon, of a machine that is then forgotten. */
export function firstRequest(charon: Charon): Bytes {
  const state = createPeer(configOf(charon, { address: charon.ourAddress, port: 1024 }, 1024, {}));
  const tools = { crypto: native, rng: realRng() };
  const outputs = handlePeer(state, tools, { kind: "command", command: { name: "up" } }, 0);
  for (const output of outputs) if (output.kind === "send") return output.octets;
  throw new Error("nothing was sent");
}

/**
 * A peer towards charon, bound to a free port. Who is to be called where charon has 500 and 4500 must have both too: that
 * is where charon floats to.
 */
export async function startPeer(charon: Charon, options: OurOptions = {}): Promise<OurPeer> {
  const ports = options.isResponder && charon.port === 500 ? [500, 4500] : [0];
  const events: Happened[] = [];
  const seen = new Map<string, number>();
  let state: PeerState | undefined;
  const driver = await driveUdp<PeerInput, PeerOutput>(
    ports.map((port) => ({ address: charon.ourAddress, port })),
    (bound) => {
      state = createPeer(configOf(charon, bound[0]!, bound.at(-1)!.port, options));
      return peerMachine(state, { crypto: native, rng: realRng() });
    },
    realClock(),
    (output) => {
      if (output.kind === "event") events.push(output);
    },
  );
  const told = () => events.map(({ name, data }) => `${name} ${JSON.stringify(data)}`).join("\n");
  const next = async (name: string): Promise<EventData> => {
    const from = seen.get(name) ?? 0;
    const find = () => events.findIndex((event, index) => index >= from && event.name === name);
    const isOver = () => name !== "peer.ended" && events.at(-1)?.name === "peer.ended";
    await until(`${name}`, () => find() >= 0 || isOver(), 20_000, told);
    const at = find();
    if (at < 0) throw new Error(`the peer ended before ${name}:\n${told()}`);
    seen.set(name, at + 1);
    return events[at]!.data;
  };
  return {
    ...driver.bound[0]!,
    state: state!,
    events,
    command: (command) => driver.input({ kind: "command", command }),
    next,
    async ping(count = 3) {
      driver.input({
        kind: "command",
        command: { name: "ping", count, intervalMicros: 20 * MILLISECOND, timeoutMicros: 5 * SECOND },
      });
      const { sent, received } = await next("peer.pingDone");
      return { sent: Number(sent), received: Number(received) };
    },
    close: () => driver.close(),
  };
}
