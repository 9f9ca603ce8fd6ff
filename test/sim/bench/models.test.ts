import { describe, expect, it } from "vitest";
import { bareFanOut } from "../../../sim/bench/bareFanOut.ts";
import { type Credentials, ecdsaCertificates, sharedKey } from "../../../sim/bench/credentials.ts";
import { exponentialDelays } from "../../../sim/bench/delays.ts";
import { roleFanOut } from "../../../sim/bench/fanOut.ts";
import { bareHold, type NumberQueue, schedulerHold } from "../../../sim/bench/hold.ts";
import { replay } from "../../../sim/bench/recordedCrypto.ts";
import { recordRegistrations, registrationModel } from "../../../sim/bench/registration.ts";
import { type SignedFanOut, signedFanOut, signerOf } from "../../../sim/bench/signedFanOut.ts";
import { Trace } from "../../../sim/core/trace.ts";
import { memoCrypto } from "../../../sim/scenario/memo.ts";
import type { Crypto } from "../../../src/crypto/api.ts";
import { clearMeter, metered, meterRows, newMeter } from "../../../src/crypto/meter.ts";
import { native } from "../../../src/crypto/native.ts";

const GDOI_SIGNER = signerOf("GDOI with RSA-2048");

describe("the hold model", () => {
  it("has delays whose mean is the one asked for", () => {
    const delays = exponentialDelays(1_000_000);
    const mean = delays.reduce((sum, delay) => sum + delay, 0) / delays.length;
    expect(Math.abs(mean - 1_000_000)).toBeLessThan(10);
    expect(delays[delays.length >> 1]! / 1_000_000).toBeCloseTo(Math.LN2, 3);
  });

  it("handles exactly as many events as asked for, in both contestants", () => {
    const items: { item: number; priority: number }[] = [];
    const queue: NumberQueue = {
      push(item, priority) {
        items.push({ item, priority });
        items.sort((a, b) => a.priority - b.priority);
      },
      pop: () => items.shift()?.item,
      peekValue: () => items[0]?.priority,
    };
    for (const model of [schedulerHold(10), bareHold(10, queue)]) {
      model.run(100);
      model.run(23);
      expect(model.handled).toBe(123);
    }
  });
});

describe("the registration model", () => {
  it.each([31, 14] as const)("registers all its members, over Diffie-Hellman group %i", (dh) => {
    const model = registrationModel({ members: 3, dh, credentials: sharedKey, crypto: native });
    model.register(2);
    expect(model.registered).toBe(2);
    model.register(1);
    expect(model.registered).toBe(3);
    expect(model.trace.countOf("gm.registered")).toBe(3);
  });

  it("registers members that prove themselves with certificates", () => {
    const model = registrationModel({ members: 2, dh: 31, credentials: ecdsaCertificates(native), crypto: native });
    model.register(2);
    expect(model.registered).toBe(2);
  });

  it("registers members by GROUPKEY-PULL over Main Mode, with results shared or not", () => {
    const run = (crypto: Crypto): string => {
      const options = { members: 2, dh: 14, credentials: sharedKey, gdoi: true, signer: GDOI_SIGNER } as const;
      const model = registrationModel({ ...options, crypto });
      model.register(2);
      expect(model.registered).toBe(2);
      return model.trace.fingerprint();
    };
    expect(run(memoCrypto(native))).toBe(run(native));
  });

  it("is compared with the very operations that both ends of a registration do", () => {
    const meter = newMeter();
    const countsOf = (credentials: Credentials) => {
      const [recording] = recordRegistrations({ dh: 31, credentials, crypto: metered(native, meter) }, 1);
      clearMeter(meter);
      replay(recording!);
      return Object.fromEntries(meterRows(meter).map(({ operation, count }) => [operation, count]));
    };
    const common = { "dh.31.public": 2, "dh.31.shared": 2, "aes-gcm.seal": 2, "aes-gcm.open": 2 };
    expect(countsOf(sharedKey)).toMatchObject(common);
    // Each end makes one signature, and checks that of the peer and that of the authority under the peer's certificate.
    const signed = countsOf(ecdsaCertificates(native));
    expect(signed).toMatchObject({ ...common, "ecdsa.P-256.sign": 2, "ecdsa.P-256.verify": 4 });
  });

  it("is compared with operations that import each key of a registration once, each time", () => {
    const used: unknown[] = [];
    const noted = <K>(key: K): K => {
      used.push(key);
      return key;
    };
    const watched: Crypto = {
      ...native,
      dhPublic: (group, key) => native.dhPublic(group, noted(key)),
      dhShared: (group, key, peer) => native.dhShared(group, noted(key), peer),
      verify: (key, scheme, message, signature) => native.verify(noted(key), scheme, message, signature),
    };
    const credentials = ecdsaCertificates(native);
    const [recording] = recordRegistrations({ dh: 31, credentials, crypto: watched }, 1);
    const keysOf = (work: () => void) => {
      used.length = 0;
      work();
      return new Set(used);
    };
    const first = keysOf(() => replay(recording!));
    const second = keysOf(() => replay(recording!));
    // Two private keys of X25519 and the keys of two certificates are new each time, that of the authority is not.
    expect([first.size, second.size]).toEqual([5, 5]);
    expect([...second].filter((key) => first.has(key))).toHaveLength(1);
  });
});

