/**
 * The network with its packets in motion. Three canvases: links and clouds are painted when the view changes, a device
 * when its state does, packets in every frame that moves. Names are SVG; a list of all devices with their states
 * is the canvas's twin for keyboard and screen reader.
 */
import { type ReadonlySignal, signal } from "@preact/signals-core";
import { select, type ZoomTransform, zoom, zoomIdentity } from "d3";
import { SECOND } from "../../src/base/micros.ts";
import { begin, resize, surface } from "../base/canvas.ts";
import { h, setAttribute, setText, svg } from "../base/dom.ts";
import { formatDuration, plural } from "../base/format.ts";
import { frameEffect } from "../base/frame.ts";
import type { Palette } from "../base/marks.ts";
import { type LabelLine, linesThatFit } from "../model/labelFit.ts";
import { type Layout, type LayoutNode, layoutOf } from "../model/layout.ts";
import { deviceState, memberSummary } from "../model/memberText.ts";
import type { RunModel, Store } from "../state/store.ts";
import {
  cloudAxes,
  flightPoint,
  nodeRadius,
  packetSize,
  paintDevices,
  paintGround,
  paintPackets,
  type Style,
  toScreen,
  type View,
} from "./topologyPaint.ts";
import { deviceTwin } from "./topologyTwin.ts";

export interface TopologyView {
  readonly element: HTMLElement;
  fit(): void;
}

interface Line extends LabelLine {
  /** Class of the text. */
  readonly kind: string;
  readonly text: string;
}

function textOf({ x, y, kind, text }: Omit<Line, "width">): SVGTextElement {
  return svg("text", { x, y, class: kind }, text);
}

/** Labels stand beside devices only while they stay countable. */
const LABELS_MAX = 60;
/** Lines of writing below a device: name, address, state. */
const LABEL_LINES = 3.4;

