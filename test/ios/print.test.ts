import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import type { IosConfig } from "../../src/ios/model.ts";
import { parseConfig } from "../../src/ios/parse.ts";
import { printConfig, printInterfaceConfig } from "../../src/ios/print.ts";
import { describeShared, readShared, sharedPath } from "../shared.ts";

/** The model without places: where a line stands is no part of what it says. */
function bare(value: unknown): unknown {
  if (value instanceof Uint8Array) return [...value].join(" ");
  if (value instanceof Map) {
    const isOther = (entry: unknown) => typeof entry === "object" && entry !== null && "column" in entry;
    return [...value].map(([key, entry]) => [key, isOther(entry) ? "somewhere" : bare(entry)]);
  }
  if (Array.isArray(value)) return value.map(bare);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]) => (key === "at" || entry === undefined ? [] : [[key, bare(entry)]])),
  );
}

function read(text: string): IosConfig {
  return parseConfig(text, "r1.cfg").config;
}

/** Prints the model of a text and reads it again: nothing may be lost, added or refused. */
function roundTrip(text: string): string {
  const config = read(text);
  const printed = printConfig(config, { withKeys: true });
  const again = parseConfig(printed, "printed");
  const unsupported = ["iosUnsupported"];
  expect(again.problems.filter(({ code }) => !unsupported.includes(code))).toEqual([]);
  expect(bare(again.config)).toEqual(bare(config));
  // What is printed is a fixed point: the same text comes out of it again.
  expect(printConfig(again.config, { withKeys: true })).toBe(printed);
  return printed;
}

