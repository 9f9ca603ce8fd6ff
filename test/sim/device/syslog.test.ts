import { describe, expect, test } from "vitest";
import { EVENT_KINDS } from "../../../sim/check/eventKinds.ts";
import { DEVICE_LOG, DEVICE_LOG_ALSO } from "../../../sim/device/log.ts";
import { syslogLines, syslogMessages } from "../../../sim/device/syslog.ts";
import type { EventRow } from "../../../src/gikev2/eventTable.ts";
import { GM_EVENTS } from "../../../src/gm/events.ts";
import { KS_EVENTS } from "../../../src/ks/events.ts";
import { diskScenario, finishedRun } from "../../scenarios/diskScenario.ts";

const MESSAGE = /^%[A-Z]+-[0-7]-[A-Z0-9_]+: \S/;

describe("tables of log lines", () => {
  test("concern events that a trace can hold", () => {
    const kinds = [...Object.keys(DEVICE_LOG), ...Object.keys(DEVICE_LOG_ALSO)];
    expect(kinds.filter((kind) => !EVENT_KINDS.has(kind))).toEqual([]);
  });

  test("have facility, severity, mnemonic and text, each where its data fit", () => {
    const rows: (readonly [string, EventRow])[] = [
      ...Object.entries<EventRow>(KS_EVENTS),
      ...Object.entries<EventRow>(GM_EVENTS),
      ...Object.entries(DEVICE_LOG).map(
        ([kind, syslog]) => [kind, { meaning: "", syslog, also: DEVICE_LOG_ALSO[kind] }] as const,
      ),
    ];
    for (const [kind, { syslog = [], also = [] }] of rows) {
      for (const line of [...syslog, ...also]) {
        const messages = syslogMessages(kind, line.when ?? {});
        expect(messages.length, kind).toBeGreaterThan(0);
        for (const message of messages) expect(message).toMatch(MESSAGE);
      }
    }
  });

  test("tell an old rekey from a copy of the last one", () => {
    const data = { group: "G", sequence: 3, last: 5, replayed: true };
    expect(syslogMessages("gm.rekeyDuplicate", data)).toEqual([
      "%GDOI-3-GDOI_REKEY_SEQ_FAILURE: Failed to process rekey seq # 3 in seq payload for group G, last seq # 5",
    ]);
    expect(syslogMessages("gm.rekeyDuplicate", { ...data, replayed: false })).toEqual([]);
  });

  test("say nothing about events of which no router logs a line", () => {
    expect(syslogMessages("packet.sent", {})).toEqual([]);
    expect(syslogMessages("toString", {})).toEqual([]);
  });
});

describe("the log of the lab", () => {
  const run = finishedRun(diskScenario("lab.yaml"), { untilMicros: 500_000_000 });
  const lines = Array.from({ length: run.trace.events }, (_, number) =>
    syslogLines(run.head, run.trace.event(number)),
  ).flat();

  test("has every datum that its lines name", () => {
    expect(lines.length).toBeGreaterThan(20);
    expect(lines.filter((line) => line.includes("?"))).toEqual([]);
  });

  test("a registration is told in the order of IOS", () => {
    const own = lines.filter((line) => line.startsWith("gm1: ")).map((line) => /%\S+-\d-(\w+):/.exec(line)![1]);
    const upToFirst = own.slice(own.indexOf("GM_CM_ATTACH"), own.indexOf("GM_INSTALL_POLICIES_SUCCESS") + 1);
    expect(upToFirst).toEqual([
      "GM_CM_ATTACH",
      "GDOI_ON_OFF",
      "GM_REGSTER",
      "SA_KEK_UPDATED",
      "SA_TEK_UPDATED",
      "GM_REKEY_TRANS_2_UNI",
      "GM_REGS_COMPL",
      "GM_INSTALL_POLICIES_SUCCESS",
    ]);
  });
});
