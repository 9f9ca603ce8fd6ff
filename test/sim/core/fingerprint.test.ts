import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Fingerprint, type Sha256 } from "../../../sim/core/fingerprint.ts";
import { fromHex } from "../../../src/base/bytes.ts";

const native = (): Sha256 => {
  const hash = createHash("sha256");
  return { update: (octets) => void hash.update(octets), digest: () => hash.copy().digest() };
};

describe("the fingerprint", () => {
  it("is SHA-256 over the records as they are laid down", () => {
    const fingerprint = new Fingerprint();
    expect(fingerprint.hex()).toBe(createHash("sha256").digest("hex"));
    fingerprint.event(2 ** 32 + 5, 3, "packet.sent", fromHex("4500ff"));
    fingerprint.event(2 ** 53 - 1, 0xfffffffe, "ks.up", undefined);
    const stream =
      "0000000100000005 00000003 0b 7061636b65742e73656e74 00000003 4500ff" +
      "001fffffffffffff fffffffe 05 6b732e7570 ffffffff";
    expect(fingerprint.hex()).toBe(createHash("sha256").update(fromHex(stream)).digest("hex"));
  });

  it("is the same with a hash of the host, past its buffer and with packets larger than that", () => {
    const own = new Fingerprint();
    const host = new Fingerprint(native());
    for (const fingerprint of [own, host]) {
      for (let i = 0; i < 5000; i++) fingerprint.event(i, i % 7, i % 3 === 0 ? "a.b" : "c.d", new Uint8Array(i % 100));
      fingerprint.event(5000, 0, "big", new Uint8Array(70_000).fill(7));
      fingerprint.event(5001, 0, "last", new Uint8Array(1));
    }
    expect(own.hex()).toBe(host.hex());
  });

  it("may be read while the run goes on", () => {
    const read = new Fingerprint();
    const unread = new Fingerprint();
    for (const fingerprint of [read, unread]) {
      fingerprint.event(1, 0, "a.b", undefined);
      if (fingerprint === read) read.hex();
      fingerprint.event(2, 0, "a.b", undefined);
    }
    expect(read.hex()).toBe(unread.hex());
  });

  it("tells time, device, kind, octets, the absence of a packet, and order apart", () => {
    const packet = fromHex("00");
    const runs: ((fingerprint: Fingerprint) => void)[] = [
      (f) => f.event(1, 0, "a.b", packet),
      (f) => f.event(2, 0, "a.b", packet),
      (f) => f.event(1, 1, "a.b", packet),
      (f) => f.event(1, 0, "a.c", packet),
      (f) => f.event(1, 0, "a.b", fromHex("01")),
      (f) => f.event(1, 0, "a.b", new Uint8Array(0)),
      (f) => f.event(1, 0, "a.b", undefined),
    ];
    const all = runs.map((run) => {
      const fingerprint = new Fingerprint();
      run(fingerprint);
      return fingerprint.hex();
    });
    expect(new Set(all).size).toBe(runs.length);
  });
});
