/** What a page sends over a socket, looked at before it is believed. */
import { z } from "zod";
import type { PageMessage } from "./protocol.ts";

const number = z.number().int().nonnegative();

const PageMessageSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("dissect"), id: number, packet: number }),
  z.discriminatedUnion("action", [
    z.strictObject({
      type: z.literal("control"),
      action: z.literal("start"),
      scenario: z.string().max(1000),
      seed: z.string().max(1000).optional(),
      run: number.optional(),
    }),
    z.strictObject({ type: z.literal("control"), action: z.enum(["attach", "stop"]) }),
  ]),
]);

/** Undefined for anything that is no message of a page. */
export function readPageMessage(text: string): PageMessage | undefined {
  try {
    return PageMessageSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
