/** Address translation: lists, pools and interfaces that it names, and interfaces that it needs. */
import type { ConfigProblem } from "../../base/errors.ts";
import type { IosConfig, NatSource } from "../model.ts";
import { missing, problemAt } from "./problem.ts";

export function checkNat(config: IosConfig): ConfigProblem[] {
  const { sources, statics } = config.nat;
  const first = sources[0] ?? statics[0];
  const sides = new Set([...config.interfaces.values()].map(({ nat }) => nat));
  const lacking = (["inside", "outside"] as const).filter((side) => !sides.has(side));
  return [
    ...sources.flatMap((source) => checkSource(config, source)),
    ...(first === undefined ? [] : lacking).map((side) =>
      problemAt("iosIncompleteObject", first!.at, `No interface has "ip nat ${side}": nothing is translated.`),
    ),
  ];
}

function checkSource(config: IosConfig, { acl, pool, interface: port }: NatSource): ConfigProblem[] {
  return [
    ...missing([acl], config.accessLists, (name) => `Access list ${name} does not exist.`),
    ...missing([pool], config.nat.pools, (name) => `%Pool ${name} not found`),
    ...missing([port], config.interfaces, (name) => `Interface ${name} does not exist.`),
  ];
}
