/**
 * What the devices of a benchmark prove themselves with: one pre-shared key for all, or an ECDSA P-256 certificate each,
 * of one authority that all of them trust.
 */
import { utf8 } from "../../src/base/bytes.ts";
import { formatIpv4 } from "../../src/base/ipv4.ts";
import { secret } from "../../src/base/secret.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import { ecPrivateKey, publicHalf } from "../../src/crypto/privateKey.ts";
import { EPOCH_DEFAULT } from "../../src/pki/calendar.ts";
import { decodeCertificate } from "../../src/pki/certificate.ts";
import { distinguishedName } from "../../src/pki/identity.ts";
import { issueCertificate } from "../../src/pki/issue.ts";
import { makeName, type Name } from "../../src/pki/name.ts";
import { HOSTNAME } from "../../src/pki/oid.ts";
import { addressOctets } from "../../src/wire/address.ts";
import { IdType } from "../../src/wire/ikev2Numbers.ts";
import { createRng } from "../core/rng.ts";
import { benchAddress, type Proof } from "./group.ts";

/** By the number of the device: 0 is the key server. The same objects each time. */
export type Credentials = (device: number) => Proof;

const EVERYBODY = { network: "0.0.0.0", mask: "0.0.0.0" } as const;
export const SHARED_KEY = secret(utf8("one key for all members of the benchmark"));
const KEYS = [{ peer: "any", address: EVERYBODY, localKey: SHARED_KEY, remoteKey: SHARED_KEY }] as const;
const BY_ADDRESS = { remoteAddresses: [EVERYBODY], remoteIdentities: [], anyRemote: false } as const;
const SHARED = ["pre-share"] as const;

export const sharedKey: Credentials = (device) => ({
  localIdentity: { type: IdType.IPV4_ADDR, data: addressOctets(formatIpv4(benchAddress(device))) },
  local: "pre-share",
  remote: SHARED,
  match: BY_ADDRESS,
  keys: KEYS,
});

const ANYBODY = { remoteAddresses: [], remoteIdentities: [], anyRemote: true } as const;
const SIGNED = ["ecdsa-sig"] as const;
const VALID_SECONDS = 365 * 86_400;

/** Certificates are issued when they are asked for: a device's key pair and its certificate are made once. */
export function ecdsaCertificates(crypto: Crypto): Credentials {
  const rng = createRng("bench certificates");
  const newKey = (owner: string) => ecPrivateKey("P-256", rng.fork(owner).bytes(32));
  const rootKey = newKey("root");
  const issuer = { name: nameOf("root"), key: rootKey };
  const validity = { notBefore: EPOCH_DEFAULT, notAfter: EPOCH_DEFAULT + VALID_SECONDS };
  const issue = (subject: Name, key: typeof rootKey, serial: number, more: { readonly authority?: object } = {}) => {
    const order = { subject, publicKey: publicHalf(key), serial, ...validity, ...more };
    return decodeCertificate(issueCertificate(crypto, issuer, order));
  };
  const anchor = issue(issuer.name, rootKey, 1, { authority: {} });
  const made = new Map<number, Proof>();
  return (device) => {
    const known = made.get(device);
    if (known !== undefined) return known;
    const key = newKey(`device ${device}`);
    const certificate = issue(nameOf(`device${device}`), key, device + 2);
    const identity = { key, chain: [certificate] };
    const proof: Proof = {
      localIdentity: distinguishedName(certificate.subject),
      local: "ecdsa-sig",
      remote: SIGNED,
      match: ANYBODY,
      keys: [],
      trustpoints: [{ name: "TP", use: "both", anchor, identity, crls: [], revocation: "none" }],
    };
    made.set(device, proof);
    return proof;
  };
}

function nameOf(host: string): Name {
  return makeName([{ type: HOSTNAME, value: host }]);
}
