/** Key servers and group members as machines of the routers that they run on. */
import { assert, type ConfigProblem } from "../../src/base/errors.ts";
import type { EventData } from "../../src/base/machine.ts";
import type { PrivateKey } from "../../src/crypto/api.ts";
import { ecPrivateKey, ed25519PrivateKey } from "../../src/crypto/privateKey.ts";
import { rsaKey } from "../../src/crypto/rsaKey.ts";
import { dhSpec } from "../../src/crypto/suite.ts";
import type { DialectChoice } from "../../src/gikev2/dialects.ts";
import type { GmConfig } from "../../src/gm/config.ts";
import { gmFromIos } from "../../src/gm/fromIos.ts";
import { type GmCommand, type GmOutput, groupMember } from "../../src/gm/groupMember.ts";
import type { RsaKey } from "../../src/ios/model.ts";
import type { KsGroupConfig, Signer } from "../../src/ks/config.ts";
import { ksFromIos } from "../../src/ks/fromIos.ts";
import { type KsCommand, keyServer } from "../../src/ks/keyServer.ts";
import { siteFromIos } from "../../src/peer/fromIos.ts";
import { createSite, type SiteCommand } from "../../src/peer/site.ts";
import type { SeededRng } from "../core/rng.ts";
import type { MachineInput, MachineOutput, MachineSpec, MachineTools } from "../device/spec.ts";
import type { RouterNode } from "./scenario.ts";

/** Findings do not depend on the key, so none has to be made for them. */
const NO_KEY: PrivateKey = { type: "ed25519", point: new Uint8Array(32), seed: new Uint8Array(32) };

/** What keeps a node from being what its `kind` says, beside what the check of its configuration finds. */
export function roleProblems(node: RouterNode): readonly ConfigProblem[] {
  const site = siteFromIos(node.config, node.pki);
  if (node.role === "router") return site.problems;
  if (site.config !== undefined) {
    const message = `a node of kind ${node.role} makes no tunnels to single peers: that is for a node of kind router`;
    return [{ ...node.at, code: "roleConflict", message }];
  }
  const { config, problems } =
    node.role === "ks" ? ksFromIos(node.config, () => NO_KEY, node.pki) : gmFromIos(node.config, node.pki);
  if (config !== undefined || problems.length > 0) return problems;
  const message =
    node.role === "ks"
      ? "the configuration has no group with `server local` and an address"
      : "the configuration applies no crypto map with a group to an interface with an address";
  return [{ ...node.at, code: "roleMissing", message: `a node of kind ${node.role}: ${message}` }];
}

/**
 * The machines of a node, one for its role. `keys`: stream that RSA keys are derived from, by node and label, so that they
 * stay the same for all runs of a seed.
 */
export function machinesOf(node: RouterNode, keys: SeededRng): readonly MachineSpec[] {
  switch (node.role) {
    case "router":
      return siteSpecs(node);
    case "ks":
      return [keyServerSpec(node, keys)];
    case "gm":
      return [groupMemberSpec(node)];
  }
}

/** A router with tunnels to single peers, where its configuration applies a crypto map that has some. */
function siteSpecs(node: RouterNode): readonly MachineSpec[] {
  const { config } = siteFromIos(node.config, node.pki);
  if (config === undefined) return [];
  return [
    {
      name: "ipsec",
      start: (tools) => {
        const machine = createSite({ ...config, ike: endpointOf(config.ike, tools) }, tools);
        return {
          handle: (input, now) => machine.handle(roleInput<SiteCommand>(input), now),
          nextTimeout: () => machine.nextTimeout(),
          makesTunnels: true,
          role: { kind: "site", state: machine.state },
        };
      },
    },
  ];
}

/** A key pair that the configuration of a node names: the same for all runs of a seed. */
export function rsaKeyOf(
  { name }: RouterNode,
  { label, modulusBits }: Pick<RsaKey, "label" | "modulusBits">,
  keys: SeededRng,
): PrivateKey {
  return rsaKey(keys.fork(`${name}/${label}/${modulusBits}`), modulusBits);
}

