import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ipPacket } from "../../../sim/capture/linkLayer.ts";
import { readCapture } from "../../../sim/capture/readCapture.ts";
import { type Bytes, concat, fromHex, toHex, utf8 } from "../../../src/base/bytes.ts";
import { describeShared, readShared, readSharedJson } from "../../shared.ts";

const IP = fromHex("45000015 00000000 40ff0000 0a000001 0a000002 aa");

/** Numbers in the byte order of the file; strings are octets in hexadecimal. */
function build(isLittle: boolean, ...parts: readonly (readonly [16 | 32, number] | Bytes)[]): Bytes {
  return concat(
    ...parts.map((part) => {
      if (part instanceof Uint8Array) return part;
      const octets = new Uint8Array(part[0] / 8);
      const view = new DataView(octets.buffer);
      if (part[0] === 16) view.setUint16(0, part[1], isLittle);
      else view.setUint32(0, part[1], isLittle);
      return octets;
    }),
  );
}

function pcap(isLittle: boolean, isNano: boolean, linkType: number, frames: readonly Bytes[]): Bytes {
  const header = build(
    isLittle,
    [32, isNano ? 0xa1b23c4d : 0xa1b2c3d4],
    [16, 2],
    [16, 4],
    [32, 0],
    [32, 0],
    [32, 65535],
    [32, linkType],
  );
  const records = frames.map((frame, i) =>
    build(isLittle, [32, 10 + i], [32, isNano ? 2999 : 2], [32, frame.length], [32, frame.length + 7], frame),
  );
  return concat(header, ...records);
}

function block(isLittle: boolean, type: number, content: Bytes): Bytes {
  const padded = concat(content, new Uint8Array(-content.length & 3));
  return build(isLittle, [32, type], [32, padded.length + 12], padded, [32, padded.length + 12]);
}

function option(isLittle: boolean, code: number, value: Bytes): Bytes {
  return build(isLittle, [16, code], [16, value.length], value, new Uint8Array(-value.length & 3));
}

const section = (isLittle: boolean) =>
  block(isLittle, 0x0a0d0d0a, build(isLittle, [32, 0x1a2b3c4d], [16, 1], [16, 0], [32, 0xffffffff], [32, 0xffffffff]));

const port = (isLittle: boolean, linkType: number, options: Bytes, snap = 0) =>
  block(isLittle, 1, build(isLittle, [16, linkType], [16, 0], [32, snap], options));

function enhanced(
  isLittle: boolean,
  index: number,
  stamp: bigint,
  frame: Bytes,
  options: Bytes = new Uint8Array(0),
): Bytes {
  const words = [index, Number(stamp >> 32n), Number(stamp & 0xffffffffn), frame.length, frame.length];
  const pad = new Uint8Array(-frame.length & 3);
  return block(isLittle, 6, build(isLittle, ...words.map((word) => [32, word] as const), frame, pad, options));
}

describe("pcap", () => {
  it("is read in both byte orders, with micro- and nanoseconds", () => {
    for (const isLittle of [true, false]) {
      for (const isNano of [true, false]) {
        const { packets, problem } = readCapture(pcap(isLittle, isNano, 101, [IP, IP]));
        expect(problem).toBeUndefined();
        expect(packets).toHaveLength(2);
        expect(packets[1]).toMatchObject({ number: 2, micros: 11_000_002, linkType: 101, octets: IP, wireLength: 28 });
      }
    }
  });

  it("keeps what was read before the file breaks off, wherever that is", () => {
    const file = pcap(true, false, 101, [IP, IP, IP]);
    const record = 16 + IP.length;
    for (let length = 4; length < file.length; length++) {
      const { packets, problem } = readCapture(file.subarray(0, length));
      const whole = Math.max(0, Math.floor((length - 24) / record));
      expect(packets).toHaveLength(whole);
      if (length >= 24 && (length - 24) % record === 0) expect(problem).toBeUndefined();
      else expect(problem).toMatchObject({ code: "truncated", offset: length < 24 ? 0 : 24 + whole * record });
    }
  });

  it("does not believe a record of a gigabyte, nor a version that nobody has defined", () => {
    const file = pcap(true, false, 101, [IP]);
    new DataView(file.buffer).setUint32(24 + 8, 2 ** 30, true);
    expect(readCapture(file).problem).toMatchObject({ code: "badBlock", offset: 32 });
    new DataView(file.buffer).setUint16(4, 3, true);
    expect(readCapture(file).problem?.code).toBe("badVersion");
  });
});

