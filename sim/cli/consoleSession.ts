/** A console session: which router is asked, in which mode, and what it answers to a line. Pure but for the run itself. */
import { formatIpv4 } from "../../src/base/ipv4.ts";
import type { Micros } from "../../src/base/micros.ts";
import { formatSeconds, parseDuration } from "../../src/base/micros.ts";
import { completion, helpText, type Tables } from "../../src/ios/complete.ts";
import { type ExecCommand, execRows, isIosError, type Ping, parseExec } from "../../src/ios/exec.ts";
import { renderIosError } from "../../src/ios/iosError.ts";
import { type ConfigSession, modesOf, openConfig, promptOf, typeLine } from "../../src/ios/parse.ts";
import { showText } from "../../src/ios/show/show.ts";
import { syslogLines } from "../device/syslog.ts";
import { routerView, runningConfig } from "../device/views.ts";
import { actionsOf } from "../scenario/execCommand.ts";
import type { Run } from "../scenario/runner.ts";
import type { RouterNode, Scenario } from "../scenario/scenario.ts";

export interface Console {
  readonly run: Run;
  readonly scenario: Scenario;
  /** Name of the node whose prompt is shown. */
  device: string;
  /** What has been typed since `configure terminal`; undefined at the exec prompt. */
  typing: { readonly session: ConfigSession; readonly lines: string[] } | undefined;
  /** A question of the router that the next line answers. */
  question: { readonly prompt: string; readonly yes: () => string } | undefined;
  /** Virtual time that has been passed to. */
  now: Micros;
  /** Events that have been looked at for the log. */
  seen: number;
  isLogging: boolean;
  isOver: boolean;
}

/** At instant 0, or a sentence that says why there is none. `device`: the first router unless told. */
export function openConsole(run: Run, scenario: Scenario, device: string | undefined): Console | string {
  const routers = scenario.nodes.filter(({ kind }) => kind === "router").map(({ name }) => name);
  const first = device ?? routers[0];
  if (first === undefined) return "the scenario has no router";
  if (!routers.includes(first)) return `there is no router ${first}`;
  run.passTo(0);
  return {
    run,
    scenario,
    device: first,
    typing: undefined,
    question: undefined,
    now: 0,
    seen: 0,
    isLogging: false,
    isOver: false,
  };
}

export function promptText({ device, typing, question }: Console): string {
  if (question !== undefined) return question.prompt;
  return typing === undefined ? `${device}#` : `${device}(${promptOf(typing.session)})#`;
}

/** What is printed for a line. */
export function answer(session: Console, line: string): string {
  const text = line.trim();
  if (session.question !== undefined) {
    const { yes } = session.question;
    session.question = undefined;
    return /^y(?:es)?$/i.test(text) ? yes() : "";
  }
  if (text === "" || text.startsWith("!")) return "";
  const own = OWN.find(({ pattern }) => pattern.test(text));
  if (own !== undefined) return own.act(session, own.pattern.exec(text)!);
  return session.typing === undefined ? exec(session, line) : configLine(session, session.typing, line);
}

// -------------------------------------------------------------------------------------------------- what IOS has not

/** Commands of the simulator: they concern the run and not a router, and are taken in every mode. */
const OWN: readonly {
  readonly pattern: RegExp;
  readonly words: string;
  readonly act: (session: Console, match: RegExpExecArray) => string;
}[] = [
  { pattern: /^(?:@|connect\s+)(\S+)$/, words: "connect", act: (session, match) => connect(session, match[1]!) },
  {
    pattern: /^run\s+(\S+)$/,
    words: "run",
    act: (session, match) => pass(session, parseDuration(match[1]!), session.now),
  },
  { pattern: /^until\s+(\S+)$/, words: "until", act: (session, match) => pass(session, parseDuration(match[1]!), 0) },
  { pattern: /^time$/, words: "time", act: (session) => `${formatSeconds(session.now)} s\n` },
  { pattern: /^devices$/, words: "devices", act: devices },
  { pattern: /^terminal monitor$/, words: "terminal monitor", act: (session) => monitor(session, true) },
  { pattern: /^terminal no monitor$/, words: "terminal no monitor", act: (session) => monitor(session, false) },
  { pattern: /^quit$/, words: "quit", act: quit },
];

