/** Runs tshark with a configuration folder, and reads the tree of our dissector from its PDML. */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

/** A folder with these files, gone when `use` is done. */
export function withFolder<T>(files: Iterable<readonly [string, string | Uint8Array]>, use: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "wireshark-"));
  try {
    for (const [name, content] of files) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    return use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What tshark prints, on both outputs. */
export function tshark(folder: string, ...options: string[]): { readonly out: string; readonly err: string } {
  const { stdout, stderr, status } = spawnSync("tshark", ["-n", ...options], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: { ...process.env, WIRESHARK_CONFIG_DIR: folder },
  });
  if (status !== 0) throw new Error(`tshark: ${stderr}`);
  return { out: stdout, err: stderr };
}

/** A field of the tree of our dissector that has no fields below. */
export interface Leaf {
  /** `getvpn.gsa.policy.spi`. */
  readonly name: string;
  /** `Spi: d6905ea9`. */
  readonly text: string;
  readonly offset: number;
  readonly length: number;
}

/** For each packet of a PDML text, in order: the leaves of our dissector. */
export function leavesOf(pdml: string): Leaf[][] {
  return pdml.split("<packet>").slice(1).map(packetLeaves);
}

const LEAF = /<field name="([^"]*)" showname="([^"]*)" size="(\d+)" pos="(\d+)"[^>]*\/>/g;

function packetLeaves(packet: string): Leaf[] {
  const leaves: Leaf[] = [];
  for (const [, proto] of packet.matchAll(/<proto name="getvpn"[^>]*>([\s\S]*?)<\/proto>/g)) {
    for (const [, name, text, length, offset] of proto!.matchAll(LEAF)) {
      leaves.push({ name: name!, text: unescaped(text!), offset: Number(offset), length: Number(length) });
    }
  }
  return leaves;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"', "#x27": "'" };

function unescaped(text: string): string {
  return !text.includes("&") ? text : text.replace(/&([a-z0-9#]+);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}
