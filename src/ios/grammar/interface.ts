/** `interface X`: addresses, state, and the crypto map that makes a router a group member. */
import { DEFAULTS } from "../defaults.ts";
import { type CommandSpec, defineMode, leftAside } from "../grammar.ts";
import type { IosInterface } from "../model.ts";

const commands: CommandSpec<IosInterface>[] = [
  {
    pattern: "ip address <ipv4:address> <mask:mask> [secondary:{secondary}]",
    set(target, args) {
      const at = args.place("address");
      const address = { address: args.number("address")!, mask: args.number("mask")!, at };
      if (!args.has("secondary")) target.address = address;
      else {
        target.secondaryAddresses = target.secondaryAddresses.filter((known) => known.address !== address.address);
        target.secondaryAddresses.push(address);
      }
      target.dhcp = false;
    },
    no(target, args) {
      const address = args.number("address");
      if (args.has("secondary")) {
        target.secondaryAddresses = target.secondaryAddresses.filter((known) => known.address !== address);
      } else if (address === undefined || target.address?.address === address) {
        target.address = undefined;
        if (address === undefined) target.secondaryAddresses = [];
      }
      target.dhcp = false;
    },
  },
  {
    pattern: "ip address dhcp",
    unsupported: "no DHCP server is modelled, so the interface would never get an address",
    set: (target) => {
      target.dhcp = true;
    },
    no: (target) => {
      target.dhcp = false;
    },
  },
  {
    pattern: "shutdown",
    set: (target) => {
      target.shutdown = true;
    },
    no: (target) => {
      target.shutdown = false;
    },
  },
  {
    pattern: "bandwidth <1-100000000:kbit>",
    set: (target, args) => {
      target.bandwidthKbit = args.number("kbit");
    },
    no: (target) => {
      target.bandwidthKbit = undefined;
    },
  },
  {
    pattern: "mtu <64-9216:octets>",
    set: (target, args) => {
      target.mtu = args.number("octets")!;
    },
    no: (target) => {
      target.mtu = DEFAULTS.interface.mtu;
    },
  },
  {
    pattern: "ip mtu <68-9216:octets>",
    set: (target, args) => {
      target.ipMtu = args.number("octets");
    },
    no: (target) => {
      target.ipMtu = undefined;
    },
  },
  {
    pattern: "description <line:text>",
    set: (target, args) => {
      target.description = args.text("text");
    },
    no: (target) => {
      target.description = undefined;
    },
  },
  {
    pattern: "crypto map <word:name>",
    set: (target, args) => {
      target.cryptoMap = args.reference("name");
    },
    no: (target) => {
      target.cryptoMap = undefined;
    },
  },
  {
    pattern: "ip nat side:{inside | outside}",
    set: (target, args) => {
      target.nat = args.text<"inside" | "outside">("side");
    },
    no: (target) => {
      target.nat = undefined;
    },
  },
  {
    pattern: "ip ospf cost <1-65535:cost>",
    set: (target, args) => {
      target.ospfCost = args.number("cost");
    },
    no: (target) => {
      target.ospfCost = undefined;
    },
  },
  {
    pattern: "ip ospf <1-65535:process> area <0-4294967295:area>",
    set(target, args) {
      target.ospfArea = { process: args.number("process")!, area: args.number("area")!, at: args.at };
    },
    no: (target) => {
      target.ospfArea = undefined;
    },
  },
  ...["ip access-group <word:name> {in | out}", "vrf forwarding <word:name>"].map((pattern) => ({
    pattern,
    unsupported: "it would change which packets pass, and it is not modelled",
  })),
  { pattern: "ip vrf forwarding <word:name>", unsupported: "there is one routing table per router here" },
  ...leftAside("links are described by the scenario, not by the interface", [
    "duplex {auto | full | half}",
    "speed {auto | <1-100000:megabit>}",
    "negotiation auto",
    "media-type <line:text>",
    "load-interval <30-600:seconds>",
    "keepalive [<0-32767:seconds>]",
    "carrier-delay <line:text>",
    "clock rate <line:text>",
    "encapsulation <line:text>",
    "mac-address <word:address>",
    "arp timeout <0-2147483:seconds>",
    "switchport [<line:text>]",
    "mop <line:text>",
    "hold-queue <line:text>",
  ]),
  ...leftAside("tunnel interfaces are not modelled: a group needs none", ["tunnel <line:text>", "ip nhrp <line:text>"]),
  ...leftAside("it concerns services that no device here offers", [
    "cdp enable",
    "lldp <line:text>",
    "ip redirects",
    "ip unreachables",
    "ip proxy-arp",
    "ip directed-broadcast",
    "ip route-cache [flow | cef | policy | same-interface | distributed]",
    "ip virtual-reassembly [<line:text>]",
    "ip flow <line:text>",
    "ip verify <line:text>",
    "ipv6 <line:text>",
    "snmp <line:text>",
    "logging event <line:text>",
    "standby <line:text>",
    "delay <1-16777215:tens>",
  ]),
  ...leftAside("multicast is replicated by the cloud to the sites that the scenario names", [
    "ip pim <line:text>",
    "ip igmp <line:text>",
  ]),
  ...leftAside("the routing of the scenario stands as converged", ["ip ospf <line:text>"]),
  ...leftAside("queueing is a rule of the scenario's links", [
    "service-policy <line:text>",
    "tx-ring-limit <line:text>",
  ]),
  ...leftAside("the segment size of TCP is not clamped: no TCP is modelled", ["ip tcp adjust-mss <500-1460:octets>"]),
];

/** Not strict by itself: what is unknown matters only where a crypto map is applied. */
export const interfaceMode = defineMode("interface", "config-if", false, commands);
