/** How the topology is painted: cloud, links, devices with their state ring, packets under way. Pure drawing. */
import type { TraceHead } from "../../sim/core/traceTypes.ts";
import { MARKS, type MarkName, type Palette } from "../base/marks.ts";
import { LOST } from "../model/flights.ts";
import { type Layout, type LayoutNode, shortName } from "../model/layout.ts";
import { type Members, REGISTERED, REGISTERING } from "../model/memberState.ts";
import type { RunModel } from "../state/store.ts";

/** From world coordinates to CSS pixels: `x * k + x0`. */
export interface View {
  readonly k: number;
  readonly x: number;
  readonly y: number;
}

export interface Style {
  readonly palette: Palette;
  readonly presenter: boolean;
  readonly font: string;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export function toScreen(node: LayoutNode, view: View): Point {
  return { x: node.x * view.k + view.x, y: node.y * view.k + view.y };
}

/** Half axes of the cloud in pixels. */
export function cloudAxes(node: LayoutNode, view: View): { readonly rx: number; readonly ry: number } {
  return { rx: node.radius * view.k * 1.75, ry: node.radius * view.k * 0.92 };
}

/** Radius of a device in pixels: not below what can be seen and hit. */
export function nodeRadius(node: LayoutNode, view: View, style: Style): number {
  return Math.max(style.presenter ? 5 : 3, node.radius * view.k);
}

// ----------------------------------------------------------------------------------------------------- static layer

/** Links and clouds: what only the view changes. */
export function paintGround(
  context: CanvasRenderingContext2D,
  head: TraceHead,
  layout: Layout,
  view: View,
  style: Style,
): void {
  paintLinks(context, head, layout, view, style);
  for (const node of layout.nodes) if (node.role === "cloud") paintCloud(context, node, view, style);
  paintSpokes(context, head, layout, view, style);
}

/**
 * Devices whose state differs from `before`, or all where it is undefined. A device has its place for itself, so that it
 * can be painted anew alone. Returns the states painted.
 */
export function paintDevices(
  context: CanvasRenderingContext2D,
  head: TraceHead,
  layout: Layout,
  members: Members,
  view: View,
  style: Style,
  before: Float64Array | undefined,
): Float64Array {
  const states = new Float64Array(layout.nodes.length);
  let hatch: CanvasPattern | string | undefined;
  for (const node of layout.nodes) {
    // TEK generations beyond their parity look alike.
    const tek = members.tek[node.device]!;
    const state = members.registration[node.device]! * 4 + (tek === 0 ? 0 : 1 + (tek % 2));
    states[node.device] = state;
    if (node.role === "cloud" || before?.[node.device] === state) continue;
    hatch ??= hatchPattern(context, style.palette.gikev2, style.palette.surface);
    if (before !== undefined) {
      const { x, y } = toScreen(node, view);
      const reach = nodeRadius(node, view, style) + 2;
      context.clearRect(x - reach, y - reach, 2 * reach, 2 * reach);
    }
    paintDevice(context, head, node, members, view, style, hatch);
  }
  return states;
}

function paintLinks(
  context: CanvasRenderingContext2D,
  head: TraceHead,
  layout: Layout,
  view: View,
  style: Style,
): void {
  const many = head.links.length > 400;
  context.strokeStyle = many ? style.palette.line : style.palette["cloud-line"];
  context.lineWidth = style.presenter ? 3 : many ? 0.75 : 1.5;
  context.beginPath();
  for (const link of head.links) {
    const a = layout.nodes[link.a];
    const b = layout.nodes[link.b];
    if (a === undefined || b === undefined) continue;
    const from = toScreen(a, view);
    const to = toScreen(b, view);
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
  }
  context.stroke();
}

/** Inside the cloud the way of a packet is only hinted at. */
function paintSpokes(
  context: CanvasRenderingContext2D,
  head: TraceHead,
  layout: Layout,
  view: View,
  style: Style,
): void {
  if (head.links.length > 400) return;
  context.save();
  context.strokeStyle = style.palette["cloud-line"];
  context.globalAlpha = 0.55;
  context.lineWidth = style.presenter && head.links.length <= 60 ? 2 : 1;
  context.setLineDash([2, 5]);
  context.beginPath();
  for (const link of head.links) {
    for (const [cloud, other] of [
      [layout.nodes[link.a], layout.nodes[link.b]],
      [layout.nodes[link.b], layout.nodes[link.a]],
    ] as const) {
      if (cloud?.role !== "cloud" || other === undefined) continue;
      const centre = toScreen(cloud, view);
      const edge = cloudEdge(cloud, toScreen(other, view), view);
      context.moveTo(centre.x, centre.y);
      context.lineTo(edge.x, edge.y);
    }
  }
  context.stroke();
  context.restore();
}

/** Where the line from the cloud's centre to `target` crosses its rim. */
export function cloudEdge(cloud: LayoutNode, target: Point, view: View): Point {
  const centre = toScreen(cloud, view);
  const { rx, ry } = cloudAxes(cloud, view);
  const dx = target.x - centre.x;
  const dy = target.y - centre.y;
  const scale = 1 / Math.max(1e-6, Math.hypot(dx / rx, dy / ry));
  return { x: centre.x + dx * Math.min(1, scale), y: centre.y + dy * Math.min(1, scale) };
}

const PUFFS = 14;

function paintCloud(context: CanvasRenderingContext2D, node: LayoutNode, view: View, style: Style): void {
  const centre = toScreen(node, view);
  const { rx, ry } = cloudAxes(node, view);
  const puff = ry * 0.36;
  context.beginPath();
  for (let i = 0; i < PUFFS; i++) {
    const angle = ((i + 0.5) / PUFFS) * 2 * Math.PI;
    const wobble = 1 + 0.18 * ((i * 7) % 3) - 0.12;
    const x = centre.x + Math.cos(angle) * (rx - puff);
    const y = centre.y + Math.sin(angle) * (ry - puff);
    context.moveTo(x + puff * wobble, y);
    context.arc(x, y, puff * wobble, 0, 2 * Math.PI);
  }
  // The outline is what remains of all puffs when the inside is painted over them.
  context.strokeStyle = style.palette["cloud-line"];
  context.lineWidth = style.presenter ? 6 : 3;
  context.stroke();
  context.fillStyle = style.palette.cloud;
  context.fill();
  context.beginPath();
  context.ellipse(centre.x, centre.y, rx - puff * 0.8, ry - puff * 0.6, 0, 0, 2 * Math.PI);
  context.fill();
}

function paintDevice(
  context: CanvasRenderingContext2D,
  head: TraceHead,
  node: LayoutNode,
  members: Members,
  view: View,
  style: Style,
  hatch: CanvasPattern | string,
): void {
  const { x, y } = toScreen(node, view);
  const radius = nodeRadius(node, view, style);
  const { palette } = style;
  const name = head.devices[node.device]!.name;
  if (node.role === "ks") {
    hexagon(context, x, y, radius);
    context.fillStyle = palette.gikev2;
    context.fill();
    context.strokeStyle = palette.surface;
    context.lineWidth = Math.max(1.5, radius * 0.07);
    hexagon(context, x, y, radius * 0.82);
    context.stroke();
    inscription(context, x, y, "KS", radius * 0.62, palette.surface, style);
    return;
  }
  if (node.role !== "gm") {
    const half = radius * 0.85;
    context.beginPath();
    context.roundRect(x - half, y - half * 0.7, half * 2, half * 1.4, radius * 0.25);
    context.fillStyle = palette.surface;
    context.fill();
    context.strokeStyle = palette.idle;
    context.lineWidth = style.presenter ? 3 : 2;
    context.stroke();
    if (radius >= 11) inscription(context, x, y, shortName(name), radius * 0.55, palette.ink, style);
    return;
  }
  paintMember(context, x, y, radius, members.registration[node.device]!, members.tek[node.device]!, style, hatch);
  if (radius >= INSCRIBED_MIN) {
    inscription(context, x, y, shortName(name), Math.min(radius * 0.8, 22), palette.ink, style);
  }
}

/** Smaller members are discs: neither a ring nor a number would be read. */
const INSCRIBED_MIN = 8.5;

/** A member's ring: hollow and dashed, three quarters in progress, solid or hatched by TEK generation. */
export function paintMember(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  radius: number,
  registration: number,
  tek: number,
  style: Style,
  hatch: CanvasPattern | string,
): void {
  const { palette } = style;
  const ring = radius < INSCRIBED_MIN ? radius : Math.max(2.5, radius * 0.26);
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = palette.surface;
  context.fill();
  if (registration === REGISTERED && tek > 0) {
    context.fillStyle = tek % 2 === 0 ? hatch : palette.gikev2;
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    if (ring < radius) context.arc(x, y, radius - ring, 0, 2 * Math.PI, true);
    context.fill();
    context.strokeStyle = palette.gikev2;
    context.lineWidth = Math.max(1, radius * 0.05);
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.stroke();
    return;
  }
  const width = Math.max(1.5, Math.min(style.presenter ? 4 : 3, radius * 0.2));
  context.lineWidth = width;
  context.strokeStyle = palette.idle;
  if (registration === REGISTERED) context.strokeStyle = palette.gikev2;
  else context.setLineDash(radius < INSCRIBED_MIN ? [] : [width * 1.6, width * 1.4]);
  context.beginPath();
  context.arc(x, y, radius - width / 2, 0, 2 * Math.PI);
  context.stroke();
  context.setLineDash([]);
  if (registration !== REGISTERING) return;
  context.strokeStyle = palette.gikev2;
  context.lineWidth = width * 1.5;
  context.beginPath();
  context.arc(x, y, radius - width * 0.75, -Math.PI / 2, Math.PI);
  context.stroke();
}

function inscription(
  context: CanvasRenderingContext2D,
  x: number,
  y: number,
  text: string,
  size: number,
  colour: string,
  style: Style,
): void {
  context.font = `600 ${size.toFixed(1)}px ${style.font}`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.fillStyle = colour;
  context.fillText(text, x, y + size * 0.05);
}

export function hexagon(context: CanvasRenderingContext2D, x: number, y: number, radius: number): void {
  context.beginPath();
  for (let corner = 0; corner < 6; corner++) {
    const angle = ((corner + 0.5) / 6) * 2 * Math.PI;
    const cx = x + Math.cos(angle) * radius;
    const cy = y + Math.sin(angle) * radius;
    if (corner === 0) context.moveTo(cx, cy);
    else context.lineTo(cx, cy);
  }
  context.closePath();
}

/** 45 degree lines of `colour` on `ground`: every second TEK generation. */
export function hatchPattern(
  context: CanvasRenderingContext2D,
  colour: string,
  ground: string,
): CanvasPattern | string {
  const size = 6;
  const tile = document.createElement("canvas");
  tile.width = size;
  tile.height = size;
  const paint = tile.getContext("2d");
  if (paint === null) return colour;
  paint.fillStyle = ground;
  paint.fillRect(0, 0, size, size);
  paint.strokeStyle = colour;
  paint.lineWidth = 2.4;
  paint.beginPath();
  for (const shift of [-size, 0, size]) {
    paint.moveTo(shift - 1, size + 1);
    paint.lineTo(shift + size + 1, -1);
  }
  paint.stroke();
  return context.createPattern(tile, "repeat") ?? colour;
}

// ----------------------------------------------------------------------------------------------------- moving layer

export interface Moment {
  readonly time: number;
  /** Losses stay visible from this instant on. */
  readonly lingerFrom: number;
  /** Packet to be pointed out, or -1. */
  readonly packet: number;
  /** Arrows along the links in the place of moving dots. */
  readonly still: boolean;
}

/** Above this many packets under way the tails are left out. */
const TAILS_MAX = 1500;
/** Packets keep to the right of the middle of a link, so that both directions can be seen. */
const LANE = 4;

const shapes = new Map<MarkName, Path2D>();

function shapeOf(name: MarkName): Path2D {
  const known = shapes.get(name);
  if (known !== undefined) return known;
  const shape = new Path2D(MARKS[name].path);
  shapes.set(name, shape);
  return shape;
}

/** Where a flight is on the screen at `share` of its way from 0 to 1. */
export function flightPoint(
  model: RunModel,
  layout: Layout,
  flight: number,
  share: number,
  view: View,
  style: Style,
): Point {
  const { flights } = model;
  const source = layout.nodes[flights.from[flight]!];
  if (source === undefined) return OFF_SCREEN;
  if (flights.entry[flight]! >= 0) return crossingPoint(model, layout, flight, share, view);
  const target = layout.nodes[flights.to(flight)];
  if (target === undefined) return OFF_SCREEN;
  const rim = flights.rim[flight] === 1;
  const a = source.role === "cloud" && rim ? cloudEdge(source, toScreen(target, view), view) : toScreen(source, view);
  const b = target.role === "cloud" && rim ? cloudEdge(target, toScreen(source, view), view) : toScreen(target, view);
  const length = Math.max(1e-6, Math.hypot(b.x - a.x, b.y - a.y));
  const ux = (b.x - a.x) / length;
  const uy = (b.y - a.y) / length;
  const start = source.role === "cloud" ? 0 : nodeRadius(source, view, style);
  const stop = target.role === "cloud" ? 0 : nodeRadius(target, view, style);
  const at = start + (length - start - stop) * share;
  // At a cloud both lanes meet.
  const near = (cloud: boolean, distance: number) => (cloud ? Math.min(1, distance / 40) : 1);
  const lane = LANE * Math.min(near(source.role === "cloud", at), near(target.role === "cloud", length - at));
  return { x: a.x + ux * at - uy * lane, y: a.y + uy * at + ux * lane };
}

const OFF_SCREEN: Point = { x: -100, y: -100 };

/** Through a cloud: from rim to centre to rim, so that copies of one packet part in the middle. */
function crossingPoint(model: RunModel, layout: Layout, flight: number, share: number, view: View): Point {
  const { flights } = model;
  const cloud = layout.nodes[flights.from[flight]!]!;
  const comes = layout.nodes[flights.farEnd(flights.entry[flight]!, cloud.device)];
  const goes = layout.nodes[flights.farEnd(flights.link[flight]!, cloud.device)];
  const centre = toScreen(cloud, view);
  const first = share < 0.5;
  const outer = first ? comes : goes;
  if (outer === undefined) return centre;
  const edge = cloudEdge(cloud, toScreen(outer, view), view);
  const part = Math.abs(share * 2 - 1);
  return { x: centre.x + (edge.x - centre.x) * part, y: centre.y + (edge.y - centre.y) * part };
}

export function packetSize(layout: Layout, style: Style): number {
  if (style.presenter) return layout.labelled ? 10 : 7;
  return layout.labelled ? 7 : layout.nodes.length > 1000 ? 3 : 5;
}

/** Paints all packets under way; returns how many there are. */
export function paintPackets(
  context: CanvasRenderingContext2D,
  model: RunModel,
  layout: Layout,
  moment: Moment,
  view: View,
  style: Style,
): number {
  const { flights, trace } = model;
  const found: number[] = [];
  flights.visit(moment.time, moment.lingerFrom, (flight) => {
    if (flights.outcome[flight] === LOST || flights.end[flight]! >= moment.time) found.push(flight);
  });
  const size = packetSize(layout, style);
  const tails = found.length <= TAILS_MAX;
  let underWay = 0;
  for (const flight of found) {
    const lost = flights.outcome[flight] === LOST;
    const over = lost && flights.end[flight]! <= moment.time;
    const share = over ? flights.lossAt[flight]! : shareAt(model, flight, moment.time);
    const point = flightPoint(model, layout, flight, share, view, style);
    const name = trace.classOf(flights.packet[flight]!);
    const colour = style.palette[MARKS[over ? "lost" : name].colour];
    if (!over) underWay++;
    if (tails && (!over || moment.still)) {
      const back = moment.still ? 0 : Math.max(0, share - 0.16);
      const tail = flightPoint(model, layout, flight, back, view, style);
      const tip = moment.still && !lost ? flightPoint(model, layout, flight, 1, view, style) : point;
      paintTail(context, tail, tip, style.palette[MARKS[name].colour], size, moment.still && !lost);
    }
    if (flights.packet[flight] === moment.packet) halo(context, point, size, style);
    stamp(context, point, over ? "lost" : name, colour, over ? size * 1.15 : size, style);
  }
  return underWay;
}

function shareAt(model: RunModel, flight: number, time: number): number {
  const { flights } = model;
  const start = flights.start[flight]!;
  const span = flights.end[flight]! - start;
  const share = span <= 0 ? 1 : Math.min(1, Math.max(0, (time - start) / span));
  return flights.outcome[flight] === LOST ? share * flights.lossAt[flight]! : share;
}

function paintTail(
  context: CanvasRenderingContext2D,
  from: Point,
  to: Point,
  colour: string,
  size: number,
  arrow: boolean,
): void {
  context.globalAlpha = arrow ? 0.9 : 0.35;
  context.strokeStyle = colour;
  context.lineWidth = arrow ? 2 : size * 0.7;
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(from.x, from.y);
  context.lineTo(to.x, to.y);
  if (arrow) {
    const angle = Math.atan2(to.y - from.y, to.x - from.x);
    for (const turn of [-0.45, 0.45]) {
      context.moveTo(to.x, to.y);
      context.lineTo(to.x - Math.cos(angle + turn) * size * 1.6, to.y - Math.sin(angle + turn) * size * 1.6);
    }
  }
  context.stroke();
  context.globalAlpha = 1;
}

function halo(context: CanvasRenderingContext2D, point: Point, size: number, style: Style): void {
  context.strokeStyle = style.palette.cursor;
  context.lineWidth = 2;
  context.beginPath();
  context.arc(point.x, point.y, size * 1.9, 0, 2 * Math.PI);
  context.stroke();
}

function stamp(
  context: CanvasRenderingContext2D,
  point: Point,
  name: MarkName,
  colour: string,
  size: number,
  style: Style,
): void {
  const mark = MARKS[name];
  context.save();
  context.translate(point.x, point.y);
  context.scale(size, size);
  const shape = shapeOf(name);
  // A rim in the colour of the ground keeps marks apart where they overlap.
  context.strokeStyle = style.palette.surface;
  context.lineWidth = name === "lost" ? 0.85 : mark.filled ? 0.5 : 0.9;
  context.stroke(shape);
  if (name !== "lost") {
    context.fillStyle = mark.filled ? colour : style.palette.surface;
    context.fill(shape);
  }
  if (!mark.filled) {
    context.strokeStyle = colour;
    context.lineWidth = 0.42;
    context.stroke(shape);
  }
  context.restore();
}
