/** Global configuration mode: the doors to all other modes, and the many lines of a router that concern other matters. */
import { newInterface } from "../defaults.ts";
import { type CommandSpec, defineMode, leftAside, type Mode, obtain, sectionsAside } from "../grammar.ts";
import type { IosConfig } from "../model.ts";
import { accessListCommands, accessListModes } from "./accessList.ts";
import { cryptoMapCommands, cryptoMapModes } from "./cryptoMap.ts";
import { groupCommands, groupModes } from "./group.ts";
import { identityCommands, identityModes } from "./identity.ts";
import { ikev2Commands, ikev2Modes } from "./ikev2.ts";
import { interfaceMode } from "./interface.ts";
import { ipsecCommands, ipsecModes } from "./ipsec.ts";
import { isakmpCommands, isakmpModes } from "./isakmp.ts";
import { natCommands } from "./nat.ts";
import { pkiCommands, pkiModes } from "./pki.ts";
import { routingCommands, routingModes } from "./routing.ts";
import { serverModes } from "./server.ts";

const boxCommands: CommandSpec<IosConfig>[] = [
  {
    pattern: "hostname <word:name>",
    set(target, args) {
      target.hostname = args.text("name");
    },
    no(target) {
      target.hostname = undefined;
    },
  },
  {
    pattern: "interface <interface:name>",
    noExact: true,
    enter(target, args) {
      const name = args.text("name")!;
      return { mode: interfaceMode, target: obtain(target.interfaces, name, () => newInterface(name, args.at)) };
    },
    no(target, args) {
      target.interfaces.delete(args.text("name")!);
    },
    reset(target, args) {
      const name = args.text("name")!;
      target.interfaces.set(name, newInterface(name, args.at));
    },
  },
];

const ANOTHER_MATTER = "it concerns management, not the group";

const asideCommands: CommandSpec<never>[] = [
  ...leftAside("a heading of the running configuration", [
    "version <line:text>",
    "boot-start-marker",
    "boot-end-marker",
    "Building configuration...",
    "Current configuration <line:text>",
    "Using <line:text>",
    "Last configuration <line:text>",
    "NVRAM config <line:text>",
  ]),
  ...leftAside("it is typed at the exec prompt and is no part of the configuration", [
    "enable",
    "configure terminal",
    "write [memory]",
    "copy <line:text>",
    "show <line:text>",
    "do <line:text>",
    "terminal <line:text>",
  ]),
  ...leftAside(ANOTHER_MATTER, [
    "aaa <line:text>",
    "archive",
    "boot <line:text>",
    "cdp run",
    "clock <line:text>",
    "config-register <word:value>",
    "diagnostic <line:text>",
    "enable {secret | password} <line:text>",
    "hw-module <line:text>",
    "license <line:text>",
    "lldp run",
    "logging <line:text>",
    "memory <line:text>",
    "multilink <line:text>",
    "ntp <line:text>",
    "platform <line:text>",
    "privilege <line:text>",
    "scheduler <line:text>",
    "service <line:text>",
    "snmp-server <line:text>",
    "spanning-tree <line:text>",
    "subscriber <line:text>",
    "tacacs-server <line:text>",
    "username <line:text>",
    "ip bootp server",
    "ip cef [<line:text>]",
    "ip classless",
    "ip domain <line:text>",
    "ip domain-lookup",
    "ip domain-name <line:text>",
    "ip finger",
    "ip forward-protocol <line:text>",
    "ip ftp <line:text>",
    "ip gratuitous-arps",
    "ip http <line:text>",
    "ip multicast-routing [<line:text>]",
    "ip name-server <line:text>",
    "ip pim <line:text>",
    "ip radius <line:text>",
    "ip routing",
    "ip scp <line:text>",
    "ip source-route",
    "ip ssh <line:text>",
    "ip subnet-zero",
    "ip tacacs <line:text>",
    "ip tftp <line:text>",
    "ipv6 <line:text>",
    "mmi <line:text>",
  ]),
  ...sectionsAside(ANOTHER_MATTER, [
    "control-plane [<line:text>]",
    "line {aux | con | console | vty | tty} <line:range>",
    "redundancy",
    "event manager <line:text>",
    "flow <line:text>",
    "ip sla <line:text>",
    "track <line:text>",
  ]),
  ...sectionsAside("queueing is a rule of the scenario's links", ["class-map <line:text>", "policy-map <line:text>"]),
  ...sectionsAside("routing is the scenario's; only router ospf is read for its networks", [
    "router {bgp | eigrp | rip | isis | lisp} [<line:text>]",
    "route-map <line:text>",
    "ip prefix-list <line:text>",
    "vrf definition <word:name>",
    "ip vrf <word:name>",
    "key chain <word:name>",
    "ip dhcp <line:text>",
    "address-family <line:text>",
  ]),
];

export const globalMode = defineMode<IosConfig>("global", "config", false, [
  ...boxCommands,
  ...routingCommands,
  ...accessListCommands,
  ...isakmpCommands,
  ...identityCommands,
  ...pkiCommands,
  ...ikev2Commands,
  ...ipsecCommands,
  ...groupCommands,
  ...cryptoMapCommands,
  ...natCommands,
  ...asideCommands,
]);

/** Every mode of the configuration, for help texts and for tests that walk the whole grammar. */
export const allModes: readonly Mode[] = [
  globalMode,
  interfaceMode,
  ...routingModes,
  ...accessListModes,
  ...isakmpModes,
  ...identityModes,
  ...pkiModes,
  ...ikev2Modes,
  ...ipsecModes,
  ...groupModes,
  ...serverModes,
  ...cryptoMapModes,
];
