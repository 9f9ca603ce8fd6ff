import { describe, expect, it } from "vitest";
import { isIosError, parseExec } from "../../../src/ios/exec.ts";
import { parseConfig } from "../../../src/ios/parse.ts";
import { showText } from "../../../src/ios/show/show.ts";
import type { MemberGroupView, RouterView, ServerGroupView } from "../../../src/ios/show/views.ts";
import { labels, twins } from "./labels.ts";

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

const server: ServerGroupView = {
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
  kek: {
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

const member: MemberGroupView = {
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

const view: RouterView = {
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
  isakmpSas: [
    { destination: "1.1.1.1", source: "3.3.1.1", state: "GDOI_IDLE", connectionId: 1001, status: "ACTIVE" },
    { destination: "3.3.1.1", source: "1.1.1.1", state: "GDOI_REKEY", connectionId: 1002, status: "ACTIVE" },
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
            { spi: "5a69f51e", transform, mode: "tunnel", connectionId: 2003, remaining: 510, ivOctets: 16, replay },
            { spi: "00000101", transform, mode: "tunnel", connectionId: 2001, remaining: 20, ivOctets: 16, replay },
          ],
        },
      ],
    },
  ],
};

function show(command: string, of: RouterView = view): string {
  const parsed = parseExec(`show ${command}`);
  if (isIosError(parsed) || parsed.kind !== "show") throw new Error(`show ${command} is no command`);
  const text = showText(of, parsed);
  if (text === undefined) throw new Error(`show ${command} has no view`);
  return text;
}

const onlyServer = { ...view, members: [] };
const onlyMember = { ...view, servers: [] };

