/** Interfaces: addresses that a router would not take, and the crypto maps that hang on them. */
import type { ConfigProblem } from "../../base/errors.ts";
import { broadcastOf, formatIpv4, lengthOfMask, networkOf, sameNetwork } from "../../base/ipv4.ts";
import type { InterfaceAddress, IosConfig, IosInterface } from "../model.ts";
import { missing, problemAt } from "./problem.ts";

export function checkInterfaces(config: IosConfig): ConfigProblem[] {
  const interfaces = [...config.interfaces.values()];
  return [
    ...interfaces.flatMap(addressesOf).flatMap(({ address }) => badHost(address)),
    ...overlaps(interfaces),
    ...interfaces.flatMap((one) => checkMap(config, one)),
  ];
}

interface Owned {
  readonly owner: string;
  readonly address: InterfaceAddress;
}

function addressesOf(one: IosInterface): Owned[] {
  const all = one.address === undefined ? one.secondaryAddresses : [one.address, ...one.secondaryAddresses];
  return all.map((address) => ({ owner: one.name, address }));
}

/** The first and the last address of a network are no hosts, except on point-to-point links (RFC 3021) and hosts. */
function badHost({ address, mask, at }: InterfaceAddress): ConfigProblem[] {
  const length = lengthOfMask(mask)!;
  if (length >= 31) return [];
  if (address !== networkOf(address, mask) && address !== broadcastOf(address, mask)) return [];
  return [problemAt("iosBadAddress", at, `Bad mask /${length} for address ${formatIpv4(address)}`)];
}

function overlaps(interfaces: readonly IosInterface[]): ConfigProblem[] {
  const all = interfaces.filter((one) => !one.shutdown).flatMap(addressesOf);
  return all.flatMap((later, i) => {
    const wide = (a: InterfaceAddress, b: InterfaceAddress) => (a.mask & b.mask) >>> 0;
    const clash = all.slice(0, i).find(({ owner, address }) => {
      return owner !== later.owner && sameNetwork(address.address, later.address.address, wide(address, later.address));
    });
    if (clash === undefined) return [];
    const network = formatIpv4(networkOf(later.address.address, later.address.mask));
    return [problemAt("iosBadAddress", later.address.at, `% ${network} overlaps with ${clash.owner}`)];
  });
}

function checkMap(config: IosConfig, { cryptoMap }: IosInterface): ConfigProblem[] {
  if (cryptoMap === undefined) return [];
  const map = config.cryptoMaps.get(cryptoMap.name);
  if (map === undefined) return missing([cryptoMap], config.cryptoMaps, (name) => `Crypto map ${name} does not exist.`);
  if (map.otherEntries.size === 0) return [];
  const message = `Crypto map ${map.name} has entries of other kinds than gkm and ipsec-isakmp, and those are not modelled.`;
  return [problemAt("iosUnsupported", cryptoMap.at, message)];
}
