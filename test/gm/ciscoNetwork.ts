/** Key server and members in the Cisco dialect of G-IKEv2, on the network of the other tests. */
import { keyRing } from "../../sim/capture/keyRing.ts";
import { SECOND } from "../../src/base/micros.ts";
import { native } from "../../src/crypto/native.ts";
import type { Yeung07Switches } from "../../src/gikev2/yeung07/switches.ts";
import type { Field } from "../../src/wire/field.ts";
import { dissectIke } from "../../src/wire/ikeMessage.ts";
import { RFC9838 } from "../../src/wire/payloads.ts";
import {
  CBC,
  createNetwork,
  gike,
  gikev2,
  type ksGroup,
  type Network,
  type NetworkOptions,
  runUntil,
  selector,
  startAll,
  type Wire,
} from "./network.ts";

export const TCP = selector({ protocol: 6 });
const REKEY = 41;
export const isRekey = (wire: Wire) => wire.exchange === REKEY && !wire.response;
export const isAck = (wire: Wire) => wire.exchange === REKEY && wire.response;

export function cisco(options: NetworkOptions, switches: Partial<Yeung07Switches> = {}): Network {
  const choice = { dialect: "yeung-07", switches } as const;
  return createNetwork({
    ...options,
    group: { gikev2: gike(choice), ...options.group },
    member: (index) => ({ protocol: gikev2(choice), ...options.member?.(index) }),
  });
}

export function started(options: NetworkOptions, switches: Partial<Yeung07Switches> = {}): Network {
  const net = cisco(options, switches);
  startAll(net);
  runUntil(net, net.now + 5 * SECOND);
  return net;
}

export function dataSas(entries: ReturnType<typeof ksGroup>["dataSas"][number]["entries"], suite = CBC) {
  return [{ number: 1, lifetimeSeconds: 3600, suite, sequenceNumbers: 2, entries }];
}

function labels(field: Field): readonly string[] {
  return [field.label, ...field.children.flatMap(labels)];
}

export function opened(net: Network, wire: Wire): readonly string[] {
  return labels(dissectIke(wire.octets, RFC9838, keyRing(native, net.keys).openIke));
}
