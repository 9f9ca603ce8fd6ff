import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildCli, type Cli, type Finished } from "./builtCli.ts";

const KEY = "correct horse battery staple";

let cli: Cli;
let folder: string;
let keyFile: string;

beforeAll(async () => {
  cli = await buildCli();
  folder = mkdtempSync(join(tmpdir(), "getvpn-live-"));
  keyFile = join(folder, "key");
  writeFileSync(keyFile, `${KEY}\n`);
});
afterAll(() => rmSync(folder, { recursive: true }));

const OURS = ["--local-ts", "10.0.1.0/24", "--remote-ts", "10.0.2.0/24"];
const THEIRS = ["--local-ts", "10.0.2.0/24", "--remote-ts", "10.0.1.0/24"];

interface Line {
  readonly event?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly summary?: Readonly<Record<string, unknown>>;
}

function linesOf(text: string): Line[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

function summaryOf({ stdout }: Finished): Line["summary"] {
  return linesOf(stdout).at(-1)?.summary;
}

/** The command waiting to be called: its port, and what it leaves behind. */
async function waiting(
  args: readonly string[],
): Promise<{ readonly port: number; readonly finished: Promise<Finished> }> {
  const child = cli.start(["live", "ike", "--listen", "127.0.0.1:0", "--json", ...args]);
  let stdout = "";
  let stderr = "";
  child.stderr!.on("data", (data) => {
    stderr += data;
  });
  const first = new Promise<Line>((resolve) => {
    child.stdout!.on("data", (data) => {
      stdout += data;
      if (stdout.includes("\n")) resolve(linesOf(stdout.slice(0, stdout.indexOf("\n")))[0]!);
    });
  });
  const finished = once(child, "close").then(([code]) => ({ code: code as number, stdout, stderr }));
  const bound = await first;
  expect(bound.event).toBe("live.bound");
  return { port: Number(bound.data?.port), finished };
}

describe("getvpn live ike", () => {
  test("lists everything that is wrong with its options and sends nothing", async () => {
    const wrong = ["--ike", "aes256", "--esp", "des-md5", "--local-ts", "10.0.0.0/33", "--remote-ts", "10.0.2.0/24"];
    const { code, stdout, stderr } = await cli.run(["live", "ike", ...wrong, "--rekey", "all", "--timeout", "soon"]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    for (const part of ["--connect", "--psk-file", "--ike", "--esp", "--local-ts", "--rekey", "--timeout"]) {
      expect(stderr).toMatch(new RegExp(`^.*${part}`, "m"));
    }
    expect(stderr).not.toContain("--remote-ts");
  });

  test("two of them have a tunnel, ping, rekey and part", async () => {
    const called = await waiting(["--psk-file", keyFile, "--local-id", "called.test", ...THEIRS, "--ping", "1"]);
    const target = ["--connect", `127.0.0.1:${called.port}`, "--psk-file", keyFile, "--remote-id", "called.test"];
    const work = ["--ping", "2", "--rekey", "child", "--rekey", "ike", "--rekey", "child", "--json"];
    const caller = await cli.run(["live", "ike", ...target, ...OURS, ...work]);
    expect(caller.code).toBe(0);
    expect(summaryOf(caller)).toMatchObject({
      end: "ok",
      role: "initiator",
      identity: "called.test",
      ikeSuite: "AES_GCM_16-256/HMAC_SHA2_256/CURVE25519",
      espSuite: "ENCR_AES_GCM_16_256",
      pingsSent: 8,
      pingsReceived: 8,
      ikeRekeys: 1,
      childRekeys: 2,
    });
    const other = await called.finished;
    expect(other.code).toBe(0);
    expect(summaryOf(other)).toMatchObject({ end: "ok", role: "responder", identity: "127.0.0.1", childRekeys: 2 });
    const answered = linesOf(other.stdout).filter(({ event }) => event === "peer.echoAnswered");
    expect(answered).toHaveLength(8);
    for (const { stdout, stderr } of [caller, other]) expect(stdout + stderr).not.toContain(KEY);
  });

  test("writes a capture that getvpn decode opens with the keys, and keeps the keys to their owner", async () => {
    const called = await waiting(["--psk-file", keyFile, ...THEIRS]);
    const [capture, keys] = [join(folder, "run.pcapng"), join(folder, "keys")];
    const files = ["--capture", capture, "--keys", keys];
    const target = ["--connect", `127.0.0.1:${called.port}`, "--psk-file", keyFile];
    const { code, stdout } = await cli.run(["live", "ike", ...target, ...OURS, "--ping", "1", ...files]);
    expect(code).toBe(0);
    expect(stdout).toContain("pings   1 sent, 1 answered");
    expect(statSync(keys).mode & 0o077).toBe(0);
    for (const name of ["ikev2_decryption_table", "colorfilters", "plugins", "plugins/getvpn.lua"]) {
      expect(statSync(join(keys, name)).mode & 0o077, name).toBe(0);
    }
    const decoded = await cli.run(["decode", capture, "--keys", keys, "--json"]);
    const packets = JSON.parse(decoded.stdout) as { number: number; layers: unknown[] }[];
    // IKE_SA_INIT, IKE_AUTH, a ping, a Delete; each there and back.
    expect(packets).toHaveLength(8);
    expect(JSON.stringify(packets[2])).toContain("IDi");
    await called.finished;
  });

  test("says 1 where the key is wrong, on both sides' behalf", async () => {
    const called = await waiting(["--psk-file", keyFile, ...THEIRS, "--timeout", "1s"]);
    const target = ["--connect", `127.0.0.1:${called.port}`, "--psk", "another key"];
    const caller = await cli.run(["live", "ike", ...target, ...OURS]);
    expect({ code: caller.code, last: caller.stdout.trim().split("\n").at(-1) }).toEqual({
      code: 1,
      last: "refused: authenticationFailed, AUTHENTICATION_FAILED",
    });
    const other = await called.finished;
    expect(other.code).toBe(1);
    expect(summaryOf(other)).toMatchObject({ end: "refused", reason: "authenticationFailed" });
  });

  test("says 3 where nobody answers", async () => {
    const silent = createSocket("udp4");
    silent.bind(0, "127.0.0.1");
    await once(silent, "listening");
    const target = ["--connect", `127.0.0.1:${silent.address().port}`, "--psk", "key", "--timeout", "300ms"];
    const { code, stdout } = await cli.run(["live", "ike", ...target, ...OURS]);
    silent.close();
    expect(code).toBe(3);
    expect(stdout).toContain("timeout: up took too long");
  });
});
