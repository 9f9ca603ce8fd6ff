/** Key server and members that speak GDOI over IKEv1, on the network of the other tests. */
import { utf8 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import { secret } from "../../src/base/secret.ts";
import type { IsakmpConfig } from "../../src/gdoi/peerCertificates.ts";
import type { GdoiService } from "../../src/ks/config.ts";
import { addressOctets } from "../../src/wire/address.ts";
import { IsakmpIdType } from "../../src/wire/isakmpNumbers.ts";
import {
  createNetwork,
  gmAddress,
  type Network,
  type NetworkOptions,
  runUntil,
  startAll,
  type Wire,
} from "./network.ts";

export const MAIN_MODE = 2;
export const PULL = 32;
export const PUSH = 33;
export const PUSH_ACK = 35;

export const isPush = ({ exchange }: Wire) => exchange === PUSH;

export function isakmp(address: string, key = "cisco", change: Partial<IsakmpConfig> = {}): IsakmpConfig {
  return {
    policies: [{ encryption: 7, keyBits: 128, hash: 2, group: 19, authentication: 1, lifetimeSeconds: 0 }],
    profiles: [
      {
        name: "default",
        localIdentity: { type: IsakmpIdType.IPV4_ADDR, protocol: 0, port: 0, data: addressOctets(address) },
        match: { remoteAddresses: [], remoteIdentities: [], anyRemote: true },
      },
    ],
    keys: [{ address: { network: "0.0.0.0", mask: "0.0.0.0" }, key: secret(utf8(key)) }],
    retransmit: { first: 2 * SECOND, factor: 2, repeats: 3 },
    ...change,
  };
}

export const GDOI_SERVICE: GdoiService = { kekSuite: { encr: 12, encrKeyBits: 128, integ: 0, kwa: 0 } };

/** `service`: what the key server's group says about GDOI. Its groups serve nobody else. */
export function gdoiNetwork(options: NetworkOptions, service: Partial<GdoiService> = {}): Network {
  return createNetwork({
    ...options,
    ksConfig: ({ local, groups }) => {
      const own = {
        local,
        isakmp: isakmp(local.address),
        groups: groups.map(({ gikev2: _, ...group }) => ({ ...group, gdoi: { ...GDOI_SERVICE, ...service } })),
      };
      return options.ksConfig?.(own as never) ?? own;
    },
    member: (index) => ({ protocol: { kind: "gdoi" }, ...options.member?.(index) }),
    gmConfig: (index, { groups }) => {
      const own = { isakmp: isakmp(gmAddress(index)), groups };
      return options.gmConfig?.(index, own) ?? own;
    },
  });
}

export function registered(options: NetworkOptions, service: Partial<GdoiService> = {}): Network {
  const net = gdoiNetwork(options, service);
  startAll(net);
  runUntil(net, net.now + 2 * SECOND);
  return net;
}
