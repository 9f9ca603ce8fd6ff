/**
 * Drives one machine over real UDP sockets: datagrams and deadlines go in, what it sends goes out. The same machines run
 * in the simulator; nothing here knows what they say.
 */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Datagram, Endpoint, Machine, Send } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";

export type DriverInput = ({ readonly kind: "datagram" } & Datagram) | { readonly kind: "timeout" };
export type DriverOutput = Send | { readonly kind: string };

export interface Driver<In> {
  /** Addresses and ports that were really bound, in the order asked for (port 0 asks for any). */
  readonly bound: readonly Endpoint[];
  /** Gives the machine an input of its own, such as a command. */
  input(input: In): void;
  close(): Promise<void>;
}

/** Longest wait that a host timer takes at once; a later deadline is simply armed again. */
const WAIT_MILLIS_MAX = 2_000_000_000;

/**
 * Binds `listen` and drives `machine` until closed. `make` gets the endpoints that were bound. Outputs that are no
 * datagrams go to `onOutput`. Rejects where an address cannot be bound.
 */
export async function driveUdp<In, Out extends DriverOutput>(
  listen: readonly Endpoint[],
  make: (bound: readonly Endpoint[]) => Machine<In | DriverInput, Out>,
  clock: () => Micros,
  onOutput: (output: Exclude<Out, Send>, now: Micros) => void,
): Promise<Driver<In>> {
  const sockets = await Promise.all(listen.map(bind));
  const bound = sockets.map((socket) => ({ address: socket.address().address, port: socket.address().port }));
  const machine = make(bound);
  let timer: NodeJS.Timeout | undefined;
  let closed = false;

  const turn = (input: In | DriverInput): void => {
    if (closed) return;
    const now = clock();
    for (const output of machine.handle(input, now)) {
      if (output.kind === "send") transmit(sockets, bound, output as Send);
      else onOutput(output as Exclude<Out, Send>, now);
    }
    arm();
  };

  const arm = (): void => {
    if (timer !== undefined) clearTimeout(timer);
    const deadline = closed ? undefined : machine.nextTimeout();
    if (deadline === undefined) return;
    const millis = Math.min(WAIT_MILLIS_MAX, Math.max(0, Math.ceil((deadline - clock()) / 1000)));
    timer = setTimeout(() => {
      const next = machine.nextTimeout();
      if (next !== undefined && next <= clock()) turn({ kind: "timeout" });
      else arm();
    }, millis);
  };

  sockets.forEach((socket, index) => {
    socket.on("message", (octets, from) => {
      const remote = { address: from.address, port: from.port };
      turn({ kind: "datagram", local: bound[index]!, remote, octets: Uint8Array.from(octets) });
    });
    // An ICMP error of an earlier datagram surfaces here; protocols find out by silence.
    socket.on("error", () => {});
  });
  arm();

  return {
    bound,
    input: turn,
    async close() {
      closed = true;
      if (timer !== undefined) clearTimeout(timer);
      await Promise.all(sockets.map((socket) => new Promise<void>((done) => socket.close(() => done()))));
    },
  };
}

async function bind(endpoint: Endpoint): Promise<Socket> {
  const socket = createSocket(endpoint.address.includes(":") ? "udp6" : "udp4");
  socket.bind(endpoint.port, endpoint.address);
  await once(socket, "listening");
  return socket;
}

/** By the socket of the local port; a machine may only send from where it is bound. */
function transmit(sockets: readonly Socket[], bound: readonly Endpoint[], output: Send): void {
  const index = bound.findIndex(({ port }) => port === output.local.port);
  sockets[index]?.send(output.octets, output.remote.port, output.remote.address);
}
