/**
 * Which lines of writing find room beside the devices: a line that would lie over a device or over another line is left
 * out. Names come before addresses, addresses before states, so that a crowded picture loses the least important first;
 * addresses and states are there for all devices or for none. Zooming in makes room again.
 */
export interface LabelLine {
  readonly device: number;
  /** 0 for the name, 1 for the address, 2 for the state. */
  readonly rank: number;
  /** Middle of the line, or its left end where it starts there. */
  readonly x: number;
  /** Base line. */
  readonly y: number;
  readonly starts: boolean;
  /** What the text takes, in pixels. */
  readonly width: number;
  /** Is shown whatever it covers: of a device that somebody points at. */
  readonly pinned: boolean;
}

export interface Disc {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
}

interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Pixels between two lines that stand side by side: without them two names read as one. */
const GAP = 4;
/** Shares of the line height above and below the base line. */
const ABOVE = 0.72;
const BELOW = 0.18;

/** The lines that are shown, in their order. `lineHeight` and all places in pixels. */
export function linesThatFit<Line extends LabelLine>(
  lines: readonly Line[],
  discs: readonly Disc[],
  lineHeight: number,
): readonly Line[] {
  const taken: Box[] = [];
  const shown = new Set<Line>();
  const place = (line: Line): boolean => {
    const box = boxOf(line, lineHeight);
    const fits = !taken.some((other) => overlap(box, other)) && !discs.some((disc) => covers(disc, box));
    if (!line.pinned && !fits) return false;
    taken.push(box);
    shown.add(line);
    return true;
  };
  for (const line of lines) if (line.pinned) place(line);
  const open = lines.filter((line) => !line.pinned);
  for (const line of open) if (line.rank === 0) place(line);
  for (const rank of [1, 2]) {
    const row = open.filter((line) => line.rank === rank);
    if (row.every(place)) continue;
    for (const line of row) shown.delete(line);
    break;
  }
  return lines.filter((line) => shown.has(line));
}

function boxOf({ x, y, starts, width }: LabelLine, lineHeight: number): Box {
  const left = starts ? x : x - width / 2;
  return { left, right: left + width, top: y - lineHeight * ABOVE, bottom: y + lineHeight * BELOW };
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right + GAP && b.left < a.right + GAP && a.top < b.bottom && b.top < a.bottom;
}

function covers({ x, y, radius }: Disc, box: Box): boolean {
  const dx = Math.max(box.left - x, 0, x - box.right);
  const dy = Math.max(box.top - y, 0, y - box.bottom);
  return dx * dx + dy * dy < radius * radius;
}
