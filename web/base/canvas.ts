/** A canvas that fills its parent at the resolution of the screen. */

export interface Surface {
  readonly canvas: HTMLCanvasElement;
  readonly context: CanvasRenderingContext2D;
  /** CSS pixels. */
  width: number;
  height: number;
}

export function surface(canvas: HTMLCanvasElement): Surface {
  const context = canvas.getContext("2d");
  if (context === null) throw new Error("this browser has no 2D canvas");
  return { canvas, context, width: 0, height: 0 };
}

/** Fits the canvas to `width` by `height` CSS pixels; returns whether anything changed. Clears it where it did. */
export function resize(target: Surface, width: number, height: number): boolean {
  const scale = globalThis.devicePixelRatio || 1;
  const pixelWidth = Math.max(1, Math.round(width * scale));
  const pixelHeight = Math.max(1, Math.round(height * scale));
  if (target.canvas.width === pixelWidth && target.canvas.height === pixelHeight) return false;
  target.canvas.width = pixelWidth;
  target.canvas.height = pixelHeight;
  target.canvas.style.width = `${width}px`;
  target.canvas.style.height = `${height}px`;
  target.width = width;
  target.height = height;
  return true;
}

/** Clears the surface and sets its unit to one CSS pixel. */
export function begin(target: Surface): CanvasRenderingContext2D {
  const scale = target.canvas.width / Math.max(1, target.width);
  target.context.setTransform(scale, 0, 0, scale, 0, 0);
  target.context.clearRect(0, 0, target.width, target.height);
  return target.context;
}
