/** The table of keys and of the filter language. */
import { button, h } from "../base/dom.ts";
import type { Command } from "../state/commands.ts";

export interface Help {
  readonly element: HTMLDialogElement;
  /** Opens or closes; returns whether it is open now. */
  toggle(): boolean;
  /** Returns whether it was open. */
  close(): boolean;
}

const GROUPS = ["Time", "Selection", "Views", "Screen"] as const;
const KEY_NAMES: Readonly<Record<string, string>> = {
  ArrowRight: "→",
  ArrowLeft: "←",
  Escape: "Esc",
  PageUp: "PgUp",
  PageDown: "PgDn",
};

const FILTER_ROWS: readonly (readonly [string, string])[] = [
  ["type:rekey,ack", "packets of these classes; also event, lost"],
  ["gm:7  ks:1  node:wan*", "events on these devices"],
  ["kind:gm.*", "kinds of events"],
  ["t:10..20  t:..1m", "sim time in seconds or with units"],
  ["link:gm3-wan", "what happened on a link"],
  ["src:10.1.*  dst:  ip:", "addresses of packets"],
  ["spi:0x1f2e3d4c", "packets and events of one SA"],
  ["event:100..200  packet:12", "numbers"],
  ["lost:yes", "lost packets"],
  ["-type:data", "everything but"],
  ["no such group", "text in kinds, names and details"],
];

export function helpDialog(commands: readonly Command[]): Help {
  const close = () => {
    const open = element.open;
    if (open) element.close();
    return open;
  };
  const groups = GROUPS.map((group) => {
    const rows = commands
      .filter((command) => command.group === group)
      .map((command) => h("tr", {}, h("th", { scope: "row" }, ...keys(command)), h("td", {}, command.title)));
    return h("section", {}, h("h3", { class: "heading" }, group), h("table", {}, h("tbody", {}, ...rows)));
  });
  const filterRows = FILTER_ROWS.map(([query, meaning]) =>
    h("tr", {}, h("th", { scope: "row" }, h("code", {}, query)), h("td", {}, meaning)),
  );
  const element = h(
    "dialog",
    { class: "help", "aria-labelledby": "help-title" },
    h(
      "header",
      {},
      h("h2", { id: "help-title" }, "Keys"),
      button({ label: "Close", text: "Close", key: "Esc", class: "button outlined", onclick: close }),
    ),
    h(
      "div",
      { class: "help-columns", tabindex: 0, role: "group", "aria-label": "Keys and filter" },
      ...groups,
      h("section", {}, h("h3", { class: "heading" }, "Filter"), h("table", {}, h("tbody", {}, ...filterRows))),
    ),
  );
  return {
    element,
    toggle() {
      if (element.open) element.close();
      else element.showModal();
      return element.open;
    },
    close,
  };
}

function keys(command: Command): HTMLElement[] {
  return command.keys.map((key) => {
    const text = key
      .split(/(?<=.)\+/)
      .map((part) => KEY_NAMES[part] ?? (part.length === 1 ? part.toUpperCase() : part))
      .join("+");
    return h("kbd", {}, text);
  });
}