describe("show crypto gkm", () => {
  it("on a key server prints the group with its redundancy, its lifetimes and its SAs", () => {
    expect(show("crypto gkm", onlyServer)).toBe(`GROUP INFORMATION

    Group Name               : getvpn1 (Unicast)
    Re-auth on new CRL       : Disabled
    Group Identity           : 1223
    Group Type               : GDOI (ISAKMP)
    Crypto Path              : ipv4
    Key Management Path      : ipv4
    Group Members            : 1
    IPSec SA Direction       : Both
    IP D3P Window            : Disabled
    CKM status               : Disabled
    Redundancy               : Configured
        Local Address        : 1.1.1.1
        Local Priority       : 245
        Local KS Status      : Alive
        Local KS Role        : Primary
        Local KS Version     : 1.0.27
        Local COOP Version   : 1.0.8
    Group Rekey Lifetime     : 1200 secs
    Group Rekey
        Remaining Lifetime   : 787 secs
    Rekey Retransmit Period  : 10 secs
    Rekey Retransmit Attempts: 2
    Group Retransmit
        Remaining Lifetime   : 0 secs

      IPSec SA Number        : 1
      IPSec SA Rekey Lifetime: 600 secs
      Profile Name           : IP1
      Replay method          : Count Based
      Replay Window Size     : 64
      Tagging method         : Disabled
      SA Rekey
         Remaining Lifetime  : 188 secs
      ACL Configured         : access-list acl1

     Group Server list       : Local

`);
  });

  it("leaves out what is not there: redundancy, and all that remains of keys before the first member", () => {
    const bare = {
      ...server,
      redundancy: undefined,
      kek: undefined,
      teks: [],
      sas: [{ ...server.sas[0]!, remaining: undefined }],
    };
    const text = show("crypto gkm", { ...onlyServer, servers: [bare] });
    expect(text).not.toMatch(/Redundancy|Remaining/);
    expect(text).toContain("    Rekey Retransmit Attempts: 2\n\n      IPSec SA Number        : 1\n");
    expect(show("crypto gkm ks policy", { ...onlyServer, servers: [bare] })).toContain(
      "  # of teks : 0  Seq num : 0\n",
    );
  });

  it("on a member prints registration, lists, KEK and TEKs with their real spelling", () => {
    expect(show("crypto gdoi", onlyMember)).toBe(`GROUP INFORMATION

    Group Name               : getvpn1
    Group Identity           : 1223
    Group Type               : G-IKEv2 (IKEv2)
    IKEv2 Profile            : P1
    Crypto Path              : ipv4
    Key Management Path      : ipv4
    Rekeys received          : 25
    IPSec SA Direction       : Both

     Group Server list       : 1.1.1.1
                               2.2.2.2

Group Member Information For Group getvpn1:
    IPSec SA Direction       : Both
    ACL Received From KS     : gdoi_group_getvpn1_temp_acl

    Group member             : 3.3.1.1         vrf: None
       Local addr/port       : 3.3.1.1/848
       Remote addr/port      : 1.1.1.1/848
       fvrf/ivrf             : None/None
       Version               : 1.0.26
       Registration status   : Registered
       Registered with       : 1.1.1.1
       Re-registers in       : 449 sec
       Succeeded registration: 1
       Attempted registration: 3
       Last rekey from       : 1.1.1.1
       Last rekey seq num    : 5
       Unicast rekey received: 25
       Rekey ACKs sent       : 24
       Rekey Rcvd(hh:mm:ss)  : 00:01:30
       PFS Rekey received    : 0
       DP Error Monitoring   : OFF
       IPSEC init reg executed    : 0
       IPSEC init reg postponed   : 0
       Active TEK Number     : 2
       SA Track (OID/status) : disabled
       Fail-Close Revert : Disabled

       allowable rekey cipher: any
       allowable rekey hash  : any
       allowable transformtag: any ESP

    Rekeys cumulative
       Total received        : 25
       After latest register : 20
       Rekey Acks sents      : 24

 ACL Downloaded From KS 1.1.1.1:
   access-list   permit ip 10.0.0.0 0.255.255.255 10.0.0.0 0.255.255.255
   access-list   deny udp any port = 848 any

KEK POLICY:
    Rekey Transport Type     : Unicast
    Lifetime (secs)          : 1109
    Encrypt Algorithm        : AES
    Key Size                 : 256
    Sig Hash Algorithm       : HMAC_AUTH_SHA
    Sig Key Length (bits)    : 4400

TEK POLICY for the current KS-Policy ACEs Downloaded:
  GigabitEthernet0/0/1:
    IPsec SA:
        spi: 0x5A69F51E(1516893470)
        transform: esp-256-aes esp-sha256-hmac
        sa timing:remaining key lifetime (sec): (510)
        Anti-Replay(Time Based) : 5 sec interval
        tag method : disabled
        alg key size: 32 (bytes)
        sig key size: 32 (bytes)
        encaps: ENCAPS_TUNNEL

    IPsec SA:
        spi: 0x00000101(257)
        transform: esp-256-aes esp-sha256-hmac
        sa timing:remaining key lifetime (sec): (20)
        Anti-Replay(Counter Based) : 64
        tag method : disabled
        alg key size: 32 (bytes)
        sig key size: 32 (bytes)
        encaps: ENCAPS_TUNNEL


KGS POLICY:
  REG_GM: local_addr 3.3.1.1

P2P POLICY:
  REG_GM: local_addr 3.3.1.1

`);
  });

  it("a member without policy and without rekeys says so", () => {
    const idle: MemberGroupView = {
      ...member,
      status: "Registering",
      reregisterIn: undefined,
      kek: undefined,
      teks: [],
      downloaded: [],
      rekeys: { ...member.rekeys, unicast: 0, lastAgo: undefined, lastFrom: undefined, lastSequence: 0 },
    };
    const text = show("crypto gkm", { ...onlyMember, members: [idle] });
    const found = labels(text);
    expect(found.get("Last rekey from")).toBe("UNKNOWN");
    expect(found.get("Rekey Received")).toBe("never");
    expect(found.get("Active TEK Number")).toBe("0");
    expect(text).not.toMatch(/KEK POLICY|TEK POLICY|ACL Downloaded/);
  });

  it("a multicast member counts other rekeys and acknowledges none", () => {
    const text = show("crypto gkm gm", { ...onlyMember, members: [{ ...member, transport: "Multicast" }] });
    expect(text).toContain("       Multicast rekey rcvd  : 0\n");
    expect(text).not.toMatch(/Unicast rekey|Rekey ACKs sent/);
  });

  it("one group has no title, one that is not there is named", () => {
    expect(show("crypto gkm group getvpn1", onlyServer)).toMatch(/^ {4}Group Name {15}: getvpn1/);
    expect(show("crypto gkm group nobody")).toBe("% Group nobody not found\n");
    expect(show("crypto gkm group getvpn1 ks acl")).toBe(show("crypto gkm ks acl"));
  });
});