describe("the fan-out", () => {
  it("has the counts of its model, with roles and without", () => {
    const members = 60;
    const roles = roleFanOut(members, native);
    const shape = roles.shape(native);
    expect(shape.wrapped.length).toBe(2);
    expect(shape.rekey).toBeGreaterThan(200);
    for (const model of [roles, bareFanOut(members, shape, native)]) {
      const { dataSent, dataRx, ackSent, ackRx, timers, failed, rounds } = model.run(10);
      expect(rounds).toBe(10);
      expect(failed).toBe(0);
      // A rekey or its answer was lost: the rekey goes out once more.
      expect(dataSent).toBe(members * 10 + timers);
      expect(timers).toBeGreaterThan(0);
      expect(timers).toBeLessThan(members);
      expect(ackSent).toBe(dataRx);
      expect(dataSent - dataRx + (ackSent - ackRx)).toBe(timers);
      expect(ackRx).toBe(members * 10);
    }
  });
});

describe("the signed fan-out", () => {
  const members = 12;
  const shapes = ["G-IKEv2 with ECDSA P-256", "GDOI with RSA-2048"] as const;

  it.each(shapes)("of %s leaves the same fingerprint whether results are shared or not", (shape) => {
    const counted = newMeter();
    const [shared, alone] = [memoCrypto(metered(native, counted)), native].map((crypto) => {
      const model = signedFanOut(members, crypto, shape);
      if (crypto !== native) clearMeter(counted);
      const trace = new Trace();
      model.traceTo(trace);
      model.run(2);
      expect(trace.countOf("gm.rekeyReceived")).toBe(2 * members);
      return trace.fingerprint();
    });
    expect(shared).toBe(alone);
    // An RSA key is checked once, with its first signature; one of a curve by its point. Of each rekey the first member is
    // told by whoever signed it, the second does the work; then it is known.
    const verified = meterRows(counted).filter(({ operation }) => operation.endsWith(".verify"));
    expect(verified.map(({ count }) => count)).toEqual([shape === "GDOI with RSA-2048" ? 1 + 2 : 2]);
  });

  it.each(shapes)("of %s: a tampered copy of a shared message is refused, the genuine one taken", (shape) => {
    const crypto = memoCrypto(native);
    const [before, after] = [0, 1].map(() => signedFanOut(members, crypto, shape)) as [SignedFanOut, SignedFanOut];
    const trace = new Trace();
    before.traceTo(trace);
    before.run(1);
    const [sent] = [...trace.ofKind("packet.sent")];
    const genuine = trace.packet(sent!.packet).slice();
    for (const at of [60, 200, genuine.length - 1]) {
      const tampered = genuine.slice();
      tampered[at]! ^= 1;
      // No UDP checksum: the packet reaches the member.
      tampered.fill(0, 26, 28);
      after.inject(1, tampered);
    }
    const { counters } = after.member(1).groups[0]!;
    expect(counters).toMatchObject({ rejected: 3, rekeysMulticast: 0 });
    after.inject(1, genuine);
    expect(counters).toMatchObject({ rejected: 3, rekeysMulticast: 1 });
  });
});
