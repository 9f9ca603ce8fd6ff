import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromUtf8 } from "../../src/base/bytes.ts";
import { formatIpv4 } from "../../src/base/ipv4.ts";
import { checkConfig } from "../../src/ios/check.ts";
import { applyConfig, parseConfig } from "../../src/ios/parse.ts";

/** A text that must be understood wholly. */
function clean(text: string) {
  const { config, problems, ignored } = parseConfig(text, "r1.cfg");
  expect(problems).toEqual([]);
  expect(ignored).toEqual([]);
  return config;
}

const KEY_SERVER = `
hostname KS1
crypto key generate rsa label RK modulus 2048
crypto ikev2 proposal PR
 encryption aes-cbc-256 aes-cbc-128
 integrity sha256
 group 19 14
crypto ikev2 policy PO
 proposal PR
crypto ikev2 keyring KR
 peer ANY
  address 0.0.0.0 0.0.0.0
  pre-shared-key local KEY-A
  pre-shared-key remote KEY-B
crypto ikev2 profile P1
 match identity remote address 10.1.0.0 255.255.0.0
 match identity remote fqdn domain example.com
 identity local fqdn ks1.example.com
 authentication local pre-share
 authentication remote pre-share
 keyring local KR
crypto ipsec transform-set TS esp-aes 256 esp-sha256-hmac
crypto ipsec profile IP1
 set transform-set TS
 set security-association lifetime seconds 7200
ip access-list extended A1
 remark control traffic stays in the clear
 deny udp any eq 848 any eq 848
 permit ip 10.0.0.0 0.255.255.255 10.0.0.0 0.255.255.255
crypto gkm group G
 identity number 1111
 server local
  gdoi
  gikev2 P1
  rekey algorithm aes 256
  rekey lifetime days 2
  rekey retransmit 40 number 3
  rekey authentication mypubkey rsa RK
  rekey transport unicast
  sa ipsec 20
   profile IP1
   match address ipv4 A1
   replay time window-size 5
  sa ipsec 3
   profile IP1
   match address ipv4 A1
   no replay
  address ipv4 192.0.2.1
  redundancy
   local priority 100
   peer address ipv4 192.0.2.2
interface GigabitEthernet0/0
 ip address 192.0.2.1 255.255.255.0
 no shutdown
ip route 0.0.0.0 0.0.0.0 192.0.2.254
end
`;

describe("a key server", () => {
  const config = clean(KEY_SERVER);
  const server = config.groups.get("G")!.server!;

  it("has everything that its configuration says", () => {
    expect(checkConfig(config)).toEqual([]);
    expect(server).toMatchObject({
      gdoi: true,
      gikev2: { name: "P1" },
      rekeyAlgorithm: "aes-256",
      rekeyLifetimeSeconds: 172_800,
      rekeyRetransmitSeconds: 40,
      rekeyRetransmitCount: 3,
      rekeyAuthentication: { name: "RK" },
      rekeyTransport: "unicast",
      redundancy: { localPriority: 100 },
    });
    expect(formatIpv4(server.address!.value)).toBe("192.0.2.1");
    expect(server.redundancy!.peers.map(({ value }) => formatIpv4(value))).toEqual(["192.0.2.2"]);
  });

  it("orders its SAs by number, not by the order of typing", () => {
    expect([...server.saIpsec.keys()]).toEqual([3, 20]);
    expect(server.saIpsec.get(20)!.replay).toEqual({ method: "time", windowSeconds: 5 });
    expect(server.saIpsec.get(3)!.replay).toEqual({ method: "none" });
  });

  it("remembers where each object was defined", () => {
    const line = (text: string) => KEY_SERVER.split("\n").indexOf(text) + 1;
    expect(config.groups.get("G")!.at).toEqual({ file: "r1.cfg", line: line("crypto gkm group G"), column: 1 });
    expect(server.gikev2!.at).toEqual({ file: "r1.cfg", line: line("  gikev2 P1"), column: 10 });
  });

  it("keeps keys as secrets, one for each direction", () => {
    const peer = config.ikev2.keyrings.get("KR")!.peers.get("ANY")!;
    expect(fromUtf8(peer.localKey!.key.secret)).toBe("KEY-A");
    expect(fromUtf8(peer.remoteKey!.key.secret)).toBe("KEY-B");
  });

  it("has IKEv2 objects in the order of preference", () => {
    expect(config.ikev2.proposals.get("PR")).toMatchObject({
      encryption: ["aes-cbc-256", "aes-cbc-128"],
      integrity: ["sha256"],
      prf: [],
      groups: [19, 14],
    });
    expect(config.ikev2.proposals.has("default")).toBe(true);
    expect(config.ikev2.profiles.get("P1")!.matchRemote.map(({ value }) => value.kind)).toEqual(["address", "fqdn"]);
  });

  it("can be typed in shortest words with the same result", () => {
    const short = `cry gk g G\nid n 1111\nser l\ngi P1\nrek al a 256\nrek l d 2\nrek ret 40 n 3\nrek au m r RK\nrek tr u`;
    const { config: other, problems } = parseConfig(short, "s");
    expect(problems).toEqual([]);
    const { rekeyAlgorithm, rekeyLifetimeSeconds, rekeyRetransmitSeconds, rekeyRetransmitCount } = server;
    expect(other.groups.get("G")!.server).toMatchObject({
      rekeyAlgorithm,
      rekeyLifetimeSeconds,
      rekeyRetransmitSeconds,
      rekeyRetransmitCount,
      rekeyTransport: "unicast",
    });
  });
});