describe("show crypto gkm ks", () => {
  it("counts the members of all groups and lists each group", () => {
    const found = labels(show("crypto gkm ks detail"));
    expect(found.get("Total group members registered to this box")).toBe("1");
    expect(found.get("Rekey Acknowledgement Cfg")).toBe("Cisco");
    expect(found.get("Split Resiliency Factor")).toBe("0");
    expect(found.get("Local KS Role")).toBe("Primary");
    expect(show("crypto gkm ks")).toMatch(/^ {4}ACL Configured:\n {8}access-list acl1$/m);
    expect(show("crypto gkm ks")).not.toContain("Redundancy");
  });

  it("members: every number of a member, the last four sequence numbers filled up with zeros", () => {
    const text = show("crypto gkm ks members");
    const lines = text.split("\n");
    expect(lines).toContain("Number of rekeys sent for group getvpn1 : 4");
    expect(lines).toContain("Number of retransmits during the last rekey for group getvpn1 : 2");
    expect(lines).toContain("Duration of the last rekey for group getvpn1 : 33 msec");
    expect(lines).toContain("Group Member ID    : 25.25.25.1  GM Version: 1.0.25");
    expect(lines).toContain(" Sent seq num : 7     6     0     0");
    expect(lines).toContain(" Rcvd seq num : 7     0     0     0");
    const found = labels(text);
    for (const [label, value] of Object.entries({
      "Group ID": "1223",
      "Group Type": "GDOI (ISAKMP)",
      "GM State": "Registered",
      "Key Server ID": "1.1.1.1",
      "Rekeys sent": "7",
      "Rekeys retries": "2",
      "Rekey Acks Rcvd": "6",
      "Rekey Acks missed": "1",
    })) {
      expect(found.get(label), label).toBe(value);
    }
  });

  it("members: one of them, none of that address, or a table", () => {
    expect(show("crypto gkm ks members 25.25.25.1")).toContain("25.25.25.1");
    expect(show("crypto gkm ks members 9.9.9.9")).toBe("Group Member not Found\n");
    const rows = show("crypto gkm ks members summary").split("\n");
    expect(rows).toContain("Group Name: getvpn1, ID: 1223, Group Members: 1");
    expect(rows).toContain("Key Server ID: 1.1.1.1, GMDB state: LOCAL, Group Members: 1");
    expect(rows.map((row) => /^ {2}([\d.]+) +([\d.]+) +(\d+) +(\d+)$/.exec(row)?.slice(1))).toContainEqual([
      "25.25.25.1",
      "1.0.25",
      "7",
      "1",
    ]);
  });

  it("policy: KEK and TEKs in two columns that can be read back", () => {
    const text = show("crypto gkm ks policy");
    expect(text).toContain("For group getvpn1 (handle: 0x40000002) server 1.1.1.1 (handle: 0x40000002):\n");
    expect(text).toContain("  # of teks : 2  Seq num : 3\n");
    expect(text).toContain("    spi : 0xEEB0E9A2BBD4C71AF1034F6B24EB8022\n");
    expect(text).toContain("    management alg     : disabled      encrypt alg           : AES\n");
    expect(text).toContain("    sig hash algorithm : enabled       sig key length        : 550\n");
    expect(text).toContain("    override life(sec) : 0             antireplay window size: 64\n");
    const [kek, ...teks] = text.split(/ {4}spi +: /).slice(1);
    expect(Object.fromEntries(twins(kek!))).toMatchObject({
      "crypto iv length": "16",
      "key size": "32",
      "orig life(sec)": "1200",
      "remaining life(sec)": "787",
    });
    expect(labels(kek!).get("time to rekey (sec)")).toBe("552");
    expect(labels(kek!).get("sig key name")).toBe("REKEYRSA");
    expect(
      teks.map((tek) => [tek.split("\n")[0], labels(tek).get("transform"), labels(tek).get("time to rekey (sec)")]),
    ).toEqual([
      ["0xEE021924", "esp-256-aes esp-sha256-hmac", "62"],
      ["0x0000ABCD", "esp-gcm", "n/a"],
    ]);
    expect(Object.fromEntries(twins(teks[0]!))).toMatchObject({ "alg key size": "32", "elapsed time(sec)": "412" });
    expect(Object.fromEntries(twins(teks[1]!))).toMatchObject({ "alg key size": "16", "sig key size": "0" });
  });

  it("acl, rekey, replay, identifier and coop", () => {
    expect(show("crypto gkm ks acl")).toBe(
      "Group Name: getvpn1\n Configured ACL:\n" +
        "   access-list acl1  permit ip 10.0.0.0 0.255.255.255 10.0.0.0 0.255.255.255\n" +
        "   access-list acl1  deny udp any port = 848 any\n\n",
    );
    const rekey = show("crypto gkm ks rekey");
    expect(rekey).toContain("    Number of Rekeys retransmitted      : 9\n");
    expect(rekey).toContain("        Remaining time until rekey (sec): 552\n");
    expect(rekey).toContain(
      "    IPSec SA 1  lifetime (sec)          : 600\n        Remaining lifetime (sec)        : 188\n",
    );
    expect(show("crypto gkm ks replay")).toContain("Timebased Replay is not enabled");
    const identifier = labels(show("crypto gkm ks identifier detail"));
    expect(identifier.get("SID Length (Group Size)")).toBe("24 bits (MEDIUM)");
    expect(identifier.get("Current KSSID In-Use")).toBe("3");
    expect(identifier.get("Last GMSID Used")).toBe("17");
    expect(identifier.get("KSSID(s) Assigned")).toBe("3-9");
    expect(show("crypto gkm ks coop")).toContain("Local KS Role: Primary   , Local KS Status: Alive\n");
    expect(show("crypto gkm ks coop version").split("\n")).toHaveLength(5);
  });
});

