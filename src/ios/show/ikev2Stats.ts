/** `show crypto ikev2 stats`. Post-quantum counters of the newest images are left out: nothing here counts there. */
import { lines } from "./text.ts";
import type { Ikev2StatsView } from "./views.ts";

const RULE = "-".repeat(80);

/** What IOS shows where nobody has set a limit. SAs that a box begins itself have none here. */
const IN_NEGOTIATION = 40;
const OUT_NEGOTIATION = 400;

export function ikev2Stats({ incoming, outgoing, limits, overload, dropped, cookies }: Ikev2StatsView): string {
  const number = (value: number) => String(value).padEnd(8);
  const sas = (way: string, { active, negotiating }: Ikev2StatsView["incoming"]) =>
    `Total ${way} IKEv2 SA Count:    ${number(active + negotiating)} active:        ${number(active)} negotiating: ${number(negotiating)}`;
  const requests = (way: string, { accepted, rejected, requests: all }: Ikev2StatsView["incoming"]) =>
    `${way} IKEv2 Requests: ${number(all)} accepted:      ${number(accepted)} rejected:    ${number(rejected)}`;
  const rejected = incoming.rejected + outgoing.rejected;
  return lines(
    RULE,
    "                          Crypto IKEv2 SA Statistics",
    RULE,
    `System Resource Limit:   0        Max IKEv2 SAs: ${number(limits.sas ?? 0)} Max in nego(in/out): ` +
      `${limits.inNegotiation ?? IN_NEGOTIATION}/${OUT_NEGOTIATION}`,
    sas("incoming", incoming),
    sas("outgoing", outgoing),
    requests("Incoming", incoming),
    requests("Outgoing", outgoing),
    `Rejected IKEv2 Requests: ${number(rejected)} rsrc low:      ${number(0)} SA limit:    ${number(overload)}`,
    `IKEv2 packets dropped at dispatch: ${number(dropped)}`,
    `Incoming IKEV2 Cookie Challenged Requests: ${number(cookies.demanded)}`,
    `    accepted: ${number(cookies.accepted)} rejected: ${number(cookies.rejected)} rejected no cookie: ${number(cookies.demanded)}`,
  );
}
