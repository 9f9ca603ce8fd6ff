import { describe, expect, it } from "vitest";
import { type LabelLine, linesThatFit } from "../../../web/model/labelFit.ts";

/** Name, address and state below a device at (x, 0). */
function linesOf(device: number, x: number, pinned = false): readonly LabelLine[] {
  return ["gm1", "192.168.100.1", "registered, TEK 1"].map((text, rank) => ({
    device,
    rank,
    x,
    y: 40 + rank * 16,
    starts: false,
    width: text.length * 8,
    pinned,
  }));
}

const texts = (lines: readonly LabelLine[]) => lines.map(({ device, rank }) => `${device}.${rank}`);

describe("lines of writing beside devices", () => {
  it("are all there where devices stand apart", () => {
    const lines = [...linesOf(1, 0), ...linesOf(2, 400)];
    expect(linesThatFit(lines, [{ x: 0, y: 0, radius: 20 }], 16)).toEqual(lines);
  });

  it("lose their states first where it is crowded, then their addresses, and a name last", () => {
    const at = (distance: number) => texts(linesThatFit([...linesOf(1, 0), ...linesOf(2, distance)], [], 16));
    expect(at(120)).toEqual(["1.0", "1.1", "2.0", "2.1"]);
    expect(at(60)).toEqual(["1.0", "2.0"]);
    expect(at(5)).toEqual(["1.0"]);
  });

  it("keep a gap to a name that stands beside them", () => {
    const named = (distance: number) => [linesOf(1, 0)[0]!, linesOf(2, distance)[0]!];
    expect(texts(linesThatFit(named(25), [], 16))).toEqual(["1.0"]);
    expect(texts(linesThatFit(named(28), [], 16))).toEqual(["1.0", "2.0"]);
  });

  it("do not lie over another device", () => {
    expect(texts(linesThatFit(linesOf(1, 0), [{ x: 30, y: 56, radius: 10 }], 16))).toEqual(["1.0"]);
  });

  it("are all there for a device that somebody points at, and others give way", () => {
    const lines = [...linesOf(1, 0), ...linesOf(2, 5, true)];
    expect(texts(linesThatFit(lines, [], 16))).toEqual(["2.0", "2.1", "2.2"]);
  });
});
