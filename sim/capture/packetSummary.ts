/** A packet in a line, read from its field tree, so that line and tree never disagree. */
import type { Field } from "../../src/wire/field.ts";

/** Addresses with ports; empty where the packet is not IP. */
export function endpoints(layers: readonly Field[]): { readonly source: string; readonly destination: string } {
  const ip = layers.find(isIp);
  const udp = layers.find(({ label }) => label === "UDP");
  const end = (address: string, port: string): string => joined(textAt(ip, address), textAt(udp, port));
  return { source: end("Source", "Source port"), destination: end("Destination", "Destination port") };
}

/** Such as `IKEv2 GSA_AUTH initiator, request, message 1: SK { IDi AUTH IDg }`. */
export function summary(layers: readonly Field[]): string {
  const last = layers[layers.length - 1];
  if (last === undefined) return "empty";
  const problem = layers.map(firstProblem).find((found) => found !== undefined);
  return problem === undefined ? describe(last) : `${describe(last)} [${problem}]`;
}

/** The problem of a field, or of the first field below it that has one. */
export function firstProblem(field: Field): string | undefined {
  if (field.problem !== undefined) return field.problem;
  for (const child of field.children) {
    const found = firstProblem(child);
    if (found !== undefined) return found;
  }
  return undefined;
}

function describe(layer: Field): string {
  if (layer.label === "ESP") return describeEsp(layer);
  const whole = isIp(layer) ? layer.children.find(({ plain }) => plain !== undefined)?.children.at(-1) : undefined;
  if (whole !== undefined) return `${describe(whole)}, reassembled`;
  const payloads = payloadNames(layer.children);
  if (payloads.length > 0) return `${layer.label} ${layer.text}: ${payloads.join(" ")}`;
  if (isIp(layer)) return textAt(layer, "Protocol") || textAt(layer, "Next header") || layer.label;
  return layer.text === "" ? layer.label : `${layer.label} ${layer.text}`;
}

const PAYLOAD = / payload$/;

/** `SA`, `N(COOKIE)`, and what was inside of an encrypted payload in braces. */
function payloadNames(fields: readonly Field[]): readonly string[] {
  const names: string[] = [];
  for (const field of fields) {
    if (isPayload(field)) names.push(payloadName(field));
    else if (field.plain !== undefined) names.push(...braced(payloadNames(field.children)));
  }
  return names;
}

/** A payload has fields of its own; the octet that names the next one has not. */
function isPayload({ label, children }: Field): boolean {
  return PAYLOAD.test(label) && children.length > 0;
}

function payloadName({ label, text, children }: Field): string {
  const name = label.replace(PAYLOAD, "");
  if (name === "N" && text !== "") return `N(${text})`;
  const inner = payloadNames(children);
  if (inner.length === 0) return name;
  return [name, ...(inner[0] === "{" ? inner : braced(inner))].join(" ");
}

function braced(names: readonly string[]): readonly string[] {
  return ["{", ...names, "}"];
}

function describeEsp(esp: Field): string {
  const opened = esp.children.find(({ plain }) => plain !== undefined);
  const inner = opened?.children[0];
  if (inner === undefined) return `ESP ${esp.text}`;
  const layers = inner.label.endsWith(" packet") ? inner.children : [inner];
  const { source, destination } = endpoints(layers);
  const way = source === "" ? "" : `${source} -> ${destination} `;
  return `ESP ${esp.text} { ${way}${describe(layers[layers.length - 1] ?? inner)} }`;
}

function isIp({ label }: Field): boolean {
  return label === "IPv4" || label === "IPv6";
}

function textAt(field: Field | undefined, label: string): string {
  return field?.children.find((child) => child.label === label)?.text ?? "";
}

function joined(address: string, port: string): string {
  if (address === "" || port === "") return address;
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}
