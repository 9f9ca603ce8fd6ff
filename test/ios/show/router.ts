/** A router with every kind of view: a group that it serves, one that it is a member of, SAs of all sorts. */
import { isIosError, parseExec } from "../../../src/ios/exec.ts";
import { parseConfig } from "../../../src/ios/parse.ts";
import { showText } from "../../../src/ios/show/show.ts";
import type { MemberGroupView, RouterView, ServerGroupView } from "../../../src/ios/show/views.ts";

const TEXT = `hostname R1
crypto gkm group getvpn1
 identity number 1223
 server address ipv4 1.1.1.1
ip access-list extended acl1
 permit ip 10.0.0.0 0.255.255.255 10.0.0.0 0.255.255.255
 deny udp any eq 848 any
crypto map CM 10 gkm
 set group getvpn1
interface GigabitEthernet0/0/1
 ip address 3.3.1.1 255.255.255.0
 crypto map CM
`;
const config = parseConfig(TEXT, "r1").config;
const entries = config.accessLists.get("acl1")!.entries;
const transform = { cipher: "esp-aes", keyBits: 256, hash: "sha256" } as const;
const replay = { method: "counter", window: 64 } as const;
const signature = { spkiOctets: 550, signatureOctets: 512, label: "REKEYRSA", hash: "HMAC_AUTH_SHA" };

const ENDS = { local: { address: "3.3.1.1", port: 848 }, remote: { address: "1.1.1.1", port: 848 } } as const;

function ipsecSa(spi: string) {
  return {
    inboundSpi: spi,
    outboundSpi: spi,
    isInUdp: false,
    transform,
    mode: "tunnel" as const,
    ivOctets: 16,
    replay,
  };
}

export const server: ServerGroupView = {
  name: "getvpn1",
  identity: "1223",
  type: "GDOI (ISAKMP)",
  family: "ipv4",
  transport: "Unicast",
  address: "1.1.1.1",
  members: [
    {
      address: "25.25.25.1",
      version: "1.0.25",
      type: "GDOI (ISAKMP)",
      rekeysSent: 7,
      retries: 2,
      acksReceived: 6,
      acksMissed: 1,
      sequencesSent: [7, 6],
      sequencesReceived: [7],
    },
  ],
  isReceiveOnly: false,
  d3pWindowMillis: undefined,
  isCkmEnabled: false,
  isReauthOnCrl: false,
  acknowledgement: "cisco",
  splitResiliencyFactor: 0,
  redundancy: { address: "1.1.1.1", priority: 245, status: "Alive", role: "Primary" },
  rekeyLifetime: 1200,
  retransmitPeriod: 10,
  retransmitAttempts: 2,
  retransmitRemaining: 0,
  sas: [
    {
      number: 1,
      lifetime: 600,
      profile: "IP1",
      replay,
      isTagged: false,
      remaining: 188,
      rekeyIn: 62,
      acl: "acl1",
      entries,
    },
  ],
  keks: [
    {
      type: "G-IKEv2 (IKEv2)",
      spi: "eeb0e9a2bbd4c71af1034f6b24eb8022",
      cipher: "AES",
      ivOctets: 16,
      keyOctets: 32,
      lifetime: 1200,
      remaining: 787,
      rekeyIn: 552,
      sequence: 3,
      signature,
    },
  ],
  teks: [
    {
      spi: "ee021924",
      acl: "acl1",
      mode: "tunnel",
      transform,
      lifetime: 600,
      remaining: 188,
      elapsed: 412,
      rekeyIn: 62,
      replay,
    },
    {
      spi: "0000abcd",
      acl: "acl1",
      mode: "tunnel",
      transform: { cipher: "esp-gcm", keyBits: 128, hash: undefined },
      lifetime: 600,
      remaining: 5,
      elapsed: 595,
      rekeyIn: undefined,
      replay,
    },
  ],
  senderIds: {
    isCounterMode: true,
    bits: 24,
    sizeName: "MEDIUM",
    assigned: [{ from: 3, to: 9 }],
    current: 3,
    lastGmSid: 17,
    remaining: 900,
  },
  rekeysSent: 4,
  retransmitsTotal: 9,
  lastRetransmits: 2,
  lastDurationMillis: 33,
};

