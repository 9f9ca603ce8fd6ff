import { describe, expect, it } from "vitest";
import { type GroupPolicy, misfit, suits } from "../../src/gikev2/policy.ts";

const CBC = { encr: 12, encrKeyBits: 256, integ: 12 };
const GCM = { encr: 20, encrKeyBits: 256, integ: 0 };
/** What is looked at of a policy. */
const policy = {
  kek: { suite: { ...CBC, kwa: 0 } },
  dataSas: [{ suite: CBC }, { suite: GCM }],
} as unknown as GroupPolicy;

describe("a member's capabilities", () => {
  it.each([
    [[CBC], [CBC, GCM], undefined],
    [[GCM], [CBC, GCM], "rekeyPolicy"],
    [[CBC], [CBC], "policy"],
    [[], [], "rekeyPolicy"],
  ] as const)("KEK %j and traffic %j: %s", (kek, data, expected) => {
    const capabilities = { kek: kek.map((suite) => ({ ...suite, kwa: 0 })), data, signatures: [] };
    expect(misfit(capabilities, policy)).toBe(expected);
    expect(suits(capabilities, policy)).toBe(expected === undefined);
  });
});
