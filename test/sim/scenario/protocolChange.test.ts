/** A member at work whose configuration names the other protocol: traffic goes on, and so do rekeys. */
import { describe, expect, it } from "vitest";
import { loadScenario } from "../../../sim/scenario/loader.ts";
import { createRun, type Run } from "../../../sim/scenario/runner.ts";
import { MILLISECOND, SECOND } from "../../../src/base/micros.ts";
import { native } from "../../../src/crypto/native.ts";
import { memberConfig, node, serverConfig } from "../device/iosText.ts";
import { ip, story } from "../device/lab.ts";

const scenario = (first: string, then: string) => `name: protocol-change
duration: 200s
wan: { latency: 5ms }
topology:
  nodes:
${node("ks1", "ks", serverConfig("icmp any any"))}${node("gm1", "gm", memberConfig("GM1", "10.0.0.1", first))}${node("gm2", "gm", memberConfig("GM2", "10.0.0.2", "gdoi"))}${node("gm3", "gm", memberConfig("GM3", "10.0.0.3", "gikev2 PROFILE"))}timeline:
  - { do: configure, at: 20s, device: gm1, config: "crypto gkm group G\\n client protocol ${then}" }
  - { do: exec, at: 40s, device: ks1, command: crypto gkm ks rekey }
  - { do: configure, at: 60s, device: gm1, config: "crypto gkm group G\\n client protocol ${first}" }
  - { do: exec, at: 80s, device: ks1, command: crypto gkm ks rekey }
  - { do: exec, at: 100s, device: ks1, command: crypto gkm ks evict 10.0.0.1 now bar }
`;

function runOf(first: string, then: string): Run {
  const run = createRun(loadScenario(new Map([["x.yaml", scenario(first, then)]]), "x.yaml"), { crypto: native });
  run.passTo(10 * SECOND);
  const ping = {
    kind: "ping",
    destination: ip("10.0.0.1"),
    interval: 100 * MILLISECOND,
    timeout: 50 * MILLISECOND,
  } as const;
  for (const device of ["gm2", "gm3"]) run.perform({ ...ping, device, repeat: 10_000 });
  run.passTo(99 * SECOND);
  return run;
}

const within = <T extends { time?: unknown }>(events: readonly T[], from: number, to: number) =>
  events.filter(({ time }) => (time as number) >= from * SECOND && (time as number) < to * SECOND);

describe.each([
  ["gdoi", "gikev2 PROFILE"],
  ["gikev2 PROFILE", "gdoi"],
])("a member that speaks %s, then %s, then the first again", (first, then) => {
  it("has one entry at the key server, answers each ping but those of a second, and acknowledges each rekey", () => {
    const { network: net } = runOf(first, then);
    const kind = (protocol: string) => protocol.split(" ")[0];
    const own = (kindOfEvent: string) => story(net, kindOfEvent).filter(({ device }) => device === "gm1");
    expect(own("gm.registered").map(({ protocol }) => protocol)).toEqual([first, then, first].map(kind));
    expect(
      story(net, "ks.registered")
        .map(({ members }) => members)
        .at(-1),
    ).toBe(3);
    const lost = story(net, "ping.lost");
    for (const [from, to] of [
      [10, 20],
      [21, 60],
      [61, 99],
    ] as const) {
      expect(within(lost, from, to)).toEqual([]);
      expect(within(story(net, "ping.reply"), from, to).length).toBeGreaterThan(15 * (to - from));
    }
    const acked = story(net, "ks.rekeyAcked").filter(({ member }) => member === "10.0.0.1:848");
    expect(acked.map(({ protocol }) => protocol)).toEqual([then, first].map(kind));
    expect(story(net, "ks.rekeyUnanswered")).toEqual([]);
  });

  it("is put out for good, and the others of both protocols come back under KEKs that it does not know", () => {
    const run = runOf(first, then);
    const { network: net } = run;
    run.passTo(150 * SECOND);
    const made = within(story(net, "ks.kekCreated"), 100, 150);
    expect(made.map(({ protocol }) => protocol).sort()).toEqual(["gdoi", "gikev2"]);
    const back = within(story(net, "gm.registered"), 100, 150);
    expect(back.map(({ device }) => device).sort()).toEqual(["gm2", "gm3"]);
    expect(within(story(net, "ks.refused"), 100, 150).map(({ reason }) => reason)).toContain("barred");
  });
});
