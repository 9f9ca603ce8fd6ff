/** The options of `getvpn live ike` as a configuration: everything that is wrong with them is told at once. */
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { utf8 } from "../../src/base/bytes.ts";
import type { Endpoint } from "../../src/base/machine.ts";
import { MILLISECOND, type Micros, parseDuration, SECOND } from "../../src/base/micros.ts";
import { type Secret, secret } from "../../src/base/secret.ts";
import type { RetransmitPolicy } from "../../src/ikev2/api.ts";
import type { PeerConfig } from "../../src/peer/api.ts";
import { parseIdentity } from "../../src/peer/identity.ts";
import { espProposal, ikeProposal, type ProposalProblem } from "../../src/peer/proposalWords.ts";
import { parseSelector } from "../../src/peer/selectors.ts";

/** As typed. */
export interface LiveIkeOptions {
  readonly connect?: string;
  readonly listen?: string;
  readonly natPort?: string;
  readonly psk?: string;
  readonly pskFile?: string;
  readonly localId?: string;
  readonly remoteId?: string;
  readonly ike: string;
  readonly esp: string;
  readonly localTs: string;
  readonly remoteTs: string;
  readonly dpd?: string;
  readonly mtu: string;
  readonly ikeLifetime?: string;
  readonly childLifetime?: string;
  readonly cookieThreshold?: string;
  readonly ping?: string;
  readonly rekey?: readonly string[];
  readonly duration?: string;
  readonly timeout: string;
  readonly json?: boolean;
  readonly verbose?: boolean;
  readonly capture?: string;
  readonly keys?: string;
}

export type RekeyTarget = "ike" | "child";

export interface LiveIkePlan {
  /** Without the addresses, which are known once the sockets are bound. */
  readonly peer: Omit<PeerConfig, "local" | "remote" | "natLocalPort" | "natRemotePort" | "localIdentity">;
  readonly remote: Endpoint | undefined;
  /** Undefined: any port of the address that leads to the peer. */
  readonly listen: Endpoint | undefined;
  readonly natRemotePort: number;
  /** Undefined: the address that we send from. */
  readonly localId: string | undefined;
  /** 0 for none. */
  readonly pings: number;
  readonly rekeys: readonly RekeyTarget[];
  /** How long the tunnel is kept after all that; undefined: initiator not at all, responder until the peer ends it. */
  readonly duration: Micros | undefined;
  /** For each step. */
  readonly timeout: Micros;
}

const IKE_PORT = 500;
const NAT_PORT = 4500;

/** 0.5, 1, 2, 4 and 8 s: a live run must not take minutes to say that nobody is there. */
const RETRANSMIT: RetransmitPolicy = { first: 500 * MILLISECOND, factor: 2, repeats: 4 };
/** A peer that was there a moment ago is asked more briefly. */
const LIVENESS_RETRANSMIT: RetransmitPolicy = { first: 500 * MILLISECOND, factor: 2, repeats: 3 };

/** Collects problems while options are read, so that one run of the command tells them all. */
class OptionReader {
  readonly problems: string[] = [];

  /** `fallback` stands in for the value where there is none, so that reading goes on. */
  read<T>(text: string | undefined, parse: (text: string) => T | undefined, problem: string, fallback: T): T {
    if (text === undefined) return fallback;
    const value = parse(text);
    if (value === undefined) this.problems.push(`${problem}: ${text}`);
    return value ?? fallback;
  }

  list<T extends object>(text: string, option: string, parse: (word: string) => T | ProposalProblem): T[] {
    const values: T[] = [];
    for (const word of text.split(",")) {
      const value = parse(word);
      if ("problem" in value) this.problems.push(`${option}: ${value.problem}`);
      else values.push(value);
    }
    return values;
  }
}

