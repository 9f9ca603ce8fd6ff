/**
 * Model to configuration text, in the order and with the indentation of the running configuration. What is printed makes
 * the same model again (key pairs and keys where they are asked for); lines that the parser left aside are not in the
 * model and do not come back.
 */
import { formatIpv4 } from "../base/ipv4.ts";
import type { EcKey, IosConfig, RsaKey } from "./model.ts";
import { printGroup } from "./print/group.ts";
import { printIkev2 } from "./print/ike.ts";
import { printAccessList, printCryptoMap, printInterface, printOspf, printRoute } from "./print/interface.ts";
import { printIpsec } from "./print/ipsec.ts";
import { printIdentity, printIsakmp } from "./print/isakmp.ts";
import { printNat } from "./print/nat.ts";
import { printPki } from "./print/pki.ts";
import { optional, type PrintOptions } from "./print/writer.ts";

export type { PrintOptions } from "./print/writer.ts";

/** The configuration as text, blocks separated by `!` as IOS does, `end` last. */
export function printConfig(config: IosConfig, options: PrintOptions = {}): string {
  const blocks: string[][] = [
    optional(config.hostname, (name) => `hostname ${name}`),
    [...config.hosts].map(([name, { value }]) => `ip host ${name} ${formatIpv4(value)}`),
    options.withKeys === true ? [...config.rsaKeys.values()].map(printRsaKey) : [],
    options.withKeys === true ? [...config.ecKeys.values()].map(printEcKey) : [],
    ...printPki(config.pki),
    ...printIkev2(config.ikev2, options),
    ...printIsakmp(config.isakmp, options),
    ...[...config.identities.values()].map(printIdentity),
    ...printIpsec(config),
    ...[...config.groups.values()].map(printGroup),
    ...[...config.cryptoMaps.values()].map(printCryptoMap),
    ...[...config.interfaces.values()].map(printInterface),
    ...[...config.ospf.values()].map(printOspf),
    printNat(config.nat),
    config.staticRoutes.map(printRoute),
    ...[...config.accessLists.values()].map(printAccessList),
  ];
  const filled = blocks.filter((lines) => lines.length > 0);
  return `${["!", ...filled.flatMap((lines) => [...lines, "!"]), "end"].join("\n")}\n`;
}

/** One interface of the configuration; empty where there is none of that name. `name`: canonical. */
export function printInterfaceConfig(config: IosConfig, name: string): string {
  const one = config.interfaces.get(name);
  return one === undefined ? "" : `${[...printInterface(one), "end"].join("\n")}\n`;
}

function printRsaKey({ label, modulusBits, exportable }: RsaKey): string {
  return `crypto key generate rsa label ${label} modulus ${modulusBits}${exportable ? " exportable" : ""}`;
}

function printEcKey({ label, curveBits, exportable }: EcKey): string {
  return `crypto key generate ec keysize ${curveBits} label ${label}${exportable ? " exportable" : ""}`;
}