export const member: MemberGroupView = {
  name: "getvpn1",
  identity: "1223",
  type: "G-IKEv2 (IKEv2)",
  profile: "P1",
  family: "ipv4",
  servers: ["1.1.1.1", "2.2.2.2"],
  interface: "GigabitEthernet0/0/1",
  address: "3.3.1.1",
  port: 848,
  version: "1.0.26",
  status: "Registered",
  server: "1.1.1.1",
  reregisterIn: 449,
  succeeded: 1,
  attempted: 3,
  transport: "Unicast",
  rekeys: {
    unicast: 25,
    multicast: 0,
    acksSent: 24,
    sinceRegistration: 20,
    lastAgo: 90,
    lastFrom: "1.1.1.1",
    lastSequence: 5,
  },
  isFailCloseRevert: false,
  allowedCipher: "any",
  allowedHash: "any",
  allowedTransforms: "any ESP",
  kek: {
    spi: "eeb0e9a2bbd4c71af1034f6b24eb8022",
    previousSpi: "11111111222222223333333344444444",
    cipher: "AES",
    keyBits: 256,
    ivOctets: 16,
    lifetime: 1200,
    remaining: 1109,
    sequence: 5,
    signature: { ...signature, label: "" },
    publicKey: "30".repeat(40),
    connectionId: 1712,
  },
  teks: [
    {
      spi: "5a69f51e",
      transform,
      mode: "tunnel",
      lifetime: 600,
      remaining: 510,
      replay: { method: "time", seconds: 5 },
      entry: entries[0]!,
    },
    { spi: "00000101", transform, mode: "tunnel", lifetime: 600, remaining: 20, replay, entry: entries[0]! },
  ],
  downloaded: entries,
  local: { map: "CM", acl: "OWN", entries: [entries[1]!] },
  senderIds: [0x010203],
  senderIdBits: 24,
  senderIdsRequested: 1,
  isCounterMode: true,
  dataPlane: {
    encrypted: 21592009,
    decrypted: 8,
    noSa: 1,
    invalidSa: 2,
    encapsFail: 3,
    decapFail: 4,
    invalidProtocol: 5,
    verifyFail: 6,
    internalSend: 7,
    internalReceive: 9,
    replayFail: 0,
  },
  kekCount: { installed: 2, removed: 1 },
};

