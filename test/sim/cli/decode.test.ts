import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import type { JsonPacket } from "../../../sim/capture/decode.ts";
import { addDecode } from "../../../sim/cli/decode.ts";
import { describeShared, readShared, readSharedJson, sharedPath } from "../../shared.ts";

const folder = mkdtempSync(join(tmpdir(), "getvpn-decode-"));
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** Runs the command as `getvpn decode ARGS` would, in this process. */
async function decode(...args: string[]): Promise<{ exit: number; out: string; err: string }> {
  const text = { out: "", err: "" };
  vi.spyOn(process.stdout, "write").mockImplementation((piece) => {
    text.out += String(piece);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((piece) => {
    text.err += String(piece);
    return true;
  });
  let exit = -1;
  const program = new Command().exitOverride();
  addDecode(program, (code) => {
    exit = code;
  });
  await program.parseAsync(["decode", ...args], { from: "user" });
  return { exit, ...text };
}

describe("getvpn decode", () => {
  it("answers with 2 and nothing on stdout for a file that is not there or is no capture", async () => {
    const text = join(folder, "text.pcap");
    writeFileSync(text, "name: lesson\n");
    for (const path of [join(folder, "none.pcap"), folder, text]) {
      const { exit, out, err } = await decode(path);
      expect(exit).toBe(2);
      expect(out).toBe("");
      expect(err.split("\n")).toHaveLength(2);
      expect(err).toContain(path);
    }
  });
});

describeShared("vectors/ikev2", "getvpn decode with captures", () => {
  const capture = sharedPath("vectors/ikev2/v2-childless.pcap");

  it("prints a line and the fields of every packet, without colours where nobody looks", async () => {
    const { exit, out, err } = await decode(capture);
    expect(exit).toBe(0);
    expect(err).toBe("");
    const lines = out.split("\n");
    expect(lines[0]).toMatch(
      /^ {4}1 +\d+\.\d{6} 192\.0\.2\.10:500 -> 192\.0\.2\.20:500 IKEv2 IKE_SA_INIT initiator, request, message 0: SA /,
    );
    expect(lines[1]).toBe("  IPv4: 192.0.2.10 to 192.0.2.20, UDP (RFC 791 3.1)");
    expect(out).not.toContain("\u001b");
  });
  it("prints one line a packet with --summary", async () => {
    const { out } = await decode("--summary", capture);
    const packets = JSON.parse((await decode("--json", capture)).out) as JsonPacket[];
    expect(out.trimEnd().split("\n")).toHaveLength(packets.length);
    expect(packets[0]).toMatchObject({ number: 1, layers: [{ label: "IPv4" }, { label: "UDP" }, { label: "IKEv2" }] });
  });
  it("opens what the tables of --keys open, and names rows that it cannot use", async () => {
    const { wireshark } = readSharedJson<{ wireshark: Record<string, string[]> }>("vectors/ikev2/v2-childless.json");
    const rows = wireshark.ikev2_decryption_table!;
    writeFileSync(join(folder, "ikev2_decryption_table"), `${rows.join("\n")}\nnonsense\n`);
    const { exit, out, err } = await decode("--summary", "--keys", folder, capture);
    expect(exit).toBe(0);
    expect(out).toMatch(/IKE_AUTH initiator, request, message 1: SK \{ IDi .*AUTH/);
    expect(err).toBe(`${join(folder, "ikev2_decryption_table")}:${rows.length + 1}: 8 columns expected, 1 found\n`);
  });
  it("answers with 2 for a folder of keys that is not there", async () => {
    expect(await decode("--keys", join(folder, "none"), capture)).toMatchObject({ exit: 2, out: "" });
  });
  it("prints what a broken file still holds, as a whole JSON array, and one line with the offset", async () => {
    const file = readShared("vectors/ikev2/v2-childless.pcap");
    const broken = join(folder, "broken.pcap");
    writeFileSync(broken, file.subarray(0, file.length - 3));
    const { exit, out, err } = await decode("--json", broken);
    const whole = JSON.parse((await decode("--json", capture)).out) as JsonPacket[];
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toEqual(whole.slice(0, -1));
    expect(err).toMatch(/^\S+broken\.pcap: octet \d+: the file ends within a record\n$/);
  });
});