/** The plan, or all problems. */
export function readLiveIke(options: LiveIkeOptions): LiveIkePlan | readonly string[] {
  const reader = new OptionReader();
  const { problems } = reader;
  if (options.connect === undefined && options.listen === undefined) {
    problems.push("--connect ADDRESS:PORT (to call) or --listen ADDRESS:PORT (to be called) is needed");
  }
  const ENDPOINT = "an address and a port expected, such as 192.0.2.1:500 or [2001:db8::1]:500";
  const remote = reader.read(options.connect, parseEndpoint, `--connect: ${ENDPOINT}`, undefined);
  const listen = reader.read(options.listen, parseEndpoint, `--listen: ${ENDPOINT}`, undefined);
  const staysOn = remote?.port === IKE_PORT ? NAT_PORT : (remote?.port ?? 0);
  const identity = (option: string) => `${option}: an identity expected`;
  reader.read(options.localId, parseIdentity, identity("--local-id"), undefined);
  const SELECTORS = "prefixes expected, such as 10.200.1.0/24,10.200.3.1";
  const DURATION = "a duration expected, such as 500ms or 10s";
  const COUNT = "a whole number expected";
  const dpd = reader.read<Micros>(options.dpd, parseDuration, `--dpd: ${DURATION}`, 0);
  const plan: LiveIkePlan = {
    peer: {
      remoteIdentity: reader.read(options.remoteId, parseIdentity, identity("--remote-id"), undefined),
      psk: readPsk(options, problems),
      ike: reader.list(options.ike, "--ike", ikeProposal),
      esp: reader.list(options.esp, "--esp", espProposal),
      localSelectors: reader.read(options.localTs, parseSelectors, `--local-ts: ${SELECTORS}`, []),
      remoteSelectors: reader.read(options.remoteTs, parseSelectors, `--remote-ts: ${SELECTORS}`, []),
      retransmit: RETRANSMIT,
      liveness: dpd === 0 ? undefined : { idleMicros: dpd, retransmit: LIVENESS_RETRANSMIT },
      fragmentation: { mtu: reader.read(options.mtu, parseMtu, "--mtu: 576 to 65535 expected", 1280) },
      cookieThreshold: reader.read(options.cookieThreshold, parseCount, `--cookie-threshold: ${COUNT}`, undefined),
      ikeLifetimeSeconds: reader.read(options.ikeLifetime, parseSeconds, `--ike-lifetime: ${DURATION}`, 0),
      childLifetimeSeconds: reader.read(options.childLifetime, parseSeconds, `--child-lifetime: ${DURATION}`, 0),
    },
    remote,
    listen,
    natRemotePort: reader.read(options.natPort, parsePort, "--nat-port: a port expected", staysOn),
    localId: options.localId,
    pings: reader.read(options.ping, parseCount, `--ping: ${COUNT}`, 0),
    rekeys: (options.rekey ?? []).flatMap((name) =>
      reader.read(name, parseRekey, "--rekey: ike or child expected", []),
    ),
    duration: reader.read<Micros | undefined>(options.duration, parseDuration, `--duration: ${DURATION}`, undefined),
    timeout: reader.read<Micros>(options.timeout, parseDuration, `--timeout: ${DURATION}`, SECOND),
  };
  return problems.length > 0 ? problems : plan;
}

/** The text of a key file without its last line end, as `echo KEY >FILE` writes it. */
function readPsk({ psk, pskFile }: LiveIkeOptions, problems: string[]): Secret {
  if ((psk === undefined) === (pskFile === undefined)) {
    problems.push("one of --psk-file FILE and --psk KEY is needed");
    return secret(new Uint8Array(0));
  }
  let key = psk ?? "";
  try {
    if (pskFile !== undefined) key = readFileSync(pskFile, "utf8").replace(/\r?\n$/, "");
  } catch (error) {
    problems.push(`--psk-file: ${pskFile} cannot be read (${(error as NodeJS.ErrnoException).code})`);
    return secret(new Uint8Array(0));
  }
  if (key === "") problems.push("the pre-shared key is empty");
  return secret(utf8(key));
}

function parseEndpoint(text: string): Endpoint | undefined {
  const match = /^(?:\[([0-9a-f:.]+)\]|([\d.]+)):(\d{1,5})$/i.exec(text);
  const address = match?.[1] ?? match?.[2] ?? "";
  const port = Number(match?.[3]);
  return isIP(address) > 0 && port <= 65_535 ? { address, port } : undefined;
}

function parsePort(text: string): number | undefined {
  const port = parseCount(text);
  return port !== undefined && port <= 65_535 ? port : undefined;
}

function parseCount(text: string): number | undefined {
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}

function parseMtu(text: string): number | undefined {
  const mtu = parseCount(text);
  return mtu !== undefined && mtu >= 576 && mtu <= 65_535 ? mtu : undefined;
}

function parseSeconds(text: string): number | undefined {
  const micros = parseDuration(text);
  return micros === undefined || micros % SECOND !== 0 ? undefined : micros / SECOND;
}

function parseRekey(text: string): RekeyTarget[] | undefined {
  return text === "ike" || text === "child" ? [text] : undefined;
}

function parseSelectors(text: string): PeerConfig["localSelectors"] | undefined {
  const selectors = text.split(",").flatMap((word) => parseSelector(word) ?? []);
  return selectors.length === text.split(",").length ? selectors : undefined;
}