function quit(session: Console): string {
  const text = session.typing === undefined ? "" : leaveConfig(session);
  session.isOver = true;
  return text;
}

function monitor(session: Console, on: boolean): string {
  session.isLogging = on;
  session.seen = session.run.trace.events;
  return "";
}

function devices({ scenario, run }: Console): string {
  return scenario.nodes
    .map((node) => {
      const device = run.network.byName.get(node.name)!;
      return `${node.name.padEnd(16)}${(node.kind === "host" ? "host" : node.role).padEnd(8)}${device.isUp ? "up" : "down"}\n`;
    })
    .join("");
}

function connect(session: Console, name: string): string {
  const node = session.scenario.nodes.find((one) => one.name === name);
  if (node?.kind !== "router") return `% there is no router ${name}\n`;
  const text = session.typing === undefined ? "" : leaveConfig(session);
  session.device = name;
  return text;
}

/** Until `since` plus `duration`. What the routers log on the way is printed after `terminal monitor`. */
function pass(session: Console, duration: Micros | undefined, since: Micros): string {
  if (duration === undefined) return "% a duration with its unit is expected, such as 30s\n";
  const text = session.typing === undefined ? "" : leaveConfig(session);
  const until = since + duration;
  if (until < session.now) return `${text}% it is ${formatSeconds(session.now)} s already\n`;
  const end = session.scenario.duration;
  session.run.passTo(Math.min(until, end));
  session.now = Math.min(until, end);
  const over = until > end ? `% the scenario ends at ${formatSeconds(end)} s\n` : "";
  return text + logged(session) + over;
}

function logged(session: Console): string {
  if (!session.isLogging) return "";
  const { head, trace } = session.run;
  const lines: string[] = [];
  for (; session.seen < trace.events; session.seen++) lines.push(...syslogLines(head, trace.event(session.seen)));
  return lines.map((line) => `${line}\n`).join("");
}

// ------------------------------------------------------------------------------------------------------------- exec

function exec(session: Console, line: string): string {
  const parsed = parseExec(line);
  if (isIosError(parsed)) return renderIosError(parsed, promptText(session).length);
  switch (parsed.kind) {
    case "show":
      return show(session, parsed);
    case "configure": {
      const config = runningConfig(session.run.network.byName.get(session.device)!)!;
      session.typing = { session: openConfig(config), lines: [] };
      return "Enter configuration commands, one per line.  End with CNTL/Z.\n";
    }
    case "ping":
      return ping(session, parsed);
    case "leave":
      session.isOver = true;
      return "";
    case "write":
      return "Building configuration...\n[OK]\n";
    case "enable":
    case "terminal":
      return "";
    case "debug":
      return "% the trace of the run holds more than any debug command prints\n";
    case "clearGroups":
      session.question = { prompt: CLEAR_QUESTION, yes: () => perform(session, parsed) };
      return CLEAR_WARNING;
    default:
      return perform(session, parsed);
  }
}

const CLEAR_WARNING =
  "% The Key Server and Group Member will destroy created and downloaded policies.\n" +
  "% All Group Members are required to re-register.\n\n";
const CLEAR_QUESTION = "Are you sure you want to proceed ? [yes/no]: ";

function show(session: Console, command: Extract<ExecCommand, { kind: "show" }>): string {
  const view = routerView(session.run.network, session.run.network.byName.get(session.device)!, session.now);
  if (view === undefined) return `% ${session.device} has no power\n`;
  const config = session.typing?.session.config ?? view.config;
  return showText({ ...view, config }, command) ?? "% nothing of that is modelled\n";
}

/** The node as it is configured now. */
function nodeOf({ scenario, run, device }: Console): RouterNode {
  const node = scenario.nodes.find(({ name }) => name === device) as RouterNode;
  return { ...node, config: runningConfig(run.network.byName.get(device)!)! };
}

function perform(session: Console, command: ExecCommand): string {
  const actions = actionsOf(nodeOf(session), command);
  if (typeof actions === "string") return `% ${actions}\n`;
  const running = session.run.network.byName.get(session.device)!.hosted.map(({ name }) => name);
  if (actions.some((action) => action.kind === "machine" && !running.includes(action.machine))) {
    return `% nothing on ${session.device} does this now\n`;
  }
  for (const action of actions) session.run.perform(action);
  // What happens without time passing is over before the next line.
  session.run.passTo(session.now);
  return logged(session);
}