describe("show crypto gkm gm", () => {
  it("acl: downloaded, local or both", () => {
    expect(show("crypto gkm gm acl")).toBe(
      "Group Name: getvpn1\n ACL Downloaded From KS 1.1.1.1:\n" +
        "   access-list  permit ip 10.0.0.0 0.255.255.255 10.0.0.0 0.255.255.255\n" +
        "   access-list  deny udp any port = 848 any\n" +
        " ACL Configured Locally: \n  Map Name: CM\n   access-list OWN deny udp any port = 848 any\n\n",
    );
    expect(show("crypto gkm gm acl local")).not.toContain("Downloaded");
    expect(show("crypto gkm gm acl download")).not.toContain("Locally");
  });

  it("rekey detail: three rows of SAs, dashes where there is none", () => {
    const text = show("crypto gkm gm rekey detail");
    expect(text).toContain("Group getvpn1 (Unicast)\n    Number of Rekeys received (cumulative)       : 25\n");
    const rows = [...text.matchAll(/^ +(New|Current|Previous) *: +(\S+) +(\S+) +(\S+) +(\S+) +(\S+)$/gm)];
    expect(rows.map((row) => row.slice(1))).toEqual([
      ["New", "---", "---", "---", "---", "---"],
      ["Current", "3.3.1.1", "1.1.1.1", "1712", "EEB0E9A2", "F1034F6B"],
      ["Previous", "3.3.1.1", "1.1.1.1", "1711", "11111111", "33333333"],
    ]);
    expect(show("crypto gkm gm rekey")).not.toContain("Current");
  });

  it("replay, identifier, counters and public key", () => {
    const time = labels(show("crypto gkm gm replay"));
    expect(time.get("Replay Value")).toBe("5.00 secs");
    const sid = show("crypto gkm gm identifier detail");
    expect(sid).toContain("  Group Member: 3.3.1.1         vrf: None\n");
    expect(sid).toContain("  CURRENT SIDs: 0x010203\n");
    expect(labels(sid).get("TEK Lifetime")).toBe("600 sec");
    const counters = show("crypto gkm gm dataplane counters");
    expect(counters).toContain("    #pkts encrypt            : 21592009 #pkts decrypt            : 8\n");
    expect(Object.fromEntries(twins(counters))).toMatchObject({
      "#pkts no sa (send)": "1",
      "#pkts invalid sa (rcv)": "2",
      "#pkts encaps fail (send)": "3",
      "#pkts decap fail (rcv)": "4",
      "#pkts invalid prot (rcv)": "5",
      "#pkts verify fail (rcv)": "6",
    });
    const key = show("crypto gkm gm pubkey").split("\n");
    expect(key).toContain("    conn-id: 1712    my-cookie:EEB0E9A2    his-cookie:F1034F6B");
    expect(key).toContain(`      ${Array(9).fill("30303030").join(" ")}`);
    expect(key).toContain("      30303030");
  });

  it("ipsec sa and rekey sa", () => {
    expect(show("crypto gkm ipsec sa")).toBe(
      "SA created for group getvpn1:\n  GigabitEthernet0/0/1:\n    protocol = ip\n" +
        "      local ident  = 10.0.0.0/8, port = 0\n      remote ident = 10.0.0.0/8, port = 0\n" +
        "      direction: Both, replay(method/window): Time/5 sec\n\n",
    );
    const rows = show("crypto gkm rekey sa").split("\n").slice(1);
    expect(rows[0]!.split(/ +/)).toEqual(["dst", "src", "conn-id", "status"]);
    expect(rows[1]!.split(/ +/)).toEqual(["3.3.1.1", "1.1.1.1", "1712", "ACTIVE"]);
    const detail = show("crypto gkm rekey sa detail");
    expect(detail).toContain("    num_active = 1\n    num_malloc = 2\n    num_free = 1\n");
    expect(detail).toMatch(/^ {4}crypto iv length {3}: 16 {10}key size {10}: 32$/m);
    expect(labels(detail).get("conn_id (IKEv2)")).toBe("1712");
  });

  it("feature: who has the software for it", () => {
    expect(show("crypto gkm feature ip-d3p")).toMatch(/3\.3\.1\.1 +1\.0\.26 +No\n/);
    expect(show("crypto gkm feature gikev2", onlyServer)).toMatch(
      /^ {4}Key Server ID {7}Version {3}Feature Supported\n {8}1\.1\.1\.1 +1\.0\.27 +Yes\n\n {4}Group Member ID/m,
    );
  });
});

