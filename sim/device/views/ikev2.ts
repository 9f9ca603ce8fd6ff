/** IKE SAs of a role's endpoint. */
import { formatIpv4 } from "../../../src/base/ipv4.ts";
import type { Micros } from "../../../src/base/micros.ts";
import type { IkeEndpoint } from "../../../src/ikev2/endpoint.ts";
import type { IkeSa } from "../../../src/ikev2/state.ts";
import type { AuthenticationMethod, Ikev2Profile, IosConfig } from "../../../src/ios/model.ts";
import type { Ikev2SaView } from "../../../src/ios/show/views.ts";
import { identityText } from "../../../src/pki/identity.ts";
import { Encr, Integ, Prf } from "../../../src/wire/ikev2Numbers.ts";
import { keyOctetsOf, secondsSince } from "./common.ts";

/** Those that are being made and those that stand, oldest first. */
export function ikev2Views(config: IosConfig, endpoint: IkeEndpoint, now: Micros): Ikev2SaView[] {
  return [...endpoint.sas.values()]
    .filter((sa) => sa.phase.at !== "lingering" && sa.announced && sa.successor === 0)
    .map((sa) => saView(config, endpoint, sa, now));
}

const CIPHERS: Readonly<Record<number, string>> = {
  [Encr["3DES"]]: "3DES",
  [Encr.AES_CBC]: "AES-CBC",
  [Encr.AES_GCM_16]: "AES-GCM",
  [Encr.CHACHA20_POLY1305]: "CHACHA20-POLY1305",
};

const PRFS: Readonly<Record<number, string>> = {
  [Prf.HMAC_MD5]: "MD5",
  [Prf.HMAC_SHA1]: "SHA1",
  [Prf.HMAC_SHA2_256]: "SHA256",
  [Prf.HMAC_SHA2_384]: "SHA384",
  [Prf.HMAC_SHA2_512]: "SHA512",
};

/** IOS names the first two by the bits that travel. */
const HASHES: Readonly<Record<number, string>> = {
  [Integ.NONE]: "None",
  [Integ.HMAC_MD5_96]: "MD596",
  [Integ.HMAC_SHA1_96]: "SHA96",
  [Integ.HMAC_SHA2_256_128]: "SHA256",
  [Integ.HMAC_SHA2_384_192]: "SHA384",
  [Integ.HMAC_SHA2_512_256]: "SHA512",
};

const METHODS: Readonly<Record<AuthenticationMethod, string>> = {
  "pre-share": "PSK",
  "rsa-sig": "RSA",
  "ecdsa-sig": "ECDSA",
  eap: "EAP",
};

const STATUS: Partial<Record<IkeSa["phase"]["at"], Ikev2SaView["status"]>> = {
  established: "READY",
  deleting: "DELETE",
};

const NO_SPI = "0".repeat(16);

function saView(config: IosConfig, endpoint: IkeEndpoint, sa: IkeSa, now: Micros): Ikev2SaView {
  const profile = config.ikev2.profiles.get(sa.profile);
  const suite = sa.keys?.suite;
  const [localSpi, remoteSpi] = sa.initiator ? [sa.spiInitiator, sa.spiResponder] : [sa.spiResponder, sa.spiInitiator];
  const remote = profile?.authenticationRemote[0]?.method ?? "pre-share";
  const dpd = profile?.dpd ?? config.ikev2.dpd;
  return {
    number: sa.number,
    isInitiator: sa.initiator,
    status: STATUS[sa.phase.at] ?? "IN-NEG",
    local: sa.local,
    remote: sa.remote,
    cipher: suite === undefined ? "" : (CIPHERS[suite.encr] ?? String(suite.encr)),
    keyBits: suite === undefined ? 0 : 8 * keyOctetsOf(suite),
    prf: suite === undefined ? "" : (PRFS[suite.prf] ?? String(suite.prf)),
    hash: suite === undefined ? "" : (HASHES[suite.integ] ?? String(suite.integ)),
    dhGroup: suite?.dh ?? 0,
    authentication: {
      sign: METHODS[profile?.authenticationLocal?.method ?? "pre-share"],
      verify: METHODS[remote],
    },
    lifetime: profile?.lifetimeSeconds ?? 0,
    active: secondsSince(sa.createdAt, now),
    localSpi: localSpi === "" ? NO_SPI : localSpi,
    remoteSpi: remoteSpi === "" ? NO_SPI : remoteSpi,
    localId: localIdentity(profile, sa.local.address),
    remoteId: sa.identity === undefined ? "" : identityText(sa.identity),
    requests: {
      localNext: sa.out.nextId,
      remoteNext: sa.inward.nextId,
      localQueued: sa.out.queue.length,
      localWindow: endpoint.config.window ?? 1,
      remoteWindow: sa.out.size,
    },
    dpd: dpd === undefined ? undefined : { seconds: dpd.seconds, retry: dpd.retrySeconds },
    isFragmenting: sa.fragments,
    isNatted: sa.nat.peerBehindNat || sa.nat.weBehindNat,
  };
}

function localIdentity(profile: Ikev2Profile | undefined, address: string): string {
  const identity = profile?.identityLocal;
  if (identity === undefined) return address;
  switch (identity.kind) {
    case "address":
      return formatIpv4(identity.address);
    case "address6":
      return identity.address;
    case "dn":
      return "dn";
    default:
      return identity.text;
  }
}