describe("a group member", () => {
  const config = clean(`
crypto gkm group G
 identity number 1111
 server address ipv4 192.0.2.2
 server address ipv4 192.0.2.1
 client protocol gikev2 P1
crypto map CM 10 gkm
 set group G
 match address LOCAL
crypto map CM gkm fail-close
 match address LOCAL
 activate
crypto map CM local-address Loopback0
interface Gi0/0
 crypto map CM
 ip mtu 1400
`);

  it("keeps its key servers in the order of preference", () => {
    const servers = config.groups.get("G")!.servers;
    expect(servers.map((one) => one.kind === "ipv4" && formatIpv4(one.address))).toEqual(["192.0.2.2", "192.0.2.1"]);
    expect(config.groups.get("G")!.client).toMatchObject({ protocol: "gikev2", profile: { name: "P1" } });
  });

  it("is attached by the crypto map of an interface", () => {
    expect(config.interfaces.get("GigabitEthernet0/0")).toMatchObject({ cryptoMap: { name: "CM" }, ipMtu: 1400 });
    const map = config.cryptoMaps.get("CM")!;
    expect(map.entries.get(10)).toMatchObject({ group: { name: "G" }, acl: { name: "LOCAL" } });
    expect(map.failClose).toMatchObject({ activated: true });
    expect(map.localAddress!.name).toBe("Loopback0");
  });
});

describe("modes", () => {
  it("indentation does not matter", () => {
    const flat = KEY_SERVER.replace(/^ +/gm, "");
    const strip = (text: string) => JSON.stringify(jsonOf(clean(text))).replace(/"column":\d+/g, "");
    expect(strip(flat)).toBe(strip(KEY_SERVER));
  });

  it("line ends, tabs and comments do not matter", () => {
    const odd = KEY_SERVER.replace(/^ /gm, "\t").replace(/\n/g, "\r\n! a note\r\n");
    const strip = (text: string) => JSON.stringify(jsonOf(clean(text))).replace(/"(?:column|line)":\d+/g, "");
    expect(strip(odd)).toBe(strip(KEY_SERVER));
  });

  it("exit leaves one mode and end all of them", () => {
    const text =
      "crypto gkm group G\nserver local\nsa ipsec 1\nexit\nrekey transport unicast\nexit\nidentity number 5\nend";
    const config = clean(text);
    expect(config.groups.get("G")).toMatchObject({ identity: { number: 5 }, server: { rekeyTransport: "unicast" } });
  });

  it("a line of an outer mode leaves the inner ones", () => {
    const config = clean("crypto gkm group G\n server local\n  sa ipsec 1\n identity number 7\nhostname X");
    expect(config.groups.get("G")!.identity).toMatchObject({ number: 7 });
    expect(config.hostname).toBe("X");
  });

  it("entering a mode twice goes on with the same object", () => {
    const config = clean("crypto gkm group G\n identity number 7\n!\ncrypto gkm group G\n passive");
    expect(config.groups.get("G")).toMatchObject({ identity: { number: 7 }, passive: true });
  });

  it("a trailing comment ends a line but not a key or a description", () => {
    const config = clean(
      "interface lo0 ! first\n description up! and !running\ncrypto ikev2 keyring K\n peer P\n  pre-shared-key !x!",
    );
    expect(config.interfaces.get("Loopback0")!.description).toBe("up! and !running");
    expect(fromUtf8(config.ikev2.keyrings.get("K")!.peers.get("P")!.localKey!.key.secret)).toBe("!x!");
  });
});

