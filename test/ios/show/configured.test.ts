import { describe, expect, it } from "vitest";
import { parseConfig } from "../../../src/ios/parse.ts";
import { show, view } from "./router.ts";

/** What a router with this configuration answers. */
function shown(command: string, ...text: readonly string[]): string {
  const { config, problems } = parseConfig(text.join("\n"), "r1");
  expect(problems).toEqual([]);
  return show(command, { ...view, config });
}

const ISAKMP = [
  "crypto isakmp policy 20",
  " encr 3des",
  " hash md5",
  " authentication pre-share",
  " group 24",
  "crypto isakmp policy 10",
  " encryption aes 256",
  " hash sha512",
  " group 19",
  " lifetime 3600",
  "crypto isakmp key SECRET_ONE address 0.0.0.0",
  "crypto isakmp key SECRET_TWO address 10.0.0.1",
  "crypto isakmp key SECRET_TWO hostname ks1.example.org",
];

describe("IKEv1", () => {
  it("policies, lowest number first", () => {
    expect(shown("crypto isakmp policy", ...ISAKMP)).toBe(
      `
Global IKE policy
Protection suite of priority 10
        encryption algorithm:   AES - Advanced Encryption Standard (256 bit keys).
        hash algorithm:         Secure Hash Standard 2 (512 bit)
        authentication method:  Rivest-Shamir-Adleman Signature
        Diffie-Hellman group:   #19 (256 bit)
        lifetime:               3600 seconds, no volume limit
Protection suite of priority 20
        encryption algorithm:   Three key triple DES
        hash algorithm:         Message Digest 5
        authentication method:  Pre-Shared Key
        Diffie-Hellman group:   #24 (2048 bit, 256 bit subgroup)
        lifetime:               86400 seconds, no volume limit
`,
    );
  });

  it("keys by their fingerprints alone: equal ones show that they are", () => {
    const text = shown("crypto isakmp key", ...ISAKMP);
    expect(text).not.toContain("SECRET");
    const rows = text.split("\n");
    expect(rows.slice(0, 2)).toEqual(["Keyring      Hostname/Address                            Preshared Key", ""]);
    expect(rows[2]).toMatch(/^default {6}0\.0\.0\.0 {8}\[0\.0\.0\.0 {8}\] {12}<10B#[0-9a-f]{4}>$/);
    expect(rows[3]).toMatch(/^default {6}10\.0\.0\.1 {36}<10B#[0-9a-f]{4}>$/);
    expect(rows[4]).toMatch(/^default {6}ks1\.example\.org {29}<10B#[0-9a-f]{4}>$/);
    const [one, two, three] = rows.slice(2, 5).map((row) => row.slice(-9));
    expect(two).toBe(three);
    expect(one).not.toBe(two);
  });
});

describe("IKEv1 profiles", () => {
  const text = [
    "crypto keyring BRANCHES",
    " pre-shared-key address 10.1.0.0 255.255.0.0 key SECRET_ONE",
    "crypto isakmp profile BRANCH",
    " keyring BRANCHES",
    " match identity address 10.1.0.0 255.255.0.0",
    " match identity host domain example.org",
    " local-address Loopback0",
    "interface Loopback0",
    " ip address 10.9.9.9 255.255.255.255",
  ];

  it("with whom they match and what they have", () => {
    expect(shown("crypto isakmp profile", ...text)).toBe(
      `
IKEv1 PROFILE BRANCH
Ref Count = 1
   Identities matched are:
    ip-address 10.1.0.0 255.255.0.0${" "}
    host domain example.org${" "}
   Certificate maps matched are:
   keyring(s): BRANCHES
   trustpoint(s): <all>
   Interface binding: Loopback0
`,
    );
    expect(show("crypto isakmp profile")).toBe("");
  });

  it("and the keys of their keyrings beside the global ones", () => {
    const rows = shown("crypto isakmp key", "crypto isakmp key SECRET_TWO address 10.0.0.1", ...text).split("\n");
    expect(rows[2]).toMatch(/^default {6}10\.0\.0\.1 +<10B#/);
    expect(rows[3]).toMatch(/^BRANCHES {5}10\.1\.0\.0 {7}\[255\.255\.0\.0 {4}\] +<10B#/);
  });
});

const IKEV2 = [
  "crypto ikev2 proposal STRONG",
  " encryption aes-gcm-256 aes-gcm-128",
  " prf sha512 sha1",
  " group 20 24",
  "crypto ikev2 proposal PLAIN",
  " encryption 3des aes-cbc-128",
  " integrity sha1 md5",
  " group 2",
  "crypto ikev2 policy LOCAL",
  " match address local 10.0.0.1",
  " proposal STRONG",
  " proposal PLAIN",
  "crypto ikev2 keyring KEYS",
  " peer ANY",
  "  address 0.0.0.0 0.0.0.0",
  "  pre-shared-key SECRET_ONE",
  "crypto ikev2 profile FIRST",
  " match address local interface GigabitEthernet0/0",
  " match identity remote address 10.0.0.0 255.0.0.0",
  " match identity remote fqdn domain example.org",
  " identity local fqdn r1.example.org",
  " authentication local pre-share",
  " authentication remote pre-share",
  " authentication remote rsa-sig",
  " keyring local KEYS",
  " lifetime 7200",
  " dpd 30 5 periodic",
  "interface GigabitEthernet0/0",
  " ip address 10.0.0.1 255.0.0.0",
];

describe("IKEv2", () => {
  it("proposals, the built-in one first", () => {
    expect(shown("crypto ikev2 proposal", ...IKEV2)).toBe(
      ` IKEv2 proposal: default${" "}
     Encryption : AES-CBC-256
     Integrity  : SHA512 SHA384
     PRF        : SHA512 SHA384
     DH Group   : DH_GROUP_256_ECP/Group 19 DH_GROUP_2048_MODP/Group 14 DH_GROUP_521_ECP/Group 21 DH_GROUP_1536_MODP/Group 5
 IKEv2 proposal: STRONG${" "}
     Encryption : AES-GCM-256 AES-GCM-128
     Integrity  : none
     PRF        : SHA512 SHA1
     DH Group   : DH_GROUP_384_ECP/Group 20 DH_GROUP_2048_256_MODP/Group 24
 IKEv2 proposal: PLAIN${" "}
     Encryption : 3DES AES-CBC-128
     Integrity  : SHA96 MD596
     PRF        : SHA1 MD5
     DH Group   : DH_GROUP_1024_MODP/Group 2
`,
    );
    expect(shown("crypto ikev2 proposal PLAIN", ...IKEV2).split("\n")).toHaveLength(6);
    expect(shown("crypto ikev2 proposal OTHER", ...IKEV2)).toBe("");
  });

  it("policies", () => {
    expect(shown("crypto ikev2 policy", ...IKEV2)).toBe(
      ` IKEv2 policy : default
      Match fvrf : any
      Match address local : any
      Proposal    : default

 IKEv2 policy : LOCAL
      Match fvrf  : global
      Match address local : 10.0.0.1
      Proposal    : STRONG
      Proposal    : PLAIN

`,
    );
  });

  it("profiles, without the keys of their keyrings", () => {
    expect(shown("crypto ikev2 profile FIRST", ...IKEV2)).toBe(
      `
IKEv2 profile: FIRST
 Shutdown : No
 Ref Count: 1
 Match criteria:${" "}
  Fvrf: global
  Local address/interface: GigabitEthernet0/0
  Identities:
   address 10.0.0.0 255.0.0.0
   fqdn domain example.org
  Certificate maps: none
 Local identity: fqdn r1.example.org
 Remote identity: none
 Local authentication method: pre-share
 Remote authentication method(s): pre-share rsa-sig
 EAP options: none
 Keyring: KEYS
 Trustpoint(s): none
 Lifetime: 7200 seconds
 DPD: interval 30, retry-interval 5, periodic
 NAT-keepalive: disabled
 Ivrf: none
 Virtual-template: none
 mode auto: none
 AAA AnyConnect EAP authentication mlist: none
 AAA EAP authentication mlist: none
 AAA authentication mlist: none
 AAA Accounting: none
 AAA group authorization: none
 AAA user authorization: none
`,
    );
    expect(show("crypto ikev2 profile")).toBe("");
  });
});

const IPSEC = [
  "crypto ipsec transform-set TS1 esp-aes 256 esp-sha256-hmac",
  " mode tunnel",
  "crypto ipsec transform-set TS2 esp-gcm 256",
  " mode transport",
  "crypto ikev2 profile PROFILE",
  "crypto ipsec profile IP1",
  " set transform-set TS2 TS1",
  " set pfs group19",
  " set security-association lifetime seconds 1200",
  " set ikev2-profile PROFILE",
  "ip access-list extended TO_SITE2",
  " permit ip any any",
  "crypto map MESH 10 ipsec-isakmp",
  " set peer 192.0.2.2",
  " set transform-set TS1",
  " set ikev2-profile PROFILE",
  " match address TO_SITE2",
  "crypto map MESH 20 ipsec-isakmp",
  " set transform-set TS1",
  "interface GigabitEthernet0/0",
  " ip address 192.0.2.1 255.255.255.0",
  " crypto map MESH",
];

/** Whatever the check finds missing is shown as it is. */
function shownAsIs(command: string): string {
  return show(command, { ...view, config: parseConfig(IPSEC.join("\n"), "r1").config });
}

describe("IPsec", () => {
  it("transform sets", () => {
    expect(shownAsIs("crypto ipsec transform-set")).toBe(
      `Transform set TS1: { esp-256-aes esp-sha256-hmac  }${" "}
   will negotiate = { Tunnel,  },${" "}

Transform set TS2: { esp-gcm 256  }${" "}
   will negotiate = { Transport,  },${" "}

`,
    );
    expect(shownAsIs("crypto ipsec transform-set TS2")).toMatch(/^Transform set TS2/);
  });

  it("profiles", () => {
    expect(shownAsIs("crypto ipsec profile")).toBe(
      `IPSEC profile IP1
        IKEv2 Profile: PROFILE
        Security association lifetime: 4608000 kilobytes/1200 seconds
        Dualstack (Y/N): N

        Responder-Only (Y/N): N
        PFS (Y/N): Y
        DH group:  group19
        Mixed-mode : Disabled
        Transform sets={${" "}
                TS2:  { esp-gcm 256  } ,${" "}
                TS1:  { esp-256-aes esp-sha256-hmac  } ,${" "}
        }

`,
    );
  });

  it("a crypto map of groups and tunnels, in the order of their numbers", () => {
    const text = shown("crypto map", "crypto map M 20 gdoi", "crypto map M 10 ipsec-isakmp", "crypto map M 5 gdoi");
    expect(text.match(/^Crypto Map .*$/gm)).toEqual([
      'Crypto Map IPv4 "M" 5 gdoi',
      'Crypto Map IPv4 "M" 10 ipsec-isakmp',
      'Crypto Map IPv4 "M" 20 gdoi',
    ]);
  });

  it("a crypto map with tunnels, one of which nobody has finished", () => {
    expect(shownAsIs("crypto map tag MESH")).toBe(
      `Crypto Map IPv4 "MESH" 10 ipsec-isakmp
        Peer = 192.0.2.2
        IKEv2 Profile: PROFILE
        Access-List SS dynamic: False
        Extended IP access list TO_SITE2
        Current peer: 192.0.2.2
        Security association lifetime: 4608000 kilobytes/3600 seconds
        Dualstack (Y/N): N

        Responder-Only (Y/N): N
        PFS (Y/N): N
        Mixed-mode : Disabled
        Transform sets={${" "}
                TS1:  { esp-256-aes esp-sha256-hmac  } ,${" "}
        }

Crypto Map IPv4 "MESH" 20 ipsec-isakmp
        WARNING: This crypto map is in an incomplete state!
                (missing peer or access-list definitions)
        Access-List SS dynamic: False
        No matching address list set.
        Security association lifetime: 4608000 kilobytes/3600 seconds
        Dualstack (Y/N): N

        Responder-Only (Y/N): N
        PFS (Y/N): N
        Mixed-mode : Disabled
        Transform sets={${" "}
                TS1:  { esp-256-aes esp-sha256-hmac  } ,${" "}
        }
        Interfaces using crypto map MESH:
                GigabitEthernet0/0

`,
    );
  });
});

describe("counters of IKEv2", () => {
  it("SAs now, requests since the start", () => {
    expect(show("crypto ikev2 stats").replace(/ +$/gm, "")).toBe(
      `--------------------------------------------------------------------------------
                          Crypto IKEv2 SA Statistics
--------------------------------------------------------------------------------
System Resource Limit:   0        Max IKEv2 SAs: 1000     Max in nego(in/out): 40/400
Total incoming IKEv2 SA Count:    4        active:        3        negotiating: 1
Total outgoing IKEv2 SA Count:    1        active:        1        negotiating: 0
Incoming IKEv2 Requests: 9        accepted:      7        rejected:    2
Outgoing IKEv2 Requests: 2        accepted:      1        rejected:    1
Rejected IKEv2 Requests: 3        rsrc low:      0        SA limit:    1
IKEv2 packets dropped at dispatch: 4
Incoming IKEV2 Cookie Challenged Requests: 6
    accepted: 5        rejected: 1        rejected no cookie: 6
`,
    );
  });
});

describe("certificates and key pairs", () => {
  it("a router's own certificate, then that of the authority", () => {
    expect(show("crypto pki certificates")).toBe(
      `Certificate
  Status: Available
  Certificate Serial Number (hex): 02
  Certificate Usage: General Purpose
  Issuer:${" "}
    cn=Root
    o=Example
  Subject:
    Name: R1
    cn=gm1
    hostname=R1
  Validity Date:${" "}
    start date: 00:00:00 UTC Jan 1 2026
    end   date: 00:00:00 UTC Jan 1 2027
  Associated Trustpoints: CA${" "}

CA Certificate
  Status: Available
  Certificate Serial Number (hex): 01
  Certificate Usage: Signature
  Issuer:${" "}
    cn=Root
    o=Example
  Subject:
    cn=Root
    o=Example
  Validity Date:${" "}
    start date: 00:00:00 UTC Jan 1 2025
    end   date: 00:00:00 UTC Jan 1 2035
  Associated Trustpoints: CA${" "}

`,
    );
    expect(show("crypto pki certificates EMPTY")).toBe("");
  });

  it("trustpoints, one of them without anything", () => {
    expect(show("crypto pki trustpoints")).toBe(
      `Trustpoint CA:
    Subject Name:${" "}
    cn=Root
    o=Example
          Serial Number (hex): 01
    Certificate configured.


Trustpoint EMPTY:


`,
    );
  });

  it("key pairs by their public halves", () => {
    expect(show("crypto key mypubkey rsa REKEYRSA")).toBe(
      `% Key pair was generated at: 00:00:00 UTC Mar 1 1993
Key name: REKEYRSA
Key type: RSA KEYS
 Storage Device: private-config
 Usage: General Purpose Key
 Key is exportable.
 Key Data:
  ${"30820122 ".repeat(8)}
  30820122${" "}
`,
    );
    expect(show("crypto key mypubkey rsa OTHER")).toBe("");
  });
});

describe("lists, translations and the log", () => {
  it("a standard list with its wildcards", () => {
    const text = [
      "ip access-list standard 10",
      " permit 10.0.0.0 0.255.255.255",
      " deny 10.1.2.3 log",
      "ip access-list standard ALL",
      " permit any",
    ];
    expect(shown("ip access-lists", ...text)).toBe(
      `Standard IP access list 10
    10 permit 10.0.0.0, wildcard bits 0.255.255.255
    20 deny 10.1.2.3 log
Standard IP access list ALL
    10 permit any
`,
    );
  });

  it("translations", () => {
    expect(show("ip nat translations")).toBe(
      `Pro  Inside global         Inside local          Outside local         Outside global
---  192.0.2.9             10.0.0.9              ---                   ---
udp  192.0.2.1:500         10.0.0.1:500          198.51.100.7:848      198.51.100.7:848
Total number of translations: 2
`,
    );
    expect(show("ip nat translations", { ...view, nat: [] })).toBe("Total number of translations: 0\n");
  });

  it("the log, as far as the buffer holds it", () => {
    const text = show("logging");
    expect(text).toMatch(/^Syslog logging: enabled \(0 messages dropped,/);
    expect(text).toContain("    Buffer logging:  level debugging, 1 messages logged, xml disabled,\n");
    expect(text).toMatch(
      /\nLog Buffer \(102400 bytes\):\n\n\*Mar {2}1 00:00:00\.000: %SYS-5-RESTART: System restarted --\n$/,
    );
    const many = Array.from({ length: 3000 }, (_, i) => `line ${i}`.padEnd(99, "."));
    const held = show("logging | include ^line", { ...view, log: () => many }).split("\n");
    expect(held).toHaveLength(1025);
    expect(held.slice(-2)).toEqual([many.at(-1), ""]);
  });
});
