/**
 * The shape of a scenario file. Strict: a key that is not here is refused. Quantities stay text with a unit, so that the
 * same schema checks a file and becomes the JSON Schema that editors complete from; the loader turns them into numbers.
 *
 * Error messages of this file are keys of `QUANTITIES`: the reader of problems finds code and wording there.
 */
import { z } from "zod";
import { Switches } from "./switches.ts";

/** What a text has to look like: the code of the problem where it does not, and what was expected. */
export const QUANTITIES = {
  duration: { code: "badDuration", expected: "a duration with its unit, such as 250us, 1.5ms, 90s or 2m30s" },
  odds: { code: "badOdds", expected: "odds such as 20% or 1/5" },
  rate: { code: "badRate", expected: "a rate such as 512kbit/s, 10Mbit/s or 1Gbit/s" },
  octets: { code: "badSize", expected: "a size such as 1500B, 64kB or 1MiB" },
  name: { code: "badName", expected: "a name of letters, digits, dots, dashes and underscores" },
  nodes: { code: "badName", expected: "a name with a range of numbers, such as gm{1..100}" },
  endpoint: { code: "badEndpoint", expected: "node:interface, such as gm1:GigabitEthernet0/0" },
  address: { code: "badAddress", expected: "an IPv4 address, such as 192.0.2.1" },
  prefix: { code: "badAddress", expected: "an IPv4 prefix, such as 192.0.2.0/24" },
  kind: { code: "badName", expected: "a kind of event, such as gm.registered" },
  calendar: { code: "badTime", expected: "a day or an instant, such as 2026-01-31 or 2026-01-31T12:00:00Z" },
} as const;

export type Quantity = keyof typeof QUANTITIES;

function text(quantity: Quantity, pattern: RegExp, description: string) {
  return z.string({ error: quantity }).regex(pattern, { error: quantity }).describe(description);
}

const Duration = text("duration", /^(\d+(\.\d+)?(us|ms|s|min|m|h|d))+$/, "A duration with its unit: 250us, 1.5ms, 90s");
const Odds = text("odds", /^(\d+(\.\d+)?%|\d+\/\d+)$/, "Odds as percent or ratio: 20%, 1/5");
const Rate = text("rate", /^\d+(\.\d+)?(bit|kbit|Mbit|Gbit)\/s$/, "Bits per second: 10Mbit/s");
const Octets = text("octets", /^\d+(\.\d+)?(B|kB|KiB|MB|MiB)$/, "Octets: 1500B, 64kB");
export const NAME_PATTERN = /^[A-Za-z][A-Za-z0-9._-]{0,62}$/;
const Name = text("name", NAME_PATTERN, "A name");
const NodeRange = text(
  "nodes",
  /^[A-Za-z][A-Za-z0-9._-]{0,50}\{\d{1,6}\.\.\d{1,6}\}$/,
  "Names with a range of numbers: gm{1..100}",
);
const Endpoint = text("endpoint", /^[A-Za-z][A-Za-z0-9._-]{0,62}:\S+$/, "Node and interface: gm1:GigabitEthernet0/0");
const Address = text("address", /^\d{1,3}(\.\d{1,3}){3}$/, "An IPv4 address");
const Prefix = text("prefix", /^\d{1,3}(\.\d{1,3}){3}\/\d{1,2}$/, "An IPv4 prefix");
const Kind = text("kind", /^[a-z][A-Za-z0-9]*\.[a-z][A-Za-z0-9]*$/, "A kind of event: gm.registered");
const Glob = z.string().min(1).max(200).describe("Names of nodes; * stands for any characters");
const Devices = z.union([Glob, z.array(Glob).min(1)]).describe("One glob of node names or a list of them");

const Dialect = z.enum(["rfc9838", "yeung-07"]);

