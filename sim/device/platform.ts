/**
 * What work costs on which box. These are modelled figures, not measurements of a router: the mission's document gives
 * 45 tunnels per second with IKE and 89 with IKEv2, 60 and 200 tunnels in negotiation at a time, and names no platform.
 * `isr4400` is built to give just that with pre-shared keys and DH group 14:
 *
 *     IKEv2, responder: 2 datagrams in, 1 DH pair        2 m + d = 1 s / 89 = 11.24 ms
 *     IKEv1 and GDOI:   5 datagrams in, 1 DH pair        5 m + d = 1 s / 45 = 22.22 ms      m = 3.66 ms, d = 3.9 ms
 *
 * where m is what the control plane spends on a datagram of a negotiation, beside cryptography, and d a public value, a
 * shared secret and the hashes and ciphers around them. What belongs to no negotiation (acknowledgements of rekeys,
 * deletions, timers, commands) is a small fraction of m. The ratios between operations are those of optimised software
 * on one core. `asr1000` is the same box at twice the speed. User traffic has its own engine: its cost is a delay per
 * packet, never the CPU's.
 */
import { type Meter, OPERATIONS } from "../../src/crypto/meter.ts";
import { Exchange } from "../../src/wire/ikev2Numbers.ts";
import type { MachineInput, PlatformName } from "./spec.ts";

/** Nanoseconds for each operation, and for each octet that it works on. */
export interface OperationCost {
  readonly each: number;
  readonly perOctet: number;
}

export interface Platform {
  readonly name: PlatformName;
  /** Nanoseconds for a datagram of a negotiation, beside its cryptography. */
  readonly negotiation: number;
  /** The same for every other input of a role: other datagrams, timers, commands. */
  readonly input: number;
  /** By operation number of `src/crypto/meter.ts`. */
  readonly operations: readonly OperationCost[];
  /** Cryptography of user traffic, per packet and octet: an engine of its own. */
  readonly userTraffic: OperationCost;
  /** Inputs that may wait; a datagram more is dropped. */
  readonly queueLimit: number;
  /** IKE negotiations at a time: IKEv1 and IKEv2. Undefined: no limit. */
  readonly maxInNegotiation: { readonly ike: number; readonly ikev2: number } | undefined;
}

const FREE: OperationCost = { each: 0, perOctet: 0 };
const MICRO = 1_000;

/** Microseconds on `isr4400`; a row serves all operations whose name begins with its key, the longest key wins. */
const COSTS: readonly (readonly [name: string, micros: number, nanosPerOctet: number])[] = [
  ["hash.", 3, 12],
  ["hmac.", 6, 12],
  ["aes-cbc.", 4, 15],
  ["3des-cbc.", 6, 120],
  ["des-cbc.", 5, 60],
  ["aes-ctr.", 4, 12],
  ["aes-gcm.", 5, 10],
  ["chacha20-poly1305.", 5, 12],
  ["aes-kwp.", 4, 30],
  ["dh.1.", 300, 0],
  ["dh.2.", 520, 0],
  ["dh.5.", 1_100, 0],
  ["dh.14.", 1_860, 0],
  ["dh.15.", 4_700, 0],
  ["dh.16.", 8_600, 0],
  ["dh.19.", 420, 0],
  ["dh.20.", 2_100, 0],
  ["dh.21.", 3_900, 0],
  ["dh.24.", 1_900, 0],
  ["dh.31.", 250, 0],
  ["rsa.512.sign", 120, 0],
  ["rsa.768.sign", 250, 0],
  ["rsa.1024.sign", 480, 0],
  ["rsa.1536.sign", 950, 0],
  ["rsa.2048.sign", 1_900, 0],
  ["rsa.3072.sign", 5_600, 0],
  ["rsa.4096.sign", 12_000, 0],
  ["rsa.8192.sign", 90_000, 0],
  ["rsa.16384.sign", 700_000, 0],
  ["rsa.512.verify", 12, 0],
  ["rsa.768.verify", 20, 0],
  ["rsa.1024.verify", 32, 0],
  ["rsa.1536.verify", 60, 0],
  ["rsa.2048.verify", 100, 0],
  ["rsa.3072.verify", 220, 0],
  ["rsa.4096.verify", 380, 0],
  ["rsa.8192.verify", 1_500, 0],
  ["rsa.16384.verify", 6_000, 0],
  ["ecdsa.P-256.sign", 230, 0],
  ["ecdsa.P-256.verify", 480, 0],
  ["ecdsa.P-384.sign", 1_900, 0],
  ["ecdsa.P-384.verify", 3_300, 0],
  ["ecdsa.P-521.sign", 3_500, 0],
  ["ecdsa.P-521.verify", 6_200, 0],
  ["ed25519.sign", 200, 0],
  ["ed25519.verify", 560, 0],
];

