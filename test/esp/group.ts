/** A group, its SAs and packets, as the tests of the data plane use them. */
import { createRng } from "../../sim/core/rng.ts";
import { type Bytes, fromHex, utf8 } from "../../src/base/bytes.ts";
import { parseIpv4 } from "../../src/base/ipv4.ts";
import { HOUR } from "../../src/base/micros.ts";
import { secret } from "../../src/base/secret.ts";
import { native } from "../../src/crypto/native.ts";
import type { DataSa, Selector, TrafficRule } from "../../src/esp/api.ts";
import { apply, createDataPlane, type DataPlane, type DataPlaneConfig } from "../../src/esp/dataPlane.ts";
import type { EspTools } from "../../src/esp/outbound.ts";
import { encodeUdp, Ipv4 } from "../../src/wire/ip.ts";

export function ip(text: string): number {
  return parseIpv4(text)!;
}

export const ANY: Selector = {
  sourceFirst: 0,
  sourceLast: 0xffffffff,
  destinationFirst: 0,
  destinationLast: 0xffffffff,
  protocol: 0,
  sourcePortFirst: 0,
  sourcePortLast: 65_535,
  destinationPortFirst: 0,
  destinationPortLast: 65_535,
};

export const protectAll: readonly TrafficRule[] = [{ action: "protect", selector: ANY, family: 1 }];

export function tools(name = "member"): EspTools {
  return { crypto: native, rng: createRng("esp").fork(name) };
}

/** AES-128-CBC with HMAC-SHA1-96 unless told otherwise. */
export function dataSa(changes: Partial<DataSa> = {}): DataSa {
  return {
    group: "G",
    family: 1,
    generation: 1,
    spi: 0x1001,
    encr: 12,
    encrKeyBits: 128,
    integ: 2,
    encrKey: secret(fromHex("000102030405060708090a0b0c0d0e0f")),
    integKey: secret(fromHex("101112131415161718191a1b1c1d1e1f20212223")),
    sequenceNumbers: 2,
    mode: "tunnel",
    installedAt: 0,
    expiresAt: HOUR,
    ...changes,
  };
}

export const GCM: Partial<DataSa> = {
  encr: 20,
  encrKeyBits: 256,
  integ: 0,
  encrKey: secret(fromHex("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1fcafebabe")),
  integKey: secret(fromHex("")),
  senderId: { value: 5, bits: 8 },
};

/** A registered member of group G. */
export function member(sa: DataSa = dataSa(), rules = protectAll, config: Partial<DataPlaneConfig> = {}): DataPlane {
  const plane = createDataPlane({ groups: ["G"], ...config });
  apply(plane, { kind: "rules", group: "G", rules });
  apply(plane, { kind: "install", sa });
  apply(plane, { kind: "sendWith", group: "G", family: sa.family, spi: sa.spi });
  return plane;
}

export interface PacketOptions {
  readonly source?: string;
  readonly destination?: string;
  readonly tos?: number;
  readonly ttl?: number;
  readonly df?: boolean;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly payload?: Bytes;
}

export function udpPacket(options: PacketOptions = {}): Bytes {
  const { source = "10.1.0.1", destination = "10.2.0.2", payload = utf8("hello") } = options;
  return Ipv4.encode({
    tos: options.tos ?? 0,
    identification: 7,
    flagsAndOffset: options.df === true ? 0x4000 : 0,
    ttl: options.ttl ?? 63,
    protocol: 17,
    source,
    destination,
    options: new Uint8Array(0),
    payload: encodeUdp(source, destination, options.sourcePort ?? 5000, options.destinationPort ?? 6000, payload),
  });
}