const lineShape = {
  latency: z
    .union([Duration, z.array(Duration).min(1)])
    .optional()
    .describe("One-way latency; a list is a table that each packet draws from with equal odds"),
  jitter: Duration.optional().describe("0 to this much more, each with equal odds"),
  ordered: z.boolean().optional().describe("Jitter does not reorder"),
  loss: Odds.optional().describe("Odds that a packet is lost"),
  duplicate: Odds.optional().describe("Odds that a packet arrives twice"),
  reorder: z
    .strictObject({ odds: Odds, by: Duration })
    .optional()
    .describe("Odds that a packet is late by this much, so that later ones overtake it"),
  rate: Rate.optional(),
  queue: Octets.optional().describe("What may wait for the line; needs `rate`; 64kB unless told"),
  mtu: z.int().min(68).max(65_535).optional().describe("Octets of the largest IP packet that passes"),
};
const Line = z.strictObject(lineShape).describe("What a line does to packets, in each direction");

const Platform = z
  .union([
    z.enum(["ideal", "isr4400", "asr1000"]),
    z.strictObject({
      profile: z.enum(["ideal", "isr4400", "asr1000"]),
      queue: z.enum(["single", "multi"]).optional(),
      servers: z.int().min(2).max(64).optional().describe("Works at a time, for `queue: multi`"),
      "queue-limit": z.int().min(1).max(1_000_000).optional().describe("Datagrams that may wait for the CPU"),
    }),
  ])
  .describe("How long the box takes for its operations; `ideal` takes no time; isr4400 unless told");

const Tuning = z
  .strictObject({
    "eject-after": z
      .strictObject({ unit: z.enum(["transmission", "rekey"]), count: z.int().min(1).max(100) })
      .optional()
      .describe("A key server deletes a member that let so many go by without an answer; 3 transmissions unless told"),
    "batch-size": z
      .int()
      .min(0)
      .max(100_000)
      .optional()
      .describe("Unicast rekeys that leave at once; 0: all; 50 unless told"),
    "batch-pause": Duration.optional().describe("Between two batches; 100ms unless told"),
    "key-tree": z
      .enum(["none", "lkh"])
      .optional()
      .describe(
        "Whether a key server can put one member out without the others, where rekeys travel under the KEK; none unless told",
      ),
    "announce-next-spi": z
      .boolean()
      .optional()
      .describe("A key server of a multicast group announces the SPIs of the next keys; false unless told"),
    "rekey-signature": z
      .enum(["rsa", "ed25519", "ecdsa-p256", "none"])
      .optional()
      .describe("What multicast rekeys are signed with, whatever the configuration says; none: by the KEK alone"),
    "activation-delay": Duration.optional().describe("From a rekey to the use of its keys for sending; whole seconds"),
    "deactivation-delay": Duration.optional().describe(
      "From a rekey to the end of the keys it replaces; whole seconds",
    ),
    "rollover-left": Duration.optional().describe(
      "A member sends with the next TEK once the old one has so much left; 30s",
    ),
    "retry-wait": Duration.optional().describe(
      "A member's pause once all its key servers have failed; 10s unless told",
    ),
    "wanted-keys": z
      .record(z.string().min(1).max(80), z.enum(["kek", "teks"]))
      .optional()
      .describe("What a member asks for of a group, if not for all keys; by the group's name. Cisco dialect only"),
  })
  .describe("Habits of Cisco's implementation on which its documents disagree or are silent");

const nodeShape = {
  kind: z.enum(["ks", "gm", "router", "host"]).describe("Key server, group member, plain router, end host"),
  "startup-config": z.string().min(1).max(400).optional().describe("File with the IOS configuration, beside this one"),
  config: z.string().min(1).optional().describe("The IOS configuration itself"),
  wan: z
    .union([z.string().min(1), z.strictObject({ interface: z.string().min(1), ...lineShape })])
    .optional()
    .describe("Interface that is attached to the WAN, and its access line"),
  site: Name.optional().describe("Site of the WAN, and name of its access line; the node's own name unless told"),
  platform: Platform.optional(),
  tuning: Tuning.optional(),
  dialect: Dialect.optional().describe("G-IKEv2 as this node speaks it"),
  "rsa-keys": z
    .array(z.strictObject({ label: Name, modulus: z.int().min(512).max(4096).multipleOf(16) }))
    .optional()
    .describe("Like `crypto key generate rsa`, for configurations that were copied without that line"),
  start: Duration.optional().describe("When it is switched on; at 0 unless told"),
  interface: z.string().min(1).max(40).optional().describe("Of a host: its only interface; eth0 unless told"),
  address: Prefix.optional().describe("Of a host: address and prefix length, such as 10.1.1.2/24"),
  gateway: Address.optional().describe("Of a host"),
};
const Node = z.strictObject(nodeShape);