const NEGOTIATION_NANOS = 3_690 * MICRO;
const INPUT_NANOS = 150 * MICRO;

function costOf(operation: string, divisor: number): OperationCost {
  const rows = COSTS.filter(([name]) => operation.startsWith(name));
  const [, micros, perOctet] = rows.reduce((best, row) => (row[0].length > best[0].length ? row : best), [
    "",
    0,
    0,
  ] as const);
  return { each: (micros * MICRO) / divisor, perOctet: perOctet / divisor };
}

function modelled(name: PlatformName, divisor: number): Platform {
  return {
    name,
    negotiation: NEGOTIATION_NANOS / divisor,
    input: INPUT_NANOS / divisor,
    operations: OPERATIONS.map((operation) => costOf(operation, divisor)),
    userTraffic: { each: (8 * MICRO) / divisor, perOctet: 4 / divisor },
    queueLimit: 1_000,
    maxInNegotiation: { ike: 60, ikev2: 200 },
  };
}

export const PLATFORMS: Readonly<Record<PlatformName, Platform>> = {
  ideal: {
    name: "ideal",
    negotiation: 0,
    input: 0,
    operations: OPERATIONS.map(() => FREE),
    userTraffic: FREE,
    queueLimit: Number.MAX_SAFE_INTEGER,
    maxInNegotiation: undefined,
  },
  isr4400: modelled("isr4400", 1),
  asr1000: modelled("asr1000", 2),
};

/** Exchange types that set up an SA. */
const NEGOTIATIONS: ReadonlySet<number> = new Set([
  // IKEv1 and GDOI: Main, Aggressive and Quick Mode, GROUPKEY-PULL.
  ...[2, 4, 5, 32],
  ...[Exchange.IKE_SA_INIT, Exchange.IKE_AUTH, Exchange.CREATE_CHILD_SA, Exchange.GSA_AUTH, Exchange.GSA_REGISTRATION],
]);
/** Of the exchange type in the header of ISAKMP and of IKEv2. */
const EXCHANGE_TYPE_AT = 18;

/** Nanoseconds that an input takes beside its cryptography. */
export function inputNanos(platform: Platform, input: MachineInput): number {
  if (input.kind !== "datagram") return platform.input;
  const exchange = input.datagram.octets[EXCHANGE_TYPE_AT];
  return exchange !== undefined && NEGOTIATIONS.has(exchange) ? platform.negotiation : platform.input;
}

/** Nanoseconds that the counted operations take. */
export function operationNanos(platform: Platform, meter: Meter): number {
  let nanos = 0;
  for (let i = 0; i < platform.operations.length; i++) {
    const count = meter.counts[i]!;
    if (count > 0) nanos += count * platform.operations[i]!.each + meter.octets[i]! * platform.operations[i]!.perOctet;
  }
  return nanos;
}

/** Nanoseconds that the engine for user traffic takes over a packet. */
export function userTrafficNanos({ userTraffic }: Platform, octets: number): number {
  return userTraffic.each + octets * userTraffic.perOctet;
}