describe("show of SAs", () => {
  it("ikev2: a table row, suite and ages; ids, windows and more in detail", () => {
    const text = show("crypto ikev2 sa");
    expect(text).toContain(
      "Tunnel-id Local                 Remote                fvrf/ivrf            Status \n" +
        "1         3.3.1.1/848           1.1.1.1/848           none/none            READY  \n" +
        "      Encr: AES-CBC, keysize: 256, PRF: SHA256, Hash: SHA256, DH Grp:19, Auth sign: PSK, Auth verify: RSA\n" +
        "      Life/Active Time: 86400/735 sec\n",
    );
    expect(text).not.toContain("Local spi");
    const detail = show("crypto ikev2 sa detailed");
    expect(detail).toContain("      Local spi: E2F0B57A7C7D1F7C       Remote spi: 9D2C2E84A9D7DFEB\n");
    expect(detail).toMatch(/^ {6}Local next msg id: 2 {14}Remote next msg id: 1 *$/m);
    expect(detail).toContain("      DPD configured for 10 seconds, retry 2\n");
    expect(detail).toContain("      Initiator of SA : Yes\n");
  });

  it("isakmp: states of GDOI", () => {
    const rows = show("crypto isakmp sa")
      .split("\n")
      .map((row) => row.split(/ +/));
    expect(rows[1]).toEqual(["dst", "src", "state", "conn-id", "status"]);
    expect(rows[2]).toEqual(["1.1.1.1", "3.3.1.1", "GDOI_IDLE", "1001", "ACTIVE"]);
    expect(rows[3]![2]).toBe("GDOI_REKEY");
  });

  it("ipsec: idents, counters, and both SAs in each direction", () => {
    const text = show("crypto ipsec sa");
    expect(text).toContain("   local  ident (addr/mask/prot/port): (10.0.0.0/255.0.0.0/0/0)\n");
    expect(text).toContain("   current_peer 0.0.0.0 port 848\n     PERMIT, flags={}\n");
    expect(text).toContain(
      "    #pkts encaps: 1, #pkts encrypt: 2, #pkts digest: 3\n    #pkts decaps: 4, #pkts decrypt: 5,",
    );
    expect(text).toContain("    #send errors 7, #recv errors 8\n");
    expect(text).toContain("     plaintext mtu 1438, path mtu 1500, ip mtu 1500, ip mtu idb GigabitEthernet0/0/1\n");
    expect(text).toContain("     current outbound spi: 0x5A69F51E(1516893470)\n");
    const [inbound, outbound] = text.split("outbound esp sas:");
    for (const part of [inbound, outbound]) {
      expect([...part!.matchAll(/^ {6}spi: (\S+)$/gm)].map((match) => match[1])).toEqual([
        "0x5A69F51E(1516893470)",
        "0x00000101(257)",
      ]);
    }
    expect([...text.matchAll(/conn id: (\d+), flow_id: SW:(\d+)/g)].map((match) => [match[1], match[2]])).toEqual([
      ["2003", "3"],
      ["2001", "1"],
      ["2004", "4"],
      ["2002", "2"],
    ]);
  });

  it("session", () => {
    expect(show("crypto session")).toBe(
      "Crypto session current status\n\nInterface: GigabitEthernet0/0/1\nSession status: UP-ACTIVE\n" +
        "Peer: 0.0.0.0 port 848\n  IKEv2 SA: local 3.3.1.1/848 remote 1.1.1.1/848 Active \n" +
        "  IPSEC FLOW: permit ip 10.0.0.0/255.0.0.0 10.0.0.0/255.0.0.0 \n        Active SAs: 4, origin: crypto map\n\n",
    );
  });
});

