import { describe, expect, it } from "vitest";
import type { MemberGroupView } from "../../../src/ios/show/views.ts";
import { labels, twins } from "./labels.ts";
import { member, onlyMember, onlyServer, server, show } from "./router.ts";

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
      keks: [],
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
    expect(identifier.get("Available KSSID(s)")).toBe("4-9");
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
