/**
 * Debian's charon (strongSwan) as a peer: started in a network namespace of its own at the far end of a veth pair, so that
 * several may run at once and nothing of this host is touched but that pair. Without systemd; stopped by its pid.
 */
import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it } from "vitest";
import { hasTool } from "../tools.ts";
import { until } from "./until.ts";

const CHARON = "/usr/sbin/charon-systemd";
const PLUGINS = ["kernel-libipsec", "openssl", "chapoly"];
const PACKAGES =
  "charon-systemd strongswan-swanctl strongswan-pki libcharon-extra-plugins libstrongswan-standard-plugins " +
  "libstrongswan-extra-plugins iproute2 iputils-ping";

export const PSK = "interop-psk-0123456789";
export const CHARON_ID = "psk.ks.test";
/** Behind charon (answers pings), and behind us. */
export const CHARON_TS = "10.200.2.1/32";
export const OUR_TS = "10.200.1.1/32";

export interface CharonOptions {
  /** Default 500 and 4500. */
  readonly port?: number;
  readonly natPort?: number;
  /** Further lines for strongswan.conf. */
  readonly settings?: readonly string[];
}

export interface Charon {
  /** Where charon is, and where we are. */
  readonly address: string;
  readonly ourAddress: string;
  readonly port: number;
  readonly natPort: number;
  /** Of its configuration: certificates and keys are loaded from `swanctl/x509`, `x509ca` and `private` below it. */
  readonly folder: string;
  /** Replaces all connections and secrets. `files`: text by name below charon's swanctl folder, such as `x509ca/ca.pem`. */
  load(connections: string, psk?: string, files?: Readonly<Record<string, string>>): Promise<void>;
  swanctl(...args: string[]): Promise<{ readonly ok: boolean; readonly text: string }>;
  /** Runs a program where charon is, such as ping. */
  run(program: string, ...args: string[]): Promise<{ readonly ok: boolean; readonly text: string }>;
  /** Everything charon logged so far. */
  log(): string;
  /** Waits for a line beyond the `from` characters that were there before. */
  logged(pattern: RegExp, from?: number): Promise<void>;
  stop(): Promise<void>;
}

/** Why charon cannot run here: `tun` is a property of the kernel, the others can be mended. */
function obstacle(): { readonly kind: "packages" | "rights" | "tun"; readonly text: string } | undefined {
  if (process.getuid?.() !== 0) return { kind: "rights", text: "charon needs root for its TUN device" };
  if (!existsSync("/proc/misc") || !/\btun$/m.test(readFileSync("/proc/misc", "utf8"))) {
    return { kind: "tun", text: "this kernel has no TUN devices (/proc/misc does not list them)" };
  }
  if (!existsSync("/dev/net/tun")) {
    return { kind: "rights", text: "mkdir -p /dev/net && mknod /dev/net/tun c 10 200" };
  }
  const isThere =
    existsSync(CHARON) &&
    ["swanctl", "ip", "ping"].every(hasTool) &&
    PLUGINS.every((name) => existsSync(`/usr/lib/ipsec/plugins/libstrongswan-${name}.so`));
  if (!isThere) return { kind: "packages", text: `apt-get install -y --no-install-recommends ${PACKAGES}` };
  const name = `getvpn-probe-${process.pid}`;
  const made = spawnSync("ip", ["netns", "add", name]);
  spawnSync("ip", ["netns", "del", name]);
  return made.status === 0 ? undefined : { kind: "rights", text: "network namespaces are not allowed here" };
}

/** `describe` with charon at hand; skipped where it cannot run, failed in CI unless the kernel has no TUN devices. */
export function describeCharon(title: string, body: () => void): void {
  const problem = obstacle();
  if (problem === undefined) describe(title, body);
  else if (process.env.CI && problem.kind !== "tun") {
    describe(title, () => {
      it("finds charon", () => {
        throw new Error(problem.text);
      });
    });
  } else describe.skip(`${title} (skipped: ${problem.text})`, body);
}

/** 198.18.0.0/15 is for tests between devices (RFC 2544); a /30 of it that this host does not use. */
function freeNetwork(): string {
  const used = execFileSync("ip", ["-o", "addr"], { encoding: "utf8" });
  for (;;) {
    const network = `198.${18 + randomInt(2)}.${randomInt(256)}.${4 * randomInt(64)}`;
    if (!used.includes(`${network.slice(0, network.lastIndexOf("."))}.`)) return network;
  }
}

function ip(...args: string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "pipe"] });
}

function strongswanConf(folder: string, port: number, natPort: number, settings: readonly string[]): string {
  return `charon-systemd {
  load_modular = no
  load = random nonce openssl pem pkcs1 pkcs8 x509 pubkey constraints sha1 sha2 hmac kdf aes gcm ccm ctr curve25519 chapoly kernel-libipsec kernel-netlink socket-default vici updown
  port = ${port}
  port_nat_t = ${natPort}
  threads = 24
  retransmit_timeout = 1.0
  retransmit_base = 1
  retransmit_tries = 3
  ${settings.join("\n  ")}
  plugins { vici { socket = unix://${folder}/vici.sock } }
  journal { default = -1 }
  syslog { daemon { default = -1 }
    auth { default = -1 } }
  filelog { main {
    path = ${folder}/charon.log
    flush_line = yes
    ike_name = yes
    default = 1
    enc = 1 } }
}
`;
}

