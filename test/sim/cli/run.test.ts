import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readNdjson } from "../../../sim/core/ndjson.ts";
import { describeTool } from "../../tools.ts";
import { buildCli, type Cli } from "./builtCli.ts";

let cli: Cli;
let folder: string;
const lab = "scenarios/lab.yaml";
const short = "scenarios/refused/wrong-psk.yaml";

beforeAll(async () => {
  cli = await buildCli();
  folder = mkdtempSync(join(tmpdir(), "getvpn-"));
});
afterAll(() => {
  cli.remove();
  rmSync(folder, { recursive: true });
});

describe("run", () => {
  test("prints a summary for people, with every expectation and the fingerprint", async () => {
    const { code, stdout, stderr } = await cli.run(["run", lab]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("  ✓ no ping is lost\n");
    expect(stdout).toMatch(/^Fingerprint {3}[0-9a-f]{64}$/m);
    expect(stdout).toMatch(/^Result {8}passed$/m);
    expect(stdout).not.toContain("\u001b");
  });

  test("--json prints the report, the same whatever the back end, memo and place it is started from", async () => {
    const reports = await Promise.all([
      cli.run(["run", short, "--json"]),
      cli.run(["run", short, "--json", "--crypto", "noble"]),
      cli.run(["run", `./scenarios/../${short}`, "--json", "--no-memo"]),
    ]);
    for (const { code, stdout } of reports) {
      expect(code).toBe(0);
      expect(stdout).toBe(reports[0]!.stdout);
      expect(stdout).not.toContain(process.cwd());
    }
    const report = JSON.parse(reports[0]!.stdout);
    expect(Object.keys(report)).toEqual([
      "scenario",
      "seed",
      "run",
      "fingerprint",
      "events",
      "packets",
      "virtualSeconds",
      "isComplete",
      "expectations",
      "metrics",
      "ignored",
    ]);
    expect(report).toMatchObject({ scenario: "wrong-psk", seed: "getvpn", run: 0, virtualSeconds: 60 });
  });

  test("--seed and --run make another run of the same scenario", async () => {
    const prints = await Promise.all(
      [[], ["--seed", "other"], ["--run", "7"]].map(async (flags) => {
        const { stdout } = await cli.run(["run", short, "--json", ...flags]);
        return JSON.parse(stdout).fingerprint as string;
      }),
    );
    expect(new Set(prints).size).toBe(3);
  });

  test("exits with 1 where an expectation fails, and says which", async () => {
    const path = join(folder, "fails.yaml");
    writeFileSync(
      path,
      `name: fails
duration: 10s
topology:
  nodes:
    h1: { kind: host, address: 10.0.0.1/24 }
    h2: { kind: host, address: 10.0.0.2/24 }
  links: [{ endpoints: ["h1:eth0", "h2:eth0"] }]
timeline: [{ do: ping, at: 1s, device: h1, to: 10.0.0.3, count: 2 }]
expect: [{ check: pings, name: <all> & "everything" }]
`,
    );
    const junit = join(folder, "junit.xml");
    const { code, stdout } = await cli.run(["run", path, "--junit", junit]);
    expect(code).toBe(1);
    expect(stdout).toContain('  ✕ <all> & "everything": expected all of at least 1, found 0 of 2 answered');
    const xml = readFileSync(junit, "utf8");
    expect(xml).toContain('<testsuites tests="1" failures="1" errors="0" skipped="0">');
    expect(xml).toContain('name="&lt;all&gt; &amp; &quot;everything&quot;"');
  });

  test("exits with 3 where it is cut short", async () => {
    const { code, stdout } = await cli.run(["run", lab, "--until", "20s"]);
    expect(code).toBe(3);
    expect(stdout).toContain("inconclusive: the run was cut short");
  });

  test("lists configuration lines that are left aside on stderr and in the report", async () => {
    const path = join(folder, "ignored.yaml");
    writeFileSync(
      path,
      `name: ignored
duration: 1s
topology:
  nodes:
    r1: { kind: router, startup-config: r1.cfg }
`,
    );
    writeFileSync(join(folder, "r1.cfg"), "hostname R1\nservice timestamps debug\n");
    const { code, stdout, stderr } = await cli.run(["run", path, "--json"]);
    expect(code).toBe(0);
    expect(stderr).toContain(`${folder}/r1.cfg:2: ignored (understood): service timestamps debug`);
    expect(JSON.parse(stdout).ignored).toMatchObject([{ file: "r1.cfg", line: 2 }]);
  });

  test("exits with 2 where its files cannot be written", async () => {
    const path = join(folder, "taken");
    writeFileSync(path, "");
    const { code, stdout, stderr } = await cli.run(["run", short, "--out", path]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`${path}: cannot be written`);
  });

  test("ends with 130 on Ctrl-C, and says how far it came", async () => {
    const path = join(folder, "long.yaml");
    writeFileSync(
      path,
      `name: long
duration: 90d
topology:
  nodes:
    h1: { kind: host, address: 10.0.0.1/24 }
    h2: { kind: host, address: 10.0.0.2/24 }
  links: [{ endpoints: ["h1:eth0", "h2:eth0"] }]
timeline: [{ do: traffic, at: 1s, between: h*, every: 1ms }]
`,
    );
    const child = cli.start(["run", path]);
    let stdout = "";
    let stderr = "";
    child.stdout!.on("data", (data) => {
      stdout += data;
    });
    child.stderr!.on("data", (data) => {
      stderr += data;
    });
    const ended = new Promise((resolve) => child.on("close", resolve));
    // Its own handler stands once it is under way; until then the signal ends it without a word, so it is sent again.
    const nudge = setInterval(() => child.kill("SIGINT"), 1_500);
    const code = await ended;
    clearInterval(nudge);
    expect({ code, stdout }).toEqual({ code: 130, stdout: "" });
    expect(stderr).toMatch(/^interrupted at \d+\.\d{6} s of virtual time$/m);
  });
});

describe("run --out", () => {
  let out: string;
  beforeAll(async () => {
    out = join(folder, "out");
    mkdirSync(out);
    const { code } = await cli.run(["run", lab, "--out", out]);
    expect(code).toBe(0);
  });

  test("leaves a trace that reads back to the fingerprint of the report", () => {
    const report = JSON.parse(readFileSync(join(out, "report.json"), "utf8"));
    const { trace, end, problems } = readNdjson(readFileSync(join(out, "trace.ndjson"), "utf8"));
    expect(problems).toEqual([]);
    expect(trace.fingerprint()).toBe(report.fingerprint);
    expect(end).toMatchObject({ fingerprint: report.fingerprint, events: report.events, packets: report.packets });
  });

  test("leaves the same files when it is run again", async () => {
    const again = join(folder, "again");
    await cli.run(["run", lab, "--out", again, "--crypto", "noble", "--no-memo"]);
    for (const name of [
      "trace.ndjson",
      "capture.pcapng",
      "report.json",
      "keys/esp_sa",
      "keys/ikev2_decryption_table",
    ]) {
      expect(readFileSync(join(again, name)).equals(readFileSync(join(out, name))), name).toBe(true);
    }
  });

  describeTool("tshark", "apt-get install tshark", "read by Wireshark with the exported folder", () => {
    const tshark = async (...args: readonly string[]) => {
      const flags = ["-r", join(out, "capture.pcapng"), "-d", "udp.port==848,isakmp", ...args];
      const env = { ...process.env, WIRESHARK_CONFIG_DIR: join(out, "keys") };
      const { stdout } = await promisify(execFile)("tshark", flags, { env, maxBuffer: 1 << 26 });
      return stdout.split("\n").filter((line) => line !== "");
    };

    test("no packet is malformed", async () => {
      expect(await tshark("-Y", "_ws.malformed || _ws.expert.severity >= 0x00800000")).toEqual([]);
    });

    test("every protected IKE message is decrypted, with the group's payloads inside", async () => {
      const rows = await tshark("-Y", "isakmp.exchangetype != 34", "-T", "fields", "-e", "isakmp.enc.decrypted");
      expect(rows.length).toBeGreaterThanOrEqual(48);
      for (const row of rows) expect(row).not.toBe("");
      // 50 is IDg: only the inside of a decrypted GSA_AUTH request names it.
      const requests = await tshark("-Y", "isakmp.exchangetype == 39 && isakmp.typepayload == 50");
      expect(requests.length).toBeGreaterThanOrEqual(4);
    });

    test("every ESP packet opens to an ICMP echo, and its integrity check holds", async () => {
      const rows = await tshark("-Y", "esp", "-T", "fields", "-e", "esp.icv_good", "-e", "icmp.type");
      expect(rows.length).toBeGreaterThan(2_000);
      expect(new Set(rows)).toEqual(new Set(["1\t8", "1\t0"]));
    });
  });
});
