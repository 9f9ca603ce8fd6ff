/**
 * Values that hold until something else is configured. `no` and `default` lead back here. Facts without a number of their
 * own in a comment are the command reference's.
 */
import type {
  CryptoIdentity,
  CryptoMap,
  GkmClient,
  GkmGroup,
  Ikev2Keyring,
  Ikev2Peer,
  Ikev2Policy,
  Ikev2Profile,
  Ikev2Proposal,
  IosConfig,
  IosInterface,
  IpsecProfile,
  IsakmpKeyring,
  IsakmpPolicy,
  IsakmpProfile,
  LocalServer,
  OspfProcess,
  PkiTrustpoint,
  Place,
  Redundancy,
  SaIpsec,
  TransformSet,
  TunnelMapEntry,
} from "./model.ts";

export const DEFAULTS = {
  /** Ethernet; loopbacks have 1514 and tunnels 17916 on real boxes, which no packet here can feel. */
  interface: { mtu: 1500, shutdown: false },
  route: { distance: 1 },
  /** Router images since 15.4 offer 2048; older ones asked and offered 512 or 1024. */
  rsaKey: { modulusBits: 2048 },
  /** Policy 65535, the built-in one, has the same values except for the group in old images. */
  isakmpPolicy: {
    encryption: "des",
    hash: "sha",
    authentication: "rsa-sig",
    group: 1,
    lifetimeSeconds: 86_400,
  },
  isakmp: { enabled: true, identity: "address", keepaliveRetrySeconds: 2, aggressive: true, initiate: "main" },
  /** The proposal called `default` of 17.x images. */
  ikev2Proposal: {
    encryption: ["aes-cbc-256"],
    integrity: ["sha512", "sha384"],
    prf: ["sha512", "sha384"],
    groups: [19, 14, 21, 5],
  },
  ikev2: { window: 5, fragmentationMtu: 576, lifetimeSeconds: 86_400, httpUrlCert: true },
  transformSet: { mode: "tunnel", aesKeyBits: 128 },
  ipsecProfile: { lifetimeSeconds: 3_600 },
  ipsec: { dfBit: "copy", fragmentation: "before-encryption" },
  client: { protocol: "gdoi", bypassPolicy: true, failCloseRevert: false, pfs: true },
  saIpsec: { replay: { method: "counter", windowSize: 64 } },
  redundancy: { localPriority: 1, protocolVersion: "base" },
  server: {
    gdoi: true,
    rekeyLifetimeSeconds: 86_400,
    rekeyAlgorithm: "3des-cbc",
    rekeySigHash: "sha",
    /** One original and two copies, ten seconds apart. */
    rekeyRetransmitSeconds: 10,
    rekeyRetransmitCount: 2,
    rekeyTransport: "multicast",
    rekeyAcknowledgement: "cisco",
    groupSize: "medium",
    pfs: false,
    splitResiliency: true,
    saReceiveOnly: false,
  },
  nat: { timeoutSeconds: 86_400, udpSeconds: 300, tcpSeconds: 86_400, icmpSeconds: 60 },
  ping: { repeat: 5, size: 100, timeoutSeconds: 2 },
} as const;

/** Place of objects that nobody configured. */
export const BUILT_IN: Place = { file: "(built in)", line: 0, column: 0 };

/** A router out of the box: the built-in IKEv2 proposal and policy and nothing else. */
export function emptyConfig(): IosConfig {
  const proposal = defaultIkev2Proposal();
  const policy: Ikev2Policy = {
    name: "default",
    at: BUILT_IN,
    matchFvrf: "any",
    matchLocalAddresses: [],
    proposals: [{ name: "default", at: BUILT_IN }],
  };
  return {
    hosts: new Map(),
    interfaces: new Map(),
    staticRoutes: [],
    ospf: new Map(),
    accessLists: new Map(),
    rsaKeys: new Map(),
    ecKeys: new Map(),
    pki: { trustpoints: new Map(), certificateMaps: new Map() },
    isakmp: {
      policies: new Map(),
      keys: [],
      keyrings: new Map(),
      profiles: new Map(),
      enabled: DEFAULTS.isakmp.enabled,
      identity: DEFAULTS.isakmp.identity,
      aggressive: DEFAULTS.isakmp.aggressive,
    },
    identities: new Map(),
    ikev2: {
      proposals: new Map([["default", proposal]]),
      policies: new Map([["default", policy]]),
      keyrings: new Map(),
      profiles: new Map(),
      httpUrlCert: DEFAULTS.ikev2.httpUrlCert,
      window: DEFAULTS.ikev2.window,
    },
    transformSets: new Map(),
    ipsecProfiles: new Map(),
    ipsecDfBit: DEFAULTS.ipsec.dfBit,
    ipsecFragmentation: DEFAULTS.ipsec.fragmentation,
    groups: new Map(),
    cryptoMaps: new Map(),
    nat: { pools: new Map(), statics: [], sources: [], ...DEFAULTS.nat },
  };
}

