/** `npm run fuzz -- --count N --seed S`: the mutation campaign at length. Exit 0: nothing found, 1: findings, 2: usage. */
import { parseArgs } from "node:util";
import { runCampaign } from "./campaign.ts";

/** Microseconds; a case that takes longer, five times out of five, is a finding. */
const LIMIT_MICROS = 5_000;
/** Growth of the heap over the whole campaign, in octets, that the collector may still owe us. */
const GROWTH_MAX = 64 * 1024 * 1024;

function usage(message: string): never {
  process.stderr.write(`${message}\nusage: npm run fuzz -- [--count N] [--seed TEXT] [--first N] [--json]\n`);
  process.exit(2);
}

function parse() {
  try {
    return parseArgs({
      options: {
        count: { type: "string", default: "1000000" },
        seed: { type: "string", default: "1" },
        first: { type: "string", default: "0" },
        json: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    return usage((error as Error).message);
  }
}

function whole(text: string, name: string): number {
  if (!/^\d{1,12}$/.test(text)) usage(`--${name} takes a whole number, not ${text}`);
  return Number(text);
}

const values = parse();
const count = whole(values.count, "count");
const first = whole(values.first, "first");
const clock = (): number => Number(process.hrtime.bigint() / 1000n);
const tty = process.stderr.isTTY;
const heapAtStart = process.memoryUsage().heapUsed;
const result = runCampaign({
  seed: values.seed,
  count,
  first,
  clock,
  limit: LIMIT_MICROS,
  onProgress: (done) => {
    if (tty && done % 1000 === 0) process.stderr.write(`\r${done} of ${count}`);
  },
});
if (tty) process.stderr.write("\r\u001b[K");
globalThis.gc?.();
const heapGrowth = process.memoryUsage().heapUsed - heapAtStart;
const grew = globalThis.gc !== undefined && heapGrowth > GROWTH_MAX;

if (values.json) {
  process.stdout.write(`${JSON.stringify({ seed: values.seed, ...result, heapGrowth })}\n`);
} else {
  for (const finding of result.findings) {
    const { number, mutator, what, exchange, session, detail, octets } = finding;
    process.stdout.write(
      `case ${number}: ${what} by ${mutator}, exchange ${exchange}, ${session}\n  ${detail}\n  ${octets}\n`,
    );
  }
  const { cases, findings, slowest, slowestGood } = result;
  process.stdout.write(
    `${cases} cases, seed ${values.seed}: ${findings.length} findings; slowest case ${slowest} us, ` +
      `slowest good datagram ${slowestGood} us; heap grew by ${Math.round(heapGrowth / 1024)} KiB\n`,
  );
}
process.exitCode = result.findings.length > 0 || grew ? 1 : 0;
