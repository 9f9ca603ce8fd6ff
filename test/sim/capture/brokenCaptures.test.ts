import { existsSync, readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeCapture, jsonPacket } from "../../../sim/capture/decode.ts";
import { keyRing } from "../../../sim/capture/keyRing.ts";
import { readKeyTables } from "../../../sim/capture/keyTables.ts";
import { readCapture } from "../../../sim/capture/readCapture.ts";
import type { KeyEntry } from "../../../src/crypto/keyEntry.ts";
import { native } from "../../../src/crypto/native.ts";
import { describeShared, readShared, readSharedJson, sharedPath } from "../../shared.ts";
import { leavesCover } from "../../wire/cover.ts";

/** A small generator: which octets are hit must be the same in every run. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 8;
  }
}

interface Vector {
  readonly wireshark?: Readonly<Record<string, readonly string[]>>;
}

function keysOf(json: string): readonly KeyEntry[] {
  const tables = existsSync(sharedPath(json)) ? readSharedJson<Vector>(json).wireshark : undefined;
  const files = Object.entries(tables ?? {}).map(([file, rows]) => [file, rows.join("\n")] as const);
  return readKeyTables(new Map(files)).entries;
}

const FILE_HEADER_OCTETS = 24;

describe.each(["pcap", "ikev1", "ikev2", "esp", "gdoi"])("captures of %s with some octets changed", (folder) => {
  describeShared(`vectors/${folder}`, "third-party files", () => {
    const names = readdirSync(sharedPath(`vectors/${folder}`)).filter((name) => name.endsWith(".pcap"));
    it.each(names)("%s is shown to its last octet, opened or not, whatever was hit", (name) => {
      const random = numbers(name.length);
      const entries = keysOf(`vectors/${folder}/${name.replace("pcap", "json")}`);
      const whole = readShared(`vectors/${folder}/${name}`);
      for (let round = 1; round <= 6; round++) {
        const file = Uint8Array.from(whole);
        for (let hit = 0; hit < round * 2; hit++) {
          const at = FILE_HEADER_OCTETS + (random.next().value % (file.length - FILE_HEADER_OCTETS));
          file[at] = random.next().value;
        }
        const frames = readCapture(file).packets;
        const decoded = [...decodeCapture(file, keyRing(native, entries)).packets];
        expect(decoded).toHaveLength(frames.length);
        for (const [index, packet] of decoded.entries()) {
          const { octets, frame } = frames[index]!;
          const { length } = octets.length === 0 ? frame : octets;
          if (length === 0) continue;
          const root = { label: "packet", offset: 0, length, text: "", children: packet.layers };
          leavesCover(root, octets.length === 0 ? frame : octets);
          expect(JSON.stringify(jsonPacket(packet))).toContain('"layers":[{');
        }
      }
    });
  });
});
