/** `crypto gkm group`: what a group is called, and the member's side of it. */
import type { Args } from "../args.ts";
import { DEFAULTS, newGroup, newServer } from "../defaults.ts";
import { type CommandSpec, defineMode, obtain, type Session } from "../grammar.ts";
import type {
  GkmClient,
  GkmGroup,
  GroupIdentity,
  IosConfig,
  KekCipher,
  ServerAddress,
  SignatureHash,
} from "../model.ts";
import { KEK_CIPHERS, SIGNATURE_HASHES, serverMode } from "./server.ts";

function serverOf(args: Args): ServerAddress {
  const at = args.place("server");
  const address = args.number("server");
  if (address !== undefined) return { kind: "ipv4", address, at };
  const address6 = args.text("server6");
  if (address6 !== undefined) return { kind: "ipv6", address: address6, at };
  const name = args.text("hostname")!;
  return { kind: "hostname", family: args.text<"ipv4" | "ipv6">("family") ?? "ipv4", name, at: args.place("hostname") };
}

/** What a server address is, without the place where it was typed. */
function serverKey({ at: _, ...address }: ServerAddress): string {
  return JSON.stringify(address);
}

/**
 * A group has one identity, a number or an address: typed again it stays, another one has to wait until the first is gone.
 * What IOS prints then is not known; the sentence is ours.
 */
function identify(group: GkmGroup, identity: GroupIdentity, args: Args, session: Session): void {
  const known = group.identity;
  if (known === undefined || identityValue(known) === identityValue(identity)) group.identity = identity;
  else session.refuse("iosRefused", args, identity.kind, `% Group ${group.name} already has an identity.`);
}

function identityValue(identity: GroupIdentity): string {
  return identity.kind === "number" ? `number ${identity.number}` : `address ${identity.address}`;
}

const identityCommands: CommandSpec<GkmGroup>[] = [
  {
    // The mission's first document leaves the word `number` out.
    pattern: "identity {number <0-2147483647:number> | <0-2147483647:number>}",
    set(target, args, session) {
      identify(target, { kind: "number", number: args.number("number")!, at: args.place("number") }, args, session);
    },
    no(target) {
      target.identity = undefined;
    },
  },
  {
    pattern: "identity address ipv4 <ipv4:address>",
    set(target, args, session) {
      identify(target, { kind: "address", address: args.number("address")!, at: args.place("address") }, args, session);
    },
    no(target) {
      target.identity = undefined;
    },
  },
  {
    pattern: "passive",
    set(target) {
      target.passive = true;
    },
    no(target) {
      target.passive = false;
    },
  },
];

const serverCommands: CommandSpec<GkmGroup>[] = [
  {
    // A name in the place of the address is looked up in the `ip host` table, as the box does.
    pattern:
      "server {address ipv4 {<ipv4:server> | <word:hostname>} | address ipv6 <ipv6:server6> | " +
      "hostname family:{ipv4 | ipv6} <word:hostname>}",
    noExact: true,
    set(target, args) {
      const wanted = serverOf(args);
      if (!target.servers.some((known) => serverKey(known) === serverKey(wanted))) target.servers.push(wanted);
    },
    no(target, args) {
      const wanted = serverKey(serverOf(args));
      target.servers = target.servers.filter((known) => serverKey(known) !== wanted);
    },
  },
  {
    pattern: "server local",
    enter(target, args) {
      target.server ??= newServer(args.at);
      return { mode: serverMode, target: target.server };
    },
    no(target) {
      target.server = undefined;
    },
  },
];

const clientCommands: CommandSpec<GkmGroup>[] = [
  {
    pattern: "client protocol {protocol:{gdoi} | protocol:{gikev2} <word:profile>}",
    set({ client }, args) {
      client.protocol = args.text<GkmClient["protocol"]>("protocol")!;
      client.profile = args.reference("profile");
    },
    no({ client }) {
      client.protocol = DEFAULTS.client.protocol;
      client.profile = undefined;
    },
  },
  {
    pattern: "client registration interface <interface:name>",
    set({ client }, args) {
      client.registrationInterface = args.reference("name");
    },
    no({ client }) {
      client.registrationInterface = undefined;
    },
  },
  {
    pattern: "client bypass-policy",
    set({ client }) {
      client.bypassPolicy = true;
    },
    no({ client }) {
      client.bypassPolicy = false;
    },
    reset({ client }) {
      client.bypassPolicy = DEFAULTS.client.bypassPolicy;
    },
  },
  {
    pattern: `client rekey encryption ciphers:${KEK_CIPHERS}...`,
    set({ client }, args) {
      client.rekeyEncryption = args.texts<KekCipher>("ciphers");
    },
    no({ client }) {
      client.rekeyEncryption = [];
    },
  },
  {
    pattern: `client rekey hash hashes:${SIGNATURE_HASHES}...`,
    set({ client }, args) {
      client.rekeyHash = args.texts<SignatureHash>("hashes");
    },
    no({ client }) {
      client.rekeyHash = [];
    },
  },
  {
    pattern: "client transform-sets <word:names>...",
    set({ client }, args) {
      client.transformSets = args.references("names");
    },
    no({ client }) {
      client.transformSets = [];
    },
  },
  {
    pattern: "client recovery-check interval <100-1000:seconds>",
    set({ client }, args) {
      client.recoveryCheckSeconds = args.number("seconds");
    },
    no({ client }) {
      client.recoveryCheckSeconds = undefined;
    },
  },
  {
    pattern: "client status active-sa track <1-1000:track>",
    set({ client }, args) {
      client.statusTrack = args.number("track");
    },
    no({ client }) {
      client.statusTrack = undefined;
    },
  },
  {
    pattern: "client fail-close revert",
    set({ client }) {
      client.failCloseRevert = true;
    },
    no({ client }) {
      client.failCloseRevert = false;
    },
  },
  {
    pattern: "client pfs",
    set({ client }) {
      client.pfs = true;
    },
    no({ client }) {
      client.pfs = false;
    },
    reset({ client }) {
      client.pfs = DEFAULTS.client.pfs;
    },
  },
  {
    pattern: "client transport-encrypt-key key:{group-key | pair-wise-key}",
    set({ client }, args) {
      client.transportEncryptKey = args.text<"group-key" | "pair-wise-key">("key");
    },
    no({ client }) {
      client.transportEncryptKey = undefined;
    },
  },
];

const groupMode = defineMode<GkmGroup>("group", "config-gkm-group", true, [
  ...identityCommands,
  ...serverCommands,
  ...clientCommands,
]);

export const groupCommands: CommandSpec<IosConfig>[] = [
  {
    pattern: "crypto keyword:{gkm | gdoi} group [family:{ipv6}] <word:name>",
    noExact: true,
    enter(target, args, session) {
      const name = args.text("name")!;
      const family = args.has("family") ? "ipv6" : "ipv4";
      const keyword = args.text<GkmGroup["keyword"]>("keyword")!;
      const group = obtain(target.groups, name, () => newGroup(name, family, keyword, args.at));
      if (group.family !== family) {
        session.refuse("iosRefused", args, "name", `% Group ${name} exists with the other address family.`);
      }
      return { mode: groupMode, target: group };
    },
    no(target, args, session) {
      const name = args.text("name")!;
      const user = [...target.cryptoMaps.values()].find((map) =>
        [...map.entries.values()].some((entry) => entry.group?.name === name),
      );
      if (user === undefined) target.groups.delete(name);
      else session.refuse("iosRefused", args, "name", `% Group ${name} is in use by crypto map ${user.name}.`);
    },
  },
];

export const groupModes = [groupMode];
