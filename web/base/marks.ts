/**
 * The marks of packet classes: shape and colour together, the same on the canvas, in the list and in the legend. Shapes
 * fill a square from -1 to 1.
 */
import type { PacketClass } from "../model/packetFacts.ts";
import { svg } from "./dom.ts";

export type MarkName = PacketClass | "lost";

export interface Mark {
  readonly path: string;
  /** Name of a colour token. */
  readonly colour: Colour;
  readonly filled: boolean;
  readonly title: string;
}

export const COLOURS = [
  "surface",
  "panel",
  "line",
  "line-strong",
  "ink",
  "muted",
  "focus",
  "gikev2",
  "gdoi",
  "ok",
  "failure",
  "kek",
  "idle",
  "cloud",
  "cloud-line",
  "cursor",
  "selected",
] as const;
export type Colour = (typeof COLOURS)[number];
export type Palette = Readonly<Record<Colour, string>>;

const CIRCLE = "M-0.9 0A0.9 0.9 0 1 1 0.9 0A0.9 0.9 0 1 1 -0.9 0Z";
const SQUARE = "M-0.75 -0.75H0.75V0.75H-0.75Z";
const DIAMOND = "M0 -1.1L1.1 0L0 1.1L-1.1 0Z";
const TRIANGLE = "M0 -1L1 0.8H-1Z";
const CROSS = "M-0.8 -0.8L0.8 0.8M0.8 -0.8L-0.8 0.8";

export const MARKS: Readonly<Record<MarkName, Mark>> = {
  registration: { path: CIRCLE, colour: "gikev2", filled: true, title: "Registration" },
  rekey: { path: DIAMOND, colour: "kek", filled: true, title: "Rekey" },
  ack: { path: TRIANGLE, colour: "ok", filled: true, title: "Rekey acknowledged" },
  data: { path: SQUARE, colour: "idle", filled: true, title: "Data in ESP" },
  clear: { path: SQUARE, colour: "ink", filled: false, title: "Data in the clear" },
  other: { path: CIRCLE, colour: "idle", filled: false, title: "Other control" },
  lost: { path: CROSS, colour: "failure", filled: false, title: "Lost" },
};

/** Colours of the theme in force, for canvases. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const entries = COLOURS.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
  return Object.fromEntries(entries) as Palette;
}

/** The mark as an image of 14 by 14 for lists and legends; the text beside it names it. */
export function markIcon(name: MarkName): SVGSVGElement {
  const mark = MARKS[name];
  const colour = `var(--${mark.colour})`;
  return svg(
    "svg",
    { viewBox: "-1.5 -1.5 3 3", width: 14, height: 14, class: "mark", "aria-hidden": "true", "data-mark": name },
    svg("path", {
      d: mark.path,
      fill: mark.filled ? colour : "none",
      stroke: colour,
      "stroke-width": name === "lost" ? 0.6 : mark.filled ? 0.1 : 0.4,
      "stroke-linejoin": "round",
    }),
  );
}