const EVERYTHING = `
hostname R1
ip host ks1 192.0.2.1
crypto key generate rsa label RK modulus 2048 exportable
crypto ikev2 proposal default
 no prf
crypto ikev2 proposal P
 encryption aes-gcm-256 aes-cbc-128
 prf sha256
 group 19 14
crypto ikev2 policy default
 no match fvrf
 proposal P
crypto ikev2 policy Q
 match fvrf any
 match address local 192.0.2.9
 proposal P default
crypto ikev2 keyring K
 peer A
  address 10.0.0.0 255.0.0.0
  pre-shared-key local 0 6
  pre-shared-key remote OTHER
 peer B
  address 0.0.0.0
  hostname b.example
  identity email b@example
  pre-shared-key SAME
 peer C
  address 2001:db8::1
crypto ikev2 profile X
 match fvrf any
 match address local 192.0.2.9
 match address local interface Gi0/1
 match identity remote address 10.0.0.1
 match identity remote fqdn domain example
 match identity remote email a@example
 match identity remote key-id 17
 match identity remote any
 match certificate CM
 identity local dn
 authentication local pre-share key HERE
 authentication remote rsa-sig
 authentication remote pre-share
 keyring local K
 pki trustpoint T sign
 pki trustpoint U
 lifetime 3600
 dpd 10 2 periodic
crypto ikev2 dpd 30 5 on-demand
crypto ikev2 window 10
crypto ikev2 cookie-challenge 40
crypto ikev2 fragmentation mtu 1200
crypto ikev2 limit max-in-negotiation-sa 60
crypto ikev2 limit max-sa 200
crypto isakmp policy 10
 encryption aes 256
 hash sha256
 authentication pre-share
 group 14
 lifetime 600
crypto isakmp policy 20
crypto isakmp key ONE address 0.0.0.0
crypto isakmp key TWO address 10.1.0.0 255.255.0.0
crypto isakmp key 6 THREE hostname h.example
crypto isakmp keepalive 10 3 periodic
crypto isakmp identity hostname
no crypto isakmp enable
crypto isakmp nat keepalive 30
crypto call admission limit ike sa 500
crypto call admission limit ike in-negotiation-sa 50
crypto keyring KA vrf INTERNET
 local-address 192.0.2.9
 pre-shared-key address 10.0.0.0 255.0.0.0 key ONE
 pre-shared-key address 0.0.0.0 key 6 TWO
crypto keyring KB
 local-address Gi0/1
 pre-shared-key hostname gm1.example key 0 key
crypto isakmp profile FULL
 keyring KA
 keyring default
 self-identity user-fqdn ks@example
 ca trust-point T
 match identity address 10.0.0.1
 match identity address 10.1.0.0 255.255.0.0 INTERNET
 match identity host ks1.example
 match identity host domain example
 match identity user-fqdn a@example
 match identity user domain example.org
 match identity group STAFF
 match certificate CM
 initiate mode aggressive
 keepalive 10 retry 3
 local-address Gi0/1
crypto isakmp profile NAMED
 self-identity fqdn r1.example
 match identity host h
 keepalive 30
crypto isakmp profile PLAIN
 self-identity fqdn
 local-address 192.0.2.9
crypto isakmp profile BY-ADDRESS
 self-identity address
crypto isakmp profile BY-ANOTHER
 self-identity 192.0.2.7
crypto identity ID
 dn ou=Members, o=Example
 dn cn=gm9
 fqdn gm1.example
crypto ipsec transform-set T1 esp-gcm 256
 mode transport
crypto ipsec transform-set T2 ah-sha-hmac esp-3des esp-md5-hmac
crypto ipsec df-bit clear
crypto ipsec fragmentation after-encryption
crypto ipsec profile IP
 set security-association lifetime days 2
 set transform-set T1 T2
 set pfs group14
 set ikev2-profile X
crypto gdoi group OLD
 identity address ipv4 10.9.9.9
 server address ipv4 192.0.2.1
 server address ipv6 2001:db8::2
 server hostname ipv4 ks1
 passive
crypto gkm group ipv6 NEW
 identity number 7
 server address ipv4 192.0.2.1
 client protocol gikev2 X
 client registration interface Gi0/1
 no client bypass-policy
 client rekey encryption aes 128 3des-cbc
 client rekey hash sha256 sha512
 client transform-sets T1 T2
 client recovery-check interval 300
 client status active-sa track 5
 client fail-close revert
 no client pfs
 client transport-encrypt-key group-key
crypto gkm group KS
 identity number 8
 server local
  no gdoi
  gikev2 X
  rekey algorithm aes 256
  rekey sig-hash algorithm sha512
  rekey lifetime days 1
  rekey retransmit 20 periodic
  rekey authentication mypubkey rsa RK
  rekey transport unicast
  rekey address ipv4 101
  rekey acknowledgement any
  authorization address ipv4 5
  authorization identity ID
  registration interface Gi0/1
  registration periodic crl trustpoint T
  sa receive-only
  sa d3p window msec 1500
  sa pair-wise-keying safety-limit 9
  sa ipsec 2
   profile IP
   match address ipv6 101
   replay time window-size 5
   tag cts sgt
  sa ipsec 1
   no replay
  address ipv4 192.0.2.9
  redundancy
   local priority 100
   peer address ipv4 192.0.2.2
   protocol version optimize
   protocol pdu 1200
  group size small 12
  identifier
   value 3
   range 5 - 9
  pfs
  no split-resiliency
crypto map M local-address Loopback0
crypto map M isakmp-profile NAMED
crypto map M gkm fail-close
 match address OWN
 activate
crypto map M 20 ipsec-isakmp
 set peer 192.0.2.77
 set transform-set TS
 set pfs group19
 set security-association lifetime seconds 900
 set ikev2-profile P
 match address OWN
crypto map M 10 gkm
 set group OLD
 set isakmp-profile FULL
 match address OWN
interface Loopback0
 ip address 1.1.1.1 255.255.255.255
interface Gi0/1
 description to the WAN
 mtu 1400
 ip mtu 1300
 ip nat inside
 bandwidth 1000
 ip address 192.0.2.9 255.255.255.0
 ip address 192.0.3.9 255.255.255.0 secondary
 ip ospf cost 7
 ip ospf 1 area 3
 crypto map M
 shutdown
interface Gi0/2
ip nat pool GLOBAL 203.0.113.8 203.0.113.15 prefix-length 29
ip nat inside source list OWN pool GLOBAL overload
ip nat inside source list OLD interface Gi0/1
ip nat inside source static 10.0.0.1 203.0.113.1
ip nat inside source static udp 10.0.0.2 500 203.0.113.2 1500 extendable
ip nat translation udp-timeout 30
router ospf 1
 router-id 1.1.1.1
 passive-interface default
 no passive-interface Gi0/1
 network 10.0.0.0 0.255.255.255 area 0
router ospf 2
 passive-interface Gi0/2
ip route 0.0.0.0 0.0.0.0 192.0.2.1
ip route 10.0.0.0 255.0.0.0 Null0 200
ip route 10.5.0.0 255.255.0.0 Gi0/1 192.0.2.5
ip access-list extended OWN
 remark routing stays in clear
 deny ospf any any
 25 deny tcp any eq bgp any
 deny udp host 10.0.0.1 range 1000 2000 10.0.0.0 0.0.255.255 neq 53 123 log
 permit icmp any any echo-reply
 remark the end
ip access-list standard 5
 permit 10.0.0.1
 deny any log
access-list 101 permit 47 any any
`;

