import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { labels } from "../../ios/show/labels.ts";
import { buildCli, type Cli, type Finished } from "./builtCli.ts";

let cli: Cli;

beforeAll(async () => {
  cli = await buildCli();
});
afterAll(() => cli.remove());

const LAB = "scenarios/lab.yaml";

function show(at: string, device: string, command: string): Promise<Finished> {
  return cli.run(["show", LAB, "--at", at, "--device", device, command]);
}

describe("getvpn show", () => {
  test("prints what a router shows at an instant, and the same again", async () => {
    const [one, other] = await Promise.all([
      show("12s", "ks1", "show crypto gkm ks members"),
      show("12s", "ks1", "sh cry gdoi ks mem"),
    ]);
    expect(one).toMatchObject({ code: 0, stderr: "" });
    expect(other.stdout).toBe(one.stdout);
    expect(one.stdout.match(/^Group Member ID/gm)).toHaveLength(4);
  });

  test("answers as of virtual time", async () => {
    const [early, late] = await Promise.all([
      show("100s", "gm1", "show crypto gkm | include Lifetime|Active TEK"),
      show("500s", "gm1", "show crypto gkm | include Lifetime|Active TEK"),
    ]);
    expect(
      Number(labels(early.stdout).get("Lifetime (secs)")) - Number(labels(late.stdout).get("Lifetime (secs)")),
    ).toBe(400);
    expect([early, late].map(({ stdout }) => labels(stdout).get("Active TEK Number"))).toEqual(["1", "2"]);
  });

  test("puts the caret under what IOS does not understand, and exits with 2", async () => {
    const { code, stdout, stderr } = await show("1s", "gm1", "show crypto gkm xx");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toBe(
      `gm1#show crypto gkm xx\n${" ".repeat("gm1#show crypto gkm ".length)}^\n% Invalid input detected at '^' marker.\n`,
    );
  });

  test.each([
    ["show crypto", "% Incomplete command.\n"],
    ["show i", '% Ambiguous command:  "show i"\n'],
  ])("%s", async (command, message) => {
    const { code, stderr } = await show("1s", "gm1", command);
    expect(code).toBe(2);
    expect(stderr).toBe(`gm1#${command}\n${message}`);
  });

  test.each([
    [["--at", "1s", "--device", "gm9", "show clock"], /no node gm9; did you mean gm\d/],
    [["--at", "2h", "--device", "gm1", "show clock"], /the scenario ends at/],
    [["--at", "1s", "--device", "gm1", "ping 1.1.1.1"], /only show commands/],
    [["--device", "gm1", "show clock"], /--at/],
  ])("%j is refused with 2", async (args, message) => {
    const { code, stdout, stderr } = await cli.run(["show", LAB, ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });
});

describe("getvpn run --syslog", () => {
  const LINE = /^(\w+): \*Mar {2}1 00:(\d\d):(\d\d)\.(\d{3}): %([A-Z]+)-([0-7])-([A-Z0-9_]+): \S.*$/;

  test("prints what the routers log, in the order of the trace, instead of the summary", async () => {
    const { code, stdout } = await cli.run(["run", LAB, "--syslog"]);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    const parts = lines.map((line) => LINE.exec(line));
    expect(lines.filter((_, i) => parts[i] === null)).toEqual([]);
    const times = parts.map((part) => Number(part![2]) * 60_000 + Number(part![3]) * 1000 + Number(part![4]));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const count = (mnemonic: string) =>
      parts.filter((part) => `${part![5]}-${part![6]}-${part![7]}` === mnemonic).length;
    expect(count("CRYPTO-5-GM_REGSTER")).toBe(4);
    expect(count("GDOI-5-GM_REGS_COMPL")).toBe(4);
    expect(count("GDOI-5-KS_REGS_COMPL")).toBe(4);
    expect(count("GDOI-5-KS_SEND_UNICAST_REKEY")).toBe(2);
    expect(count("GDOI-5-GM_RECV_REKEY")).toBe(8);
    expect(count("CRYPTO-6-GDOI_ON_OFF")).toBe(4);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^gm1: .*: %CRYPTO-5-GM_REGSTER: Start registration to KS 192\.168\.1\.254 for group GKM_GROUP using address 192\.168\.1\.1$/,
      ),
    );
  });

  test("leaves the report of --json on stdout alone", async () => {
    const args = ["run", LAB, "--until", "10s", "--json"];
    const [quiet, logged] = await Promise.all([cli.run(args), cli.run([...args, "--syslog"])]);
    expect(logged.stdout).toBe(quiet.stdout);
    expect(logged.stderr).toContain("%GDOI-5-GM_REGS_COMPL");
  });
});

