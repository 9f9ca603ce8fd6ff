/** Static routes, name table, and as much of OSPF as says which networks a router announces. */
import { DEFAULTS, newOspf } from "../defaults.ts";
import { type CommandSpec, defineMode, leftAside, obtain } from "../grammar.ts";
import type { IosConfig, OspfProcess, StaticRoute } from "../model.ts";

const ospfCommands: CommandSpec<OspfProcess>[] = [
  {
    pattern: "router-id <ipv4:id>",
    set: (target, args) => {
      target.routerId = args.number("id");
    },
    no: (target) => {
      target.routerId = undefined;
    },
  },
  {
    pattern: "network <ipv4:address> <ipv4:wildcard> area {<0-4294967295:area> | <ipv4:area>}",
    noExact: true,
    set(target, args) {
      const address = args.number("address")!;
      const wildcard = args.number("wildcard")!;
      const rest = target.networks.filter((known) => known.address !== address || known.wildcard !== wildcard);
      target.networks = [...rest, { address, wildcard, area: args.number("area")!, at: args.at }];
    },
    no(target, args) {
      const address = args.number("address");
      const wildcard = args.number("wildcard");
      target.networks = target.networks.filter((known) => known.address !== address || known.wildcard !== wildcard);
    },
  },
  {
    pattern: "passive-interface default",
    set: (target) => {
      target.passiveDefault = true;
    },
    no: (target) => {
      target.passiveDefault = false;
    },
  },
  {
    pattern: "passive-interface <interface:name>",
    noExact: true,
    set: (target, args) => togglePassive(target, args.text("name")!, true),
    no: (target, args) => togglePassive(target, args.text("name")!, false),
  },
  ...leftAside("adjacencies are not modelled: announced networks are known everywhere at once", [
    "log-adjacency-changes [detail]",
    "auto-cost reference-bandwidth <1-4294967:megabit>",
    "area <line:text>",
    "timers <line:text>",
    "redistribute <line:text>",
    "default-information originate [always]",
    "maximum-paths <1-32:count>",
    "bfd all-interfaces",
    "nsf [<line:text>]",
  ]),
];

/** Exceptions from the process's rule: passive ones, or active ones under `passive-interface default`. */
function togglePassive(target: OspfProcess, name: string, passive: boolean): void {
  const others = target.passiveExceptions.filter((known) => known !== name);
  target.passiveExceptions = passive === target.passiveDefault ? others : [...others, name];
}

const ospfMode = defineMode("ospf", "config-router", false, ospfCommands);

const ROUTE_END = "[<1-255:distance>] [name <word:label> | tag <1-4294967295:tag> | permanent]...";

function routeOf(target: IosConfig, matches: (route: StaticRoute) => boolean): void {
  target.staticRoutes = target.staticRoutes.filter((route) => !matches(route));
}

export const routingCommands: CommandSpec<IosConfig>[] = [
  {
    pattern: `ip route <ipv4:network> <mask:mask> {<ipv4:hop> | <interface:interface> [<ipv4:hop>]} ${ROUTE_END}`,
    noExact: true,
    set(target, args) {
      const route: StaticRoute = {
        network: args.number("network")!,
        mask: args.number("mask")!,
        nextHop: args.number("hop"),
        interface: args.text("interface"),
        distance: args.number("distance") ?? DEFAULTS.route.distance,
        at: args.at,
      };
      routeOf(target, (known) => sameRoute(known, route));
      target.staticRoutes.push(route);
    },
    no(target, args) {
      routeOf(target, (known) => {
        const sameNetwork = known.network === args.number("network") && known.mask === args.number("mask");
        return sameNetwork && known.nextHop === args.number("hop") && known.interface === args.text("interface");
      });
    },
  },
  { pattern: "ip route vrf <line:text>", unsupported: "there is one routing table per router here" },
  {
    pattern: "ip host <word:name> <ipv4:address>",
    set: (target, args) => {
      target.hosts.set(args.text("name")!, { value: args.number("address")!, at: args.at });
    },
    no: (target, args) => {
      target.hosts.delete(args.text("name")!);
    },
    noExact: true,
  },
  {
    pattern: "router ospf <1-65535:process>",
    noExact: true,
    enter(target, args) {
      const process = args.number("process")!;
      return { mode: ospfMode, target: obtain(target.ospf, process, () => newOspf(process, args.at)) };
    },
    no: (target, args) => {
      target.ospf.delete(args.number("process")!);
    },
  },
];

function sameRoute(a: StaticRoute, b: StaticRoute): boolean {
  return a.network === b.network && a.mask === b.mask && a.nextHop === b.nextHop && a.interface === b.interface;
}

export const routingModes = [ospfMode];
