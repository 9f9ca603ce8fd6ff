/** Building the page from plain calls: elements, SVG, text that changes only when it differs. */

type Attribute = string | number | boolean | undefined | ((event: never) => void);
type Child = Node | string;

/**
 * An element with attributes and children. `class`, `role`, `aria-*` and the like are attributes; names that begin with
 * `on` are listeners; `true` is an empty attribute, `false` and `undefined` leave it out.
 */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  assign(element, attributes);
  element.append(...children);
  return element;
}

export function svg<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, Attribute>> = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[K] {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  assign(element, attributes);
  element.append(...children);
  return element;
}

function assign(element: Element, attributes: Readonly<Record<string, Attribute>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue;
    if (typeof value === "function") element.addEventListener(name.slice(2), value as EventListener);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

/** Changes text only where it differs: an unchanged text node costs no layout and is not announced again. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string | undefined): void {
  if (value === undefined) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** A 16 by 16 line drawing in the text's colour, hidden from assistive technology: the button has the name. */
export function icon(path: string): SVGSVGElement {
  return svg(
    "svg",
    { viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true", focusable: "false", class: "icon" },
    svg("path", { d: path }),
  );
}

export interface ButtonOptions {
  readonly label: string;
  readonly key?: string;
  readonly icon?: string;
  readonly text?: string;
  readonly class?: string;
  readonly onclick: () => void;
}

/** A button with a name, a tooltip that names its key, and an icon, a text or both. */
export function button(options: ButtonOptions): HTMLButtonElement {
  const children: Child[] = [];
  if (options.icon !== undefined) children.push(icon(options.icon));
  if (options.text !== undefined) children.push(h("span", {}, options.text));
  return h(
    "button",
    {
      type: "button",
      class: options.class ?? "button",
      // The text that is seen is also the name that is spoken.
      "aria-label": options.text === undefined ? options.label : undefined,
      "aria-keyshortcuts": options.key,
      title: options.key === undefined ? options.label : `${options.label} (${options.key})`,
      onclick: options.onclick,
    },
    ...children,
  );
}