describe("no and default", () => {
  const at = (lines: string) => {
    const { config, problems } = parseConfig(`crypto gkm group G\n server local\n${lines}`, "f");
    expect(problems).toEqual([]);
    return config.groups.get("G")!.server!;
  };

  it("no brings the default back without its arguments", () => {
    expect(at("rekey retransmit 60 number 9\nno rekey retransmit").rekeyRetransmitSeconds).toBe(10);
    expect(at("rekey lifetime seconds 300\nno rekey lifetime").rekeyLifetimeSeconds).toBe(86_400);
    expect(at("rekey transport unicast\nno rekey transport unicast").rekeyTransport).toBe("multicast");
    expect(at("address ipv4 1.2.3.4\nno address ipv4").address).toBeUndefined();
  });

  it("no and default differ where a feature is on by default", () => {
    expect(at("no gdoi").gdoi).toBe(false);
    expect(at("no gdoi\ndefault gdoi").gdoi).toBe(true);
    expect(at("no split-resiliency").splitResiliency).toBe(false);
  });

  it("no takes one element from a list", () => {
    const text =
      "crypto gkm group G\n server address ipv4 1.1.1.1\n server address ipv4 2.2.2.2\n no server address ipv4 1.1.1.1";
    const [left, ...others] = clean(text).groups.get("G")!.servers;
    expect(others).toEqual([]);
    expect(left).toMatchObject({ kind: "ipv4", address: 0x02020202 });
  });

  it("no removes an object, unless it is in use", () => {
    expect(clean("crypto gkm group G\nexit\nno crypto gkm group G").groups.size).toBe(0);
    const used = "crypto gkm group G\ncrypto map CM 10 gkm\n set group G\nno crypto gkm group G";
    expect(parseConfig(used, "f").problems).toMatchObject([{ code: "iosRefused", line: 4 }]);
    const bound = "crypto map CM 10 gkm\ninterface Gi3\n crypto map CM\nexit\nno crypto map CM";
    expect(parseConfig(bound, "f").problems).toMatchObject([
      { code: "iosRefused", message: "% Crypto-map CM is in use by interface(s): Gi3" },
    ]);
  });

  it("no crypto map on an interface detaches it there", () => {
    const config = clean("crypto map CM 10 gkm\ninterface Gi3\n crypto map CM\n no crypto map CM");
    expect(config.interfaces.get("GigabitEthernet3")!.cryptoMap).toBeUndefined();
    expect(config.cryptoMaps.has("CM")).toBe(true);
  });

  it("a command without no form refuses it", () => {
    expect(parseConfig("no crypto key generate rsa label L", "f").problems).toMatchObject([
      { code: "iosInvalidInput" },
    ]);
  });
});