describe("the running configuration", () => {
  it("makes the same model again, whatever stands in it", () => {
    const { problems } = parseConfig(EVERYTHING, "everything");
    expect(problems).toEqual([]);
    roundTrip(EVERYTHING);
  });

  it("is indented by one blank a level, blocks are separated by marks, `end` is last", () => {
    const text = printConfig(read(EVERYTHING));
    const lines = text.split("\n");
    expect(lines[0]).toBe("!");
    expect(lines.at(-2)).toBe("end");
    const at = lines.indexOf("  sa ipsec 1");
    expect(lines.slice(at, at + 2)).toEqual(["  sa ipsec 1", "   no replay"]);
    expect(lines).toContain(" encr aes 256");
    expect(lines.indexOf("interface GigabitEthernet0/1")).toBeGreaterThan(lines.indexOf("crypto map M 10 gkm"));
  });

  it("numbers an access list only where the box would have chosen other numbers", () => {
    const lines = printConfig(read(EVERYTHING)).split("\n");
    const at = lines.indexOf("ip access-list extended OWN");
    expect(lines.slice(at + 1, at + 4)).toEqual([
      " remark routing stays in clear",
      " deny ospf any any",
      " 25 deny tcp any eq bgp any",
    ]);
    expect(lines[at + 4]).toMatch(
      /^ deny udp host 10\.0\.0\.1 range 1000 2000 10\.0\.0\.0 0\.0\.255\.255 neq domain ntp log$/,
    );
  });

  it("shows keys as fingerprints unless they are asked for", () => {
    const hidden = printConfig(read(EVERYTHING));
    for (const key of ["SAME", "OTHER", "HERE", "ONE", "TWO", "THREE"]) {
      expect(hidden).not.toMatch(new RegExp(`key (?:remote |6 )?${key}\\b`));
    }
    expect(hidden).toMatch(/pre-shared-key <4B#[0-9a-f]{4}>/);
    expect(hidden).not.toContain("crypto key generate");
    // One word each, so that the text can still be read as a configuration.
    expect(parseConfig(hidden, "hidden").problems).toEqual([]);
  });

  it("leaves the built-in IKEv2 objects out as long as nobody touched them", () => {
    expect(printConfig(read("hostname R1"))).toBe("!\nhostname R1\n!\nend\n");
  });

  it("one interface of it", () => {
    expect(printInterfaceConfig(read(EVERYTHING), "Loopback0")).toBe(
      "interface Loopback0\n ip address 1.1.1.1 255.255.255.255\nend\n",
    );
    expect(printInterfaceConfig(read(EVERYTHING), "Loopback9")).toBe("");
  });
});

describe("configurations of the scenarios", () => {
  const folder = fileURLToPath(new URL("../../scenarios/", import.meta.url));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => !name.startsWith("bad"));

  it.each(files.filter((name) => name.endsWith(".cfg")))("%s", (name) => {
    roundTrip(readFileSync(folder + name, "utf8"));
  });

  it.each(files.filter((name) => name.endsWith(".yaml")))("those in %s", (name) => {
    const texts: string[] = [];
    const collect = (value: unknown): void => {
      if (typeof value !== "object" || value === null) return;
      for (const [key, entry] of Object.entries(value)) {
        if (key === "config" && typeof entry === "string") texts.push(entry);
        else collect(entry);
      }
    };
    collect(parseYaml(readFileSync(folder + name, "utf8")));
    const filled = (text: string) => text.replace(/\$\{name\}/g, "gm1").replace(/\$\{\w+\}/g, "10.0.1.1");
    for (const text of texts) roundTrip(filled(text));
  });
});

describeShared("vectors/ios-configs", "configurations from the field", () => {
  it.each(readdirSync(sharedPath("vectors/ios-configs")).filter((name) => name.endsWith(".cfg")))("%s", (name) => {
    roundTrip(readShared(`vectors/ios-configs/${name}`).toString("utf8"));
  });
});

describeShared("mission/002_688d486aedeb0119.txt", "the lesson's configuration", () => {
  it("comes back from the model", () => {
    const lines = readShared("mission/002_688d486aedeb0119.txt").toString("utf8").split("\n");
    const printed = roundTrip(lines.filter((line) => /^R1\(\S+\)#/.test(line)).join("\n"));
    expect(printed).toContain("crypto ipsec transform-set TRANSFORM_SET esp-aes esp-sha-hmac\n");
  });
});

describeShared("mission/000_dcc75b2615bc8e7c.txt", "the chapter's examples", () => {
  const text = readShared("mission/000_dcc75b2615bc8e7c.txt").toString("utf8");
  const blocks = [...text.matchAll(/^```\n([\s\S]*?)^```/gm)].map((match) => match[1]!);

  it.each(blocks.map((block, index) => [index, block] as const))("example %i comes back from the model", (_, block) => {
    roundTrip(block);
  });
});
