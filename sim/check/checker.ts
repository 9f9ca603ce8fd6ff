/**
 * Watches a run for what its scenario expects. Each expectation has a judge that sees every event once, in order, and says
 * at the end how it came out; a judge that knows earlier keeps the instant.
 */
import { assert } from "../../src/base/errors.ts";
import { formatSeconds, type Micros } from "../../src/base/micros.ts";
import type { TraceEvent } from "../core/traceTypes.ts";
import type { EventFilter, Expectation, Outcome, Verdict } from "./expectation.ts";
import { isWithin, matches } from "./filter.ts";
import { createMemberWatch, isRegistered, type MemberView, type MemberWatch } from "./members.ts";
import type { Metrics } from "./metrics.ts";

/** How a run ended. */
export interface Ending {
  /** Instant up to which everything has happened. */
  readonly now: Micros;
  /** False where the run was cut short of the scenario's own end. */
  readonly isComplete: boolean;
  readonly metrics: Metrics;
}

export interface Checker {
  /** Takes the next event of the trace, when the network is as that event has left it. */
  watch(event: TraceEvent): void;
  outcomes(ending: Ending): readonly Outcome[];
}

interface Judgement {
  readonly verdict: Verdict;
  readonly found: string;
  readonly at?: Micros;
}

interface Judge {
  readonly expected: string;
  watch(event: TraceEvent): void;
  end(ending: Ending): Judgement;
}

/** `member`: what a group member holds now; asked for devices that expectations name, after their events. */
export function createChecker(
  expectations: readonly Expectation[],
  member: (device: number) => MemberView | undefined,
): Checker {
  const members = createMemberWatch(expectations, member);
  const judges = expectations.map((expectation) => {
    const create = JUDGES[expectation.check] as (expectation: Expectation, members: MemberWatch) => Judge;
    return { name: expectation.name, judge: create(expectation, members) };
  });
  return {
    watch(event) {
      for (const { judge } of judges) judge.watch(event);
      members.watch(event);
    },
    outcomes: (ending) =>
      judges.map(({ name, judge }) => {
        const { verdict, found, at = -1 } = judge.end(ending);
        return { name, verdict, ok: verdict === "passed", expected: judge.expected, found, at };
      }),
  };
}

type ExpectationOf<K extends Expectation["check"]> = Extract<Expectation, { check: K }>;

const JUDGES: { readonly [K in Expectation["check"]]: (expectation: ExpectationOf<K>, members: MemberWatch) => Judge } =
  {
    count: judgeCount,
    follows: judgeFollows,
    registered: judgeRegistered,
    sharedTek: judgeSharedTek,
    pings: judgePings,
    metric: judgeMetric,
  };

function judgeCount({ window, event: filter, min, max, distinctDevices }: ExpectationOf<"count">): Judge {
  const devices = new Set<number>();
  let events = 0;
  let exceededAt: Micros | undefined;
  let reachedAt: Micros | undefined;
  const count = () => (distinctDevices ? devices.size : events);
  return {
    expected: boundsText(min, max),
    watch(event) {
      if (!isWithin(window, event.time) || !matches(filter, event)) return;
      events += 1;
      devices.add(event.device);
      if (count() >= min) reachedAt ??= event.time;
      if (count() > max) exceededAt ??= event.time;
    },
    end({ now, isComplete }) {
      const found = String(count());
      if (exceededAt !== undefined) return { verdict: "failed", found, at: exceededAt };
      const isOver = isComplete || now > window.until;
      if (count() >= min && (isOver || max === Number.POSITIVE_INFINITY)) {
        return { verdict: "passed", found, at: max === Number.POSITIVE_INFINITY ? reachedAt : undefined };
      }
      return { verdict: isOver ? "failed" : "inconclusive", found };
    },
  };
}

function judgeFollows({ window, each, by, within, sameDevice }: ExpectationOf<"follows">): Judge {
  /** Instants that still wait, oldest first, by device; all in one list where any device will do. */
  const waiting = new Map<number, Micros[]>();
  let followed = 0;
  let missedAt: Micros | undefined;
  const keyOf = (event: TraceEvent) => (sameDevice ? event.device : -1);
  return {
    expected: `within ${formatSeconds(within)} s`,
    watch(event) {
      if (matches(by, event)) {
        const key = keyOf(event);
        for (const at of waiting.get(key) ?? []) {
          if (event.time - at <= within) followed += 1;
          else missedAt = Math.min(missedAt ?? Number.POSITIVE_INFINITY, at + within);
        }
        waiting.delete(key);
      }
      if (isWithin(window, event.time) && matches(each, event)) {
        const list = waiting.get(keyOf(event)) ?? [];
        list.push(event.time);
        waiting.set(keyOf(event), list);
      }
    },
    end({ now }) {
      const open = [...waiting.values()].flat();
      const late = open.filter((at) => now - at > within).map((at) => at + within);
      const missed = Math.min(missedAt ?? Number.POSITIVE_INFINITY, ...late);
      const found = `${followed} followed in time, ${open.length} not`;
      if (missed !== Number.POSITIVE_INFINITY) return { verdict: "failed", found, at: missed };
      if (open.length > 0) return { verdict: "inconclusive", found };
      return followed === 0
        ? { verdict: "failed", found: "there was nothing to be followed" }
        : { verdict: "passed", found };
    },
  };
}

