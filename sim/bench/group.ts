/** The group that the benchmarks run: a key server and members, unicast rekeys, one data SA. */
import { formatIpv4, type Ipv4 } from "../../src/base/ipv4.ts";
import { SECOND } from "../../src/base/micros.ts";
import type { Selector } from "../../src/esp/api.ts";
import type { GmConfig } from "../../src/gm/config.ts";
import type { AuthProfile, EndpointConfig } from "../../src/ikev2/api.ts";
import type { KsConfig, Signer } from "../../src/ks/config.ts";
import { Encr, Kwa, Prf, SequenceNumbers } from "../../src/wire/ikev2Numbers.ts";

/** Diffie-Hellman groups of the registration benchmark. */
export type BenchDhGroup = 14 | 31;

export const GROUP_NAME = "GROUP";
const PROFILE_NAME = "GETVPN";
const GROUP_ID = { kind: "number", number: 1111 } as const;
const SUITE = { encr: Encr.AES_GCM_16, encrKeyBits: 256, integ: 0 } as const;

const KS_ADDRESS: Ipv4 = 0xc0a80101;
const FIRST_GM_ADDRESS: Ipv4 = 0x0a000001;
const PORT = 848;

/** Address of a device by its number: 0 is the key server, members follow. */
export function benchAddress(device: number): Ipv4 {
  return device === 0 ? KS_ADDRESS : FIRST_GM_ADDRESS + device - 1;
}

const KS_ENDPOINT = { address: formatIpv4(KS_ADDRESS), port: PORT } as const;

const ANY: Selector = {
  sourceFirst: 0,
  sourceLast: 0xffffffff,
  destinationFirst: 0,
  destinationLast: 0xffffffff,
  protocol: 0,
  sourcePortFirst: 0,
  sourcePortLast: 65535,
  destinationPortFirst: 0,
  destinationPortLast: 65535,
};

/** What a device proves itself with, and what it takes from others. */
export type Proof = Pick<AuthProfile, "localIdentity" | "local" | "remote" | "match" | "keys" | "trustpoints">;

function profile(proof: Proof): AuthProfile {
  return { name: PROFILE_NAME, ...proof, lifetimeSeconds: 0 };
}

const PROPOSALS: Readonly<Record<BenchDhGroup, EndpointConfig["proposals"]>> = {
  14: [proposal(14)],
  31: [proposal(31)],
};
const RETRANSMIT = { first: 2 * SECOND, factor: 2, repeats: 5 } as const;

function proposal(dh: BenchDhGroup): EndpointConfig["proposals"][number] {
  const encr = [{ id: SUITE.encr, keyBits: SUITE.encrKeyBits }];
  return { encr, prf: [Prf.HMAC_SHA2_256], integ: [], dh: [dh], kwa: [Kwa.KW_5649_256] };
}

function ike(proof: Proof, dh: BenchDhGroup): EndpointConfig {
  return { proposals: PROPOSALS[dh], profiles: [profile(proof)], retransmit: RETRANSMIT };
}

const MULTICAST = { address: "239.192.1.190", port: PORT } as const;

/**
 * Rekeys go out to all members at once, are sent again after 10 s three times, and nobody is put out for silence. With a
 * `signer` there is one signed message for all members instead, and no copy of it.
 */
export function ksConfig(dh: BenchDhGroup, proof: Proof, signer?: Signer): KsConfig {
  return {
    local: KS_ENDPOINT,
    ike: ike(proof, dh),
    groups: [
      {
        name: GROUP_NAME,
        id: GROUP_ID,
        gikev2: { dialect: "rfc9838", profile: PROFILE_NAME, kekSuite: { ...SUITE, kwa: Kwa.KW_5649_256 } },
        transport:
          signer === undefined
            ? { kind: "unicast" }
            : { kind: "multicast", source: KS_ENDPOINT, destination: MULTICAST },
        kek: { lifetimeSeconds: 86_400, ...(signer === undefined ? {} : { signer }) },
        dataSas: [
          {
            number: 1,
            lifetimeSeconds: 7_200,
            suite: SUITE,
            sequenceNumbers: SequenceNumbers.UNSPECIFIED_32,
            entries: [{ action: "permit", selector: ANY }],
          },
        ],
        mode: "tunnel",
        retransmit: { seconds: 10, count: signer === undefined ? 3 : 0 },
        tuning: { batchSize: 0, ejectAfter: { unit: "rekey", count: 1_000 } },
      },
    ],
  };
}

export function gmConfig(device: number, dh: BenchDhGroup, proof: Proof): GmConfig {
  const address = formatIpv4(benchAddress(device));
  return {
    ike: ike(proof, dh),
    groups: [
      {
        name: GROUP_NAME,
        id: GROUP_ID,
        protocol: { kind: "gikev2", dialect: "rfc9838", profile: PROFILE_NAME },
        local: { address, port: PORT },
        servers: [KS_ENDPOINT],
        senderIds: 1,
        localBypass: [],
        bypassControl: true,
      },
    ],
  };
}
