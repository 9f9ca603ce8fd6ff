/** Keys to commands. Letters do nothing while somebody types, and arrows belong to the widget that has the focus. */
import type { Command } from "./commands.ts";

/** Widgets that use the arrow keys, Home, End and the space bar for themselves. */
const OWN_KEYS = "[role=slider], [role=grid], [role=tree], [role=listbox], select, button, summary, a[href]";
const NAVIGATION: ReadonlySet<string> = new Set([
  "ArrowLeft",
  "ArrowRight",
  "ArrowUp",
  "ArrowDown",
  "Home",
  "End",
  "PageUp",
  "PageDown",
  "Space",
]);
/** Of those, what each kind of widget leaves to the page. */
const LEFT_OVER: readonly (readonly [string, ReadonlySet<string>])[] = [
  ["button, a[href], summary", new Set(["ArrowLeft", "ArrowRight", "Home", "End", "PageUp", "PageDown"])],
  ["[role=grid]", new Set(["ArrowLeft", "ArrowRight", "Space"])],
  ["[role=listbox]", new Set(["Space"])],
  ["[role=tree]", new Set(["Space"])],
  ["[role=slider]", new Set(["Space"])],
];

export function bindKeyboard(target: Document, commands: readonly Command[]): () => void {
  const byKey = new Map<string, Command>();
  for (const command of commands) for (const key of command.keys) byKey.set(key, command);
  const listener = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.altKey || event.metaKey) return;
    const name = keyName(event);
    const command = byKey.get(name);
    if (command === undefined || !reaches(event.target, name)) return;
    if (name === "Ctrl+c" && String(globalThis.getSelection() ?? "") !== "") return;
    event.preventDefault();
    command.run();
  };
  target.addEventListener("keydown", listener);
  return () => target.removeEventListener("keydown", listener);
}

/** `Shift+` is written for letters and named keys; signs such as `?` and `+` say it themselves. */
export function keyName(event: Pick<KeyboardEvent, "key" | "shiftKey" | "ctrlKey">): string {
  const key = event.key === " " ? "Space" : event.key;
  const letter = /^[a-zA-Z]$/.test(key);
  if (event.ctrlKey) return `Ctrl+${letter ? key.toLowerCase() : key}`;
  if (letter) return event.shiftKey ? `Shift+${key.toUpperCase()}` : key.toLowerCase();
  return event.shiftKey && key.length > 1 ? `Shift+${key}` : key;
}

function reaches(target: EventTarget | null, name: string): boolean {
  if (!(target instanceof Element)) return true;
  if (target.closest("input, textarea, select, [contenteditable=true]") !== null) {
    return name === "F6" || name === "Shift+F6" || name === "Escape";
  }
  if (!NAVIGATION.has(name)) return true;
  const widget = target.closest(OWN_KEYS);
  if (widget === null) return true;
  return LEFT_OVER.some(([selector, keys]) => widget.matches(selector) && keys.has(name));
}
