import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pcapngChunks } from "../../../sim/capture/pcapng.ts";
import { readCapture } from "../../../sim/capture/readCapture.ts";
import { NONE, Trace } from "../../../sim/core/trace.ts";
import type { TraceHead } from "../../../sim/core/traceTypes.ts";
import { type Bytes, concat, fromHex } from "../../../src/base/bytes.ts";
import { describeTool } from "../../tools.ts";

const HEAD: TraceHead = {
  version: 1,
  scenario: "lab",
  seed: "42",
  run: 0,
  devices: [
    { name: "gm1", role: "gm", addresses: ["10.0.0.1", "10.0.0.9/24"] },
    { name: "ks1", role: "ks", addresses: ["10.0.0.2", "2001:db8::2", "10.0.0.1", "unnumbered"] },
  ],
  links: [{ name: "wan", a: 0, aInterface: "Gi0/0", b: 1, bInterface: "Gi0/1", latencyMicros: 50 }],
  notes: [],
};

/** An ICMP echo request from 10.0.0.1 to 10.0.0.2 with its checksums. */
const PING = fromHex("4500001c 00010000 40016 6de 0a000001 0a000002 0800f7fe 00000001");
const DAY = 86_400_000_000;

function sample(level: "full" | "protocol" = "full"): Trace {
  const trace = new Trace({ level });
  const note = trace.append(5, 0, "gm.up");
  const sent = trace.append(1_234_567, 0, "packet.sent", note, PING, { link: "wan", interface: "Gi0/0", octets: 28 });
  trace.append(1_234_617, 1, "packet.received", sent, PING, { link: "wan", interface: "Gi0/1" });
  const again = trace.append(DAY + 7, 1, "packet.sent", NONE, PING.slice(0, 27), {
    link: "l2",
    interface: "Lo0",
    octets: 27,
  });
  trace.append(DAY + 8, 1, "packet.lost", again, undefined, { link: "l2", reason: "loss" });
  return trace;
}

const file = (trace = sample(), options = {}): Bytes => concat(...pcapngChunks(HEAD, trace, options));

describe("a trace as pcapng", () => {
  it("reads back with times, interfaces, octets and comments", () => {
    const { packets, problem } = readCapture(file());
    expect(problem).toBeUndefined();
    expect(
      packets.map(({ number, micros, interfaceName, comment }) => [number, micros, interfaceName, comment]),
    ).toEqual([
      [1, 1_234_567, "gm1:Gi0/0", "event 1 packet.sent"],
      [2, 1_234_617, "ks1:Gi0/1", "event 2 packet.received"],
      [3, DAY + 7, "ks1:Lo0", "event 3 packet.sent"],
    ]);
    expect(packets[0]).toMatchObject({ linkType: 101, octets: PING, wireLength: 28 });
    expect(packets[2]!.frame).toEqual(PING.slice(0, 27));
  });

  it("holds one side or chosen events where asked to", () => {
    const numbers = (options: object) => readCapture(file(sample(), options)).packets.map(({ comment }) => comment);
    expect(numbers({ sides: "sent" })).toEqual(["event 1 packet.sent", "event 3 packet.sent"]);
    expect(numbers({ sides: "received" })).toEqual(["event 2 packet.received"]);
    expect(numbers({ accepts: (event: { device: number }) => event.device === 0 })).toEqual(["event 1 packet.sent"]);
  });

  it("tells the size of packets whose octets the trace did not keep", () => {
    const [packet] = readCapture(file(sample("protocol"))).packets;
    expect(packet).toMatchObject({ wireLength: 28, comment: "event 1 packet.sent" });
    expect(packet!.frame).toHaveLength(0);
  });

  it("comes in pieces whose sum is the same file every time", () => {
    const trace = new Trace();
    for (let i = 0; i < 3000; i++) {
      trace.append(i, 0, "packet.sent", NONE, new Uint8Array(100).fill(0x45), {
        link: "wan",
        interface: "Gi0/0",
        octets: 100,
      });
    }
    const pieces = [...pcapngChunks(HEAD, trace)];
    expect(pieces.length).toBeGreaterThan(3);
    expect(concat(...pieces)).toEqual(file(trace));
    expect(readCapture(file(trace)).packets).toHaveLength(3000);
  });

  it("says nothing of the machine that wrote it", () => {
    const text = Buffer.from(file()).toString("latin1");
    expect(text).toContain("lab, seed 42, run 0");
    expect(text).not.toContain(process.version);
    expect(text).not.toContain(process.cwd());
  });
});

describeTool("tshark", "apt-get install tshark", "tshark reads the file", () => {
  let folder = "";
  let path = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "pcapng-"));
    path = join(folder, "capture.pcapng");
    writeFileSync(path, file());
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  const fields = (options: string[], ...names: string[]) =>
    execFileSync("tshark", ["-r", path, ...options, "-T", "fields", ...names.flatMap((name) => ["-e", name])], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
      env: { ...process.env, WIRESHARK_CONFIG_DIR: folder },
    })
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t"));

  it("with interface names, times, comments and directions", () => {
    const names = ["frame.interface_name", "frame.time_epoch", "frame.comment", "frame.packet_flags_direction"];
    expect(fields(["-n"], ...names)).toEqual([
      ["gm1:Gi0/0", "1.234567000", "event 1 packet.sent", "0x00000002"],
      ["ks1:Gi0/1", "1.234617000", "event 2 packet.received", "0x00000001"],
      ["ks1:Lo0", "86400.000007000", "event 3 packet.sent", "0x00000002"],
    ]);
  });

  it("with the names of the devices for their addresses, the first device's for a shared one", () => {
    const [first] = fields(["-N", "n", "-o", "nameres.use_external_name_resolver:FALSE"], "ip.src_host", "ip.dst_host");
    expect(first).toEqual(["gm1", "ks1"]);
  });

  it("with the packets as they were, and nothing malformed", () => {
    const [first, , third] = fields(["-n"], "icmp.type", "icmp.checksum.status", "_ws.malformed", "frame.protocols");
    expect(first).toEqual(["8", "1", "", "raw:ip:icmp"]);
    expect(third![3]).toContain("raw:ip");
  });
});
