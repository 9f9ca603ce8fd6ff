/**
 * Where devices stand: the WAN cloud in the middle, key servers above it, members around it on ellipses, whatever hangs
 * behind a member outside of it. A pure function of the trace's head and of the shape of the canvas, so that the same
 * trace always gives the same picture.
 */
import type { DeviceRole, TraceHead } from "../../sim/core/traceTypes.ts";

export interface LayoutNode {
  readonly device: number;
  readonly role: DeviceRole;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

export interface Layout {
  /** The world: x from 0 to `width`, y from 0 to `height`. */
  readonly width: number;
  readonly height: number;
  /** One per device, by device number. */
  readonly nodes: readonly LayoutNode[];
  /** Devices are few and large enough to carry name and address beside them. */
  readonly labelled: boolean;
}

const WIDTH = 1600;
const MEMBER_RADIUS_MAX = 34;
const LABELLED_MAX = 40;
/** Arc around the top of the ellipse that belongs to the key servers, in turns, for one of them and for each more. */
const SERVER_ARC = 0.2;
const SERVER_ARC_EACH = 0.07;

interface Tree {
  readonly root: number;
  readonly children: readonly (readonly number[])[];
  readonly depth: readonly number[];
}

/**
 * `aspect`: width over height of the canvas; clamped to 1.2 .. 3 so that a thin strip still gives a ring. `footer`: share
 * of the height that the writing below a device takes.
 */
export function layoutOf(head: TraceHead, aspect: number, footer = 0.13): Layout {
  const height = WIDTH / Math.min(3, Math.max(1.2, aspect));
  const count = head.devices.length;
  if (count === 0) return { width: WIDTH, height, nodes: [], labelled: true };
  const tree = spanningTree(head);
  const place = new Array<{ x: number; y: number; radius: number }>(count);
  const labelled = count <= LABELLED_MAX;
  const cx = WIDTH / 2;
  const cy = height / 2;

  const first = tree.children[tree.root]!;
  const servers = first.filter((device) => head.devices[device]!.role === "ks");
  const members = ordered(
    head,
    first.filter((device) => head.devices[device]!.role !== "ks"),
  );
  const deep = Math.max(
    1,
    tree.depth.reduce((a, b) => Math.max(a, b), 0),
  );
  // Names stand below the nodes, so the ring leaves more room at the bottom than at the top.
  const top = labelled ? MEMBER_RADIUS_MAX * 1.8 : 50;
  const bottom = labelled ? MEMBER_RADIUS_MAX * 1.2 + height * footer : 36;
  const outer = {
    cx,
    cy: (height + top - bottom) / 2,
    rx: WIDTH / 2 - (labelled ? 120 : 40),
    ry: (height - top - bottom) / 2,
  };
  place[tree.root] = { x: cx, y: outer.cy, radius: outer.ry * 0.52 };
  const reach = deep > 1 ? 0.62 : 1;
  const rings = ringCount(members.length, outer, deep);
  const serverArc = servers.length === 0 ? 0 : SERVER_ARC + SERVER_ARC_EACH * (servers.length - 1);
  const radius = memberRadius(members.length, rings, outer, reach);

  servers.forEach((device, i) => {
    const turn = 0.75 + serverArc * 0.62 * (servers.length === 1 ? 0 : i / (servers.length - 1) - 0.5);
    place[device] = { ...onEllipse(outer, reach, turn), radius: Math.max(radius * 1.15, 20) };
  });
  members.forEach((device, i) => {
    // Members go round from the left of the key servers, by the bottom, to their right: the order of reading.
    const share = (i + 0.5) / members.length;
    const turn = 0.75 - serverArc / 2 - (1 - serverArc) * share;
    const ring = rings === 1 ? reach : reach * (1 - 0.42 * ((i % rings) / (rings - 1)));
    place[device] = { ...onEllipse(outer, ring, evenTurn(outer, turn)), radius };
    placeBehind(tree, device, turn, (1 - serverArc) / members.length, 2, deep, outer, radius, place);
  });
  const nodes = head.devices.map((device, number) => {
    const at = place[number] ?? { x: cx, y: cy, radius };
    return { device: number, role: device.role, ...at };
  });
  return { width: WIDTH, height, nodes, labelled };
}

type Ellipse = { readonly cx: number; readonly cy: number; readonly rx: number; readonly ry: number };

function onEllipse(ellipse: Ellipse, scale: number, turn: number): { x: number; y: number } {
  const angle = turn * 2 * Math.PI;
  return { x: ellipse.cx + Math.cos(angle) * ellipse.rx * scale, y: ellipse.cy + Math.sin(angle) * ellipse.ry * scale };
}

const STEPS = 720;

/** The turn at which the same share of the ellipse's circumference, rather than of its angle, lies behind. */
function evenTurn(ellipse: Ellipse, turn: number): number {
  const lengths = arcLengths(ellipse);
  const wanted = (turn - Math.floor(turn)) * lengths[STEPS]!;
  let step = 0;
  while (step < STEPS - 1 && lengths[step + 1]! < wanted) step++;
  const from = lengths[step]!;
  const share = (wanted - from) / Math.max(1e-9, lengths[step + 1]! - from);
  return (step + share) / STEPS;
}

const arcTables = new Map<string, readonly number[]>();

function arcLengths(ellipse: Ellipse): readonly number[] {
  const key = `${ellipse.rx}:${ellipse.ry}`;
  const known = arcTables.get(key);
  if (known !== undefined) return known;
  const lengths = [0];
  let last = onEllipse(ellipse, 1, 0);
  for (let step = 1; step <= STEPS; step++) {
    const next = onEllipse(ellipse, 1, step / STEPS);
    lengths.push(lengths[step - 1]! + Math.hypot(next.x - last.x, next.y - last.y));
    last = next;
  }
  if (arcTables.size > 16) arcTables.clear();
  arcTables.set(key, lengths);
  return lengths;
}

/** As many rings as give the members the most room: one for a class-room lab, two or three for a hundred. */
function ringCount(members: number, ellipse: Ellipse, deep: number): number {
  if (deep > 1) return 1;
  let best = 1;
  for (let rings = 2; rings <= 40; rings++) {
    if (memberRadius(members, rings, ellipse, 1) > memberRadius(members, best, ellipse, 1) * 1.05) best = rings;
  }
  return best;
}

function memberRadius(members: number, rings: number, ellipse: Ellipse, reach: number): number {
  const inner = rings === 1 ? reach : reach * 0.58;
  const around = (arcLengths(ellipse)[STEPS]! * inner * 0.8 * rings) / Math.max(1, members);
  const across = rings === 1 ? Number.POSITIVE_INFINITY : (ellipse.ry * reach * 0.42) / (rings - 1);
  return Math.max(2, Math.min(MEMBER_RADIUS_MAX, around * 0.36, across * 0.45));
}

function placeBehind(
  tree: Tree,
  parent: number,
  turn: number,
  width: number,
  depth: number,
  deep: number,
  ellipse: Ellipse,
  radius: number,
  place: { x: number; y: number; radius: number }[],
): void {
  const children = tree.children[parent]!;
  children.forEach((device, i) => {
    const at = turn + width * ((i + 0.5) / children.length - 0.5);
    const scale = 0.62 + 0.38 * ((depth - 1) / Math.max(1, deep - 1));
    place[device] = { ...onEllipse(ellipse, scale, evenTurn(ellipse, at)), radius: radius * 0.8 };
    placeBehind(tree, device, at, width / children.length, depth + 1, deep, ellipse, radius, place);
  });
}

/** Neighbours on the screen are neighbours in the network: by site first, then by number. */
function ordered(head: TraceHead, devices: readonly number[]): readonly number[] {
  const sites = new Map<string, number>();
  for (const device of devices) {
    const site = head.devices[device]!.site ?? "";
    if (!sites.has(site)) sites.set(site, sites.size);
  }
  const rank = (device: number) => sites.get(head.devices[device]!.site ?? "") ?? 0;
  return [...devices].sort((a, b) => rank(a) - rank(b) || a - b);
}

/** Breadth first from the cloud, or from the device with most links where there is no cloud. */
function spanningTree(head: TraceHead): Tree {
  const count = head.devices.length;
  const neighbours: number[][] = Array.from({ length: count }, () => []);
  for (const link of head.links) {
    neighbours[link.a]?.push(link.b);
    neighbours[link.b]?.push(link.a);
  }
  const cloud = head.devices.findIndex((device) => device.role === "cloud");
  let root = cloud;
  if (root < 0) {
    root = 0;
    for (let device = 1; device < count; device++) {
      if (neighbours[device]!.length > neighbours[root]!.length) root = device;
    }
  }
  const children: number[][] = Array.from({ length: count }, () => []);
  const depth = new Array<number>(count).fill(-1);
  depth[root] = 0;
  const queue = [root];
  for (let at = 0; at < count; at++) {
    if (at >= queue.length) {
      // A device without a path to the root stands on the first ring, like a neighbour whose link is missing.
      const stray = depth.indexOf(-1);
      if (stray < 0) break;
      depth[stray] = 1;
      children[root]!.push(stray);
      queue.push(stray);
    }
    const device = queue[at]!;
    for (const next of neighbours[device]!) {
      if (depth[next] !== -1) continue;
      depth[next] = depth[device]! + 1;
      children[device]!.push(next);
      queue.push(next);
    }
  }
  return { root, children, depth };
}

/** The part of a name that tells devices of one kind apart, short enough for the inside of a circle: `gm37` gives `37`. */
export function shortName(name: string): string {
  const digits = /(\d+)$/.exec(name);
  return digits === null ? name.slice(0, 3) : digits[1]!;
}