function judgeRegistered({ at, devices }: ExpectationOf<"registered">, members: MemberWatch): Judge {
  let missing: number | undefined;
  const look = () => {
    missing ??= [...devices].filter((device) => !isRegistered(members.view(device), at)).length;
  };
  return {
    expected: `${devices.size} of ${devices.size}`,
    watch(event) {
      // The first event behind the instant finds the members as they were at it.
      if (event.time > at) look();
    },
    end({ now }) {
      if (missing === undefined && now < at) return { verdict: "inconclusive", found: "the run ended before" };
      look();
      const found = `${devices.size - missing!} of ${devices.size}`;
      return { verdict: missing === 0 ? "passed" : "failed", found, at };
    },
  };
}

function judgeSharedTek({ window, devices }: ExpectationOf<"sharedTek">, members: MemberWatch): Judge {
  let apartAt: Micros | undefined;
  const pairs = devices.size * (devices.size - 1);
  const look = (next: Micros) => {
    apartAt ??= members.apartIn(devices, window, next);
  };
  return {
    expected: `all ${pairs} ways between ${devices.size} members`,
    watch(event) {
      look(event.time);
    },
    end({ now, isComplete }) {
      look(now);
      if (apartAt !== undefined) {
        return { verdict: "failed", found: `not at ${formatSeconds(apartAt)} s`, at: apartAt };
      }
      const isOver = isComplete || now >= window.until;
      return { verdict: isOver ? "passed" : "inconclusive", found: "all" };
    },
  };
}

/** The fate of a ping is told by a later event; it belongs to the window in which the ping was sent. */
function judgePings({ window, devices, hits, outOf, min }: ExpectationOf<"pings">): Judge {
  const filter = (kind: string): EventFilter => ({ kind, devices, where: new Map() });
  const isSent = filter("ping.sent");
  const isReply = filter("ping.reply");
  const isLost = [filter("ping.lost"), filter("ping.unreachable")];
  const open = new Set<string>();
  let sent = 0;
  let answered = 0;
  let lost = 0;
  let firstLostAt: Micros | undefined;
  const keyOf = ({ device, data }: TraceEvent) => `${device} ${data.ping} ${data.sequence}`;
  return {
    expected: hits === outOf ? `all of at least ${min}` : `${hits} in ${outOf} of at least ${min}`,
    watch(event) {
      if (matches(isSent, event)) {
        if (!isWithin(window, event.time)) return;
        open.add(keyOf(event));
        sent += 1;
      } else if (matches(isReply, event)) {
        if (open.delete(keyOf(event))) answered += 1;
      } else if (isLost.some((one) => matches(one, event)) && open.delete(keyOf(event))) {
        lost += 1;
        firstLostAt ??= event.time;
      }
    },
    end({ now, isComplete }) {
      const found = `${answered} of ${sent} answered, ${lost} lost, ${open.size} open`;
      const isOver = isComplete || now > window.until;
      if (!isOver) {
        const isLostCause = hits === outOf && lost > 0;
        return { verdict: isLostCause ? "failed" : "inconclusive", found, at: isLostCause ? firstLostAt : undefined };
      }
      // What is still under way when the run ends has not failed yet; it cannot count as answered either.
      const decided = answered + lost;
      const isEnough = sent >= min && decided > 0 && answered * outOf >= hits * decided;
      return { verdict: isEnough ? "passed" : "failed", found, at: isEnough ? undefined : firstLostAt };
    },
  };
}

function judgeMetric({ metric, min, max }: ExpectationOf<"metric">): Judge {
  return {
    expected: boundsText(min, max),
    watch: () => undefined,
    end({ metrics, isComplete }) {
      const value = metrics[metric];
      assert(value !== undefined, `there is a metric ${metric}`);
      const verdict = !isComplete ? "inconclusive" : value >= min && value <= max ? "passed" : "failed";
      return { verdict, found: String(value) };
    },
  };
}

function boundsText(min: number, max: number): string {
  if (min === max) return `exactly ${min}`;
  if (max === Number.POSITIVE_INFINITY) return `at least ${min}`;
  return min <= 0 ? `at most ${max}` : `${min} to ${max}`;
}
