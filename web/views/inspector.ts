/** What is selected: the event or device in words, why it happened, its packet as fields and as octets. */
import { effect, signal } from "@preact/signals-core";
import { toHex } from "../../src/base/bytes.ts";
import type { Field } from "../../src/wire/field.ts";
import { button, h, setAttribute, setText } from "../base/dom.ts";
import { formatDuration, formatTime, plural } from "../base/format.ts";
import { MARKS, markIcon } from "../base/marks.ts";
import { causesOf, effectsOf } from "../model/causes.ts";
import { eventMeaning } from "../model/eventMeaning.ts";
import { eventTitle, lossSentence } from "../model/eventText.ts";
import { hasPlain, layOutFields } from "../model/fieldTree.ts";
import { deviceState, memberSummary } from "../model/memberText.ts";
import { jumpToEvent } from "../state/commands.ts";
import type { RunModel, Store } from "../state/store.ts";
import { markOf } from "./eventList.ts";
import { fieldView } from "./fieldView.ts";
import { hexView } from "./hexView.ts";
import type { Link } from "./packetLink.ts";

const CAUSES_SHOWN = 6;
const EFFECTS_SHOWN = 6;

/** Asks whoever holds the keys for the field tree of a packet. */
export type Dissector = (packet: number) => Promise<Field | undefined>;