describe("pcapng", () => {
  it("is read in both byte orders, with any resolution of time and several sections", () => {
    const sections = [true, false].map((isLittle) =>
      concat(
        section(isLittle),
        port(isLittle, 101, option(isLittle, 2, utf8("eth0"))),
        port(isLittle, 1, concat(option(isLittle, 2, utf8("nano")), option(isLittle, 9, Uint8Array.of(9)))),
        port(isLittle, 228, option(isLittle, 9, Uint8Array.of(0x80 | 10))),
        block(isLittle, 0x0bad, utf8("a block that nobody knows")),
        enhanced(isLittle, 0, 5_000_000n * 2n ** 20n, IP, option(isLittle, 1, utf8("first"))),
        enhanced(isLittle, 1, 1_700_000_000_123_456_789n, concat(fromHex("ffffffffffff 000000000001 0800"), IP)),
        enhanced(isLittle, 2, 1536n, IP, concat(option(isLittle, 1, utf8("a")), option(isLittle, 1, utf8("b")))),
      ),
    );
    const { packets, problem } = readCapture(concat(...sections));
    expect(problem).toBeUndefined();
    expect(packets).toHaveLength(6);
    for (const three of [packets.slice(0, 3), packets.slice(3)]) {
      expect(three.map(({ micros }) => micros)).toEqual([5_000_000 * 2 ** 20, 1_700_000_000_123_456, 1_500_000]);
      expect(three.map(({ interfaceName }) => interfaceName)).toEqual(["eth0", "nano", ""]);
      expect(three.map(({ comment }) => comment)).toEqual(["first", "", "a\nb"]);
      expect(three.map(({ octets }) => toHex(octets))).toEqual([toHex(IP), toHex(IP), toHex(IP)]);
    }
  });

  it("reads simple and obsolete packet blocks", () => {
    const file = concat(
      section(true),
      port(true, 101, new Uint8Array(0), 20),
      block(true, 3, build(true, [32, IP.length], IP.subarray(0, 20))),
      block(true, 2, build(true, [16, 0], [16, 9], [32, 0], [32, 77], [32, IP.length], [32, IP.length], IP)),
    );
    const { packets, problem } = readCapture(file);
    expect(problem).toBeUndefined();
    expect(packets.map(({ frame, wireLength, micros }) => [frame.length, wireLength, micros])).toEqual([
      [20, 21, 0],
      [21, 21, 77],
    ]);
  });

  it("names the place of a broken length, of a missing interface and of a packet beyond its block", () => {
    const start = concat(section(true), port(true, 101, new Uint8Array(0)));
    const good = enhanced(true, 0, 1n, IP);
    const at = start.length + good.length;
    const behind = (tail: Bytes) => readCapture(concat(start, good, tail));
    for (const tail of [
      enhanced(true, 1, 1n, IP),
      block(true, 6, new Uint8Array(8)),
      block(true, 3, fromHex("ff000000")),
    ]) {
      expect(behind(tail)).toMatchObject({ packets: [{ number: 1 }], problem: { code: "badBlock", offset: at } });
    }
    const odd = enhanced(true, 0, 1n, IP);
    odd[4]! ^= 1;
    expect(behind(odd).problem).toMatchObject({ code: "badBlock", offset: at + 4 });
    const differs = enhanced(true, 0, 1n, IP);
    differs[differs.length - 4]! ^= 4;
    expect(behind(differs).problem).toMatchObject({ code: "badBlock", offset: at + differs.length - 4 });
    expect(behind(good.subarray(0, 9)).problem).toMatchObject({ code: "truncated", offset: at });
  });
});