/** Checked once its variables are replaced. */
const Templated = z.string().min(1).max(200);

const Generated = z
  .strictObject({
    ...nodeShape,
    site: Templated.optional().describe(
      "Site of the WAN, and name of its access line; the node's own name unless told",
    ),
    address: Templated.optional().describe("Of a host: address and prefix length"),
    gateway: Templated.optional().describe("Of a host"),
    nodes: NodeRange,
    stagger: Duration.optional().describe("Each is switched on so much later than the one before"),
    addresses: z
      .record(Name, z.strictObject({ first: Address, step: z.int().min(1).max(16_777_216).optional() }))
      .optional()
      .describe(
        "Series of addresses for the texts: first + step * (index - start of the range); step is 1 unless told",
      ),
  })
  .describe("Many nodes from one template; in its texts index, name and series stand in braces behind a dollar sign");

const Link = z.strictObject({
  name: Name.optional(),
  endpoints: z.array(Endpoint).length(2),
  ...lineShape,
});

const Topology = z.strictObject({
  defaults: z
    .strictObject({ node: Node.partial().omit({ config: true, site: true }).optional(), link: Line.optional() })
    .optional(),
  nodes: z.record(Name, Node).optional(),
  generate: z.array(Generated).optional(),
  links: z.array(Link).optional(),
});

const Wan = z
  .strictObject({
    name: Name.optional(),
    ...lineShape,
    access: Line.optional().describe("Access line of every site that has none of its own"),
    sites: z
      .record(Name, z.strictObject({ access: Line.optional(), announce: z.array(Prefix).optional() }))
      .optional()
      .describe("Sites that differ: their access line, and prefixes they announce beside those of their routers"),
    paths: z
      .array(z.strictObject({ from: Name, to: Name, "one-way": z.boolean().optional(), ...lineShape }))
      .optional()
      .describe("Ways through the cloud that differ from the rest"),
  })
  .describe("The provider's network; its own line keys hold between any two sites");

const PingSize = z.int().min(36).max(18_024).describe("Octets of the IP packet; 100 unless told");

const at = Duration.describe("Virtual time since the start of the run");

const place = {
  link: Name.optional().describe("A link, or the access line of a site by the site's name"),
  from: Name.optional().describe("Only what this node, or the WAN by its name, sends over the link"),
  path: z
    .strictObject({ from: Name.optional(), to: Name.optional() })
    .optional()
    .describe("Instead of a link: the way through the WAN between two sites, in this direction; {} for all"),
  for: Duration.optional().describe("How long; to the end of the run unless told"),
};

const PacketMatch = z.strictObject({
  from: Name.optional().describe("Node that puts the packet on the link"),
  protocol: z.int().min(0).max(255).optional(),
  source: Address.optional(),
  destination: Address.optional(),
  port: z.int().min(0).max(65_535).optional().describe("Of UDP, either of the two"),
  exchange: z.int().min(0).max(255).optional().describe("IKE exchange type, for UDP 500 and 848"),
});

const PacketChange = z.discriminatedUnion("how", [
  z.strictObject({ how: z.literal("flip"), bit: z.int().min(0).max(524_280) }),
  z.strictObject({ how: z.literal("truncate"), octets: z.int().min(0).max(65_535) }),
  z.strictObject({ how: z.enum(["duplicate", "drop"]) }),
]);

