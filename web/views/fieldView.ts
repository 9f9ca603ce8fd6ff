/** The field tree of a packet, by the tree pattern: arrows move, open and close. */
import { effect } from "@preact/signals-core";
import { h, setAttribute } from "../base/dom.ts";
import { closedAtFirst, type FieldRow, type FieldTree } from "../model/fieldTree.ts";
import type { Link } from "./packetLink.ts";

export interface PacketPart {
  readonly element: HTMLElement;
  show(tree: FieldTree): void;
}

export function fieldView(link: Link): PacketPart {
  const element = h("div", {
    class: "field-tree",
    role: "tree",
    "aria-label": "Fields",
    tabindex: 0,
    "data-testid": "fields",
  });
  let tree: FieldTree = { rows: [], buffers: [] };
  let items: HTMLElement[] = [];
  let closed = new Set<number>();

  const show = (next: FieldTree) => {
    tree = next;
    closed = closedAtFirst(next);
    items = next.rows.map((row, number) => item(row, number));
    for (const [number, row] of items.entries()) row.hidden = !visible(number);
    element.replaceChildren(...items);
    element.scrollTop = 0;
  };

  const item = (row: FieldRow, number: number): HTMLElement => {
    const { field } = row;
    const content = [
      h("span", { class: "field-label" }, field.label),
      h("span", { class: "field-text mono" }, field.text),
    ];
    if (field.plain !== undefined) content.push(h("span", { class: "tag" }, "encrypted"));
    if (field.problem !== undefined) content.push(h("span", { class: "field-problem" }, field.problem));
    if (field.rfc !== undefined) content.push(h("span", { class: "field-rfc" }, field.rfc));
    return h(
      "div",
      {
        class: `field-row${field.problem === undefined ? "" : " bad"}`,
        role: "treeitem",
        id: `field-${number}`,
        "aria-level": row.depth + 1,
        "aria-expanded": row.descendants > 0 ? String(!closed.has(number)) : undefined,
        "aria-selected": "false",
        style: `--depth: ${row.depth}`,
        onclick: (event: MouseEvent) => {
          const arrow = event.target instanceof Element && event.target.classList.contains("twisty");
          if (arrow) toggle(number);
          else link.field.value = number;
        },
        onpointerenter: () => {
          link.hovered.value = number;
        },
        onpointerleave: () => {
          link.hovered.value = -1;
        },
      },
      h("span", { class: "twisty", "aria-hidden": "true" }),
      ...content,
    );
  };

  const toggle = (number: number, open = closed.has(number)) => {
    if (tree.rows[number]!.descendants === 0) return;
    if (open) closed.delete(number);
    else closed.add(number);
    setAttribute(items[number]!, "aria-expanded", String(open));
    tree.rows.forEach((_, row) => {
      items[row]!.hidden = !visible(row);
    });
  };
  const visible = (row: number): boolean => {
    for (let at = tree.rows[row]!.parent; at >= 0; at = tree.rows[at]!.parent) if (closed.has(at)) return false;
    return true;
  };

  effect(() => {
    const chosen = link.field.value;
    const hovered = link.hovered.value;
    items.forEach((element, number) => {
      setAttribute(element, "aria-selected", String(number === chosen));
      element.classList.toggle("hovered", number === hovered);
    });
    setAttribute(element, "aria-activedescendant", chosen >= 0 ? `field-${chosen}` : undefined);
    if (chosen >= 0) {
      for (let at = tree.rows[chosen]?.parent ?? -1; at >= 0; at = tree.rows[at]!.parent) toggle(at, true);
      items[chosen]?.scrollIntoView({ block: "nearest" });
    }
  });

  element.addEventListener("keydown", (event) => {
    const chosen = link.field.peek();
    const step = (direction: 1 | -1) => {
      for (let at = chosen + direction; at >= 0 && at < tree.rows.length; at += direction) {
        if (visible(at)) return at;
      }
      return chosen;
    };
    const row = tree.rows[chosen];
    let next = chosen;
    if (event.key === "ArrowDown") next = step(1);
    else if (event.key === "ArrowUp") next = step(-1);
    else if (event.key === "Home") next = 0;
    else if (event.key === "End") next = tree.rows.length - 1;
    else if (event.key === "ArrowRight" && row !== undefined) {
      if (closed.has(chosen)) toggle(chosen, true);
      else if (row.descendants > 0) next = chosen + 1;
    } else if (event.key === "ArrowLeft" && row !== undefined) {
      if (row.descendants > 0 && !closed.has(chosen)) toggle(chosen, false);
      else if (row.parent >= 0) next = row.parent;
    } else return;
    event.preventDefault();
    link.field.value = Math.max(0, next);
  });

  return { element, show };
}
