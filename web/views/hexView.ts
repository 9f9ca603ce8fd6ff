/** Octets of a packet, sixteen a row with ASCII; decrypted contents follow as blocks of their own. */
import { effect } from "@preact/signals-core";
import { h } from "../base/dom.ts";
import { type FieldTree, rowAt } from "../model/fieldTree.ts";
import type { PacketPart } from "./fieldView.ts";
import type { Link } from "./packetLink.ts";

const ROW = 16;

export function hexView(link: Link): PacketPart {
  const element = h("div", {
    class: "hex mono",
    role: "region",
    "aria-label": "Octets",
    tabindex: 0,
    "data-testid": "hex",
  });
  let tree: FieldTree = { rows: [], buffers: [] };
  /** Cells by buffer and offset: the octet and its character. */
  let cells: (readonly [HTMLElement, HTMLElement])[][] = [];
  let marked: HTMLElement[] = [];

  const show = (next: FieldTree) => {
    tree = next;
    marked = [];
    cells = next.buffers.map(() => []);
    element.replaceChildren(...next.buffers.flatMap((_, buffer) => block(buffer)));
    element.scrollTop = 0;
  };

  const block = (buffer: number): HTMLElement[] => {
    const { octets, title } = tree.buffers[buffer]!;
    const parts: HTMLElement[] = [];
    if (tree.buffers.length > 1) {
      const name = buffer === 0 ? "On the wire" : `Decrypted: ${title}`;
      parts.push(h("h4", { class: "heading hex-title" }, `${name}, ${octets.length} octets`));
    }
    for (let start = 0; start < octets.length; start += ROW) {
      const hex = h("span", { class: "hex-octets" });
      const text = h("span", { class: "hex-text" });
      for (let at = start; at < Math.min(octets.length, start + ROW); at++) {
        const octet = octets[at]!;
        const place = `${buffer}:${at}`;
        const cell = h("span", { "data-at": place }, octet.toString(16).padStart(2, "0"));
        const character = h(
          "span",
          { "data-at": place },
          octet >= 32 && octet < 127 ? String.fromCharCode(octet) : "·",
        );
        hex.append(cell);
        text.append(character);
        cells[buffer]!.push([cell, character]);
      }
      const offset = h("span", { class: "hex-offset" }, start.toString(16).padStart(4, "0"));
      parts.push(h("div", { class: "hex-row" }, offset, hex, text));
    }
    return parts;
  };

  const rowOf = (target: EventTarget | null): number => {
    const place = target instanceof HTMLElement ? target.dataset.at : undefined;
    if (place === undefined) return -1;
    const [buffer, offset] = place.split(":").map(Number);
    return rowAt(tree, buffer!, offset!);
  };
  element.addEventListener("pointerover", (event) => {
    link.hovered.value = rowOf(event.target);
  });
  element.addEventListener("pointerleave", () => {
    link.hovered.value = -1;
  });
  element.addEventListener("click", (event) => {
    const row = rowOf(event.target);
    if (row >= 0) link.field.value = row;
  });

  const mark = (number: number, name: string): void => {
    const row = tree.rows[number];
    if (row === undefined) return;
    const { offset, length } = row.field;
    // The whole packet marked would only hide where it is.
    if (row.depth === 0) return;
    for (let at = offset; at < offset + length; at++) {
      for (const cell of cells[row.buffer]?.[at] ?? []) {
        cell.classList.add(name);
        marked.push(cell);
      }
    }
  };
  let scrolledTo = -1;
  effect(() => {
    const chosen = link.field.value;
    const hovered = link.hovered.value;
    for (const cell of marked) cell.classList.remove("chosen", "hovered");
    marked = [];
    mark(chosen, "chosen");
    mark(hovered, "hovered");
    if (chosen !== scrolledTo && chosen >= 0) marked[0]?.scrollIntoView({ block: "nearest" });
    scrolledTo = chosen;
  });

  return { element, show };
}
