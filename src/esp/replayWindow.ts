/** Counter-based anti-replay: a window of sequence numbers behind the highest one seen. RFC 4303 section 3.4.3. */

/** Plain data. `seen` holds a bit per number, number n at bit n modulo the size. */
export interface ReplayWindow {
  /** 64, 128, 256, 512 or 1024 on IOS; any multiple of 32. */
  readonly size: number;
  highest: number;
  readonly seen: Int32Array;
}

export function createReplayWindow(size: number): ReplayWindow {
  return { size, highest: 0, seen: new Int32Array(size >>> 5) };
}

/** Whether a number may still arrive. Asked before the ICV is computed; nothing changes. Zero never arrives. */
export function isFresh(window: ReplayWindow, sequence: number): boolean {
  if (sequence === 0) return false;
  if (sequence > window.highest) return true;
  return sequence + window.size > window.highest && !bitAt(window, sequence);
}

/** Notes a number whose packet has proved genuine. */
export function markSeen(window: ReplayWindow, sequence: number): void {
  const { size, seen } = window;
  if (sequence > window.highest) {
    if (sequence - window.highest >= size) seen.fill(0);
    else for (let n = window.highest + 1; n < sequence; n++) seen[(n % size) >>> 5]! &= ~(1 << (n & 31));
    window.highest = sequence;
  }
  seen[(sequence % size) >>> 5]! |= 1 << (sequence & 31);
}

function bitAt({ size, seen }: ReplayWindow, sequence: number): boolean {
  return (seen[(sequence % size) >>> 5]! & (1 << (sequence & 31))) !== 0;
}
