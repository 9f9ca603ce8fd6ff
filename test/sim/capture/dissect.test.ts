import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { dissectPacket } from "../../../sim/capture/dissect.ts";
import { keyRing } from "../../../sim/capture/keyRing.ts";
import { fromHex } from "../../../src/base/bytes.ts";
import { secret } from "../../../src/base/secret.ts";
import type { KeyEntry } from "../../../src/crypto/keyEntry.ts";
import { native } from "../../../src/crypto/native.ts";
import type { Field } from "../../../src/wire/field.ts";
import { describeShared, readShared, readSharedJson, sharedPath } from "../../shared.ts";
import { leavesCover } from "../../wire/cover.ts";

interface Vector {
  readonly ikeSas: readonly Record<string, never>[];
  readonly childSas: readonly { encr: Alg; integ: Alg | null; sas: readonly Record<string, string>[] }[];
}
interface Alg {
  readonly id: number;
  readonly keyBits?: number;
}

function keysOf(vector: Vector): KeyEntry[] {
  const key = (text: unknown) => secret(fromHex((text as string | null) ?? ""));
  const ike = vector.ikeSas.map(
    (sa: Record<string, unknown>): KeyEntry => ({
      kind: "ike",
      spiInitiator: sa.spiI as string,
      spiResponder: sa.spiR as string,
      encr: (sa.encr as Alg).id,
      encrKeyBits: (sa.encr as Alg).id === 28 ? 0 : ((sa.encr as Alg).keyBits ?? 0),
      integ: (sa.integ as Alg | null)?.id ?? 0,
      encrInitiator: key(sa.SK_ei),
      encrResponder: key(sa.SK_er),
      integInitiator: key(sa.SK_ai),
      integResponder: key(sa.SK_ar),
    }),
  );
  const esp = vector.childSas.flatMap((child) =>
    child.sas.map(
      (sa): KeyEntry => ({
        kind: "esp",
        spi: sa.spi!,
        source: "*",
        destination: "*",
        encr: child.encr.id,
        encrKeyBits: child.encr.id === 28 ? 0 : (child.encr.keyBits ?? 0),
        integ: child.integ?.id ?? 0,
        encrKey: key(sa.encKey),
        integKey: key(sa.authKey),
      }),
    ),
  );
  return [...ike, ...esp];
}

/** Packets of a little-endian pcap with Ethernet frames, from the IP header on. */
function packetsOf(pcap: Uint8Array): Uint8Array[] {
  const view = new DataView(pcap.buffer, pcap.byteOffset, pcap.length);
  const packets: Uint8Array[] = [];
  for (let at = 24; at < pcap.length; ) {
    const size = view.getUint32(at + 8, true);
    packets.push(pcap.subarray(at + 16 + 14, at + 16 + size));
    at += 16 + size;
  }
  return packets;
}

function count(field: Field, test: (field: Field) => boolean): number {
  return (test(field) ? 1 : 0) + field.children.reduce((sum, child) => sum + count(child, test), 0);
}

describeShared("vectors/ikev2", "packets of the strongSwan captures", () => {
  const files = readdirSync(sharedPath("vectors/ikev2")).filter((name) => name.endsWith(".json"));
  it.each(files)("%s is covered octet by octet and opens with its keys", (file) => {
    const vector = readSharedJson<Vector>(`vectors/ikev2/${file}`);
    const ring = keyRing(native, keysOf(vector));
    let sealed = 0;
    let opened = 0;
    for (const packet of packetsOf(readShared(`vectors/ikev2/${file.replace("json", "pcap")}`))) {
      const closed = dissectPacket(packet);
      leavesCover(closed, packet);
      const field = dissectPacket(packet, ring);
      leavesCover(field, packet);
      sealed += count(closed, (one) => /^(Encrypted data and ICV|IV, encrypted data and ICV)$/.test(one.label));
      opened += count(field, (one) => one.plain !== undefined && one.problem === undefined);
    }
    expect(opened).toBe(sealed);
  });
});
