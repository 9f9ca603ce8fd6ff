import type { Signal } from "@preact/signals-core";

/** What field tree and octets share: row numbers of the laid-out tree, -1 for none. */
export interface Link {
  /** Chosen by a click or the keyboard. */
  readonly field: Signal<number>;
  /** Under the pointer. */
  readonly hovered: Signal<number>;
}
