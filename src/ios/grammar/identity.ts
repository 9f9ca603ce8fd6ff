/** `crypto identity`: names that members of a GDOI group have to have, for `authorization identity` of a key server. */
import { newCryptoIdentity } from "../defaults.ts";
import { type CommandSpec, defineMode, leftAside, obtain } from "../grammar.ts";
import type { CryptoIdentity, IosConfig } from "../model.ts";
import { add, without } from "./placed.ts";

const identityMode = defineMode<CryptoIdentity>("crypto identity", "config-crypto-identity", true, [
  {
    pattern: "dn <line:text>",
    noExact: true,
    set: (target, args) => add(target.distinguishedNames, args.text("text")!, args),
    no(target, args) {
      target.distinguishedNames = without(target.distinguishedNames, args.text("text")!);
    },
  },
  {
    pattern: "fqdn <word:text>",
    noExact: true,
    set: (target, args) => add(target.hostnames, args.text("text")!, args),
    no(target, args) {
      target.hostnames = without(target.hostnames, args.text("text")!);
    },
  },
  ...leftAside("a note of the author", ["description <line:text>"]),
]);

export const identityCommands: CommandSpec<IosConfig>[] = [
  {
    pattern: "crypto identity <word:name>",
    noExact: true,
    enter({ identities }, args) {
      const name = args.text("name")!;
      return { mode: identityMode, target: obtain(identities, name, () => newCryptoIdentity(name, args.at)) };
    },
    no({ identities, groups }, args, session) {
      const name = args.text("name")!;
      const user = [...groups.values()].find(({ server }) => server?.authorizationIdentity?.name === name);
      if (user === undefined) identities.delete(name);
      else session.refuse("iosRefused", args, "name", `% Identity ${name} is in use by group ${user.name}.`);
    },
  },
];

export const identityModes = [identityMode];
