/** Rows of one height of which only those in view exist as elements, over @tanstack/virtual-core's sizes and scrolling. */
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";

export interface RowWindowOptions {
  readonly rowHeight: () => number;
  /** Height of what stands above the rows and stays in view. */
  readonly above: () => number;
  /** Called when the rows in view are there. */
  readonly drawn: () => void;
  readonly create: (slot: HTMLElement) => void;
  readonly render: (slot: HTMLElement, row: number) => void;
}

export class RowWindow {
  private readonly scroller: HTMLElement;
  private readonly body: HTMLElement;
  private readonly options: RowWindowOptions;
  private readonly virtualizer: Virtualizer<HTMLElement, HTMLElement>;
  private readonly slots = new Map<number, HTMLElement>();
  private count = 0;

  constructor(scroller: HTMLElement, body: HTMLElement, options: RowWindowOptions) {
    this.scroller = scroller;
    this.body = body;
    this.options = options;
    this.virtualizer = new Virtualizer(this.settings());
    // The library counts on a frame to tell it of mounting; here that is the moment the page is put together.
    this.virtualizer._didMount();
    requestAnimationFrame(() => this.refresh());
  }

  /** Rows that fit into the view. */
  get visible(): number {
    return Math.max(1, Math.floor((this.scroller.clientHeight - this.options.above()) / this.options.rowHeight()));
  }

  setCount(count: number): void {
    this.count = count;
    this.refresh();
  }

  /** Draws every row in view anew. */
  refresh(): void {
    this.virtualizer.setOptions(this.settings());
    this.virtualizer._willUpdate();
    this.draw();
  }

  /** Gives every row in view the chance to change. */
  redraw(): void {
    this.draw();
  }

  /** Rows have other content now: what is drawn is worth nothing. */
  forget(): void {
    for (const slot of this.slots.values()) slot.remove();
    this.slots.clear();
    this.virtualizer.measure();
  }

  /** Scrolls by as little as brings `row` into view. */
  reveal(row: number): void {
    const height = this.options.rowHeight();
    const top = row * height;
    const bottom = top + height;
    if (top < this.scroller.scrollTop) this.scroller.scrollTop = Math.max(0, top - height);
    else if (bottom + this.options.above() > this.scroller.scrollTop + this.scroller.clientHeight) {
      this.scroller.scrollTop = bottom + height + this.options.above() - this.scroller.clientHeight;
    }
  }

  private settings() {
    return {
      count: this.count,
      getScrollElement: () => this.scroller,
      estimateSize: () => this.options.rowHeight(),
      scrollToFn: elementScroll,
      observeElementRect,
      observeElementOffset,
      overscan: 8,
      onChange: () => this.draw(),
    };
  }

  private draw(): void {
    const height = this.options.rowHeight();
    const total = `${this.count * height}px`;
    if (this.body.style.height !== total) this.body.style.height = total;
    const items = this.virtualizer.getVirtualItems();
    const wanted = new Set(items.map((item) => item.index));
    const free: HTMLElement[] = [];
    for (const [row, slot] of this.slots) {
      if (wanted.has(row)) continue;
      this.slots.delete(row);
      free.push(slot);
    }
    for (const { index } of items) {
      let slot = this.slots.get(index);
      if (slot === undefined) {
        slot = free.pop() ?? this.create();
        this.slots.set(index, slot);
        slot.style.transform = `translateY(${index * height}px)`;
      }
      this.options.render(slot, index);
    }
    for (const slot of free) slot.remove();
    this.options.drawn();
  }

  private create(): HTMLElement {
    const slot = document.createElement("div");
    this.options.create(slot);
    this.body.append(slot);
    return slot;
  }
}
