/** Transform sets and ipsec profiles as the running configuration prints them. */
import { DEFAULTS } from "../defaults.ts";
import type { IosConfig, IpsecProfile, TransformSet } from "../model.ts";
import { block, optional, unless, when } from "./writer.ts";

export function printIpsec(config: IosConfig): string[][] {
  const { dfBit, fragmentation } = DEFAULTS.ipsec;
  return [
    ...[...config.transformSets.values()].map(printTransformSet),
    [
      ...unless<string>(dfBit, config.ipsecDfBit, (value) => `crypto ipsec df-bit ${value}`),
      ...unless<string>(fragmentation, config.ipsecFragmentation, (value) => `crypto ipsec fragmentation ${value}`),
    ],
    ...[...config.ipsecProfiles.values()].map(printProfile),
  ];
}

const SIZED: readonly string[] = ["esp-aes", "esp-gcm", "esp-gmac"];

function printTransformSet({ name, cipher, keyBits, espHash, ahHash, mode }: TransformSet): string[] {
  const hasBits = cipher !== undefined && SIZED.includes(cipher) && keyBits !== DEFAULTS.transformSet.aesKeyBits;
  const transforms = [
    ...optional(ahHash, (hash) => `ah-${hash}-hmac`),
    ...optional(cipher, (value) => (hasBits ? `${value} ${keyBits}` : value)),
    ...optional(espHash, (hash) => `esp-${hash}-hmac`),
  ];
  return block(
    `crypto ipsec transform-set ${name} ${transforms.join(" ")}`,
    unless<string>(DEFAULTS.transformSet.mode, mode, (value) => `mode ${value}`),
  );
}

function printProfile({ name, transformSets, lifetimeSeconds, ikev2Profile, pfsGroup }: IpsecProfile): string[] {
  return block(`crypto ipsec profile ${name}`, [
    ...unless<number>(
      DEFAULTS.ipsecProfile.lifetimeSeconds,
      lifetimeSeconds,
      (value) => `set security-association lifetime seconds ${value}`,
    ),
    ...when(transformSets.length > 0, `set transform-set ${transformSets.map((set) => set.name).join(" ")}`),
    ...optional(pfsGroup, (group) => `set pfs group${group}`),
    ...optional(ikev2Profile, (profile) => `set ikev2-profile ${profile.name}`),
  ]);
}