export function topologyView(store: Store, palette: ReadonlySignal<Palette>): TopologyView {
  const ground = surface(h("canvas", { "aria-hidden": "true", class: "layer" }));
  const lower = surface(h("canvas", { "aria-hidden": "true", class: "layer" }));
  const upper = surface(h("canvas", { "aria-hidden": "true", class: "layer" }));
  const labels = svg("svg", { class: "layer labels", "aria-hidden": "true" });
  const tooltip = h("div", { class: "tooltip", hidden: true });
  const inFlight = h("p", { class: "in-flight mono", "aria-hidden": "true" });
  const twin = deviceTwin(store);
  const element = h(
    "section",
    { class: "canvas", "aria-label": "Topology", "data-region": "canvas" },
    ground.canvas,
    lower.canvas,
    upper.canvas,
    labels,
    inFlight,
    tooltip,
    twin,
  );

  const size = signal({ width: 0, height: 0 });
  const transform = signal<ZoomTransform>(zoomIdentity);
  const hovered = signal(-1);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let cached: { readonly key: unknown; readonly aspect: number; readonly layout: Layout } | undefined;

  const layout = (model: RunModel): Layout => {
    const { width, height } = size.peek();
    const aspect = width / Math.max(1, height);
    if (cached === undefined || cached.key !== model || Math.abs(cached.aspect - aspect) > 0.01) {
      const footer = (LABEL_LINES * lineHeight()) / Math.max(1, height);
      cached = { key: model, aspect, layout: layoutOf(model.trace.head, aspect, footer) };
    }
    return cached.layout;
  };
  const lineHeight = () => (store.presenter.peek() ? 24 : 16);
  const view = (of: Layout): View => {
    const { width, height } = size.peek();
    const fit = Math.min(width / of.width, height / of.height);
    const { k, x, y } = transform.peek();
    return {
      k: fit * k,
      x: ((width - of.width * fit) / 2) * k + x,
      y: ((height - of.height * fit) / 2) * k + y,
    };
  };
  const style = (): Style => ({
    palette: palette.peek(),
    presenter: store.presenter.peek(),
    font: getComputedStyle(document.body).fontFamily,
  });

  const behaviour = zoom<HTMLElement, unknown>()
    .scaleExtent([0.5, 24])
    .filter((event: Event) => !(event.target instanceof Element && event.target.closest(".twin") !== null))
    .on("zoom", (event: { transform: ZoomTransform }) => {
      transform.value = event.transform;
    });
  const selected = select<HTMLElement, unknown>(element).call(behaviour).on("dblclick.zoom", null);
  const fit = () => behaviour.transform(selected, zoomIdentity);

  new ResizeObserver(() => {
    size.value = { width: element.clientWidth, height: element.clientHeight };
  }).observe(element);

  // -------------------------------------------------------------------------------------------------- resting layers
  frameEffect(
    () => {
      store.memberChanges.value;
      store.run.value;
      store.presenter.value;
      store.selectedDevice.value;
      size.value;
      transform.value;
      hovered.value;
      palette.value;
    },
    () => paintResting(),
  );
  let painted: { readonly look: string; readonly run: RunModel; readonly states: Float64Array } | undefined;
  const paintResting = () => {
    const model = store.run.peek();
    const { width, height } = size.peek();
    if (model === undefined || width === 0 || height === 0) return;
    const members = model.members.at(store.cursor.peek().event);
    const { k, x, y } = transform.peek();
    const look = [width, height, k, x, y, store.presenter.peek(), palette.peek().surface].join();
    const { head } = model.trace;
    const of = layout(model);
    const same = painted !== undefined && painted.look === look && painted.run === model;
    if (!same) {
      resize(ground, width, height);
      resize(lower, width, height);
      paintGround(begin(ground), head, of, view(of), style());
      begin(lower);
    }
    const states = paintDevices(
      lower.context,
      head,
      of,
      members,
      view(of),
      style(),
      same ? painted?.states : undefined,
    );
    painted = { look, run: model, states };
    paintLabels(model, of);
  };
  const paintLabels = (model: RunModel, of: Layout) => {
    const members = model.members.at(store.cursor.peek().event);
    const { width, height } = size.peek();
    const look = style();
    const current = view(of);
    setAttribute(labels, "viewBox", `0 0 ${width} ${height}`);
    const marked = new Set([hovered.peek(), store.selectedDevice.peek()]);
    const shown = of.nodes.filter(
      (node) => node.role === "cloud" || of.labelled || marked.has(node.device) || node.role === "ks",
    );
    const lines = measured(
      shown.slice(0, LABELS_MAX).flatMap((node) => linesOf(model, of, node, members, marked, look)),
    );
    const discs = of.nodes
      .filter((node) => node.role !== "cloud")
      .map((node) => ({ ...toScreen(node, current), radius: nodeRadius(node, current, look) }));
    labels.replaceChildren(
      ...linesThatFit(lines, discs, lineHeight()).map(textOf),
      ...of.nodes.filter((node) => marked.has(node.device) && node.role !== "cloud").map((node) => ringOf(node, of)),
    );
  };
  /** Widths of texts in pixels by class and text, of one size of writing: to measure costs a layout. */
  let widths = { lineHeight: 0, known: new Map<string, number>() };
  const measured = (lines: readonly Omit<Line, "width">[]): readonly Line[] => {
    if (widths.lineHeight !== lineHeight()) widths = { lineHeight: lineHeight(), known: new Map() };
    const { known } = widths;
    const keyOf = ({ kind, text }: Pick<Line, "kind" | "text">) => `${kind} ${text}`;
    const fresh = lines.filter((line) => !known.has(keyOf(line)));
    if (fresh.length > 0) {
      const texts = fresh.map(textOf);
      labels.replaceChildren(...texts);
      for (const [i, line] of fresh.entries()) known.set(keyOf(line), texts[i]!.getComputedTextLength());
    }
    return lines.map((line) => ({ ...line, width: known.get(keyOf(line))! }));
  };
  /** What stands beside a device, as far as there is room. */
  const linesOf = (
    model: RunModel,
    of: Layout,
    node: LayoutNode,
    members: Parameters<typeof deviceState>[1],
    marked: ReadonlySet<number>,
    look: Style,
  ): readonly Omit<Line, "width">[] => {
    const current = view(of);
    const { x, y } = toScreen(node, current);
    const device = model.trace.head.devices[node.device]!;
    const common = { device: node.device, x, starts: false, pinned: marked.has(node.device) };
    if (node.role === "cloud") {
      const below = y + cloudAxes(node, current).ry * 0.5;
      return [{ ...common, rank: 0, y: below, text: device.name, kind: "cloud-name", pinned: true }];
    }
    const radius = nodeRadius(node, current, look);
    const line = lineHeight();
    // The link to the cloud runs below a key server: its name stands beside it.
    const isBeside = device.role === "ks";
    const first = isBeside ? y - 2 : y + radius + line;
    const beside = isBeside ? { x: x + radius + 15, starts: true } : {};
    const suffix = isBeside ? " beside" : "";
    const state = isBeside ? "" : deviceState(model.trace.head, members, node.device);
    const rows = [
      { text: device.name, kind: `device-name${suffix}` },
      { text: device.addresses[0] ?? "", kind: `device-address${suffix}` },
      { text: state, kind: "device-state" },
    ];
    return rows.flatMap(({ text, kind }, rank) =>
      text === "" ? [] : [{ ...common, ...beside, rank, y: first + rank * line, text, kind }],
    );
  };
  const ringOf = (node: LayoutNode, of: Layout) => {
    const { x, y } = toScreen(node, view(of));
    const radius = nodeRadius(node, view(of), style()) + 6;
    const chosen = node.device === store.selectedDevice.peek();
    return svg("circle", { cx: x, cy: y, r: radius, class: chosen ? "selected-ring" : "hover-ring" });
  };

  // --------------------------------------------------------------------------------------------------- moving layer
  frameEffect(
    () => {
      store.revision.value;
      store.cursor.value;
      store.selection.value;
      store.presenter.value;
      size.value;
      transform.value;
      palette.value;
    },
    () => {
      const model = store.run.peek();
      const { width, height } = size.peek();
      const map = store.map.peek();
      if (model === undefined || map === undefined || width === 0 || height === 0) return;
      resize(upper, width, height);
      const { time } = store.cursor.peek();
      const linger = map.mapping === "events" ? 4 : (2 * model.compression.threshold) / SECOND;
      const lingerFrom = map.timeAt(Math.max(0, map.placeOf(store.cursor.peek()) - linger));
      const event = store.selectedEvent.peek();
      const packet = event < 0 ? -1 : model.trace.packetOf(event);
      const of = layout(model);
      const count = paintPackets(
        begin(upper),
        model,
        of,
        { time, lingerFrom, packet, still: still.matches },
        view(of),
        style(),
      );
      setText(inFlight, count === 0 ? "" : `${plural(count, "packet")} under way`);
    },
  );

  // -------------------------------------------------------------------------------------------------------- pointer
  const deviceAt = (x: number, y: number): number => {
    const model = store.run.peek();
    if (model === undefined) return -1;
    const of = layout(model);
    const current = view(of);
    let best = -1;
    let nearest = Number.POSITIVE_INFINITY;
    for (const node of of.nodes) {
      const at = toScreen(node, current);
      const distance = Math.hypot(at.x - x, at.y - y) - (node.role === "cloud" ? cloudAxes(node, current).ry * 0.5 : 0);
      const reach = node.role === "cloud" ? 0 : Math.max(12, nodeRadius(node, current, style()) + 2);
      if (distance <= reach && distance < nearest) {
        nearest = distance;
        best = node.device;
      }
    }
    return best;
  };
  const flightAt = (x: number, y: number): number => {
    const model = store.run.peek();
    if (model === undefined) return -1;
    const of = layout(model);
    const { time } = store.cursor.peek();
    let best = -1;
    let nearest = packetSize(of, style()) + 6;
    model.flights.visit(time, time, (flight) => {
      const { flights } = model;
      const span = Math.max(1, flights.end[flight]! - flights.start[flight]!);
      const at = flightPoint(model, of, flight, (time - flights.start[flight]!) / span, view(of), style());
      const distance = Math.hypot(at.x - x, at.y - y);
      if (distance < nearest) {
        nearest = distance;
        best = flight;
      }
    });
    return best;
  };
  const local = (event: MouseEvent) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  element.addEventListener("click", (event) => {
    const model = store.run.peek();
    const { x, y } = local(event);
    const flight = flightAt(x, y);
    if (model !== undefined && flight >= 0) {
      store.selection.value = { event: model.flights.sentEvent[flight]! };
      return;
    }
    const device = deviceAt(x, y);
    store.selection.value = device < 0 ? undefined : { device: model?.trace.deviceName(device) ?? "" };
  });
  element.addEventListener("dblclick", (event) => {
    const { x, y } = local(event);
    const { k, x: tx, y: ty } = transform.peek();
    const { width, height } = size.peek();
    const to = zoomIdentity.translate(tx + width / 2 - x, ty + height / 2 - y).scale(k);
    behaviour.transform(selected, to);
  });
  element.addEventListener("pointermove", (event) => {
    const { x, y } = local(event);
    const model = store.run.peek();
    const flight = flightAt(x, y);
    const device = flight >= 0 ? -1 : deviceAt(x, y);
    hovered.value = device;
    element.style.cursor = flight >= 0 || device >= 0 ? "pointer" : "";
    tooltip.hidden = model === undefined || (flight < 0 && device < 0) || store.presenter.peek();
    if (model === undefined || tooltip.hidden) return;
    setText(tooltip, flight >= 0 ? flightText(model, flight) : deviceText(model, device));
    tooltip.style.transform = `translate(${Math.min(x + 14, size.peek().width - 260)}px, ${y + 14}px)`;
  });
  element.addEventListener("pointerleave", () => {
    hovered.value = -1;
    tooltip.hidden = true;
  });
  const flightText = (model: RunModel, flight: number): string => {
    const facts = model.trace.factsOf(model.flights.packet[flight]!);
    const link = model.trace.head.links[model.flights.link[flight]!];
    return `${facts.label}\n${facts.source} → ${facts.target}\nlink ${link?.name ?? "?"}, ${facts.octets} octets`;
  };
  const deviceText = (model: RunModel, device: number): string => {
    const entry = model.trace.head.devices[device]!;
    const members = model.members.at(store.cursor.peek().event);
    const links = model.trace.head.links.filter((link) => link.a === device || link.b === device);
    const lines = [entry.name, entry.addresses.join(", "), deviceState(model.trace.head, members, device)];
    if (entry.role === "cloud") lines[2] = memberSummary(model.trace.head, members);
    if (links.length === 1) lines.push(`link ${links[0]!.name}, ${formatDuration(links[0]!.latencyMicros)} one way`);
    return lines.filter((line) => line !== "").join("\n");
  };

  return { element, fit };
}
