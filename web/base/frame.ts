/** Drawing at most once a frame, however many signals change. */
import { effect } from "@preact/signals-core";

/**
 * Calls `draw` in the next frame whenever a signal that `read` reads has changed, and once at the start. With
 * `rest` there are at least so many milliseconds between two calls: what nobody can read at sixty frames a second leaves
 * the time to what moves. The last change is always drawn.
 */
export function frameEffect(read: () => void, draw: () => void, rest = () => 0): void {
  let queued = false;
  let last = Number.NEGATIVE_INFINITY;
  const frame = (now: number) => {
    if (now - last < rest()) {
      requestAnimationFrame(frame);
      return;
    }
    last = now;
    queued = false;
    draw();
  };
  effect(() => {
    read();
    if (queued) return;
    queued = true;
    requestAnimationFrame(frame);
  });
}