describe("show of the box", () => {
  it("interfaces", () => {
    expect(show("ip interface brief")).toBe(
      "Interface              IP-Address      OK? Method Status                Protocol\n" +
        "GigabitEthernet0/0/1   3.3.1.1         YES manual up                    up      \n" +
        "Loopback0              unassigned      YES unset  administratively down down    \n",
    );
  });

  it("routes, below their classful networks", () => {
    const text = show("ip route");
    expect(text).toContain("Gateway of last resort is 3.3.1.9 to network 0.0.0.0\n");
    expect(text.split("\n").slice(-6)).toEqual([
      "S*       0.0.0.0/0 [1/0] via 3.3.1.9",
      "      10.0.0.0/8 is variably subnetted, 2 subnets, 2 masks",
      "S        10.1.0.0/16 [1/0] via 3.3.1.2, Gi0",
      "C        10.2.3.0/24 is directly connected, L0",
      "O        192.0.2.0/24 [110/2] via 3.3.1.3, Gi0",
      "",
    ]);
  });

  it("maps, lists, clock and version", () => {
    expect(show("crypto map")).toContain('Crypto Map IPv4 "CM" 10 gkm\n        Group Name: getvpn1\n');
    expect(show("crypto map interface gi0/0/1")).toBe(show("crypto map tag CM"));
    expect(show("crypto map tag OTHER")).toBe("No crypto maps found.\n");
    expect(show("access-lists acl1")).toBe(
      "Extended IP access list acl1\n    10 permit ip 10.0.0.0 0.255.255.255 10.0.0.0 0.255.255.255\n" +
        "    20 deny udp any eq 848 any\n",
    );
    expect(show("clock")).toBe("*01:02:03.004 UTC Mon Mar 1 1993\n");
    expect(show("version")).toContain("R1 uptime is 1 day, 1 hour, 1 minute\n");
  });

  it("the running configuration, whole and of one interface", () => {
    expect(show("running-config")).toMatch(
      /^Building configuration\.\.\.\n\nCurrent configuration : \d+ bytes\n!\nhostname R1\n/,
    );
    expect(show("running-config interface gi 0/0/1")).toMatch(
      /\ninterface GigabitEthernet0\/0\/1\n ip address .*\n crypto map CM\nend\n$/,
    );
  });
});

describe("the filter behind the bar", () => {
  it.each([
    ["include Local KS", /^( {8}Local KS .*\n){3}$/],
    ["exclude .", /^\n*$/],
    ["begin ACL Conf", /^ {6}ACL Configured.*\n\n {5}Group Server list/],
    ["count Disabled", /^Number of lines which match regexp = 4\n$/],
    ["section Redundancy", /^ {4}Redundancy.*\n( {8}Local .*\n){6}$/],
    ["include ^_+Redundancy_", /^ {4}Redundancy +: Configured\n$/],
  ])("| %s", (filter, expected) => {
    expect(show(`crypto gkm | ${filter}`, onlyServer)).toMatch(expected);
  });

  it("refuses what is no regular expression", () => {
    expect(show("clock | include (")).toBe("% Failed to compile regular expression.\n");
  });
});
