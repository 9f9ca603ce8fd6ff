import { describe, expect, it } from "vitest";
import { formatFragment, parseFragment, type ScreenState } from "../../../web/state/url.ts";

describe("the URL fragment", () => {
  const full: ScreenState = {
    scenario: "lab.yaml",
    seed: "a b&c=d#e",
    run: 3,
    time: 12_345_678,
    event: 99,
    selection: { device: "gm7" },
    filter: 'type:rekey,ack -gm:7 "no such"',
    brush: [10_000_000, 20_500_000],
    mapping: "linear",
    theme: "dark",
    presenter: true,
    decrypted: false,
  };

  it("restores everything that it holds", () => {
    expect(parseFragment(formatFragment(full))).toEqual(full);
    const event = { ...full, selection: { event: 12 } };
    expect(parseFragment(formatFragment(event)).selection).toEqual({ event: 12 });
  });

  it("is short where everything is at its default", () => {
    expect(formatFragment({ time: 0, mapping: "compressed", theme: "system", decrypted: true, run: 0 })).toBe(
      "#v=topology",
    );
  });

  it("reads the example of the conventions", () => {
    expect(parseFragment("#v=fanout&t=12.345678&sel=gm7&f=type:rekey&r=10..20&m=compressed&th=dark")).toMatchObject({
      time: 12_345_678,
      selection: { device: "gm7" },
      filter: "type:rekey",
      brush: [10_000_000, 20_000_000],
      mapping: "compressed",
      theme: "dark",
    });
  });

  it("passes over what makes no sense", () => {
    const empty = parseFragment("#t=soon&m=round&th=pink&r=5&e=-1&run=x&f=%E0%A4%A&&=");
    expect(empty).toMatchObject({
      time: undefined,
      mapping: undefined,
      theme: undefined,
      brush: undefined,
      run: undefined,
    });
    expect(empty.filter).toBe("%E0%A4%A");
  });
});
