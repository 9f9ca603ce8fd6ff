import { describe, expect, it } from "vitest";
import { MemberStates, REGISTERED, UNREGISTERED } from "../../../web/model/memberState.ts";
import { memberSummary } from "../../../web/model/memberText.ts";
import { syntheticTrace } from "../syntheticTrace.ts";
import { viewOf } from "../view.ts";

const view = viewOf(syntheticTrace(120, 18));
const states = new MemberStates(view);
states.update();

describe("MemberStates", () => {
  it("begins with nobody registered and ends with the newest TEK", () => {
    expect([...states.at(0).registration].every((state) => state === UNREGISTERED)).toBe(true);
    const end = states.at(view.eventCount);
    expect(end.registration[2]).toBe(REGISTERED);
    expect(end.tek[2]).toBe(19);
  });

  it("gives the same state whichever way the cursor came", () => {
    expect(view.eventCount).toBeGreaterThan(16_384);
    const places = [0, 1, 500, 8191, 8192, 8193, 12_000, 16_384, view.eventCount - 1, view.eventCount];
    const forward = places.map((event) => structuredClone(states.at(event)));
    const backward = [...places].reverse().map((event) => structuredClone(states.at(event)));
    expect(backward.reverse()).toEqual(forward);
  });

  it("keeps a member that missed a rekey on the TEK that it has", () => {
    const afterFirst = states.at(view.eventsUntil(3_700_000_000));
    expect(afterFirst.tek[5]).toBe(1);
    expect(afterFirst.tek[6]).toBe(2);
  });

  it("says it in a sentence", () => {
    const text = memberSummary(view.head, states.at(view.eventsUntil(3_700_000_000)));
    expect(text).toBe("120 of 120 members registered: 12 on TEK 1, 108 on TEK 2");
  });
});
