/** The group of the benchmarks with members of GDOI instead of G-IKEv2: AES-CBC under KEK and TEK. */
import type { IsakmpConfig } from "../../src/gdoi/peerCertificates.ts";
import type { GmConfig } from "../../src/gm/config.ts";
import type { KsConfig } from "../../src/ks/config.ts";
import { addressOctets } from "../../src/wire/address.ts";
import { Encr, Integ } from "../../src/wire/ikev2Numbers.ts";
import { IsakmpIdType } from "../../src/wire/isakmpNumbers.ts";
import { SHARED_KEY } from "./credentials.ts";
import type { BenchDhGroup } from "./group.ts";

const KEK_SUITE = { encr: Encr.AES_CBC, encrKeyBits: 256, integ: 0, kwa: 0 } as const;
const TEK_SUITE = { encr: Encr.AES_CBC, encrKeyBits: 256, integ: Integ.HMAC_SHA2_256_128 } as const;

/** Curve25519 is no group of IKEv1 that a key server here offers: ECP 256 (19) stands for it. */
const OAKLEY_GROUP: Readonly<Record<BenchDhGroup, number>> = { 14: 14, 31: 19 };

/** AES-128, SHA-256, pre-shared key. */
function isakmp(address: string, dh: BenchDhGroup): IsakmpConfig {
  const localIdentity = { type: IsakmpIdType.IPV4_ADDR, protocol: 0, port: 0, data: addressOctets(address) };
  return {
    policies: [
      { encryption: 7, keyBits: 128, hash: 4, group: OAKLEY_GROUP[dh], authentication: 1, lifetimeSeconds: 0 },
    ],
    profiles: [
      { name: "default", localIdentity, match: { remoteAddresses: [], remoteIdentities: [], anyRemote: true } },
    ],
    keys: [{ address: { network: "0.0.0.0", mask: "0.0.0.0" }, key: SHARED_KEY }],
  };
}

export function gdoiKsConfig(config: KsConfig, dh: BenchDhGroup): KsConfig {
  return {
    ...config,
    isakmp: isakmp(config.local.address, dh),
    groups: config.groups.map(({ gikev2: _, dataSas, ...group }) => ({
      ...group,
      gdoi: { kekSuite: KEK_SUITE },
      dataSas: dataSas.map((sa) => ({ ...sa, suite: TEK_SUITE })),
    })),
  };
}

export function gdoiGmConfig(config: GmConfig, dh: BenchDhGroup): GmConfig {
  return {
    ...config,
    isakmp: isakmp(config.groups[0]!.local.address, dh),
    groups: config.groups.map((group) => ({ ...group, protocol: { kind: "gdoi" } })),
  };
}