/** Starts charon and waits until it answers. */
export async function startCharon(options: CharonOptions = {}): Promise<Charon> {
  const { port = 500, natPort = 4500, settings = [] } = options;
  const folder = mkdtempSync(join(tmpdir(), "getvpn-charon-"));
  const mark = `${process.pid.toString(36)}${randomInt(36 ** 3).toString(36)}`;
  const space = `getvpn-${mark}`;
  const network = freeNetwork();
  const last = Number(network.slice(network.lastIndexOf(".") + 1));
  const host = (offset: number) => `${network.slice(0, network.lastIndexOf("."))}.${last + offset}`;
  const [ourAddress, address] = [host(1), host(2)];
  const link = `gv${mark}`.slice(0, 15);
  ip("netns", "add", space);
  let child: ChildProcess | undefined;
  const undo = () => {
    spawnSync("ip", ["link", "del", link]);
    spawnSync("ip", ["netns", "del", space]);
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", space);
    ip("addr", "add", `${ourAddress}/30`, "dev", link);
    ip("link", "set", link, "up");
    ip("-n", space, "addr", "add", `${address}/30`, "dev", "eth0");
    ip("-n", space, "link", "set", "eth0", "up");
    ip("-n", space, "link", "set", "lo", "up");
    ip("-n", space, "addr", "add", CHARON_TS, "dev", "lo");
    // Inner packets must not find another way while there is no tunnel.
    ip("-n", space, "route", "add", "unreachable", "10.200.1.0/24");
    mkdirSync(join(folder, "swanctl"));
    writeFileSync(join(folder, "strongswan.conf"), strongswanConf(folder, port, natPort, settings));
    writeFileSync(join(folder, "charon.log"), "");
    child = spawn("ip", ["netns", "exec", space, CHARON], {
      stdio: "ignore",
      env: { ...process.env, STRONGSWAN_CONF: join(folder, "strongswan.conf") },
    });
  } catch (error) {
    undo();
    throw error;
  }
  const started = child;

  const run = (program: string, args: readonly string[], env = process.env) =>
    new Promise<{ ok: boolean; text: string }>((done) => {
      execFile(program, args, { env, encoding: "utf8" }, (error, stdout, stderr) =>
        done({ ok: error === null, text: `${stdout}${stderr}` }),
      );
    });
  const swanctl = (...args: string[]) =>
    run("swanctl", [...args, "--uri", `unix://${folder}/vici.sock`], {
      ...process.env,
      SWANCTL_DIR: join(folder, "swanctl"),
    });
  const log = () => readFileSync(join(folder, "charon.log"), "utf8");
  const stop = async () => {
    started.kill("SIGTERM");
    await until("charon's end", () => started.exitCode !== null || started.signalCode !== null, 10_000).catch(() =>
      started.kill("SIGKILL"),
    );
    undo();
  };

  try {
    await until("charon's first answer", async () => {
      if (started.exitCode !== null) throw new Error(`charon ended: ${log().slice(-1000)}`);
      return (await swanctl("--stats")).ok;
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    address,
    ourAddress,
    port,
    natPort,
    folder,
    async load(connections, psk = PSK, files = {}) {
      for (const [name, text] of Object.entries(files)) {
        mkdirSync(dirname(join(folder, "swanctl", name)), { recursive: true });
        writeFileSync(join(folder, "swanctl", name), text);
      }
      const text = `connections {\n${connections}\n}\nsecrets { ike-any { secret = "${psk}" } }\n`;
      writeFileSync(join(folder, "swanctl", "swanctl.conf"), text);
      const loaded = await swanctl("--load-all", "--noprompt", "--clear");
      if (!loaded.ok) throw new Error(`swanctl --load-all: ${loaded.text}`);
    },
    swanctl,
    run: (program, ...args) => run("ip", ["netns", "exec", space, program, ...args]),
    log,
    async logged(pattern, from = 0) {
      await until(
        `${pattern} in charon's log`,
        () => pattern.test(log().slice(from)),
        20_000,
        () => log().slice(-3000),
      );
    },
    stop,
  };
}

export interface ConnectionOptions {
  readonly name?: string;
  readonly ike?: string;
  readonly esp?: string;
  /** Our address and port, for connections that charon begins. */
  readonly remote?: { readonly address: string; readonly port: number };
  /** Further lines of the connection, and of its child. */
  readonly lines?: readonly string[];
  readonly childLines?: readonly string[];
  /** How charon proves itself, and what it demands; the pre-shared key unless told. */
  readonly local?: string;
  readonly peer?: string;
}

/** A connection of swanctl.conf; its child is called `net`. */
export function connection(charon: Charon, options: ConnectionOptions = {}): string {
  const { name = "v2", ike = "aes256-sha256-modp2048", esp = "aes256-sha256", remote } = options;
  const { local = `auth = psk\n      id = ${CHARON_ID}`, peer = "auth = psk" } = options;
  return `  ${name} {
    version = 2
    local_addrs = ${charon.address}
    remote_addrs = ${remote?.address ?? "%any"}
    ${remote === undefined ? "" : `remote_port = ${remote.port}`}
    proposals = ${ike}
    mobike = no
    rekey_time = 0
    reauth_time = 0
    ${(options.lines ?? []).join("\n    ")}
    local { ${local} }
    remote { ${peer} }
    children { net {
      local_ts = ${CHARON_TS}
      remote_ts = 10.200.1.0/24
      esp_proposals = ${esp}
      rekey_time = 0
      start_action = none
      ${(options.childLines ?? []).join("\n      ")}
    } }
  }`;
}