export function newInterface(name: string, at: Place): IosInterface {
  const { mtu, shutdown } = DEFAULTS.interface;
  return { name, at, secondaryAddresses: [], dhcp: false, shutdown, mtu };
}

export function newOspf(process: number, at: Place): OspfProcess {
  return { process, at, networks: [], passiveDefault: false, passiveExceptions: [] };
}

export function newIsakmpPolicy(priority: number, at: Place): IsakmpPolicy {
  return { priority, at, ...DEFAULTS.isakmpPolicy };
}

export function newIsakmpKeyring(name: string, at: Place): IsakmpKeyring {
  return { name, at, keys: [] };
}

export function newIsakmpProfile(name: string, at: Place): IsakmpProfile {
  const { initiate } = DEFAULTS.isakmp;
  return { name, at, keyrings: [], matchIdentities: [], matchCertificates: [], trustpoints: [], initiate };
}

export function newCryptoIdentity(name: string, at: Place): CryptoIdentity {
  return { name, at, distinguishedNames: [], hostnames: [] };
}

export function defaultIkev2Proposal(): Ikev2Proposal {
  const { encryption, integrity, prf, groups } = DEFAULTS.ikev2Proposal;
  return {
    name: "default",
    at: BUILT_IN,
    encryption: [...encryption],
    integrity: [...integrity],
    prf: [...prf],
    groups: [...groups],
  };
}

export function newIkev2Proposal(name: string, at: Place): Ikev2Proposal {
  return { name, at, encryption: [], integrity: [], prf: [], groups: [] };
}

export function newIkev2Policy(name: string, at: Place): Ikev2Policy {
  return { name, at, matchLocalAddresses: [], proposals: [] };
}

export function newIkev2Keyring(name: string, at: Place): Ikev2Keyring {
  return { name, at, peers: new Map() };
}

export function newIkev2Peer(name: string, at: Place): Ikev2Peer {
  return { name, at };
}

export function newIkev2Profile(name: string, at: Place): Ikev2Profile {
  return {
    name,
    at,
    matchLocalAddresses: [],
    matchLocalInterfaces: [],
    matchRemote: [],
    matchCertificates: [],
    authenticationRemote: [],
    trustpoints: [],
    lifetimeSeconds: DEFAULTS.ikev2.lifetimeSeconds,
    forceInitialContact: false,
  };
}

export function newTrustpoint(name: string, at: Place): PkiTrustpoint {
  return { name, at, enrollment: [], revocationCheck: ["crl"] };
}

export function newTransformSet(name: string, at: Place): TransformSet {
  return { name, at, keyBits: 0, mode: DEFAULTS.transformSet.mode };
}

export function newIpsecProfile(name: string, at: Place): IpsecProfile {
  return { name, at, transformSets: [], lifetimeSeconds: DEFAULTS.ipsecProfile.lifetimeSeconds };
}

export function newGroup(name: string, family: GkmGroup["family"], keyword: GkmGroup["keyword"], at: Place): GkmGroup {
  return { name, at, family, keyword, passive: false, servers: [], client: newClient() };
}

export function newClient(): GkmClient {
  const { protocol, bypassPolicy, failCloseRevert, pfs } = DEFAULTS.client;
  return { protocol, bypassPolicy, failCloseRevert, pfs, rekeyEncryption: [], rekeyHash: [], transformSets: [] };
}

export function newServer(at: Place): LocalServer {
  const d = DEFAULTS.server;
  return {
    at,
    gdoi: d.gdoi,
    rekeyLifetimeSeconds: d.rekeyLifetimeSeconds,
    rekeyAlgorithm: d.rekeyAlgorithm,
    rekeySigHash: d.rekeySigHash,
    rekeyRetransmitSeconds: d.rekeyRetransmitSeconds,
    rekeyRetransmitCount: d.rekeyRetransmitCount,
    rekeyRetransmitPeriodic: false,
    rekeyTransport: d.rekeyTransport,
    rekeyAcknowledgement: d.rekeyAcknowledgement,
    saReceiveOnly: d.saReceiveOnly,
    saPairWiseKeying: false,
    saIpsec: new Map(),
    groupSize: d.groupSize,
    identifiers: [],
    pfs: d.pfs,
    splitResiliency: d.splitResiliency,
  };
}

export function newSaIpsec(number: number, at: Place): SaIpsec {
  return { number, at, aclFamily: "ipv4", replay: DEFAULTS.saIpsec.replay, tagSgt: false };
}

export function newRedundancy(at: Place): Redundancy {
  const { localPriority, protocolVersion } = DEFAULTS.redundancy;
  return { at, localPriority, peers: [], protocolVersion };
}

export function newTunnelEntry(sequence: number, at: Place): TunnelMapEntry {
  return { sequence, at, transformSets: [], lifetimeSeconds: DEFAULTS.ipsecProfile.lifetimeSeconds };
}

export function newCryptoMap(name: string, family: CryptoMap["family"], at: Place): CryptoMap {
  return { name, family, at, entries: new Map(), tunnels: new Map(), otherEntries: new Map() };
}
