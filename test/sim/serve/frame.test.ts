import { describe, expect, it } from "vitest";
import { decodeFrame, encodeFrame } from "../../../sim/serve/frame.ts";
import { syntheticTrace } from "../../web/syntheticTrace.ts";

describe("frames", () => {
  const { head, trace } = syntheticTrace(5);

  it("carry a chunk with its columns, data and packets unchanged", () => {
    const chunk = trace.chunk(0, 0);
    expect(decodeFrame(encodeFrame({ type: "events", chunk }))).toEqual({ type: "events", chunk });
  });

  it("carry an empty chunk", () => {
    const chunk = trace.chunk(trace.events, trace.packets);
    expect(decodeFrame(encodeFrame({ type: "events", chunk }))).toEqual({ type: "events", chunk });
  });

  it("carry other messages, decrypted octets included", () => {
    const field = { label: "SK", offset: 0, length: 4, text: "", plain: Uint8Array.of(0, 255, 7), children: [] };
    for (const message of [
      { type: "head", head, decrypts: true } as const,
      { type: "dissected", id: 4, field: { ...field, children: [field] } } as const,
    ]) {
      expect(decodeFrame(encodeFrame(message))).toEqual(message);
    }
  });

  it("are refused where they are cut off", () => {
    const octets = encodeFrame({ type: "events", chunk: trace.chunk(0, 0) });
    for (const length of [0, 3, 4, 20, octets.length - 1]) {
      expect(() => decodeFrame(octets.subarray(0, length))).toThrow(expect.objectContaining({ code: "truncated" }));
    }
  });
});
