import { describe, expect, test } from "vitest";
import { loadScenario } from "../../../sim/scenario/loader.ts";
import type { RouterNode } from "../../../sim/scenario/scenario.ts";
import { ConfigError } from "../../../src/base/errors.ts";
import { formatIpv4 } from "../../../src/base/ipv4.ts";
import { SECOND } from "../../../src/base/micros.ts";

const load = (text: string, more: readonly [string, string][] = []) =>
  loadScenario(new Map([["s/x.yaml", text], ...more]), "s/x.yaml");

/** `code@line:column` of each problem; with the file where it is another one. */
function problemsOf(text: string, more: readonly [string, string][] = []): readonly string[] {
  try {
    load(text, more);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ code, file, line, column }) => {
      return `${code}@${file === "s/x.yaml" ? "" : `${file}:`}${line}:${column}`;
    });
  }
}

const hosts = `name: x
duration: 1m
topology:
  nodes:
    h1: { kind: host, address: 10.0.0.1/24 }
    h2: { kind: host, address: 10.0.0.2/24 }
  links:
    - { name: wire, endpoints: ["h1:eth0", "h2:eth0"], latency: 2ms, loss: 20% }
`;

describe("a scenario", () => {
  test("becomes a network of exact numbers", () => {
    const { links, nodes, seed, duration } = load(hosts);
    expect(links[0]).toMatchObject({
      name: "wire",
      a: { device: "h1", interface: "eth0" },
      rules: [
        { kind: "loss", hits: 1, outOf: 5 },
        { kind: "latency", micros: 2_000 },
      ],
    });
    expect(nodes.map(({ name }) => name)).toEqual(["h1", "h2"]);
    expect(seed).toBe("x");
    expect(duration).toBe(60 * SECOND);
  });

  test("reads a template once for each number, with its own addresses", () => {
    const scenario = load(`name: x
duration: 1m
wan: { latency: 5ms }
topology:
  generate:
    - nodes: r{2..4}
      kind: router
      site: site\${index}
      wan: Gi0/0
      addresses:
        wan: { first: 10.0.1.254 }
        lan: { first: 10.9.0.1, step: 256 }
      config: |
        hostname \${name}
        interface GigabitEthernet0/0
         ip address \${wan} 255.255.0.0
        interface Loopback0
         ip address \${lan} 255.255.255.255
`);
    const routers = scenario.nodes as readonly RouterNode[];
    const addressOf = (router: RouterNode, name: string) =>
      formatIpv4(router.config.interfaces.get(name)!.address!.address);
    expect(routers.map(({ config }) => config.hostname)).toEqual(["r2", "r3", "r4"]);
    expect(routers.map((router) => addressOf(router, "GigabitEthernet0/0"))).toEqual([
      "10.0.1.254",
      "10.0.1.255",
      "10.0.2.0",
    ]);
    expect(routers.map((router) => addressOf(router, "Loopback0"))).toEqual(["10.9.0.1", "10.9.1.1", "10.9.2.1"]);
    expect(scenario.clouds[0]!.sites.map(({ name }) => name)).toEqual(["site2", "site3", "site4"]);
  });

  test("lets every pair of nodes ping once a period, spread over the period", () => {
    const { timeline } = load(`${hosts}timeline:\n  - { do: traffic, at: 1s, between: h*, every: 10s, until: 40s }\n`);
    expect(timeline.map(({ at, action }) => [at, action.kind === "ping" && action.repeat])).toEqual([
      [1 * SECOND, 4],
      [6 * SECOND, 4],
    ]);
  });

  test("puts a line back to what the topology says when a fault ends", () => {
    const { timeline } = load(
      `${hosts}timeline:\n  - { do: line, at: 1s, link: wire, from: h2, loss: 1/2, jitter: 1ms, for: 5s }\n`,
    );
    expect(timeline.map(({ at, action }) => [at, action.kind === "fault" ? action.fault : action])).toEqual([
      [1 * SECOND, { kind: "setRule", link: "wire", direction: "ba", rule: { kind: "loss", hits: 1, outOf: 2 } }],
      [1 * SECOND, { kind: "setRule", link: "wire", direction: "ba", rule: { kind: "jitter", maxMicros: 1000 } }],
      [6 * SECOND, { kind: "setRule", link: "wire", direction: "ba", rule: { kind: "loss", hits: 1, outOf: 5 } }],
      [6 * SECOND, { kind: "clearRule", link: "wire", direction: "ba", rule: "jitter" }],
    ]);
  });

  test("gives defaults of the topology to nodes and links that say nothing else", () => {
    const { nodes, links } = load(`name: x
duration: 1m
topology:
  defaults:
    node: { platform: ideal }
    link: { latency: 7ms, mtu: 1400 }
  nodes:
    r1: { kind: router, config: "interface Gi0/0" }
    r2: { kind: router, platform: asr1000, config: "interface Gi0/0" }
  links:
    - { endpoints: ["r1:Gi0/0", "r2:GigabitEthernet0/0"], latency: 1ms }
`);
    expect((nodes as readonly RouterNode[]).map(({ cpu }) => cpu.profile)).toEqual(["ideal", "asr1000"]);
    expect(links[0]!.rules).toEqual([
      { kind: "mtu", octets: 1400 },
      { kind: "latency", micros: 1000 },
    ]);
  });
});

