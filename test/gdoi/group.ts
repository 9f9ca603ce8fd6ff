/** A group's policy and keys for tests of this room. */
import { EMPTY } from "../../src/base/bytes.ts";
import { secret } from "../../src/base/secret.ts";
import type { PrivateKey } from "../../src/crypto/api.ts";
import { publicHalf } from "../../src/crypto/privateKey.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import type { Selector } from "../../src/esp/api.ts";
import { newKekKeys } from "../../src/gdoi/kek.ts";
import { authenticationOf } from "../../src/gdoi/signature.ts";
import type { RekeySa } from "../../src/gikev2/dialect.ts";
import { tekOctets } from "../../src/gikev2/keyMaterial.ts";
import type { DataSuite, GroupKeys, GroupPolicy, KekPolicy } from "../../src/gikev2/policy.ts";
import { testRng } from "../crypto/testRng.ts";

export const SIGNER: PrivateKey = rsaKey(testRng("signer"), 1024);

export function selector(change: Partial<Selector> = {}): Selector {
  return {
    sourceFirst: 0x0a000000,
    sourceLast: 0x0affffff,
    destinationFirst: 0,
    destinationLast: 0xffffffff,
    protocol: 0,
    sourcePortFirst: 0,
    sourcePortLast: 65535,
    destinationPortFirst: 0,
    destinationPortLast: 65535,
    ...change,
  };
}

export const KEK: KekPolicy = {
  spi: "00112233445566778899aabbccddeeff",
  suite: { encr: 12, encrKeyBits: 128, integ: 0, kwa: 0 },
  source: { first: "192.0.2.2", last: "192.0.2.2", port: 848 },
  destination: { first: "239.1.1.1", last: "239.1.1.1", port: 848 },
  lifetimeSeconds: 86_400,
  authentication: authenticationOf(1, 3),
  publicKey: publicHalf(SIGNER),
  nextMessageId: 8,
  nextSpis: [],
};

export const SUITES: readonly DataSuite[] = [
  { encr: 3, encrKeyBits: 0, integ: 1 },
  { encr: 3, encrKeyBits: 0, integ: 2 },
  { encr: 11, encrKeyBits: 0, integ: 12 },
  { encr: 12, encrKeyBits: 128, integ: 12 },
  { encr: 12, encrKeyBits: 192, integ: 13 },
  { encr: 12, encrKeyBits: 256, integ: 14 },
  { encr: 13, encrKeyBits: 256, integ: 12 },
  { encr: 18, encrKeyBits: 128, integ: 0 },
  { encr: 20, encrKeyBits: 256, integ: 0 },
  { encr: 21, encrKeyBits: 128, integ: 0 },
];

export const POLICY: GroupPolicy = {
  kek: KEK,
  dataSas: SUITES.map((suite, index) => ({
    spi: 0x1000 + index,
    suite,
    selector: selector({
      protocol: index,
      ...(index === 3 ? { destinationPortFirst: 443, destinationPortLast: 443 } : {}),
    }),
    ...(index === 4 ? { more: [selector({ sourceFirst: 7, sourceLast: 9 })] } : {}),
    lifetimeSeconds: index === 5 ? 100_000 : 3600,
    sequenceNumbers: 2,
    nextSpis: [],
  })),
  bypass: [],
  mode: "tunnel",
  atdSeconds: 5,
  dtdSeconds: 10,
};

const rng = testRng("keys");

export function keysFor(policy: GroupPolicy): GroupKeys {
  return {
    ...(policy.kek === undefined ? {} : { kek: newKekKeys(rng, policy.kek.suite) }),
    teks: new Map(policy.dataSas.map(({ spi, suite }) => [spi, secret(rng.bytes(tekOctets(suite)))])),
  };
}

export function rekeySaOf(kek: KekPolicy, keys: GroupKeys): RekeySa {
  return {
    spi: kek.spi,
    suite: kek.suite,
    keys: keys.kek ?? { encr: secret(EMPTY), integ: secret(EMPTY), wrap: secret(EMPTY) },
    authentication: kek.authentication!,
    ...(kek.publicKey === undefined ? {} : { publicKey: kek.publicKey }),
  };
}
