/** The devices of the topology as a list: what the canvas shows, for keyboard and screen reader. */
import { effect } from "@preact/signals-core";
import { h, setAttribute, setText } from "../base/dom.ts";
import { deviceState, memberSummary } from "../model/memberText.ts";
import type { RunModel, Store } from "../state/store.ts";

/** Above this many devices the list holds the first ones and says how many are left out. */
const LISTED_MAX = 400;
const NEXT: ReadonlySet<string> = new Set(["ArrowRight", "ArrowDown"]);
const BACK: ReadonlySet<string> = new Set(["ArrowLeft", "ArrowUp"]);

export function deviceTwin(store: Store): HTMLElement {
  const summary = h("p", { id: "topology-summary" });
  const list = h("ul", {
    role: "listbox",
    tabindex: 0,
    "aria-label": "Devices",
    "aria-describedby": "topology-summary",
    "data-testid": "topology-twin",
  });
  const more = h("p");
  let options: readonly HTMLLIElement[] = [];
  let listed: RunModel | undefined;

  effect(() => {
    store.memberChanges.value;
    const model = store.run.value;
    const { event } = store.cursor.peek();
    if (model === undefined) return;
    const { head } = model.trace;
    if (listed !== model) {
      listed = model;
      options = head.devices
        .slice(0, LISTED_MAX)
        .map((_, device) => h("li", { role: "option", id: `device-${device}` }));
      list.replaceChildren(...options);
      const hidden = head.devices.length - options.length;
      setText(more, hidden > 0 ? `${hidden} more devices are not listed` : "");
    }
    // While it plays, names of states are brought up to date at the next pause: nobody reads them in between.
    if (store.playing.value) return;
    const members = model.members.at(event);
    const selected = store.selectedDevice.value;
    setText(summary, `${memberSummary(head, members)}.`);
    options.forEach((option, device) => {
      const state = deviceState(head, members, device) || head.devices[device]!.role;
      setText(option, `${head.devices[device]!.name}: ${state}`);
      setAttribute(option, "aria-selected", String(device === selected));
    });
    setAttribute(list, "aria-activedescendant", selected >= 0 ? `device-${selected}` : undefined);
  });

  list.addEventListener("keydown", (event) => {
    const model = store.run.peek();
    if (model === undefined || options.length === 0) return;
    const step = NEXT.has(event.key) ? 1 : BACK.has(event.key) ? -1 : 0;
    if (event.key === "Enter") {
      document.querySelector<HTMLElement>("[data-region=inspector] [tabindex]")?.focus();
    } else if (step !== 0) {
      event.preventDefault();
      const next = (Math.max(store.selectedDevice.peek(), step > 0 ? -1 : 0) + step + options.length) % options.length;
      store.selection.value = { device: model.trace.deviceName(next) };
    }
  });

  return h("div", { class: "twin visually-hidden" }, summary, list, more);
}
