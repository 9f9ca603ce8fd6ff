/** Drawing at most once a frame, however many signals change. */
import { effect } from "@preact/signals-core";

/** Calls `draw` in the next frame whenever a signal that `read` reads has changed, and once at the start. */
export function frameEffect(read: () => void, draw: () => void): void {
  let queued = false;
  effect(() => {
    read();
    if (queued) return;
    queued = true;
    requestAnimationFrame(() => {
      queued = false;
      draw();
    });
  });
}