describe("what is wrong with a scenario", () => {
  test("is told all at once, in the file where it stands", () => {
    const text = `name: x
duration: 1m
topology:
  nodes:
    r1: { kind: router, startup-config: r1.cfg }
    r2: { kind: router, startup-config: nowhere.cfg }
    r3:
      kind: router
      config: |
        hostname R3
        interface GigabitEthernet0/0
         crypto map
`;
    expect(problemsOf(text, [["s/r1.cfg", "hostname R1\ncrypto ikev2 proposal\n"]])).toEqual([
      "iosIncomplete@s/r1.cfg:2:22",
      "missingFile@6:41",
      "iosIncomplete@12:20",
    ]);
  });

  test("is told once for a template, however many nodes it makes", () => {
    const text = `name: x
duration: 1m
topology:
  generate:
    - nodes: r{1..50}
      kind: router
      config: |
        crypto ikev2 proposal
        interface Loopback0
         ip address \${lan} 255.255.255.255
`;
    expect(problemsOf(text)).toEqual(["unknownVariable@10:21"]);
    expect(problemsOf(text.replace(/\$\{lan\}/, "10.0.0.1"))).toEqual(["iosIncomplete@8:30"]);
  });

  test("stands where a quoted configuration begins, which has no lines of its own", () => {
    const text = `name: x\nduration: 1m\ntopology:\n  nodes:\n    r1: { kind: router, config: "hostname R\\ncrypto ikev2 proposal" }\n`;
    expect(problemsOf(text)).toEqual(["iosIncomplete@5:33"]);
  });

  test("names the nearest word that is known", () => {
    const messages = (text: string) => {
      try {
        load(text);
        return "";
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(messages(hosts.replace("latency", "latancy"))).toContain("did you mean latency?");
    expect(messages(hosts.replace("kind: host", "kind: hosts"))).toContain("did you mean host?");
    expect(messages(`${hosts}timeline: [{ do: down, at: 1s, link: wrie }]`)).toContain("did you mean wire?");
  });

  test("does not include what a broken file would only repeat", () => {
    expect(problemsOf("name: [\n")).toHaveLength(1);
    expect(problemsOf("")).toEqual(["empty@1:1"]);
    expect(() => loadScenario(new Map(), "gone.yaml")).toThrowError("gone.yaml:1:1: missingFile");
  });

  test("lists configuration lines that are left aside, and goes on", () => {
    const { ignored } = load(
      `name: x\nduration: 1m\ntopology:\n  nodes:\n    r1:\n      kind: router\n      config: |\n        hostname R\n        service timestamps\n        flux capacitor\n`,
    );
    expect(ignored.map(({ line, reason }) => [line, reason])).toEqual([
      [9, "understood"],
      [10, "unknown"],
    ]);
  });
});
