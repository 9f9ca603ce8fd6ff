/** The time bar: playback controls, density of packets by class, markers, and the scrubber on its axis. */
import { effect, type ReadonlySignal, signal } from "@preact/signals-core";
import { begin, resize, surface } from "../base/canvas.ts";
import { button, h, setAttribute, setText, svg } from "../base/dom.ts";
import { formatCount, formatDuration, formatTick, formatTime } from "../base/format.ts";
import { frameEffect } from "../base/frame.ts";
import { MARKS, type Palette } from "../base/marks.ts";
import { DENSITY_ROWS, densityOf } from "../model/density.ts";
import type { MarkerKind } from "../model/markers.ts";
import { memberSummary } from "../model/memberText.ts";
import { SPEEDS } from "../model/pace.ts";
import { MAPPINGS, type TimeMap } from "../model/timeMap.ts";
import { jump, jumpToEvent, panTime, togglePlay, zoomTime } from "../state/commands.ts";
import type { Store } from "../state/store.ts";

const STRIP = 40;
const AXIS = 30;
const TICK_PIXELS = 130;
/** A drawn break carries its length where it is at least this wide. */
const BREAK_LABEL_PIXELS = 56;
/** Within a break of this width a tick would stand in the middle of nowhere. */
const WIDE_BREAK_PIXELS = 30;
/** A drag shorter than this is a click. */
const DRAG_PIXELS = 4;

const MAPPING_NAMES = { compressed: "Compressed", linear: "Linear", events: "By event" } as const;

const MARKER_SHAPES: Readonly<Record<MarkerKind, { readonly path: string; readonly colour: string }>> = {
  rekey: { path: "M0 -6L6 0L0 6L-6 0Z", colour: "kek" },
  key: { path: "M0 -5L5 0L0 5L-5 0Z", colour: "gikev2" },
  fault: { path: "M0 -6L6 5H-6Z", colour: "failure" },
  failure: { path: "M-5 -5L5 5M5 -5L-5 5", colour: "failure" },
  config: { path: "M-5 -5H5V5H-5Z", colour: "ink" },
  note: { path: "M-5 -5H5V3H0L-3 6V3H-5Z", colour: "muted" },
};

const ICONS = {
  start: "M4 3v10M13 3 6 8l7 5z",
  back: "M10 3 4 8l6 5zM13 3v10",
  play: "M4 2.5 13 8l-9 5.5z",
  pause: "M5 3v10M11 3v10",
  forward: "M6 3l6 5-6 5zM3 3v10",
  end: "M12 3v10M3 3l7 5-7 5z",
} as const;

