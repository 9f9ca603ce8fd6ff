import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { fromHex, toHex, Writer } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import { decodeMessage, dissectIke, encodeMessage, IkeHeader, type IkeMessage } from "../../src/wire/ikeMessage.ts";
import { IKEV2, writeChain } from "../../src/wire/payloads.ts";
import { describeShared, readSharedJson, sharedPath } from "../shared.ts";
import { leavesCover } from "./cover.ts";

interface PacketList {
  readonly [file: string]: { readonly packets?: readonly { readonly hex?: string }[] } | unknown;
}

/** Octets of a message again: clear payloads from their values, the encrypted payload as it was. */
function encodeAgain(message: IkeMessage): Uint8Array {
  const { sealed } = message;
  if (sealed === undefined) return encodeMessage(message, message.payloads, IKEV2);
  const w = new Writer();
  const first = message.payloads.length === 0 ? sealed.number : undefined;
  const number =
    message.payloads[0]?.kind === "unknown"
      ? message.payloads[0].type
      : IKEV2.byKind.get(message.payloads[0]?.kind ?? "")?.number;
  IkeHeader.write(w, { ...message, nextPayload: first ?? number ?? 0, length: 0 }, undefined);
  writeChain(w, message.payloads, IKEV2, sealed.number);
  w.u8(sealed.firstInner);
  w.u8(0);
  w.u16((sealed.number === 53 ? 8 : 4) + sealed.body.length);
  if (sealed.number === 53) {
    w.u16(sealed.fragment);
    w.u16(sealed.fragments);
  }
  w.bytes(sealed.body);
  w.patch32(24, w.at);
  return w.finish();
}

describeShared("vectors/ikev2", "the strongSwan captures", () => {
  const files = readdirSync(sharedPath("vectors/ikev2")).filter((name) => name.endsWith(".json"));
  it.each(files)("%s decodes, encodes to the same octets, and every octet is covered", (file) => {
    const text = JSON.stringify(readSharedJson<PacketList>(`vectors/ikev2/${file}`));
    let seen = 0;
    for (const match of text.matchAll(/"([0-9a-f]{56,})"/g)) {
      const octets = fromHex(match[1]!.startsWith("00000000") ? match[1]!.slice(8) : match[1]!);
      if (
        octets[17] !== 0x20 ||
        ((octets[24]! << 24) | (octets[25]! << 16) | (octets[26]! << 8) | octets[27]!) !== octets.length
      )
        continue;
      seen++;
      const message = decodeMessage(octets, IKEV2);
      expect(toHex(encodeAgain(message))).toBe(toHex(octets));
      leavesCover(dissectIke(octets, IKEV2), octets);
    }
    expect(seen).toBeGreaterThan(0);
  });
});

describeShared("vectors/pcap", "real and broken captures", () => {
  it("decode or are refused with a typed error, and the tree covers every octet", () => {
    const text = JSON.stringify(readSharedJson<PacketList>("vectors/pcap/packets.json"));
    let seen = 0;
    for (const match of text.matchAll(/"([0-9a-f]{8,})"/g)) {
      if (match[1]!.length % 2 !== 0) continue;
      const octets = fromHex(match[1]!);
      seen++;
      try {
        decodeMessage(octets, IKEV2);
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
      }
      leavesCover(dissectIke(octets, IKEV2), octets);
    }
    expect(seen).toBeGreaterThan(50);
  });
});
