/** `show crypto isakmp policy`, `key` and `profile`: what is configured for IKEv1. */
import { formatIpv4 } from "../../base/ipv4.ts";
import type { DhGroup, IsakmpConfig, IsakmpEncryption, IsakmpKey, IsakmpPolicy, LocalAddress } from "../model.ts";
import { isakmpMatchText } from "../print/isakmp.ts";
import { keyText } from "../print/writer.ts";
import { lines } from "./text.ts";

const ENCRYPTIONS: Readonly<Record<IsakmpEncryption, string>> = {
  des: "DES - Data Encryption Standard (56 bit keys).",
  "3des": "Three key triple DES",
  "aes-128": "AES - Advanced Encryption Standard (128 bit keys).",
  "aes-192": "AES - Advanced Encryption Standard (192 bit keys).",
  "aes-256": "AES - Advanced Encryption Standard (256 bit keys).",
};

const HASHES: Readonly<Record<IsakmpPolicy["hash"], string>> = {
  md5: "Message Digest 5",
  sha: "Secure Hash Standard",
  sha256: "Secure Hash Standard 2 (256 bit)",
  sha384: "Secure Hash Standard 2 (384 bit)",
  sha512: "Secure Hash Standard 2 (512 bit)",
};

const METHODS: Readonly<Record<IsakmpPolicy["authentication"], string>> = {
  "pre-share": "Pre-Shared Key",
  "rsa-encr": "Rivest-Shamir-Adleman Encryption",
  "rsa-sig": "Rivest-Shamir-Adleman Signature",
};

const GROUPS: Readonly<Record<DhGroup, string>> = {
  1: "768 bit",
  2: "1024 bit",
  5: "1536 bit",
  14: "2048 bit",
  15: "3072 bit",
  16: "4096 bit",
  19: "256 bit",
  20: "384 bit",
  21: "521 bit",
  24: "2048 bit, 256 bit subgroup",
};

/** In the order in which they are tried. Suites that an image has without any policy are not offered here. */
export function isakmpPolicies({ policies }: IsakmpConfig): string {
  const sorted = [...policies.values()].sort((a, b) => a.priority - b.priority);
  return lines(
    "",
    "Global IKE policy",
    sorted.flatMap(({ priority, encryption, hash, authentication, group, lifetimeSeconds }) => [
      `Protection suite of priority ${priority}`,
      policyRow("encryption algorithm:", ENCRYPTIONS[encryption]),
      policyRow("hash algorithm:", HASHES[hash]),
      policyRow("authentication method:", METHODS[authentication]),
      policyRow("Diffie-Hellman group:", `#${group} (${GROUPS[group]})`),
      policyRow("lifetime:", `${lifetimeSeconds} seconds, no volume limit`),
    ]),
  );
}

function policyRow(label: string, value: string): string {
  return `        ${label.padEnd(24)}${value}`;
}

const GLOBAL = "default";
const HOST = 0xffffffff;

/** Global keys are the keyring `default`. In place of a key its fingerprint, as in the running configuration. */
export function isakmpKeys({ keys, keyrings }: IsakmpConfig): string {
  const row = (keyring: string, peer: string, key: string) => `${keyring.padEnd(13)}${peer.padEnd(44)}${key}`;
  const all = [{ name: GLOBAL, keys }, ...keyrings.values()];
  return lines(
    row("Keyring", "Hostname/Address", "Preshared Key"),
    "",
    all.flatMap((ring) => ring.keys.map((one) => row(ring.name, peerText(one), keyText(one.key, {})))),
  );
}

function peerText({ address, mask, hostname }: IsakmpKey): string {
  if (address === undefined) return hostname ?? "";
  const text = formatIpv4(address);
  return mask === undefined || mask === HOST ? text : `${text.padEnd(15)}[${formatIpv4(mask).padEnd(15)}]`;
}

/** Layout from memory of real output; what `Ref Count` counts is not known, so that it is always one. */
export function isakmpProfiles({ profiles }: IsakmpConfig): string {
  return [...profiles.values()]
    .map(({ name, matchIdentities, matchCertificates, keyrings, trustpoints, localAddress }) =>
      lines(
        "",
        `IKEv1 PROFILE ${name}`,
        "Ref Count = 1",
        "   Identities matched are:",
        matchIdentities.map(({ value }) => `    ${isakmpMatchText(value).replace(/^address/, "ip-address")} `),
        "   Certificate maps matched are:",
        matchCertificates.map((map) => `    ${map.name}`),
        `   keyring(s): ${keyrings.length === 0 ? "<none>" : keyrings.map((ring) => ring.name).join(" ")}`,
        `   trustpoint(s): ${trustpoints.length === 0 ? "<all>" : trustpoints.map((one) => one.name).join(" ")}`,
        localAddress === undefined ? [] : `   Interface binding: ${localText(localAddress)}`,
      ),
    )
    .join("");
}

function localText(local: LocalAddress): string {
  return local.kind === "address" ? formatIpv4(local.address) : local.name;
}