export function timeBar(store: Store, palette: ReadonlySignal<Palette>, run: (command: string) => void): HTMLElement {
  // ------------------------------------------------------------------------------------------------------- controls
  const play = button({
    label: "Play",
    key: "Space",
    icon: ICONS.play,
    class: "button primary play",
    onclick: () => togglePlay(store),
  });
  const speed = h("select", {
    class: "field",
    "aria-label": "Speed",
    onchange: () => {
      store.speedChosen.value = true;
      store.speed.value = Number(speed.value);
    },
  });
  speed.append(...SPEEDS.map((value) => h("option", { value }, `${value}×`)));
  const mapping = h("select", {
    class: "field",
    "aria-label": "Time mapping",
    title: "Time mapping (V)",
    onchange: () => {
      store.mapping.value = MAPPINGS.find((name) => name === mapping.value) ?? "compressed";
    },
  });
  mapping.append(...MAPPINGS.map((name) => h("option", { value: name }, MAPPING_NAMES[name])));
  const clock = h("output", { class: "clock mono", "aria-live": "off" });
  const eventOf = h("span", { class: "label event-of" });
  const follow = button({
    label: "Follow",
    text: "Follow",
    class: "button outlined follow",
    onclick: () => {
      store.follow.value = !store.follow.value;
    },
  });
  const clearBrush = button({
    label: "Clear range",
    text: "Clear range",
    class: "button outlined",
    onclick: () => {
      store.brush.value = undefined;
    },
  });
  const controls = h(
    "div",
    { class: "controls" },
    button({ label: "Start", key: "Home", icon: ICONS.start, onclick: () => run("time.start") }),
    button({ label: "Previous event", key: ",", icon: ICONS.back, onclick: () => run("time.previousEvent") }),
    play,
    button({ label: "Next event", key: ".", icon: ICONS.forward, onclick: () => run("time.nextEvent") }),
    button({ label: "End", key: "End", icon: ICONS.end, onclick: () => run("time.end") }),
    speed,
    h("div", { class: "clock-group" }, h("span", { class: "label" }, "sim time"), clock, eventOf),
    h("span", { class: "spacer" }),
    clearBrush,
    follow,
    mapping,
  );

  // ---------------------------------------------------------------------------------------------------------- track
  const strip = surface(h("canvas", { "aria-hidden": "true" }));
  const overlay = svg("svg", { class: "overlay", "aria-hidden": "true" });
  const fixed = svg("g");
  const markerLayer = svg("g");
  const brushArea = svg("rect", { class: "brush", y: 0, height: STRIP });
  // An element of its own: moving it repaints nothing else.
  const head = svg(
    "svg",
    { class: "play-head", width: 14, height: STRIP + AXIS, viewBox: `-7 0 14 ${STRIP + AXIS}`, "aria-hidden": "true" },
    svg("path", { d: `M0 0V${STRIP + AXIS}` }),
    svg("path", { d: `M-6 ${STRIP + 2}H6L0 ${STRIP + 11}Z`, class: "grip" }),
  );
  overlay.append(fixed, brushArea, markerLayer);
  const slider = h("div", {
    class: "scrubber",
    role: "slider",
    tabindex: 0,
    "aria-label": "Time",
    "aria-orientation": "horizontal",
    "aria-valuemin": 0,
  });
  const track = h("div", { class: "track" }, strip.canvas, overlay, head, slider);
  const element = h("section", { class: "time", "aria-label": "Time bar", "data-region": "time" }, controls, track);

  const width = signal(0);
  new ResizeObserver(() => {
    width.value = track.clientWidth;
  }).observe(track);

  const span = (map: TimeMap): readonly [number, number] => {
    const [from, to] = store.window.value;
    const end = Math.max(map.end, 1e-6);
    return [from * end, to * end];
  };
  const xOf = (map: TimeMap, place: number): number => {
    const [from, to] = span(map);
    return ((place - from) / (to - from)) * width.value;
  };
  const placeAt = (map: TimeMap, x: number): number => {
    const [from, to] = span(map);
    return from + (Math.min(width.value, Math.max(0, x)) / Math.max(1, width.value)) * (to - from);
  };

  frameEffect(
    () => {
      store.map.value;
      store.window.value;
      width.value;
      palette.value;
    },
    () => {
      const map = store.map.peek();
      const model = store.run.peek();
      if (map === undefined || model === undefined || width.peek() === 0) return;
      resize(strip, width.peek(), STRIP);
      paintStrip(map);
      paintAxis(map);
      paintMarkers(map);
    },
  );

  const paintStrip = (map: TimeMap) => {
    const model = store.run.peek()!;
    const context = begin(strip);
    const [from, to] = span(map);
    const colours = palette.peek();
    for (const gap of map.breaks(from, to)) {
      const x = xOf(map, gap.from);
      context.fillStyle = colours.panel;
      context.fillRect(x, 0, Math.max(1, xOf(map, gap.to) - x), STRIP);
    }
    const bar = 4;
    const columns = Math.max(1, Math.floor(width.peek() / bar));
    const density = densityOf(model.trace, map, from, to, columns);
    // The square root keeps a lone packet visible beside a burst of a hundred.
    const scale = (STRIP - 12) / Math.sqrt(Math.max(1, density.max));
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (let row = 0; row < DENSITY_ROWS.length; row++) {
        const count = density.counts[row * columns + column]!;
        if (count === 0) continue;
        const name = DENSITY_ROWS[row]!;
        context.fillStyle = colours[MARKS[name].colour];
        if (name === "lost") {
          context.fillRect(column * bar, STRIP - 3, bar, 3);
          continue;
        }
        const y0 = Math.sqrt(sum) * scale;
        sum += count;
        const y1 = Math.max(Math.sqrt(sum) * scale, y0 + 1);
        context.fillRect(column * bar, STRIP - 3 - y1, bar - 0.5, y1 - y0);
      }
    }
  };

  const paintAxis = (map: TimeMap) => {
    const [from, to] = span(map);
    const parts: SVGElement[] = [svg("path", { class: "axis-line", d: `M0 ${STRIP + 0.5}H${width.peek()}` })];
    const taken: (readonly [number, number])[] = [];
    const breaks = map.breaks(from, to);
    const wide = breaks.filter((gap) => xOf(map, gap.to) - xOf(map, gap.from) > WIDE_BREAK_PIXELS);
    for (const gap of breaks) {
      const x0 = xOf(map, gap.from);
      const x1 = xOf(map, gap.to);
      if (x1 - x0 < 3) continue;
      parts.push(svg("path", { class: "break", d: `M${x0} ${STRIP + 5}h${x1 - x0}` }));
      if (x1 - x0 < BREAK_LABEL_PIXELS) continue;
      parts.push(
        svg("text", { class: "break-label", x: (x0 + x1) / 2, y: STRIP + 22 }, `≈ ${formatDuration(gap.micros)}`),
      );
      taken.push([(x0 + x1) / 2 - 44, (x0 + x1) / 2 + 44]);
    }
    const count = Math.max(1, Math.floor(width.peek() / TICK_PIXELS));
    const instant = (i: number) => map.timeAt(from + ((to - from) * Math.min(count, Math.max(0, i))) / count);
    for (let i = 0; i <= count; i++) {
      const x = (i / count) * width.peek();
      const place = from + ((to - from) * i) / count;
      if (i > 0 && i < count && wide.some((gap) => place > gap.from && place < gap.to)) continue;
      // Mapped time does not run evenly: each label has the decimals that tell it from its nearer neighbour.
      const steps = [instant(i) - instant(i - 1), instant(i + 1) - instant(i)].filter((step) => step > 0);
      const text = formatTick(instant(i), Math.min(...steps));
      const half = text.length * 4;
      if (taken.some(([start, end]) => x + half > start && x - half < end)) continue;
      const anchor = i === 0 ? "start" : i === count ? "end" : "middle";
      parts.push(svg("path", { class: "tick", d: `M${x} ${STRIP}v6` }));
      parts.push(svg("text", { class: "tick-label", x, y: STRIP + 22, "text-anchor": anchor }, text));
    }
    fixed.replaceChildren(...parts);
  };

  const paintMarkers = (map: TimeMap) => {
    const model = store.run.peek()!;
    let last = Number.NEGATIVE_INFINITY;
    const marks: SVGElement[] = [];
    for (const marker of model.markers.list) {
      const place = map.mapping === "events" && marker.event >= 0 ? marker.event : map.placeOfTime(marker.time);
      const x = xOf(map, place);
      if (x < 0 || x > width.peek() || (x - last < 3 && marker.kind !== "failure")) continue;
      last = x;
      const shape = MARKER_SHAPES[marker.kind];
      const mark = svg(
        "g",
        {
          class: `marker ${marker.kind}`,
          transform: `translate(${Math.min(width.peek() - 7, Math.max(7, x))} 7)`,
          style: `--mark: var(--${shape.colour})`,
          onclick: (event: MouseEvent) => {
            event.stopPropagation();
            if (marker.event < 0) jump(store, marker.time);
            else jumpToEvent(store, marker.event);
          },
        },
        svg("title", {}, `${marker.text} (${formatTime(marker.time)})`),
        svg("rect", { x: -9, y: -7, width: 18, height: 22, fill: "transparent" }),
        svg("path", { d: shape.path }),
      );
      marks.push(mark);
    }
    markerLayer.replaceChildren(...marks);
  };

  effect(() => {
    const map = store.map.value;
    const model = store.run.value;
    store.window.value;
    if (map === undefined || model === undefined || width.value === 0) return;
    const cursor = store.cursor.value;
    head.style.transform = `translateX(${xOf(map, map.placeOf(cursor)).toFixed(2)}px)`;
    setText(clock, formatTime(cursor.time));
    setText(eventOf, `event ${formatCount(cursor.event)} of ${formatCount(model.trace.eventCount)}`);
    setAttribute(slider, "aria-valuemax", String(model.trace.endTime / 1e6));
    setAttribute(slider, "aria-valuenow", String(cursor.time / 1e6));
    // Said only when the cursor rests: playing would change it sixty times a second.
    if (!store.playing.value) {
      const state = memberSummary(model.trace.head, model.members.at(cursor.event));
      setAttribute(slider, "aria-valuetext", `${formatTime(cursor.time)}, ${state}`);
    }
    const brush = store.brush.value;
    setAttribute(brushArea, "visibility", brush === undefined ? "hidden" : "visible");
    clearBrush.hidden = brush === undefined;
    if (brush !== undefined) {
      const x0 = xOf(map, map.placeOfTime(brush[0]));
      setAttribute(brushArea, "x", String(x0));
      setAttribute(brushArea, "width", String(Math.max(1, xOf(map, map.placeOfTime(brush[1])) - x0)));
    }
  });
  effect(() => {
    const playing = store.playing.value;
    setAttribute(play, "aria-label", playing ? "Pause" : "Play");
    play.title = `${playing ? "Pause" : "Play"} (Space)`;
    setAttribute(play.querySelector("path")!, "d", playing ? ICONS.pause : ICONS.play);
    speed.value = String(store.speed.value);
    mapping.value = store.mapping.value;
    follow.hidden = store.phase.value !== "live";
    setAttribute(follow, "aria-pressed", String(store.follow.value));
  });

  // -------------------------------------------------------------------------------------------------------- pointer
  let dragFrom: number | undefined;
  let scrubbing = false;
  const local = (event: PointerEvent) => event.clientX - track.getBoundingClientRect().left;
  const scrub = (x: number) => {
    const map = store.map.peek();
    if (map === undefined) return;
    store.playing.value = false;
    store.follow.value = false;
    store.cursor.value = map.cursorAt(placeAt(map, x));
  };
  track.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    track.setPointerCapture(event.pointerId);
    const y = event.clientY - track.getBoundingClientRect().top;
    scrubbing = y >= STRIP;
    dragFrom = local(event);
    if (scrubbing) scrub(dragFrom);
  });
  track.addEventListener("pointermove", (event) => {
    if (dragFrom === undefined) return;
    const x = local(event);
    if (scrubbing) return scrub(x);
    const map = store.map.peek();
    if (map === undefined || Math.abs(x - dragFrom) < DRAG_PIXELS) return;
    const [from, to] = [Math.min(x, dragFrom), Math.max(x, dragFrom)];
    store.brush.value = [map.timeAt(placeAt(map, from)), map.timeAt(placeAt(map, to))];
  });
  track.addEventListener("pointerup", (event) => {
    const x = local(event);
    if (dragFrom !== undefined && !scrubbing && Math.abs(x - dragFrom) < DRAG_PIXELS) {
      const marker = document.elementsFromPoint(event.clientX, event.clientY).find((found) => found.closest(".marker"));
      if (marker === undefined) scrub(x);
      else marker.closest(".marker")?.dispatchEvent(new MouseEvent("click"));
    }
    dragFrom = undefined;
  });
  track.addEventListener("pointercancel", () => {
    dragFrom = undefined;
  });
  track.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const map = store.map.peek();
      if (map === undefined || map.end === 0) return;
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
        panTime(store, (event.deltaX || event.deltaY) / 800);
      } else {
        const x = event.clientX - track.getBoundingClientRect().left;
        zoomTime(store, event.deltaY > 0 ? 1.25 : 0.8, placeAt(map, x) / map.end);
      }
    },
    { passive: false },
  );
  slider.addEventListener("keydown", (event) => {
    const map = store.map.peek();
    const share = SLIDER_STEPS[event.key];
    if (map === undefined || share === undefined) return;
    event.preventDefault();
    const [from, to] = span(map);
    const place =
      Math.abs(share) > 1 ? (share > 0 ? map.end : 0) : map.placeOf(store.cursor.peek()) + (to - from) * share;
    store.playing.value = false;
    store.follow.value = false;
    store.cursor.value = map.cursorAt(place);
  });

  return element;
}

/** Steps of the slider's keys as shares of the part in view; beyond 1 stands for the very end. */
const SLIDER_STEPS: Readonly<Record<string, number>> = {
  ArrowRight: 0.01,
  ArrowUp: 0.01,
  ArrowLeft: -0.01,
  ArrowDown: -0.01,
  PageUp: 0.1,
  PageDown: -0.1,
  Home: -2,
  End: 2,
};
