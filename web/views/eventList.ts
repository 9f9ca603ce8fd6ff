/** The list of events that pass the filter. Only the rows in view exist; the row at the cursor is marked. */
import { effect, signal } from "@preact/signals-core";
import { button, h, setAttribute, setText } from "../base/dom.ts";
import { formatCount, formatTime } from "../base/format.ts";
import { frameEffect } from "../base/frame.ts";
import { type MarkName, markIcon } from "../base/marks.ts";
import { eventSummary, eventTitle } from "../model/eventText.ts";
import type { TraceView } from "../model/traceView.ts";
import { jumpToEvent } from "../state/commands.ts";
import type { Store } from "../state/store.ts";
import { RowWindow } from "./rowWindow.ts";

const COLUMNS = ["#", "Sim time", "Device", "Event", "Detail"] as const;

/** While it plays, rows pass faster than they can be read. */
const LIST_REST_MILLIS = 90;

export function eventList(store: Store): HTMLElement {
  const count = h("span", { class: "label" });
  const body = h("div", { class: "rows", role: "rowgroup" });
  const empty = h("div", { class: "empty", hidden: true });
  const header = h(
    "div",
    { role: "rowgroup", class: "row-head" },
    h(
      "div",
      { role: "row", class: "row", "aria-rowindex": 1 },
      ...COLUMNS.map((name) => h("span", { role: "columnheader" }, name)),
    ),
  );
  const grid = h(
    "div",
    {
      role: "grid",
      "aria-label": "Events",
      "aria-readonly": "true",
      class: "grid",
      tabindex: 0,
      "data-testid": "events",
    },
    header,
    body,
  );
  const element = h(
    "section",
    { class: "dock", "aria-label": "Event list", "data-region": "dock" },
    h(
      "header",
      { class: "dock-head" },
      h("h2", { class: "heading" }, "Events"),
      count,
      h("span", { class: "spacer" }),
      h("span", { class: "label" }, "type:rekey  gm:7  t:10..20  lost:yes"),
    ),
    grid,
    empty,
  );

  const rowHeight = signal(24);
  const view = new RowWindow(grid, body, {
    rowHeight: () => rowHeight.peek(),
    above: () => header.offsetHeight,
    drawn: () => {
      const id = `event-${store.selectedEvent.peek()}`;
      setAttribute(grid, "aria-activedescendant", document.getElementById(id) === null ? undefined : id);
    },
    render: (slot, row) => {
      const trace = store.run.peek()?.trace;
      const rows = store.rows.peek()?.rows;
      // A run that begins has fewer rows than the one whose rows are still drawn.
      if (trace !== undefined && rows !== undefined && row < rows.count) renderRow(slot, trace, rows.at(row), row);
    },
    create: (slot) => {
      slot.className = "row";
      slot.setAttribute("role", "row");
      slot.append(...COLUMNS.map(() => h("span", { role: "gridcell" })));
      slot.addEventListener("click", () => select(Number(slot.dataset.event)));
    },
  });

  const renderRow = (slot: HTMLElement, trace: TraceView, event: number, row: number) => {
    const cells = slot.children;
    const selected = event === store.selectedEvent.peek();
    const past = event < store.cursor.peek().event;
    slot.dataset.event = String(event);
    slot.id = `event-${event}`;
    setAttribute(slot, "aria-rowindex", String(row + 2));
    setAttribute(slot, "aria-selected", String(selected));
    slot.classList.toggle("future", !past);
    slot.classList.toggle("now", event === store.cursor.peek().event - 1);
    if (slot.dataset.shown === `${event}`) return;
    slot.dataset.shown = `${event}`;
    setText(cells[0]!, String(event));
    setText(cells[1]!, formatTime(trace.timeOf(event)));
    setText(cells[2]!, trace.deviceName(trace.deviceOf(event)));
    const mark = markOf(trace, event);
    cells[3]!.replaceChildren(...(mark === undefined ? [] : [markIcon(mark)]), eventTitle(trace, event));
    setText(cells[4]!, eventSummary(trace, event));
    slot.classList.toggle("lost", mark === "lost");
  };

  const select = (event: number) => {
    if (Number.isInteger(event)) jumpToEvent(store, event);
  };

  let shownRun: unknown;
  effect(() => {
    store.revision.value;
    const rows = store.rows.value?.rows;
    const model = store.run.value;
    const problem = store.compiled.value?.problem;
    if (shownRun !== store.rows.value?.rows) {
      shownRun = store.rows.value?.rows;
      view.forget();
    }
    const shown = rows?.count ?? 0;
    const total = model?.trace.eventCount ?? 0;
    setText(
      count,
      model === undefined ? "" : `${formatCount(shown)} of ${formatCount(total)} shown${hiddenText(total - shown)}`,
    );
    setAttribute(grid, "aria-rowcount", String(shown + 1));
    view.setCount(shown);
    const nothing = model !== undefined && total > 0 && shown === 0;
    empty.hidden = !nothing;
    grid.hidden = nothing;
    if (nothing) renderEmpty(problem?.message);
  });
  const renderEmpty = (problem: string | undefined) => {
    const brush = store.brush.peek();
    const reason =
      problem !== undefined
        ? `The filter cannot be read: ${problem}.`
        : brush !== undefined
          ? `No event passes the filter between ${formatTime(brush[0])} and ${formatTime(brush[1])}.`
          : `No event passes the filter ${store.filter.peek()}.`;
    const terms = store.compiled.peek()?.terms ?? [];
    empty.replaceChildren(
      h("p", {}, reason),
      h(
        "div",
        { class: "chips" },
        ...terms.map((term) =>
          button({
            label: `Remove ${term.text}`,
            text: `Remove ${term.text}`,
            class: "button outlined",
            onclick: () => {
              const others = terms.filter((other) => other !== term).map((other) => other.text);
              store.filter.value = others.join(" ");
            },
          }),
        ),
        button({
          label: "Show all events",
          text: "Show all events",
          class: "button outlined",
          onclick: () => {
            store.filter.value = "";
            store.brush.value = undefined;
          },
        }),
      ),
    );
  };

  // The list follows the cursor: the row of the last event before it stays in view.
  frameEffect(
    () => {
      store.cursor.value;
      store.selection.value;
      store.rows.value;
    },
    () => {
      const rows = store.rows.peek()?.rows;
      if (rows === undefined) return;
      const { event } = store.cursor.peek();
      const selected = store.selectedEvent.peek();
      const wanted = selected >= 0 && selected === event - 1 ? rows.rowOf(selected) : rows.rowOf(event) - 1;
      view.reveal(Math.max(0, wanted));
      view.redraw();
    },
    () => (store.playing.peek() ? LIST_REST_MILLIS : 0),
  );
  effect(() => {
    store.presenter.value;
    const height = Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--row"));
    rowHeight.value = Number.isFinite(height) ? height : 24;
    view.refresh();
  });

  grid.addEventListener("keydown", (event) => {
    const rows = store.rows.peek()?.rows;
    if (rows === undefined || rows.count === 0) return;
    const page = Math.max(1, view.visible - 1);
    const steps: Readonly<Record<string, number>> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: page,
      PageUp: -page,
      Home: -rows.count,
      End: rows.count,
    };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const selected = store.selectedEvent.peek();
    const from = selected >= 0 ? rows.rowOf(selected) : rows.rowOf(store.cursor.peek().event) - 1;
    jumpToEvent(store, rows.at(Math.min(rows.count - 1, Math.max(0, from + step))));
  });

  return element;
}

function hiddenText(hidden: number): string {
  return hidden > 0 ? `, ${formatCount(hidden)} hidden by filter` : "";
}

/** The mark of an event that is about a packet. */
export function markOf(trace: TraceView, event: number): MarkName | undefined {
  const packet = trace.packetOf(event);
  if (packet < 0) return undefined;
  return trace.kindOf(event) === "packet.lost" ? "lost" : trace.classOf(packet);
}
