/** A report for people: a screenful, the same numbers as in the JSON. */
import type pc from "picocolors";
import { formatSeconds, SECOND } from "../../src/base/micros.ts";
import type { Outcome } from "../check/expectation.ts";
import { type Report, verdictOf } from "../scenario/report.ts";

type Colors = ReturnType<typeof pc.createColors>;

const LABEL_WIDTH = 14;

const SIGNS: Readonly<Record<Outcome["verdict"], string>> = { passed: "✓", failed: "✕", inconclusive: "?" };

export function summaryText(report: Report, colors: Colors): string {
  const { metrics } = report;
  const m = (name: string) => count(metrics[name] ?? 0);
  const s = (name: string) => formatSeconds(Math.round((metrics[name] ?? 0) * SECOND));
  const lines: string[] = [
    `${colors.bold(report.scenario)}  seed ${report.seed}, run ${report.run}`,
    "",
    row(
      "Time",
      `${formatSeconds(Math.round(report.virtualSeconds * SECOND))} s virtual, ${count(report.events)} events`,
    ),
    row("Registrations", `${m("registrations")} done, ${m("reregistrations")} of them again, ${m("refusals")} refused`),
  ];
  if (metrics.registrations! > 0) {
    lines.push(row("", `${s("registrationMedian")} s median, ${s("registrationMin")} to ${s("registrationMax")} s`));
  }
  if (metrics.rekeys! > 0) {
    lines.push(
      row(
        "Rekeys",
        `${m("rekeys")} begun, ${m("rekeysSent")} messages, ${m("rekeysRetransmitted")} repeated, ` +
          `${m("rekeysAcknowledged")} acknowledged, ${m("ejections")} members ejected`,
      ),
      row("", `last member after ${s("rekeyFanoutMedian")} s median, ${s("rekeyFanoutMax")} s at most`),
    );
  }
  if (metrics.pingsSent! > 0) {
    lines.push(row("Pings", `${m("pingsSent")} sent, ${m("pingsAnswered")} answered, ${m("pingsLost")} lost`));
  }
  lines.push(row("Packets", `${m("packetsSent")} sent, ${m("octetsSent")} octets${lossText(report)}`), "");
  lines.push(...comparisonLines(report));
  if (report.expectations.length > 0) {
    lines.push("Expectations", ...report.expectations.map((outcome) => `  ${outcomeText(outcome, colors)}`), "");
  }
  lines.push(row("Fingerprint", report.fingerprint), row("Result", resultText(report, colors)));
  return `${lines.join("\n")}\n`;
}

const COMPARED = [
  ["ikeSas", "IKE SAs"],
  ["dataSasPerSite", "data SAs per site, at most"],
  ["firstAnswerMax", "first answer after, at most (s)"],
  ["pingsLost", "pings lost"],
  ["espOverhead", "octets added to a packet"],
  ["espAddressPairs", "address pairs on the wire"],
] as const;

/** The parts that the scenario compares, side by side. */
function comparisonLines({ metrics }: Report): readonly string[] {
  const parts = Object.keys(metrics).flatMap((name) =>
    name.endsWith(".ikeSas") ? [name.slice(0, -".ikeSas".length)] : [],
  );
  if (parts.length === 0) return [];
  const width = Math.max(8, ...parts.map((part) => part.length)) + 2;
  const line = (label: string, cells: readonly string[]) =>
    `${label.padEnd(34)}${cells.map((cell) => cell.padStart(width)).join("")}`;
  return [
    line("Compared", parts),
    ...COMPARED.map(([name, label]) =>
      line(
        `  ${label}`,
        parts.map((part) => String(metrics[`${part}.${name}`])),
      ),
    ),
    "",
  ];
}

function row(label: string, text: string): string {
  return `${label.padEnd(LABEL_WIDTH)}${text}`;
}

/** Digits in groups of three, the same in every locale. */
function count(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ",");
}

function lossText({ metrics }: Report): string {
  const losses = Object.entries(metrics).filter(([name, value]) => name.startsWith("lost.") && value > 0);
  if (losses.length === 0) return "";
  return `; lost: ${losses.map(([name, value]) => `${count(value)} by ${name.slice("lost.".length)}`).join(", ")}`;
}

function outcomeText(outcome: Outcome, colors: Colors): string {
  const { verdict, name, expected, found, at } = outcome;
  const color = { passed: colors.green, failed: colors.red, inconclusive: colors.yellow }[verdict];
  const sign = color(SIGNS[verdict]);
  if (verdict === "passed") return `${sign} ${name}`;
  const when = at < 0 ? "" : ` (at ${formatSeconds(at)} s)`;
  return `${sign} ${name}: expected ${expected}, found ${found}${when}`;
}

function resultText(report: Report, colors: Colors): string {
  const verdict = verdictOf(report);
  if (verdict === "failed") return colors.red("failed");
  if (verdict === "passed") return colors.green("passed");
  return colors.yellow(report.isComplete ? "inconclusive" : "inconclusive: the run was cut short");
}
