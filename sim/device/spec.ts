/**
 * A network as plain data: what `createNetwork` builds and what the loader of scenarios produces. Names of devices, links
 * and sites are unique; a link's end or a site names a device and one of its interfaces.
 *
 *     host ---- router ====== access link ====== cloud ====== access link ====== router
 *               (crypto map on the interface)     (one site per access link)
 */
import type { ConfigProblem } from "../../src/base/errors.ts";
import type { Datagram, Happened, Send } from "../../src/base/machine.ts";
import type { Micros } from "../../src/base/micros.ts";
import type { Rng } from "../../src/base/rng.ts";
import type { Crypto, DhGroup, PublicKey } from "../../src/crypto/api.ts";
import type { KeyEntry } from "../../src/crypto/keyEntry.ts";
import type { DataPlaneOrder } from "../../src/esp/api.ts";
import type { RouterPki } from "../../src/gikev2/iosPki.ts";
import type { GmState } from "../../src/gm/state.ts";
import type { IosConfig, RsaKey } from "../../src/ios/model.ts";
import type { KsState } from "../../src/ks/state.ts";
import type { PairOrder } from "../../src/peer/pairPlane.ts";
import type { SiteState } from "../../src/peer/site.ts";
import type { DeviceRole } from "../core/traceTypes.ts";
import type { Fault } from "../fault/fault.ts";
import type { BackbonePath } from "../net/cloud.ts";
import type { Direction } from "../net/link.ts";
import type { LinkRule } from "../net/linkRule.ts";

export interface NetworkSpec {
  readonly devices: readonly DeviceSpec[];
  /** Point-to-point links; access links to a cloud are not among them. */
  readonly links: readonly LinkSpec[];
  readonly clouds: readonly CloudSpec[];
  /** In any order of time; entries of one instant happen in the order of this list. */
  readonly timeline: readonly TimelineEntry[];
  /** Routers with OSPF send its hellos. Default false: routes stand as converged in any case. */
  readonly ospfHellos?: boolean;
}

export type DeviceSpec = RouterSpec | HostSpec;

/** A router: interfaces, addresses, routes and crypto maps stand in its configuration. */
export interface RouterSpec {
  readonly kind: "router";
  readonly name: string;
  readonly role: DeviceRole;
  /** For display; names a place, not an access link. */
  readonly site?: string;
  readonly config: IosConfig;
  readonly cpu: CpuSpec;
  /** Key servers and group members that run here; called at the start and again after each reload. */
  readonly machines: readonly MachineSpec[];
  /** When it is switched on; default 0. */
  readonly startAt?: Micros;
  /** Certificates that were issued to it. */
  readonly pki?: RouterPki;
  /** Its RSA key pairs, by their public halves; computed when asked for. */
  readonly rsaKeyPairs?: () => readonly RsaKeyPair[];
  /** The same router with another configuration; absent: its machines stay what they are whatever is configured. */
  readonly withConfig?: (config: IosConfig) => ChangedRouter;
}

export interface RsaKeyPair extends Pick<RsaKey, "label" | "exportable"> {
  readonly publicKey: PublicKey;
}

/** `problems`: why the roles could not follow; then they stay what they were. `warnings`: what else the router logs. */
export interface ChangedRouter {
  readonly spec: RouterSpec;
  readonly problems: readonly ConfigProblem[];
  readonly warnings: readonly ConfigProblem[];
}

/** A plain host with one address: it answers echo requests, can ping, and sends all else to its gateway. */
export interface HostSpec {
  readonly kind: "host";
  readonly name: string;
  readonly site?: string;
  /** Name of its only interface, such as `eth0`. */
  readonly interface: string;
  /** Unsigned 32-bit numbers. */
  readonly address: number;
  readonly mask: number;
  readonly gateway?: number;
  readonly startAt?: Micros;
}

/** Costs of a platform (see `cpu.ts` for the profiles) and how the work is queued. */
export interface CpuSpec {
  readonly profile: PlatformName;
  /** `single`: one work at a time; `multi`: as many at a time as `servers` says. Default `single`. */
  readonly queue?: "single" | "multi";
  /** 2 to 64, for `multi`. Default 4. */
  readonly servers?: number;
  /** Datagrams that may wait for the CPU; more are dropped. Default: that of the profile. */
  readonly queueLimit?: number;
}

/** `ideal` takes no time at all. */
export type PlatformName = "ideal" | "isr4400" | "asr1000";

/** Roles get these inputs. A datagram's `local` is the address that it was sent to, a multicast group too. */
export type MachineInput =
  | { readonly kind: "datagram"; readonly datagram: Datagram }
  | { readonly kind: "timeout" }
  /** What an operator typed or a scenario ordered; each role documents its commands. */
  | { readonly kind: "command"; readonly name: string; readonly data: object };

export type MachineOutput =
  | Send
  | Happened
  | { readonly kind: "keys"; readonly entry: KeyEntry }
  | DataPlaneOrder
  | PairOrder;

