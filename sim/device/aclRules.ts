/** Access lists of a configuration as rules of the data plane, which knows ranges only. */
import type { Ipv4 } from "../../src/base/ipv4.ts";
import type { Selector, TrafficRule } from "../../src/esp/api.ts";
import type { AccessList, AclEntry, AddressMatch, PortMatch } from "../../src/ios/model.ts";

interface Range {
  readonly first: number;
  readonly last: number;
}

const PORT_MAX = 65_535;
const ANY_PORT: readonly Range[] = [{ first: 0, last: PORT_MAX }];
/** A wildcard with more blocks than this (2^12 networks) is beyond what a data plane would hold. */
const HOLES_MAX = 12;

/**
 * `deny` becomes `bypass`, `permit` becomes `protect` of family 0. An entry with wildcard holes or several ports becomes
 * several rules; entries on ICMP types are left out, as selectors do not know them, and so are wildcards of more than
 * 4096 separate networks.
 */
export function aclRules(list: AccessList): readonly TrafficRule[] {
  return list.entries.flatMap(entryRules);
}

function entryRules(entry: AclEntry): readonly TrafficRule[] {
  if (entry.icmpType !== undefined) return [];
  const action = entry.action === "deny" ? "bypass" : "protect";
  const rules: TrafficRule[] = [];
  for (const source of addressRanges(entry.source))
    for (const destination of addressRanges(entry.destination))
      for (const sourcePort of portRanges(entry.sourcePort))
        for (const destinationPort of portRanges(entry.destinationPort)) {
          const selector: Selector = {
            sourceFirst: source.first,
            sourceLast: source.last,
            destinationFirst: destination.first,
            destinationLast: destination.last,
            protocol: entry.protocol === "ip" ? 0 : entry.protocol,
            sourcePortFirst: sourcePort.first,
            sourcePortLast: sourcePort.last,
            destinationPortFirst: destinationPort.first,
            destinationPortLast: destinationPort.last,
          };
          rules.push({ action, selector, family: 0 });
        }
  return rules;
}

/** The rightmost ones of the wildcard give the size of a block, the others tell the blocks apart. */
function addressRanges({ address, wildcard }: AddressMatch): readonly Range[] {
  const blockBits = 32 - Math.clz32(~wildcard & (wildcard + 1)) - 1;
  const size = wildcard === 0xffffffff ? 2 ** 32 : 2 ** Math.max(0, blockBits);
  const block: Ipv4 = (size - 1) >>> 0;
  const holes: number[] = [];
  for (let bit = 0; bit < 32; bit++) {
    const value = 2 ** bit;
    if ((((wildcard & ~block) >>> 0) & value) !== 0) holes.push(value);
  }
  if (holes.length > HOLES_MAX) return [];
  const base = (address & ~wildcard) >>> 0;
  const ranges: Range[] = [];
  for (let choice = 0; choice < 2 ** holes.length; choice++) {
    let first = base;
    for (let i = 0; i < holes.length; i++) if ((choice & (1 << i)) !== 0) first += holes[i]!;
    ranges.push({ first, last: first + size - 1 });
  }
  return ranges;
}

function portRanges(match: PortMatch | undefined): readonly Range[] {
  if (match === undefined) return ANY_PORT;
  switch (match.operator) {
    case "eq":
      return match.ports.map((port) => ({ first: port, last: port }));
    case "neq":
      return without(match.ports);
    case "gt":
      return match.port < PORT_MAX ? [{ first: match.port + 1, last: PORT_MAX }] : [];
    case "lt":
      return match.port > 0 ? [{ first: 0, last: match.port - 1 }] : [];
    case "range":
      return [{ first: match.from, last: match.to }];
  }
}

function without(ports: readonly number[]): readonly Range[] {
  const ranges: Range[] = [];
  let first = 0;
  for (const port of [...ports].sort((a, b) => a - b)) {
    if (port > first) ranges.push({ first, last: port - 1 });
    first = port + 1;
  }
  if (first <= PORT_MAX) ranges.push({ first, last: PORT_MAX });
  return ranges;
}