const Action = z.discriminatedUnion("do", [
  z.strictObject({ do: z.literal("exec"), at, device: Devices, command: z.string().min(1).max(200) }),
  z.strictObject({
    do: z.literal("configure"),
    at,
    device: Devices,
    config: z.string().min(1).max(20_000).describe("Lines as they are typed after configure terminal"),
  }),
  z.strictObject({
    do: z.literal("ping"),
    at,
    device: Devices,
    to: Address,
    source: z.string().min(1).optional().describe("Address or interface; that of the way out unless told"),
    count: z.int().min(1).max(1_000_000).optional().describe("5 unless told"),
    every: Duration.optional().describe("From one to the next at least; at once after the answer unless told"),
    timeout: Duration.optional().describe("2s unless told"),
    size: PingSize.optional(),
    df: z.boolean().optional(),
    tos: z.int().min(0).max(255).optional(),
  }),
  z
    .strictObject({
      do: z.literal("traffic"),
      at,
      between: Devices,
      source: z
        .string()
        .min(1)
        .optional()
        .describe("Interface whose address is used at both ends; Loopback0 unless told"),
      every: Duration,
      until: Duration.optional().describe("The end of the run unless told"),
      timeout: Duration.optional().describe("2s unless told"),
      size: PingSize.optional(),
    })
    .describe("Pings from each of the nodes to each other, every pair once a period, spread over the period"),
  z.strictObject({ do: z.enum(["join", "leave"]), at, device: Devices, group: Address }),
  z
    .strictObject({ do: z.literal("down"), at, link: Name, for: Duration.optional() })
    .describe("Both ends see it go down"),
  z.strictObject({ do: z.literal("partition"), at, ...place }).describe("Nothing arrives, and nobody notices"),
  z.strictObject({ do: z.literal("line"), at, ...place, ...lineShape }).describe("The line behaves differently"),
  z.strictObject({ do: z.literal("reload"), at, device: Devices, downtime: Duration }),
  z.strictObject({ do: z.literal("power"), at, device: Devices, state: z.enum(["off", "on"]) }),
  z
    .strictObject({
      do: z.literal("tamper"),
      at,
      link: Name.optional().describe("Any link unless told"),
      match: PacketMatch,
      nth: z.int().min(1).optional().describe("The first of the packets that match, counted from `at`; 1 unless told"),
      count: z.int().min(1).optional().describe("So many in a row; 1 unless told"),
      change: PacketChange,
    })
    .describe("Packets are changed on their way into a link"),
]);

const Where = z
  .record(Name, z.union([z.string(), z.number(), z.boolean()]))
  .describe("Data of the event that must be equal; texts may hold *");

const Event = { kind: Kind, device: Devices.optional(), where: Where.optional() };
const window = { name: z.string().min(1).optional(), from: Duration.optional(), until: Duration.optional() };

const Expectation = z.discriminatedUnion("check", [
  z
    .strictObject({
      check: z.literal("count"),
      ...window,
      ...Event,
      equals: z.int().min(0).optional(),
      min: z.int().min(0).optional(),
      max: z.int().min(0).optional(),
      distinct: z.enum(["device"]).optional().describe("Counts devices instead of events"),
    })
    .describe("So many events of a kind"),
  z.strictObject({ check: z.literal("never"), ...window, ...Event }).describe("No such event"),
  z
    .strictObject({
      check: z.literal("follows"),
      ...window,
      each: z.strictObject(Event),
      by: z.strictObject(Event),
      within: Duration,
      same: z.enum(["device", "any"]).optional().describe("On the same device unless told `any`"),
    })
    .describe("Each event of one kind is followed by one of the other kind in time"),
  z
    .strictObject({ check: z.literal("registered"), at, device: Devices, name: z.string().min(1).optional() })
    .describe("All these members are registered at that instant"),
  z
    .strictObject({ check: z.literal("shared-tek"), device: Devices, ...window })
    .describe("At every instant any two of these members hold a TEK in common, and send with one the others hold"),
  z
    .strictObject({
      check: z.literal("pings"),
      ...window,
      device: Devices.optional().describe("Senders"),
      answered: Odds.optional().describe("At least this part of them; all unless told"),
      min: z.int().min(1).optional().describe("So many must have been sent at all; 1 unless told"),
    })
    .describe("Pings sent in that time are answered"),
  z
    .strictObject({
      check: z.literal("metric"),
      name: z.string().min(1).optional(),
      metric: z.string().min(1),
      min: z.number().optional(),
      max: z.number().optional(),
    })
    .describe("A figure of the report lies within bounds"),
]);

