import { expect, it } from "vitest";
import { gdoiProtocol } from "../../src/gdoi/gdoiProtocol.ts";
import { dialectOf, dialectOfChoice } from "../../src/gikev2/dialects.ts";

it("the same switches give the very same protocol, whoever names them", () => {
  const choice = () => ({ dialect: "yeung-07", switches: { seqPayload: "payload" } }) as const;
  expect(dialectOfChoice(choice())).toBe(dialectOfChoice(choice()));
  expect(dialectOfChoice({ dialect: "yeung-07", switches: {} })).toBe(dialectOf("yeung-07"));
  expect(gdoiProtocol({ acknowledgement: "cisco" })).toBe(gdoiProtocol({ acknowledgement: "cisco" }));
});

it("other switches give another protocol", () => {
  expect(dialectOfChoice({ dialect: "yeung-07", switches: { seqPayload: "payload" } })).not.toBe(dialectOf("yeung-07"));
  expect(gdoiProtocol({ acknowledgement: "cisco" }).acknowledgement).not.toBe(gdoiProtocol().acknowledgement);
});