describe("what is not in the model", () => {
  it("is reported line by line with its reason, and the rest is read", () => {
    const { config, problems, ignored } = parseConfig(
      "service timestamps log datetime msec\nline vty 0 4\n login local\n transport input ssh\nfrobnicate 7\n deeply\n" +
        "router bgp 65000\n neighbor 10.0.0.1 remote-as 65001\nhostname R9",
      "f",
    );
    expect(problems).toEqual([]);
    expect(ignored.map(({ line, reason }) => `${line} ${reason}`)).toEqual([
      "1 understood",
      "2 understood",
      "3 understood",
      "4 understood",
      "5 unknown",
      "6 unknown",
      "7 understood",
      "8 understood",
    ]);
    expect(config.hostname).toBe("R9");
  });

  it("a common command in a form that nobody listed is left aside as unknown", () => {
    const { problems, ignored } = parseConfig("enable algorithm-type scrypt\nwrite erase\nip route 10.0.0.0 x", "f");
    expect(ignored.map(({ line, reason }) => `${line} ${reason}`)).toEqual(["1 unknown", "2 unknown"]);
    expect(problems).toMatchObject([{ code: "iosInvalidInput", line: 3 }]);
  });

  it("does not show passwords", () => {
    const { ignored } = parseConfig(
      "username u password 0 hunter2\nenable secret hunter2\nsnmp-server community hunter2 RO",
      "f",
    );
    expect(ignored).toHaveLength(3);
    expect(JSON.stringify(ignored)).not.toContain("hunter2");
  });

  it("is a problem in the modes of cryptography", () => {
    const { problems, config } = parseConfig("crypto gkm group G\n frobnicate 7\n identity number 3", "f");
    expect(problems).toMatchObject([{ code: "iosInvalidInput", line: 2, column: 2 }]);
    expect(config.groups.get("G")!.identity).toMatchObject({ number: 3 });
    expect(parseConfig("crypto frobnicate", "f").problems).toMatchObject([{ line: 1 }]);
    expect(parseConfig("crypto gkm group G\nfrobnicate 7", "f").problems).toMatchObject([{ line: 2 }]);
  });

  it("is no problem behind a mark that closes the block, or below indented lines", () => {
    expect(parseConfig("crypto gkm group G\n!\nfrobnicate 7", "f").problems).toEqual([]);
    expect(parseConfig("crypto gkm group G\n identity number 1\nfrobnicate 7", "f").problems).toEqual([]);
  });

  it("is a problem on an interface only where a crypto map is applied, wherever that is said", () => {
    const plain = parseConfig("interface g0/0\n frobnicate 7\n ip address 10.0.0.1 255.0.0.0", "f");
    expect(plain.problems).toEqual([]);
    expect(plain.ignored).toMatchObject([{ line: 2, reason: "unknown" }]);
    const member = parseConfig("interface g0/0\n frobnicate 7\n crypto map CM", "f");
    expect(member.problems).toMatchObject([{ code: "iosInvalidInput", line: 2 }]);
  });

  it("is a problem when it would change which packets pass", () => {
    const { problems } = parseConfig("interface g0/0\n ip access-group 101 in", "f");
    expect(problems).toMatchObject([{ code: "iosUnsupported", line: 2, column: 2 }]);
  });

  it("a banner is passed over to its mark", () => {
    const { config, ignored } = parseConfig(
      "banner motd ^C\nhostname FAKE\ncrypto gkm group X\n^C\nhostname REAL",
      "f",
    );
    expect(config.hostname).toBe("REAL");
    expect(config.groups.size).toBe(0);
    expect(ignored).toHaveLength(4);
  });
});

describe("further lines for a running box", () => {
  const before = clean("interface g0/0\n ip address 10.0.0.1 255.0.0.0\ncrypto gkm group G\n client protocol gdoi");

  it("change a copy and leave the model as it was", () => {
    const { config } = applyConfig(
      before,
      "interface g0/0\nshutdown\ncrypto gkm group G\nclient protocol gikev2 P",
      "t",
    );
    expect(config.interfaces.get("GigabitEthernet0/0")!.shutdown).toBe(true);
    expect(config.groups.get("G")!.client).toMatchObject({ protocol: "gikev2", profile: { name: "P" } });
    expect(before.interfaces.get("GigabitEthernet0/0")!.shutdown).toBe(false);
    expect(before.groups.get("G")!.client.protocol).toBe("gdoi");
  });

  it("start in global mode and report their own places", () => {
    const { problems } = applyConfig(before, "interface g0/0\n mtu 1", "timeline");
    expect(problems).toMatchObject([{ code: "iosRange", file: "timeline", line: 2, column: 6 }]);
  });
});