export const view: RouterView = {
  hostname: "R1",
  nowMicros: 3_723_004_000,
  uptimeSeconds: 90_061,
  platform: "isr4400",
  config,
  interfaces: [
    { name: "GigabitEthernet0/0/1", address: "3.3.1.1", isShutdown: false, isUp: true },
    { name: "Loopback0", address: undefined, isShutdown: true, isUp: false },
  ],
  routes: [
    { network: "10.1.0.0", length: 16, source: "static", distance: 1, metric: 0, nextHop: "3.3.1.2", interface: "Gi0" },
    {
      network: "10.2.3.0",
      length: 24,
      source: "connected",
      distance: 0,
      metric: 0,
      nextHop: undefined,
      interface: "L0",
    },
    {
      network: "0.0.0.0",
      length: 0,
      source: "static",
      distance: 1,
      metric: 0,
      nextHop: "3.3.1.9",
      interface: undefined,
    },
    {
      network: "192.0.2.0",
      length: 24,
      source: "ospf",
      distance: 110,
      metric: 2,
      nextHop: "3.3.1.3",
      interface: "Gi0",
    },
  ],
  servers: [server],
  members: [member],
  ikev2Sas: [
    {
      number: 1,
      isInitiator: true,
      status: "READY",
      local: { address: "3.3.1.1", port: 848 },
      remote: { address: "1.1.1.1", port: 848 },
      cipher: "AES-CBC",
      keyBits: 256,
      prf: "SHA256",
      hash: "SHA256",
      dhGroup: 19,
      authentication: { sign: "PSK", verify: "RSA" },
      lifetime: 86_400,
      active: 735,
      localSpi: "e2f0b57a7c7d1f7c",
      remoteSpi: "9d2c2e84a9d7dfeb",
      localId: "3.3.1.1",
      remoteId: "1.1.1.1",
      requests: { localNext: 2, remoteNext: 1, localQueued: 0, localWindow: 5, remoteWindow: 5 },
      dpd: { seconds: 10, retry: 2 },
      isFragmenting: false,
      isNatted: false,
    },
  ],
  nat: [
    { protocol: undefined, insideGlobal: "192.0.2.9", insideLocal: "10.0.0.9", outside: undefined },
    { protocol: "udp", insideGlobal: "192.0.2.1:500", insideLocal: "10.0.0.1:500", outside: "198.51.100.7:848" },
  ],
  trustpoints: [
    {
      name: "CA",
      own: {
        serial: "02",
        usage: "General Purpose",
        issuer: ["cn=Root", "o=Example"],
        subject: ["cn=gm1", "hostname=R1"],
        hostname: "R1",
        start: "00:00:00 UTC Jan 1 2026",
        end: "00:00:00 UTC Jan 1 2027",
      },
      authority: {
        serial: "01",
        usage: "Signature",
        issuer: ["cn=Root", "o=Example"],
        subject: ["cn=Root", "o=Example"],
        hostname: undefined,
        start: "00:00:00 UTC Jan 1 2025",
        end: "00:00:00 UTC Jan 1 2035",
      },
    },
    { name: "EMPTY", own: undefined, authority: undefined },
  ],
  rsaKeys: () => [{ label: "REKEYRSA", isExportable: true, publicKey: "30820122".repeat(9) }],
  ikev2Stats: () => ({
    incoming: { active: 3, negotiating: 1, requests: 9, accepted: 7, rejected: 2 },
    outgoing: { active: 1, negotiating: 0, requests: 2, accepted: 1, rejected: 1 },
    limits: { sas: 1000, inNegotiation: undefined },
    overload: 1,
    dropped: 4,
    cookies: { demanded: 6, accepted: 5, rejected: 1 },
  }),
  log: () => ["*Mar  1 00:00:00.000: %SYS-5-RESTART: System restarted --"],
  isakmpSas: [
    {
      destination: "1.1.1.1",
      source: "3.3.1.1",
      ...ENDS,
      state: "GDOI_IDLE",
      connectionId: 1001,
      status: "ACTIVE",
      suite: { encryption: "aes", hash: "sha256", authentication: "psk", group: 14 },
      remaining: 86_265,
      isNatted: true,
      hasDpd: true,
    },
    {
      destination: "3.3.1.1",
      source: "1.1.1.1",
      ...ENDS,
      state: "GDOI_REKEY",
      connectionId: 1002,
      status: "ACTIVE",
      suite: undefined,
      remaining: 1109,
      isNatted: false,
      hasDpd: false,
    },
  ],
  ipsec: [
    {
      name: "GigabitEthernet0/0/1",
      map: "CM",
      address: "3.3.1.1",
      mtu: 1500,
      flows: [
        {
          group: "getvpn1",
          peer: { address: "0.0.0.0", port: 848 },
          pfsGroup: undefined,
          entry: entries[0]!,
          counters: {
            encaps: 1,
            encrypt: 2,
            digest: 3,
            decaps: 4,
            decrypt: 5,
            verify: 6,
            sendErrors: 7,
            receiveErrors: 8,
          },
          plaintextMtu: 1438,
          outboundSpi: "5a69f51e",
          sas: [
            { ...ipsecSa("5a69f51e"), connectionId: 2003, remaining: 510 },
            { ...ipsecSa("00000101"), connectionId: 2001, remaining: 20 },
          ],
        },
      ],
    },
  ],
};

/** What the router answers to a show command. */
export function show(command: string, of: RouterView = view): string {
  const parsed = parseExec(`show ${command}`);
  if (isIosError(parsed) || parsed.kind !== "show") throw new Error(`show ${command} is no command`);
  const text = showText(of, parsed);
  if (text === undefined) throw new Error(`show ${command} has no view`);
  return text;
}

export const onlyServer = { ...view, members: [] };
export const onlyMember = { ...view, servers: [] };

const [groupInterface] = view.ipsec;
const [groupFlow] = groupInterface!.flows;
const FAR = { address: "192.0.2.2", port: 4500 };

/** A router with two tunnels, one of them up. */
export const tunnelRouter: RouterView = {
  ...view,
  servers: [],
  members: [],
  isakmpSas: [],
  ikev2Sas: [{ ...view.ikev2Sas[0]!, local: { address: "3.3.1.1", port: 4500 }, remote: FAR }],
  ipsec: [
    {
      ...groupInterface!,
      flows: [
        {
          ...groupFlow!,
          group: undefined,
          peer: FAR,
          pfsGroup: 19,
          outboundSpi: "00000b02",
          sas: [
            {
              ...ipsecSa("00000a01"),
              outboundSpi: "00000b02",
              isInUdp: true,
              connectionId: 2001,
              remaining: 77,
            },
          ],
        },
        {
          ...groupFlow!,
          group: undefined,
          peer: { address: "192.0.2.3", port: 500 },
          outboundSpi: undefined,
          sas: [],
        },
      ],
    },
  ],
};
