import { describe, expect, it } from "vitest";
import { bareFanOut } from "../../../sim/bench/bareFanOut.ts";
import { exponentialDelays } from "../../../sim/bench/delays.ts";
import { roleFanOut } from "../../../sim/bench/fanOut.ts";
import { bareHold, type NumberQueue, schedulerHold } from "../../../sim/bench/hold.ts";
import { replay } from "../../../sim/bench/recordedCrypto.ts";
import { recordRegistrations, registrationModel } from "../../../sim/bench/registration.ts";
import { clearMeter, metered, meterRows, newMeter } from "../../../src/crypto/meter.ts";
import { native } from "../../../src/crypto/native.ts";

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
    const model = registrationModel({ members: 3, dh, crypto: native });
    model.register(2);
    expect(model.registered).toBe(2);
    model.register(1);
    expect(model.registered).toBe(3);
    expect(model.trace.countOf("gm.registered")).toBe(3);
  });

  it("is compared with the very operations that both ends of a registration do", () => {
    const meter = newMeter();
    const [recording] = recordRegistrations(metered(native, meter), 31, 1);
    clearMeter(meter);
    replay(recording!);
    const counts = Object.fromEntries(meterRows(meter).map(({ operation, count }) => [operation, count]));
    expect(counts).toMatchObject({ "dh.31.public": 2, "dh.31.shared": 2, "aes-gcm.seal": 2, "aes-gcm.open": 2 });
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