/** Time passes until the last echo is decided. */
function ping(session: Console, command: Ping): string {
  const { run } = session;
  const tag = `console ${run.trace.events}`;
  const actions = actionsOf(nodeOf(session), command);
  if (typeof actions === "string") return `% ${actions}\n`;
  const from = run.trace.events;
  for (const action of actions) run.perform(action.kind === "ping" ? { ...action, tag } : action);
  let seen = from;
  let done: { readonly text: string; readonly line: string } | undefined;
  while (done === undefined && !run.done) {
    for (; seen < run.trace.events && done === undefined; seen++) {
      const { kind, data } = run.trace.event(seen);
      if (kind === "ping.done" && data.ping === tag) done = { text: String(data.text), line: String(data.line) };
    }
    if (done === undefined) run.step({ maxEvents: 1 });
  }
  session.now = Math.max(session.now, run.now);
  const seconds = command.timeoutSeconds;
  const { repeat, size, destination, sourceAddress } = command;
  const head =
    "Type escape sequence to abort.\n" +
    `Sending ${repeat}, ${size}-byte ICMP Echos to ${formatIpv4(destination)}, timeout is ${seconds} seconds:\n` +
    (sourceAddress === undefined ? "" : `Packet sent with a source address of ${formatIpv4(sourceAddress)} \n`);
  const rows = done === undefined ? "% the scenario has ended\n" : `${inRows(done.text)}${done.line}\n`;
  return head + rows + logged(session);
}

const MARKS_A_LINE = 70;

function inRows(text: string): string {
  return (text.match(new RegExp(`.{1,${MARKS_A_LINE}}`, "g")) ?? []).map((row) => `${row}\n`).join("");
}

// ---------------------------------------------------------------------------------------------------- configuration

type Typing = NonNullable<Console["typing"]>;

function configLine(session: Console, { session: config, lines }: Typing, line: string): string {
  const text = line.trim();
  const word = text.toLowerCase();
  if (word === "end" || word === "^z" || (word === "exit" && promptOf(config) === "config"))
    return leaveConfig(session);
  const inner = /^do\s+(.*)$/i.exec(text);
  if (inner !== null) return exec(session, inner[1]!);
  const width = promptText(session).length;
  const { error, problems, ignored } = typeLine(config, line);
  if (error !== undefined) return renderIosError(error, width);
  if (problems.length === 0) lines.push(text);
  return [
    ...problems.map(({ message }) => (message.startsWith("%") ? message : `% ${message}`)),
    ...ignored.map(({ why }) => `% left aside: ${why}`),
  ]
    .map((one) => `${one}\n`)
    .join("");
}

/** Everything that was typed takes effect now: no time has passed since `configure terminal`. */
function leaveConfig(session: Console): string {
  const { lines } = session.typing!;
  session.typing = undefined;
  if (lines.length === 0) return "";
  const { run, device } = session;
  const from = run.trace.events;
  run.perform({ kind: "configure", device, text: lines.join("\n") });
  const problems: string[] = [];
  for (let number = from; number < run.trace.events; number++) {
    const { kind, data } = run.trace.event(number);
    if (kind === "config.incomplete") problems.push(`% ${data.problem}\n`);
  }
  run.passTo(session.now);
  return problems.join("") + logged(session);
}

// ------------------------------------------------------------------------------------------------------ help and Tab

function tablesOf({ typing }: Console): Tables {
  if (typing === undefined) return [execRows];
  // Help names what is modelled; what is legal and left aside can still be typed.
  return modesOf(typing.session).map(({ commands }) => commands.filter(({ command }) => command.aside === undefined));
}

/** For a question mark behind `text`. */
export function helpFor(session: Console, text: string): string {
  const own = text.trim() === "" ? `\nOf the simulator: ${OWN.map(({ words }) => words).join(", ")}, @NODE\n` : "";
  return helpText(tablesOf(session), text) + own;
}

/** What Tab adds to `text`. */
export function tabFor(session: Console, text: string): string {
  return completion(tablesOf(session), text);
}
