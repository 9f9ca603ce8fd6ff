/** Our IKEv1 endpoint on real sockets, with everything that it says at hand. */
import { utf8 } from "../../src/base/bytes.ts";
import type { Datagram, EventData, Happened, Machine, Send } from "../../src/base/machine.ts";
import { MILLISECOND } from "../../src/base/micros.ts";
import { secret } from "../../src/base/secret.ts";
import type { PublicKey } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import { realClock } from "../../src/host/realClock.ts";
import { realRng } from "../../src/host/realRng.ts";
import { driveUdp } from "../../src/host/udpDriver.ts";
import type { EndpointConfig, Ikev1Outcome, Ikev1Profile, IsakmpPolicy, Phase1Mode } from "../../src/ikev1/api.ts";
import {
  answerAuth,
  close,
  createEndpoint,
  expire,
  type Ikev1Endpoint,
  initiate,
  lastSa,
  nextDeadline,
  probe,
  receive,
} from "../../src/ikev1/endpoint.ts";
import { Doi, IsakmpIdType } from "../../src/wire/isakmpNumbers.ts";
import { type Charon, PSK } from "./charon.ts";
import { until } from "./until.ts";

export interface Ikev1Peer {
  readonly address: string;
  readonly port: number;
  readonly endpoint: Ikev1Endpoint;
  readonly events: readonly Happened[];
  initiate(mode: Phase1Mode): void;
  /** Asks whether charon is there. */
  probe(): void;
  /** Deletes the SA. */
  close(): void;
  next(name: string): Promise<EventData>;
  stop(): Promise<void>;
}

export interface Ikev1Options {
  readonly policy: IsakmpPolicy;
  readonly profile?: Partial<Ikev1Profile>;
  readonly change?: Partial<EndpointConfig>;
  /** Of charon, with RSA signatures. */
  readonly publicKey?: PublicKey;
  /** Bound to 500 and 4500, where charon calls and floats to. */
  readonly isResponder?: boolean;
}

type Command = { readonly kind: "initiate"; readonly mode: Phase1Mode } | { readonly kind: "probe" | "close" };
type Input = ({ readonly kind: "datagram" } & Datagram) | { readonly kind: "timeout" } | Command;

export async function startIkev1Peer(charon: Charon, options: Ikev1Options): Promise<Ikev1Peer> {
  const { policy, publicKey, isResponder = false } = options;
  const tools = { crypto: native, rng: realRng() };
  const events: Happened[] = [];
  const taken = new Map<string, number>();
  let endpoint: Ikev1Endpoint | undefined;
  const ports = isResponder ? [500, 4500] : [0, 0];
  const driver = await driveUdp<Command, Send | Happened>(
    ports.map((port) => ({ address: charon.ourAddress, port })),
    ([first, second]): Machine<Input, Send | Happened> => {
      const own: EndpointConfig = {
        policies: [policy],
        profiles: [
          {
            name: "default",
            localIdentity: { type: IsakmpIdType.FQDN, protocol: 0, port: 0, data: utf8("gm1.example.org") },
            match: { remoteAddresses: [], remoteIdentities: [], anyRemote: true },
            ...options.profile,
          },
        ],
        keys: [{ address: { network: "0.0.0.0", mask: "0.0.0.0" }, key: secret(utf8(PSK)) }],
        retransmit: { first: 500 * MILLISECOND, factor: 2, repeats: 4 },
        nat: { localPort: second!.port, remotePort: charon.natPort },
        ...options.change,
      };
      endpoint = createEndpoint(own);
      const started = endpoint;
      const remote = { address: charon.address, port: charon.port };
      const cause = (input: Input, now: number): readonly Ikev1Outcome[] => {
        switch (input.kind) {
          case "datagram":
            return receive(started, tools, input, now);
          case "timeout":
            return expire(started, tools, now);
          case "initiate": {
            const { mode } = input;
            return initiate(started, tools, { local: first!, remote, profile: "default", mode, doi: Doi.IPSEC }, now);
          }
          case "probe":
            return probe(started, tools, lastSa(started), now);
          case "close":
            return close(started, tools, lastSa(started), now);
        }
      };
      const decide = (outcomes: readonly Ikev1Outcome[], now: number): (Send | Happened)[] =>
        outcomes.flatMap((outcome) => {
          if (outcome.kind === "send" || outcome.kind === "event") return [outcome];
          if (outcome.kind !== "authenticating") return [];
          const answer = { accept: true, ...(publicKey === undefined ? {} : { publicKey }) } as const;
          return decide(answerAuth(started, tools, outcome.sa, answer, now), now);
        });
      return {
        handle: (input, now) => decide(cause(input, now), now),
        nextTimeout: () => nextDeadline(started),
      };
    },
    realClock(),
    (output) => {
      if (output.kind === "event") events.push(output);
    },
  );
  const told = () => events.map(({ name, data }) => `${name} ${JSON.stringify(data)}`).join("\n");
  return {
    ...driver.bound[0]!,
    endpoint: endpoint!,
    events,
    initiate: (mode) => driver.input({ kind: "initiate", mode }),
    probe: () => driver.input({ kind: "probe" }),
    close: () => driver.input({ kind: "close" }),
    async next(name) {
      const from = taken.get(name) ?? 0;
      const find = () => events.findIndex((event, index) => index >= from && event.name === name);
      await until(
        name,
        () => find() >= 0,
        20_000,
        () => `${told()}\n${charon.log().slice(-2500)}`,
      );
      taken.set(name, find() + 1);
      return events[taken.get(name)! - 1]!.data;
    },
    stop: () => driver.close(),
  };
}
