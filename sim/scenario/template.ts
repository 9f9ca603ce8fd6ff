/** Many nodes from one: names with a range of numbers, and texts in which `${name}` stands for something else. */
import { formatIpv4, type Ipv4 } from "../../src/base/ipv4.ts";

export interface NodeNames {
  readonly prefix: string;
  readonly from: number;
  readonly to: number;
}

export const NODES_MAX = 20_000;

/** Reads `gm{1..100}`; undefined for a range that is empty, runs backwards or holds more than `NODES_MAX` numbers. */
export function parseNodeNames(text: string): NodeNames | undefined {
  const match = /^([^{]+)\{(\d+)\.\.(\d+)\}$/.exec(text);
  if (match === null) return undefined;
  const from = Number(match[2]);
  const to = Number(match[3]);
  return to < from || to - from >= NODES_MAX ? undefined : { prefix: match[1]!, from, to };
}

/** A series of addresses, one for each number of the range. */
export interface Series {
  readonly first: Ipv4;
  readonly step: number;
}

/**
 * What the variables of one node stand for: `index`, `name`, and each series as the address of this node. Undefined where a
 * series leaves the space of addresses.
 */
export function variablesOf(
  names: NodeNames,
  index: number,
  series: ReadonlyMap<string, Series>,
): ReadonlyMap<string, string> | undefined {
  const variables = new Map([
    ["index", String(index)],
    ["name", names.prefix + index],
  ]);
  for (const [name, { first, step }] of series) {
    const address = first + step * (index - names.from);
    if (address > 0xffffffff) return undefined;
    variables.set(name, formatIpv4(address));
  }
  return variables;
}

export interface Filled {
  readonly text: string;
  /** Variables that the text names and nobody has, each with its offset in the template. */
  readonly unknown: readonly { readonly name: string; readonly offset: number }[];
}

/** Replaces each `${name}`; unknown ones stay. */
export function fill(template: string, variables: ReadonlyMap<string, string>): Filled {
  const unknown: { name: string; offset: number }[] = [];
  const text = template.replace(/\$\{([^}\n]{0,80})\}/g, (whole, name: string, offset: number) => {
    const value = variables.get(name);
    if (value !== undefined) return value;
    unknown.push({ name, offset });
    return whole;
  });
  return { text, unknown };
}
