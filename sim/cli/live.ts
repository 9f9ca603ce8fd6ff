/** `getvpn live`: the machines of this program on real sockets, against real peers. */
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import type { Happened } from "../../src/base/machine.ts";
import { formatSeconds, type Micros } from "../../src/base/micros.ts";
import { type EventRow, IKE_EVENTS } from "../../src/ikev2/events.ts";
import { PEER_EVENTS } from "../../src/peer/events.ts";
import { EXIT, type ExitCode } from "./exitCode.ts";
import { captureFile, createLiveCapture, keyFiles, type LiveCapture } from "./liveCapture.ts";
import { type LiveIkeOptions, type LiveIkePlan, readLiveIke } from "./liveOptions.ts";
import { type LiveEnd, type LiveSummary, runLiveIke } from "./liveRun.ts";
import { errColors, outColors, printData, printNote } from "./terminal.ts";

const EXIT_OF: Readonly<Record<LiveEnd, ExitCode>> = {
  ok: EXIT.ok,
  refused: EXIT.failed,
  lost: EXIT.failed,
  timeout: EXIT.inconclusive,
  interrupted: EXIT.interrupted,
};

const MORE = `
Proposals are strongSwan's words, several of them separated by commas. Exit: 0 all well, 1 refused or a ping lost,
2 bad usage, 3 no answer in time.

  getvpn live ike --connect 127.0.0.1:15500 --nat-port 14500 --psk-file key --local-id gm.test \\
    --local-ts 10.200.1.1/32 --remote-ts 10.200.2.1/32 --ping 3 --rekey child --rekey ike`;

/** Adds the command; `done` gets its exit code. */
export function addLive(program: Command, done: (exit: ExitCode) => void): void {
  program
    .command("live")
    .description("run the protocol machines on real sockets")
    .command("ike")
    .description("an IKEv2 peer with a tunnel in user space: calls or is called, pings, rekeys, deletes")
    .option("--connect <addr:port>", "call this peer")
    .option("--listen <addr:port>", "local address; without --connect wait to be called there")
    .option(
      "--nat-port <port>",
      "the peer's port once a NAT was detected (default: 4500 for a peer on 500, else the same)",
    )
    .option("--psk-file <file>", "file with the pre-shared key")
    .option("--psk <key>", "the pre-shared key itself; other users of this host may see it")
    .option("--local-id <id>", "our identity: address, name, user@name or keyid:TEXT (default: our address)")
    .option("--remote-id <id>", "the peer's identity (default: whoever holds the key)")
    .option("--ike <proposals>", "IKE proposals", "aes256gcm16-prfsha256-x25519,aes256-sha256-modp2048-ecp256-x25519")
    .option("--esp <proposals>", "ESP proposals", "aes256gcm16,aes256-sha256")
    .requiredOption("--local-ts <prefixes>", "traffic on our side; an address of it pings and is pinged")
    .requiredOption("--remote-ts <prefixes>", "traffic on the peer's side; an address of it is pinged")
    .option("--ping <count>", "send so many pings through the tunnel, again after each rekey")
    .option(
      "--rekey <what>",
      "ike or child, after the first pings; may be repeated",
      (word: string, all: string[] = []) => [...all, word],
    )
    .option("--dpd <time>", "ask a silent peer whether it is there")
    .option("--ike-lifetime <time>", "rekey the IKE SA so often")
    .option("--child-lifetime <time>", "rekey the tunnel so often")
    .option("--cookie-threshold <count>", "demand cookies from so many half-open SAs on")
    .option("--mtu <octets>", "fragment larger IKE messages", "1280")
    .option("--duration <time>", "keep the tunnel so long (default: calling not at all, called until the peer ends it)")
    .option("--timeout <time>", "give up when a step takes longer", "10s")
    .option("--json", "one JSON object a line: events, then the summary")
    .option("--verbose", "debug events too")
    .option("--capture <file>", "write all datagrams as pcapng")
    .option("--keys <dir>", "write a Wireshark configuration folder there: the keys, and our dissector")
    .addHelpText("after", MORE)
    .action(async (options: LiveIkeOptions) => done(await liveIke(options)));
}

async function liveIke(options: LiveIkeOptions): Promise<ExitCode> {
  const plan = readLiveIke(options);
  if (!("peer" in plan)) {
    for (const problem of plan) printNote(problem);
    return EXIT.invalid;
  }
  const capture = createLiveCapture();
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    const summary = await runLiveIke(plan, capture, listenerFor(options, plan), stop.signal);
    printData(options.json ? `${JSON.stringify({ summary })}\n` : summaryText(summary));
    writeFiles(options, capture);
    return EXIT_OF[summary.end];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    printNote((error as Error).message);
    return EXIT.invalid;
  } finally {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
  }
}

function listenerFor({ json, verbose }: LiveIkeOptions, { remote }: LiveIkePlan) {
  return {
    event(event: Happened, now: Micros): void {
      if (json) printData(`${JSON.stringify({ micros: now, event: event.name, data: event.data })}\n`);
      else if (verbose || severityOf(event.name) !== "debug") printData(eventText(event, now));
    },
    bound(address: string, port: number): void {
      if (json) printData(`${JSON.stringify({ micros: 0, event: "live.bound", data: { address, port } })}\n`);
      else printNote(remote === undefined ? `waiting on ${address}:${port}` : `calling from ${address}:${port}`);
    },
  };
}

const EVENTS: Readonly<Record<string, EventRow>> = { ...IKE_EVENTS, ...PEER_EVENTS };

function severityOf(name: string): EventRow["severity"] {
  return EVENTS[name]?.severity ?? "info";
}

const PAINT: Readonly<Record<EventRow["severity"], (text: string) => string>> = {
  error: outColors.red,
  warning: outColors.yellow,
  notice: outColors.green,
  info: (text) => text,
  debug: outColors.dim,
};

function eventText({ name, data }: Happened, now: Micros): string {
  const values = Object.entries(data).map(
    ([key, value]) => `${key}=${String(value).includes(" ") ? JSON.stringify(value) : value}`,
  );
  return `${formatSeconds(now).padStart(11)} ${PAINT[severityOf(name)](name.padEnd(18))} ${values.join(" ")}\n`;
}

function summaryText(summary: LiveSummary): string {
  const { end, reason, local, remote, identity, ikeSuite, espSuite } = summary;
  const { pingsSent, pingsReceived, ikeRekeys, childRekeys } = summary;
  const lines = [
    `${end}${reason === "" ? "" : `: ${reason}`}`,
    ...(identity === "" ? [] : [`peer    ${identity} at ${remote}, from ${local}`]),
    ...(ikeSuite === "" ? [] : [`IKE SA  ${ikeSuite}, ${counted(ikeRekeys, "rekey")}`]),
    ...(espSuite === "" ? [] : [`tunnel  ${espSuite}, ${counted(childRekeys, "rekey")}`]),
    ...(pingsSent === 0 ? [] : [`pings   ${pingsSent} sent, ${pingsReceived} answered`]),
  ];
  return `${lines.join("\n")}\n`;
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** The keys open everything that was said: the folder is for its owner alone. */
function writeFiles({ capture: file, keys: folder }: LiveIkeOptions, capture: LiveCapture): void {
  if (file !== undefined) {
    writeFileSync(file, captureFile(capture));
    printNote(`${file}: ${capture.trace.packets} datagrams`);
  }
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const [name, text] of keyFiles(capture)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, text, { mode: 0o600 });
  }
  printNote(errColors.yellow(`${folder}: keys of this run; whoever has them reads it`));
}