function keyServerSpec(node: RouterNode, keys: SeededRng): MachineSpec {
  const made = new Map<string, PrivateKey>();
  const keyOf = (named: RsaKey): PrivateKey => {
    const key = made.get(named.label) ?? rsaKeyOf(node, named, keys);
    made.set(named.label, key);
    return key;
  };
  const { config } = ksFromIos(node.config, keyOf, node.pki);
  assert(config !== undefined, `${node.name} was found to be a key server`);
  const { tuning } = node;
  const groups = config.groups.map((group): KsGroupConfig => {
    const kek = { ...group.kek, ...signerOf(node, group, keys) };
    const gikev2 = group.gikev2 && { ...group.gikev2, ...dialectOf(node) };
    return { ...group, ...tuning.group, ...(gikev2 === undefined ? {} : { gikev2 }), tuning: tuning.ks, kek };
  });
  return {
    name: "ks",
    start: (tools) => {
      const { ike, isakmp } = config;
      const endpoints = {
        ...(ike === undefined ? {} : { ike: endpointOf(ike, tools) }),
        ...(isakmp === undefined ? {} : { isakmp: endpointOf(isakmp, tools) }),
      };
      const machine = keyServer({ ...config, ...endpoints, groups }, tools);
      return {
        handle: (input, now) => machine.handle(roleInput<KsCommand>(input), now),
        nextTimeout: () => machine.nextTimeout(),
        role: { kind: "ks", state: machine.state },
      };
    },
    answersExchanges: true,
  };
}

function dialectOf({ dialect, switches }: RouterNode): DialectChoice {
  return switches === undefined ? { dialect } : { dialect, switches };
}

function groupMemberSpec(node: RouterNode): MachineSpec {
  const { config, attachments } = gmFromIos(node.config, node.pki);
  assert(config !== undefined, `${node.name} was found to be a group member`);
  const choice = dialectOf(node);
  const { gm: tuning, want: wanted } = node.tuning;
  const groups = config.groups.map((group) => {
    const want = wanted?.get(group.name);
    const protocol = group.protocol.kind === "gikev2" ? { ...group.protocol, ...choice } : group.protocol;
    return { ...group, protocol, tuning, ...(want === undefined ? {} : { want }) };
  });
  const live = attachments.filter(({ interface: name }) => node.config.interfaces.get(name)?.shutdown === false);
  const applied = [...new Set(live.map(({ group }) => group))];
  return {
    name: "gm",
    start: (tools) => {
      const machine = groupMember(
        { ...config, groups, ...(config.ike && { ike: endpointOf(config.ike, tools) }) },
        tools,
      );
      return {
        handle: (input, now) => machine.handle(roleInput<GmCommand>(input), now).map(hostOutput),
        nextTimeout: () => machine.nextTimeout(),
        hearsUnknownSpi: true,
        role: { kind: "gm", state: machine.state },
      };
    },
    ...firstExchangeOf(config, applied),
    firstInputs: applied.map((group) => ({ kind: "command", name: "mapApplied", data: { group } })),
  };
}

function firstExchangeOf({ groups, ike, isakmp }: GmConfig, applied: readonly string[]): Partial<MachineSpec> {
  const first = groups.find(({ name }) => applied.includes(name));
  if (first === undefined) return {};
  const number = first.protocol.kind === "gikev2" ? ike?.proposals[0]?.dh[0] : isakmp?.policies[0]?.group;
  const group = dhSpec(number ?? 0)?.id;
  const server = first.servers[0]?.address;
  return group === undefined || server === undefined ? {} : { firstExchange: { server, group } };
}

/** What the scenario says about signatures stands above the configuration, which knows RSA alone. */
function signerOf({ name, tuning }: RouterNode, group: KsGroupConfig, keys: SeededRng): { signer?: Signer } {
  const seed = (kind: string) => keys.fork(`${name}/${group.name}/${kind}`).bytes(32);
  switch (tuning.rekeySignature) {
    case undefined:
    case "rsa":
      return {};
    case "none":
      return { signer: undefined };
    case "ed25519":
      return { signer: { key: ed25519PrivateKey(seed("ed25519")), scheme: { kind: "ed25519" } } };
    case "ecdsa-p256": {
      const key = ecPrivateKey("P-256", seed("ecdsa-p256"));
      return { signer: { key, scheme: { kind: "ecdsa", hash: "sha256", encoding: "der" } } };
    }
  }
}

/** What the platform admits counts where the configuration says nothing. */
function endpointOf<C extends { readonly maxInNegotiation?: number }>(
  ike: C,
  { maxInNegotiation: most }: MachineTools,
): C {
  const maxInNegotiation = ike.maxInNegotiation ?? most;
  return maxInNegotiation === undefined ? ike : { ...ike, maxInNegotiation };
}

type RoleInput<C> =
  | Exclude<MachineInput, { readonly kind: "command" }>
  | { readonly kind: "command"; readonly command: C };

/** Commands of a network name themselves and carry data; those of a role are one object. */
function roleInput<C extends KsCommand | GmCommand | SiteCommand>(input: MachineInput): RoleInput<C> {
  if (input.kind !== "command") return input;
  return { kind: "command", command: { name: input.name, ...(input.data as EventData) } as C };
}

function hostOutput(output: GmOutput): MachineOutput {
  return output.kind === "order" ? output.order : output;
}