describe("any file", () => {
  it("gives packets and at most one problem, never an exception", () => {
    const seeds = [
      pcap(true, false, 1, [IP, IP]),
      concat(section(false), port(false, 101, option(false, 2, utf8("x"))), enhanced(false, 0, 9n, IP)),
    ];
    fc.assert(
      fc.property(
        fc.nat(1),
        fc.array(fc.tuple(fc.nat(200), fc.nat(255)), { maxLength: 8 }),
        fc.nat(250),
        (which, flips, cut) => {
          const file = seeds[which]!.slice(0, Math.max(cut, 4));
          for (const [at, value] of flips) if (at < file.length) file[at] = value;
          const { packets } = readCapture(file);
          packets.forEach((packet, i) => {
            expect(packet.number).toBe(i + 1);
          });
        },
      ),
      { numRuns: 2000 },
    );
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (file) => void readCapture(file)));
    expect(readCapture(utf8("hello"))).toEqual({
      packets: [],
      problem: expect.objectContaining({ code: "notCapture" }),
    });
    expect(readCapture(new Uint8Array(0)).problem?.code).toBe("notCapture");
  });

  it("is read the same where it lies inside a larger buffer", () => {
    const file = pcap(false, true, 101, [IP]);
    const shifted = concat(new Uint8Array(3), file).subarray(3);
    expect(readCapture(shifted)).toEqual(readCapture(file));
  });
});

describe("the link layer", () => {
  const ethernet = "ffffffffffff 000000000001";
  it("is taken off, with its tags and padding", () => {
    const ip = toHex(IP);
    const cases: readonly (readonly [number, string])[] = [
      [1, `${ethernet} 0800 ${ip}`],
      [1, `${ethernet} 0800 ${ip} 0000000000000000`],
      [1, `${ethernet} 8100 0007 0800 ${ip}`],
      [1, `${ethernet} 88a8 0007 8100 0008 0800 ${ip}`],
      [0, `02000000 ${ip}`],
      [0, `00000002 ${ip}`],
      [108, `00000002 ${ip}`],
      [113, `0000 0001 0006 0000000000010000 0800 ${ip}`],
      [276, `0800 0000 00000001 0001 00 06 0000000000010000 ${ip}`],
      [12, ip],
      [101, ip],
      [228, ip],
    ];
    for (const [linkType, frame] of cases) expect(toHex(ipPacket(linkType, fromHex(frame)))).toBe(ip);
    const six = `60000000 0001 3b40 ${"00".repeat(15)}01 ${"00".repeat(15)}02 ee`.replace(/ /g, "");
    expect(toHex(ipPacket(229, fromHex(`${six}ffff`)))).toBe(six);
    expect(toHex(ipPacket(1, fromHex(`${ethernet} 86dd ${six}`)))).toBe(six);
  });

  it("holds no IP packet where the frame is of another kind or too short", () => {
    const none: readonly (readonly [number, string])[] = [
      [1, `${ethernet} 0806 000108000604`],
      [1, `${ethernet} 8100 00`],
      [1, "ff"],
      [0, "07000000 45"],
      [0, "02"],
      [113, "0000"],
      [101, ""],
      [101, "a5"],
      [147, toHex(IP)],
    ];
    for (const [linkType, frame] of none) expect(ipPacket(linkType, fromHex(frame))).toHaveLength(0);
  });
});

interface VectorFile {
  readonly file: string;
  readonly kind: "ok" | "malformed";
  readonly packets: readonly { readonly udp?: string; readonly payload?: string; readonly raw?: string }[];
}

describeShared("vectors/pcap/packets.json", "captures of other people", () => {
  for (const { file, kind, packets } of readSharedJson<VectorFile[]>("vectors/pcap/packets.json")) {
    it(`${file} holds the payloads that are listed for it`, () => {
      const read = readCapture(readShared(`vectors/pcap/${file}`));
      expect(read.problem).toBeUndefined();
      // Lengths of the broken ones contradict each other, so their payloads are looked for in the whole frame.
      const found = read.packets.map(({ octets, frame }) => [toHex(octets), toHex(frame)] as const);
      const missing = packets.filter(({ udp, payload, raw }) => {
        const content = udp ?? payload ?? raw;
        const isWhole = kind === "malformed" || content === raw;
        return content === undefined || !found.some(([ip, frame]) => (isWhole ? frame : ip).endsWith(content));
      });
      expect(missing).toEqual([]);
      expect(read.packets.length).toBeGreaterThanOrEqual(packets.length);
    });
  }
});