export function inspector(store: Store, dissect: Dissector): HTMLElement {
  const title = h("h2", { class: "inspector-title" });
  const facts = h("dl", { class: "facts" });
  const story = h("p", { class: "story", hidden: true });
  const why = h("div", { class: "why" });
  const packetHead = h("div", { class: "packet-head" });
  const fieldsBox = h("div", { class: "fields-box" });
  const hexBox = h("div", { class: "hex-box" });
  const packetPart = h("div", { class: "packet" }, packetHead, fieldsBox, hexBox);
  const element = h(
    "section",
    { class: "inspector", "aria-label": "Inspector", "data-region": "inspector" },
    h("div", { class: "summary", tabindex: 0, role: "group", "aria-label": "Summary" }, title, story, facts, why),
    packetPart,
  );

  // -------------------------------------------------------------------------------------------------------- summary
  effect(() => {
    const model = store.run.value;
    const event = store.selectedEvent.value;
    if (model === undefined || event < 0) {
      packetPart.hidden = true;
      return;
    }
    store.revision.value;
    packetPart.hidden = model.trace.packetOf(event) < 0;
    showEvent(model, event);
  });
  effect(() => {
    store.memberChanges.value;
    const model = store.run.value;
    const device = store.selectedDevice.value;
    if (model === undefined || store.selectedEvent.value >= 0) return;
    if (device >= 0) showDevice(model, device);
    else showRun(model);
  });

  const show = (heading: string, rows: readonly (readonly [string, string])[], sentence?: string) => {
    setText(title, heading);
    setText(story, sentence ?? "");
    story.hidden = sentence === undefined;
    facts.replaceChildren(...rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
  };

  const showEvent = (model: RunModel, event: number) => {
    const { trace, flights } = model;
    const packet = trace.packetOf(event);
    const flight = flights.ofEvent(event);
    const rows: (readonly [string, string])[] = [
      ["Event", `${event}, ${trace.kindOf(event)}`],
      ["Sim time", formatTime(trace.timeOf(event))],
      ["Device", trace.deviceName(trace.deviceOf(event))],
    ];
    if (packet >= 0) {
      const of = trace.factsOf(packet);
      rows.push(["From, to", `${of.source} → ${of.target}${of.multicast ? " (multicast)" : ""}`]);
      rows.push(["Packet", `${packet}, ${of.octets} octets, ${MARKS[of.class].title.toLowerCase()}`]);
    }
    if (flight >= 0) {
      const link = trace.head.links[flights.link[flight]!];
      const micros = flights.end[flight]! - flights.start[flight]!;
      const ended = flights.endEvent[flight]! >= 0;
      rows.push(["Link", `${link?.name ?? "?"}${ended ? `, ${formatDuration(micros)}` : ""}`]);
    }
    for (const [name, value] of Object.entries(trace.dataOf(event))) {
      if (name !== "link" && name !== "octets") rows.push([name, String(value)]);
    }
    const lost = flight < 0 ? undefined : lossSentence(trace, flights, flight);
    show(sentenceCase(eventTitle(trace, event)), rows, lost ?? eventMeaning(trace.kindOf(event)));
    const causes = causesOf(trace, event, CAUSES_SHOWN);
    const effects = effectsOf(trace, event, EFFECTS_SHOWN);
    why.replaceChildren(
      ...chain("Why", "Nothing in the trace led to this.", causes, model),
      ...chain("Then", "Nothing followed from this directly.", effects, model),
    );
  };

  const chain = (heading: string, none: string, events: readonly number[], model: RunModel): HTMLElement[] => {
    const list = h("ol", { class: "chain" });
    for (const event of events) {
      const mark = markOf(model.trace, event);
      const link = h(
        "button",
        { type: "button", class: "chain-link", onclick: () => jumpToEvent(store, event) },
        ...(mark === undefined ? [] : [markIcon(mark)]),
        h("span", { class: "mono" }, `#${event}`),
        ` ${model.trace.deviceName(model.trace.deviceOf(event))} ${eventTitle(model.trace, event)}`,
      );
      list.append(h("li", {}, link));
    }
    const content = events.length === 0 ? h("p", { class: "label" }, none) : list;
    return [h("h3", { class: "heading" }, heading), content];
  };

  const showDevice = (model: RunModel, device: number) => {
    const { head } = model.trace;
    const entry = head.devices[device]!;
    const members = model.members.at(store.cursor.peek().event);
    const rows: (readonly [string, string])[] = [["Role", ROLE_NAMES[entry.role] ?? entry.role]];
    if (entry.site !== undefined) rows.push(["Site", entry.site]);
    rows.push(["Addresses", entry.addresses.join(", ") || "none"]);
    const state = deviceState(head, members, device);
    if (state !== "") rows.push(["State", state], ["Rekeys received", String(members.rekeys[device]!)]);
    for (const link of head.links) {
      if (link.a !== device && link.b !== device) continue;
      const other = head.devices[link.a === device ? link.b : link.a]!.name;
      rows.push(["Link", `${link.name} to ${other}, ${formatDuration(link.latencyMicros)} one way`]);
      if (rows.length > 12) break;
    }
    show(entry.name, rows);
    why.replaceChildren(
      button({
        label: `Show only events of ${entry.name}`,
        text: `Show only events of ${entry.name}`,
        class: "button outlined",
        onclick: () => {
          store.filter.value = `node:${entry.name}`;
        },
      }),
    );
  };

  const showRun = (model: RunModel) => {
    const { head } = model.trace;
    const members = model.members.at(store.cursor.peek().event);
    const rows: (readonly [string, string])[] = [
      ["Scenario", head.scenario],
      ["Seed, run", `${head.seed}, ${head.run}`],
      ["Devices", plural(head.devices.length, "device")],
      ["Members", memberSummary(head, members)],
    ];
    show("Run", rows, head.description);
    why.replaceChildren(h("p", { class: "label" }, "Select a device, a packet or an event to look inside."));
  };

  // --------------------------------------------------------------------------------------------------------- packet
  const link: Link = { field: signal(-1), hovered: signal(-1) };
  const fields = fieldView(link);
  const hex = hexView(link);
  fieldsBox.append(fields.element);
  hexBox.append(hex.element);
  const wire = toggle("Wire", () => {
    store.decrypted.value = false;
  });
  const plain = toggle("Decrypted", () => {
    store.decrypted.value = true;
  });
  const copyHex = button({
    label: "Copy octets as hexadecimal",
    text: "Copy hex",
    class: "button outlined",
    onclick: () => {
      const model = store.run.peek();
      const packet = model?.trace.packetOf(store.selectedEvent.peek()) ?? -1;
      if (model !== undefined && packet >= 0) void navigator.clipboard?.writeText(toHex(model.trace.octetsOf(packet)));
    },
  });
  packetHead.append(
    h("h3", { class: "heading" }, "Packet"),
    h("span", { class: "spacer" }),
    h("div", { class: "switch", role: "group", "aria-label": "Octets" }, wire, plain),
    copyHex,
  );

  let shown = -1;
  let shownRun: RunModel | undefined;
  const tree = signal<{ readonly packet: number; readonly field: Field } | undefined>(undefined);
  effect(() => {
    const model = store.run.value;
    const event = store.selectedEvent.value;
    const packet = model === undefined || event < 0 ? -1 : model.trace.packetOf(event);
    if (packet === shown && model === shownRun) return;
    shown = packet;
    shownRun = model;
    tree.value = undefined;
    if (packet < 0) return;
    void dissect(packet).then((field) => {
      if (field !== undefined && shown === packet && shownRun === model) tree.value = { packet, field };
    });
  });
  effect(() => {
    const model = store.run.value;
    const dissected = tree.value;
    const decrypted = store.decrypted.value;
    const event = store.selectedEvent.value;
    const packet = model === undefined || event < 0 ? -1 : model.trace.packetOf(event);
    if (model === undefined || packet < 0) return;
    const octets = model.trace.octetsOf(packet);
    const root: Field =
      dissected?.packet === packet
        ? dissected.field
        : { label: "Packet", offset: 0, length: octets.length, text: plural(octets.length, "octet"), children: [] };
    const laidOut = layOutFields(root, octets, decrypted);
    link.field.value = -1;
    link.hovered.value = -1;
    fields.show(laidOut);
    hex.show(laidOut);
    const opened = hasPlain(root);
    setAttribute(wire, "aria-pressed", String(!decrypted || !opened));
    setAttribute(plain, "aria-pressed", String(decrypted && opened));
    plain.toggleAttribute("disabled", !opened);
    plain.title = opened ? "Show decrypted content" : "Nothing in this packet could be decrypted with the keys at hand";
  });

  return element;
}

const ROLE_NAMES: Readonly<Record<string, string>> = {
  ks: "Key server",
  gm: "Group member",
  router: "Router",
  host: "Host",
  cloud: "WAN",
};

function toggle(text: string, onclick: () => void): HTMLButtonElement {
  return button({ label: text, text, class: "button outlined", onclick });
}

function sentenceCase(text: string): string {
  return /^[a-z]+ /.test(text) ? text[0]!.toUpperCase() + text.slice(1) : text;
}
