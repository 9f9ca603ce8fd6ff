/** Pre-shared keys of IKEv1: those of `crypto isakmp key` and those of a keyring have the same arguments. */
import type { Args } from "../args.ts";
import type { IsakmpKey } from "../model.ts";

/** The list with the key of a line, which replaces the one that the peer had. */
export function withKey(keys: readonly IsakmpKey[], args: Args): IsakmpKey[] {
  const address = args.number("address");
  const key = {
    key: args.key("key")!,
    address,
    mask: maskOf(address, args.number("mask")),
    hostname: args.text("hostname"),
    at: args.at,
  };
  return [...withoutKey(keys, args), key];
}

/** The list without the key of the peer that a line names. */
export function withoutKey(keys: readonly IsakmpKey[], args: Args): IsakmpKey[] {
  return keys.filter((known) => !isSamePeer(known, args));
}

/** A key for 0.0.0.0 without a mask is for everybody. */
function maskOf(address: number | undefined, mask: number | undefined): number | undefined {
  if (address === undefined || mask !== undefined) return mask;
  return address === 0 ? 0 : 0xffffffff;
}

function isSamePeer(known: IsakmpKey, args: Args): boolean {
  const address = args.number("address");
  if (address === undefined) return known.hostname === args.text("hostname");
  return known.address === address && known.mask === maskOf(address, args.number("mask"));
}