describe("getvpn console from a pipe", () => {
  async function session(lines: readonly string[]): Promise<string> {
    const child = cli.start(["console", LAB]);
    let out = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      out += chunk.toString("utf8");
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    child.stdin!.end(`${lines.join("\n")}\n`);
    expect(await ended).toBe(0);
    return out;
  }

  test("echoes each line behind its prompt and answers as of virtual time", async () => {
    const out = await session([
      "time",
      "show crypto gkm ks members | count Group Member ID",
      "run 2s",
      "show crypto gkm ks members | count Group Member ID",
      "@gm1",
      "show clock",
      "until 1s",
      "connect nobody",
      "shwo clock",
      "quit",
      "show clock",
    ]);
    expect(out).toBe(
      [
        "ks1#time",
        "0.000000 s",
        "ks1#show crypto gkm ks members | count Group Member ID",
        "Number of lines which match regexp = 0",
        "ks1#run 2s",
        "ks1#show crypto gkm ks members | count Group Member ID",
        "Number of lines which match regexp = 4",
        "ks1#@gm1",
        "gm1#show clock",
        "*00:00:02.000 UTC Mon Mar 1 1993",
        "gm1#until 1s",
        "% it is 2.000000 s already",
        "gm1#connect nobody",
        "% there is no router nobody",
        "gm1#shwo clock",
        "      ^",
        "% Invalid input detected at '^' marker.",
        "gm1#quit",
        "",
      ].join("\n"),
    );
  });

  test("configures, pings, asks before it clears, and logs while time passes", async () => {
    const out = await session([
      "run 2s",
      "@gm1",
      "ping 2.2.2.2 source Loopback0 repeat 3",
      "configure terminal",
      "interface g0/0",
      "shut",
      "shut?",
      "bogus",
      "do show running-config interface g0/0 | include shut",
      "end",
      "show ip interface brief | include Gig",
      "terminal monitor",
      "conf t",
      "int g0/0",
      "no shut",
      "run 2s",
      "clear crypto gkm",
      "yes",
      "run 1s",
      "show crypto gkm gm | include Attempted|status  ",
      "clear crypto gkm",
      "no",
      "@ks1",
      "crypto gkm ks rekey",
      "run 1s",
      "exit",
    ]);
    expect(out).toMatch(
      /Sending 3, 100-byte ICMP Echos to 2\.2\.2\.2, timeout is 2 seconds:\n!!!\nSuccess rate is 100 percent \(3\/3\), round-trip/,
    );
    expect(out).toContain("gm1(config-if)#shut?\nshutdown\n");
    expect(out).toContain(`gm1(config-if)#bogus\n${" ".repeat("gm1(config-if)#b".length)}`);
    expect(out).toContain("| include shut\n shutdown\n");
    expect(out).toMatch(/GigabitEthernet0\/0 +192\.168\.1\.1 +YES manual administratively down down/);
    expect(out).toContain("%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/0, changed state to up\n");
    expect(out.match(/gm1: .*%GDOI-5-GM_REGS_COMPL/g)).toHaveLength(2);
    expect(out).toContain("Are you sure you want to proceed ? [yes/no]: yes\n");
    expect(out).toContain("       Registration status   : Registered\n       Attempted registration: 3\n");
    expect(out.match(/%GDOI-5-GM_CLEAR_REGISTER/g)).toHaveLength(1);
    expect(out).toMatch(/ks1: .*%GDOI-5-KS_SEND_UNICAST_REKEY: .* with seq # 1\n/);
  });
});