const Calendar = text(
  "calendar",
  /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\dZ)?$/,
  "Calendar time: 2026-01-31 or 2026-01-31T12:00:00Z",
);
const Subject = z.string().min(3).max(400).describe("A distinguished name, most specific part first: cn=CA,o=Example");
const validity = {
  "not-before": Calendar.optional().describe("A day before the run begins unless told"),
  "not-after": Calendar.optional().describe("A year after the run begins unless told; ten years for an authority"),
};

const Pki = z
  .strictObject({
    begins: Calendar.optional().describe("Calendar time at which the run begins; 2026-01-01 unless told"),
    authorities: z
      .array(
        z.strictObject({
          name: Name,
          subject: Subject.optional().describe("cn=NAME unless told"),
          key: z
            .enum(["p-256", "p-384", "p-521", "rsa-1024", "rsa-2048", "rsa-3072", "rsa-4096"])
            .optional()
            .describe("p-256 unless told"),
          issuer: Name.optional().describe("The authority above, described before this one; a root unless told"),
          ...validity,
        }),
      )
      .min(1),
    certificates: z
      .array(
        z.strictObject({
          device: Devices,
          trustpoint: z.string().min(1).max(100).describe("Of the routers' configurations; it names the key pair"),
          authority: Name,
          anchor: Name.optional().describe("The authority that is trusted, this one or one above it"),
          issue: z.boolean().optional().describe("false: the authority is trusted, and has issued nothing"),
          revoked: Duration.optional().describe("Virtual time from which on the authority's list names it"),
          ...validity,
        }),
      )
      .optional(),
  })
  .describe("Authorities, and the certificates that routers have from them");

export const ScenarioSchema = z.strictObject({
  name: Name,
  description: z.string().optional(),
  seed: z
    .union([z.string().min(1).max(200), z.int()])
    .optional()
    .describe("Of all random streams; the name unless told"),
  duration: Duration.describe("Virtual time at which the run ends"),
  dialect: Dialect.optional().describe(
    "G-IKEv2 as spoken by all nodes that say nothing else: the draft that Cisco's devices speak unless told, or the standard",
  ),
  "dialect-switches": Switches.optional(),
  topology: Topology,
  wan: Wan.optional(),
  pki: Pki.optional(),
  timeline: z.array(Action).optional(),
  "ospf-hellos": z
    .boolean()
    .optional()
    .describe("Routers with router ospf send hellos, every ten seconds; false unless told, since routes stand anyway"),
  compare: z
    .record(Name, Devices)
    .optional()
    .describe("Parts of the network that the report compares: each has figures of its own, such as PART.ikeSas"),
  expect: z.array(Expectation).optional(),
  notes: z
    .array(z.strictObject({ at, text: z.string().min(1).max(2000), question: z.boolean().optional() }))
    .optional()
    .describe("Captions for an audience; a question stops the playback"),
  limits: z
    .strictObject({ events: z.int().min(1).optional().describe("Events after which the run is given up") })
    .optional(),
});

export type ScenarioInput = z.input<typeof ScenarioSchema>;
export type NodeInput = z.input<typeof Node>;
export type GeneratedInput = z.input<typeof Generated>;
export type LinkInput = z.input<typeof Link>;
export type TuningInput = z.input<typeof Tuning>;
export type LineInput = z.input<typeof Line>;
export type PkiInput = z.input<typeof Pki>;
export type WanInput = z.input<typeof Wan>;
export type ActionInput = z.input<typeof Action>;
export type ExpectationInput = z.input<typeof Expectation>;

/** JSON Schema, draft 7, of a scenario file, for editors and for other programs. */
export function scenarioJsonSchema(): object {
  return {
    ...z.toJSONSchema(ScenarioSchema, { target: "draft-7", io: "input" }),
    title: "getvpn-sim scenario",
  };
}