describe("keyrings, profiles and identities", () => {
  const TEXT = `crypto keyring K
 pre-shared-key address 10.0.0.0 255.0.0.0 key ONE
 pre-shared-key hostname h key TWO
crypto isakmp profile P
 keyring K
 match identity address 10.0.0.0 255.0.0.0
 match identity host h
 initiate mode aggressive
 keepalive 10 retry 3
crypto identity I
 dn ou=Members
crypto gkm group G
 server local
  authorization identity I
crypto map M isakmp-profile P
`;
  const apply = (text: string) => applyConfig(parseConfig(TEXT, "f").config, text, "f");

  it("stay as long as something names them", () => {
    const { config, problems } = apply("no crypto keyring K\nno crypto isakmp profile P\nno crypto identity I");
    expect(problems.map(({ code, message }) => `${code} ${message}`)).toEqual([
      "iosRefused % Keyring K is in use by ISAKMP profile P.",
      "iosRefused % Profile P is in use by crypto map M.",
      "iosRefused % Identity I is in use by group G.",
    ]);
    const { keyrings, profiles } = config.isakmp;
    expect([keyrings.size, profiles.size, config.identities.size]).toEqual([1, 1, 1]);
    const freed = apply(
      "crypto gkm group G\n server local\n no authorization identity\nno crypto identity I\n" +
        "no crypto map M isakmp-profile\nno crypto isakmp profile P\nno crypto keyring K",
    );
    expect(freed.problems).toEqual([]);
    expect([freed.config.isakmp.keyrings.size, freed.config.isakmp.profiles.size]).toEqual([0, 0]);
    expect(freed.config.identities.size).toBe(0);
  });

  it("lose one line at a time", () => {
    const { config, problems } = apply(
      "crypto keyring K\n no pre-shared-key hostname h key TWO\ncrypto isakmp profile P\n no match identity host h\n" +
        " no initiate mode\n no keepalive\n no keyring K\ncrypto identity I\n no dn ou=Members",
    );
    expect(problems).toEqual([]);
    expect(config.isakmp.keyrings.get("K")!.keys.map(({ hostname }) => hostname)).toEqual([undefined]);
    const profile = config.isakmp.profiles.get("P")!;
    expect(profile).toMatchObject({
      keyrings: [],
      initiate: "main",
      matchIdentities: [{ value: { kind: "address" } }],
    });
    expect(profile.keepalive).toBeUndefined();
    expect(config.identities.get("I")!.distinguishedNames).toEqual([]);
  });
});

describe("hostile text", () => {
  it("never throws, and accounts for every line", () => {
    const words = KEY_SERVER.split(/\s+/);
    const token = fc.oneof(
      fc.constantFrom(...words, "no", "default", "!", "^C", "\t", "", "|", "__proto__"),
      fc.string(),
    );
    const lines = fc.array(
      fc.array(token, { maxLength: 8 }).map((parts) => parts.join(" ")),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(lines, (parts) => {
        const { config, problems, ignored } = parseConfig(parts.join("\n"), "f");
        checkConfig(config);
        for (const { line, column } of problems) expect(line > 0 && column > 0).toBe(true);
        for (const { line } of ignored) expect(line > 0).toBe(true);
      }),
      { numRuns: 400 },
    );
  });

  it("never throws for any characters", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => parseConfig(text, "f") !== undefined),
    );
  });

  it("a list of 5,000 entries costs about ten times as much as one of 500", () => {
    const entry = (_: unknown, i: number) =>
      ` permit tcp 10.${i >> 8}.${i & 255}.0 0.0.0.255 any eq ${i}\n deny udp any host 10.1.${i >> 8}.${i & 255}`;
    const text = (count: number) => `ip access-list extended A\n${Array.from({ length: count / 2 }, entry).join("\n")}`;
    const [small, large] = [text(500), text(5_000)];
    // Time of the processor, and both for as long: what else the machine does then falls on both alike.
    const cost = (one: string, times: number) => {
      let best = Number.POSITIVE_INFINITY;
      for (let round = 0; round < 5; round++) {
        const start = process.cpuUsage();
        for (let i = 0; i < times; i++) parseConfig(one, "f");
        best = Math.min(best, process.cpuUsage(start).user / times);
      }
      return best;
    };
    cost(small, 10);
    expect(parseConfig(large, "f").config.accessLists.get("A")!.entries).toHaveLength(5_000);
    expect(cost(large, 1) / cost(small, 10)).toBeLessThan(30);
  });
});

/** Maps as arrays, so that JSON shows them. */
function jsonOf(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (_, inner) => (inner instanceof Map ? [...inner] : inner)));
}