/** A role as the router runs it. `handle` and `nextTimeout`: see `Machine` of src/base. */
export interface HostedMachine {
  handle(input: MachineInput, now: Micros): readonly MachineOutput[];
  nextTimeout(): Micros | undefined;
  /**
   * Whether a datagram is for this machine, where several share a router. The first that says so gets it; with none, the
   * last one does. Absent: it takes everything.
   */
  owns?(datagram: Datagram): boolean;
  /**
   * True: ESP under an SPI that is not installed is told to it by the command `unknownSpi` with data `{ spi }`, once for
   * each SPI. A member can see by it that it missed a rekey (RFC 9838 section 4.4.2.2.3).
   */
  readonly hearsUnknownSpi?: boolean;
  /** True: it makes tunnels, and gets the command `tunnelWanted` with data `{ tunnel }` for a packet that needs one. */
  readonly makesTunnels?: boolean;
  /** For those who look at the router from outside, such as `show` commands; absent: there is nothing to see. */
  readonly role?: RoleState;
  /** What has to happen so that this machine becomes what `next` would start; undefined: it has nothing left to do. */
  reconfigure?(next: MachineSpec | undefined): Reconfiguration;
}

export interface Reconfiguration {
  /** For this machine, in this order. */
  readonly inputs: readonly MachineInput[];
  /** For the trace. */
  readonly events: readonly Happened[];
}

/** What a role remembers: plain data, to be read only. */
export type RoleState =
  | { readonly kind: "ks"; readonly state: KsState }
  | { readonly kind: "gm"; readonly state: GmState }
  | { readonly kind: "site"; readonly state: SiteState };

/** What a router lends to a machine that is started on it. */
export interface MachineTools {
  /** Metered: what it computes costs CPU time on this router. */
  readonly crypto: Crypto;
  /** A stream of its own, another one after each reload. */
  readonly rng: Rng;
  /** A stream below it, of private keys. */
  readonly keys: Rng;
  readonly now: Micros;
  /** Negotiations that the platform admits at a time, where the configuration does not say; undefined: no limit. */
  readonly maxInNegotiation: number | undefined;
}

export interface MachineSpec {
  /** Such as `ks` or `gm`; unique on its router. */
  readonly name: string;
  readonly start: (tools: MachineTools) => HostedMachine;
  /** Given to the machine at once when it starts, such as `{ kind: "command", name: "start", data: {} }`. */
  readonly firstInputs?: readonly MachineInput[];
  /** The Diffie-Hellman exchange that it most likely opens when it starts, so that a host can work it out ahead. */
  readonly firstExchange?: { readonly server: string; readonly group: DhGroup };
  /** True: it answers exchanges of others. */
  readonly answersExchanges?: boolean;
}

export interface LinkEnd {
  readonly device: string;
  /** Canonical name as in the configuration, such as `GigabitEthernet0/0`. */
  readonly interface: string;
}

export interface LinkSpec {
  readonly name: string;
  readonly a: LinkEnd;
  readonly b: LinkEnd;
  readonly rules: readonly LinkRule[] | Readonly<Record<Direction, readonly LinkRule[]>>;
}

/** A provider's network. It is a device of the trace (role `cloud`) with one interface per site, named like the site. */
export interface CloudSpec {
  readonly name: string;
  readonly sites: readonly CloudSiteSpec[];
  /** Rules between any two sites, and exceptions for single directions. */
  readonly backbone: readonly LinkRule[];
  readonly pairs: readonly BackbonePath[];
}

/** One access link. Its end a is the device, its end b the cloud; the link is called by the site's name. */
export interface CloudSiteSpec {
  readonly name: string;
  readonly device: string;
  readonly interface: string;
  readonly rules: readonly LinkRule[] | Readonly<Record<Direction, readonly LinkRule[]>>;
  /** Prefixes announced for this site besides those that follow from the configurations. */
  readonly announce?: readonly { readonly network: number; readonly length: number }[];
}

export interface TimelineEntry {
  readonly at: Micros;
  readonly action: Action;
}

export type Action =
  | PingAction
  /** `configure terminal`: lines as they are typed. What IOS refuses is left out. */
  | { readonly kind: "configure"; readonly device: string; readonly text: string }
  /** An input for a machine of a router, such as a command that was typed. */
  | { readonly kind: "machine"; readonly device: string; readonly machine: string; readonly input: MachineInput }
  /** `ip igmp join-group` and its `no` form: the device takes part in a multicast group of user data. */
  | { readonly kind: "joinGroup" | "leaveGroup"; readonly device: string; readonly group: number }
  | { readonly kind: "fault"; readonly fault: Fault };

/** `ping` of IOS. `destination` may be a multicast group: then everybody's reply counts for the packet. */
export interface PingAction {
  readonly kind: "ping";
  readonly device: string;
  /** Unsigned 32-bit number. */
  readonly destination: number;
  /** Interface or address to send from; default: the address of the interface that the route leaves by. */
  readonly source?: string | number;
  /** Default 5. */
  readonly repeat?: number;
  /** Octets of the IP packet, header included, 36 to 18024. Default 100. */
  readonly size?: number;
  /** Default 2 s. */
  readonly timeout?: Micros;
  /** From one packet to the next at least; the default 0 is IOS: the next one goes when the last one is decided. */
  readonly interval?: Micros;
  readonly df?: boolean;
  /** The whole TOS octet, as IOS's extended ping asks for. */
  readonly tos?: number;
  /** Carried in the events of this ping; default `PING` and a running number. */
  readonly tag?: string;
}
