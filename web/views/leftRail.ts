/** The left rail: devices with their states, the legend that filters, and the problems found so far. */
import { effect } from "@preact/signals-core";
import { h, setAttribute, setText, svg } from "../base/dom.ts";
import { formatCount, formatTime } from "../base/format.ts";
import { MARKS, type MarkName, markIcon } from "../base/marks.ts";
import { DENSITY_ROWS } from "../model/density.ts";
import { deviceState, memberCounts } from "../model/memberText.ts";
import { jumpToEvent } from "../state/commands.ts";
import type { RunModel, Store } from "../state/store.ts";

const DEVICES_MAX = 400;
const PROBLEMS_MAX = 100;

export function leftRail(store: Store): HTMLElement {
  const devices = h("ul", { class: "device-list" });
  const states = h("ul", { class: "state-list" });
  const legend = h("ul", { class: "legend" });
  const problems = h("ol", { class: "problem-list" });
  const problemHeading = h("h2", { class: "heading" }, "Problems");
  const element = h(
    "nav",
    { class: "rail", "aria-label": "Overview", "data-region": "rail" },
    h("div", { class: "rail-part grow" }, h("h2", { class: "heading" }, "Devices"), devices),
    h("div", { class: "rail-part" }, h("h2", { class: "heading" }, "Members"), states),
    h("div", { class: "rail-part" }, h("h2", { class: "heading" }, "Packets"), legend),
    h("div", { class: "rail-part problems" }, problemHeading, problems),
  );

  // -------------------------------------------------------------------------------------------------------- devices
  let listed: RunModel | undefined;
  let entries: { readonly button: HTMLButtonElement; readonly state: HTMLElement }[] = [];
  effect(() => {
    store.memberChanges.value;
    const model = store.run.value;
    const { event } = store.cursor.peek();
    const selected = store.selectedDevice.value;
    if (model === undefined) return;
    const { head } = model.trace;
    if (listed !== model) {
      listed = model;
      entries = head.devices.slice(0, DEVICES_MAX).map((device) => {
        const state = h("span", { class: "label" });
        const select = () => {
          store.selection.value = { device: device.name };
        };
        const glyph = h("span", { class: `glyph ${device.role}`, "aria-hidden": "true" });
        const entry = h(
          "button",
          { type: "button", class: "device", onclick: select },
          glyph,
          h("span", {}, device.name),
          state,
        );
        return { button: entry, state };
      });
      devices.replaceChildren(...entries.map((entry) => h("li", {}, entry.button)));
      const hidden = head.devices.length - entries.length;
      if (hidden > 0) devices.append(h("li", { class: "label" }, `${formatCount(hidden)} more devices not listed`));
    }
    const members = model.members.at(event);
    entries.forEach((entry, device) => {
      const role = head.devices[device]!.role;
      setText(entry.state, deviceState(head, members, device) || (head.devices[device]!.addresses[0] ?? role));
      setAttribute(entry.button, "aria-pressed", String(device === selected));
      entry.button.dataset.state = String(members.registration[device]!);
    });
    const counts = memberCounts(head, members);
    const rows: [string, string, number][] = [
      ["none", "Unregistered", counts.members - counts.registered - counts.registering],
      ["partial", "Registering", counts.registering],
      ...counts.byTek.map(([tek, count]): [string, string, number] => [
        tek === 0 ? "bare" : tek % 2 === 0 ? "even" : "odd",
        tek === 0 ? "Registered, no TEK" : `Registered, TEK ${tek}`,
        count,
      ]),
    ];
    states.replaceChildren(
      ...rows.map(([ring, name, count]) =>
        h("li", {}, stateGlyph(ring), h("span", {}, name), h("span", { class: "count mono" }, formatCount(count))),
      ),
    );
  });

  // --------------------------------------------------------------------------------------------------------- legend
  const chips = DENSITY_ROWS.map((name) => {
    const count = h("span", { class: "count mono" });
    const chip = h(
      "button",
      { type: "button", class: "chip", title: `Show only type:${name}`, onclick: () => toggleType(name) },
      markIcon(name),
      h("span", {}, MARKS[name].title),
      count,
    );
    return { name, chip, count };
  });
  legend.append(...chips.map(({ chip }) => h("li", {}, chip)));
  const toggleType = (name: MarkName) => {
    const term = `type:${name}`;
    const terms = store.filter
      .peek()
      .split(/\s+/)
      .filter((part) => part !== "");
    const others = terms.filter((part) => !part.startsWith("type:"));
    store.filter.value = (terms.includes(term) ? others : [...others, term]).join(" ");
  };
  const counted = { model: undefined as RunModel | undefined, seen: 0, counts: new Map<MarkName, number>() };
  effect(() => {
    store.revision.value;
    const model = store.run.value;
    const terms = store.filter.value.split(/\s+/);
    if (model === undefined) return;
    if (counted.model !== model) Object.assign(counted, { model, seen: 0, counts: new Map() });
    for (; counted.seen < model.trace.eventCount; counted.seen++) {
      const kind = model.trace.kindOf(counted.seen);
      const name =
        kind === "packet.lost"
          ? "lost"
          : kind === "packet.sent"
            ? model.trace.classOf(model.trace.packetOf(counted.seen))
            : undefined;
      if (name !== undefined) counted.counts.set(name, (counted.counts.get(name) ?? 0) + 1);
    }
    for (const { name, chip, count } of chips) {
      setText(count, formatCount(counted.counts.get(name) ?? 0));
      setAttribute(chip, "aria-pressed", String(terms.includes(`type:${name}`)));
    }
  });

  // ------------------------------------------------------------------------------------------------------- problems
  effect(() => {
    store.revision.value;
    const model = store.run.value;
    const failed = (store.end.value?.verdicts ?? []).filter((verdict) => !verdict.ok);
    const found = model?.markers.problems ?? [];
    const count = found.length + failed.length;
    setText(problemHeading, `Problems (${count})`);
    problems.replaceChildren(
      ...failed.map((verdict) => h("li", { class: "problem-text" }, markIcon("lost"), h("span", {}, verdict.text))),
      ...found
        .slice(0, PROBLEMS_MAX)
        .map((problem) =>
          h(
            "li",
            {},
            h(
              "button",
              { type: "button", class: "chain-link", onclick: () => jumpToEvent(store, problem.event) },
              markIcon("lost"),
              h("span", {}, problem.text, h("span", { class: "label problem-time" }, formatTime(problem.time))),
            ),
          ),
        ),
    );
    if (count === 0) problems.append(h("li", { class: "label" }, "None so far"));
    if (found.length > PROBLEMS_MAX)
      problems.append(h("li", { class: "label" }, `${found.length - PROBLEMS_MAX} more: press N`));
  });

  return element;
}

/** The ring of a member in small, as the canvas draws it. */
function stateGlyph(ring: string): SVGSVGElement {
  const element = svg("svg", {
    viewBox: "0 0 16 16",
    width: 16,
    height: 16,
    class: `ring ${ring}`,
    "aria-hidden": "true",
  });
  element.append(svg("circle", { cx: 8, cy: 8, r: 5.6 }));
  if (ring === "partial") element.append(svg("path", { d: "M8 2.4a5.6 5.6 0 1 1-5.6 5.6" }));
  return element;
}
