import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatIpv4, parseIpv4 } from "../../src/base/ipv4.ts";
import {
  type AclPacket,
  formatAccessList,
  formatEntry,
  isSymmetric,
  matchAcl,
  matchEntry,
  reverseEntry,
  reversePacket,
  showEntry,
} from "../../src/ios/acl.ts";
import type { AccessList } from "../../src/ios/model.ts";
import { applyConfig, parseConfig } from "../../src/ios/parse.ts";

function acl(...lines: string[]): AccessList {
  const { config, problems } = parseConfig(`ip access-list extended A\n ${lines.join("\n ")}`, "f");
  expect(problems).toEqual([]);
  return config.accessLists.get("A")!;
}

function packet(protocol: number, source: string, destination: string, more: Partial<AclPacket> = {}): AclPacket {
  return { protocol, source: parseIpv4(source)!, destination: parseIpv4(destination)!, ...more };
}

const UDP = 17;
const TCP = 6;
const ICMP = 1;

describe("an access list", () => {
  const list = acl(
    "deny udp any eq 848 any eq 848",
    "deny ospf any any",
    "deny tcp any any eq bgp",
    "permit icmp 10.1.0.0 0.0.255.255 10.2.0.0 0.0.255.255 echo",
    "permit tcp host 10.1.0.9 gt 1023 any range 20 21",
    "deny ip any 224.0.0.0 0.0.0.255",
    "permit ip 10.0.0.0 0.255.255.255 10.0.0.0 0.255.255.255",
  );

  it.each([
    [
      "the first entry that fits decides",
      packet(UDP, "10.1.0.1", "10.2.0.1", { sourcePort: 848, destinationPort: 848 }),
      "deny",
    ],
    ["both ports must fit", packet(UDP, "10.1.0.1", "10.2.0.1", { sourcePort: 848, destinationPort: 849 }), "permit"],
    ["protocols by name", packet(89, "10.1.0.1", "10.2.0.1"), "deny"],
    ["ports by name", packet(TCP, "10.1.0.1", "10.2.0.1", { sourcePort: 5, destinationPort: 179 }), "deny"],
    ["ip is every protocol", packet(50, "10.1.0.1", "10.2.0.1"), "permit"],
    ["the last octet of a destination", packet(103, "10.1.0.1", "224.0.0.13"), "deny"],
    ["nothing fits", packet(103, "10.1.0.1", "224.0.1.13"), "none"],
    ["outside of the network", packet(ICMP, "11.0.0.1", "10.0.0.1", { icmpType: 8 }), "none"],
  ] as const)("%s", (_, one, decision) => {
    expect(matchAcl(list, one)).toBe(decision);
  });

  it("ports that a fragment hides fit no entry that asks for them", () => {
    expect(matchEntry(list.entries[0]!, packet(UDP, "10.1.0.1", "10.2.0.1"))).toBe(false);
  });

  it("gt, lt, neq and range count as they say", () => {
    const ports = acl("permit udp any gt 100 any", "permit udp any lt 50 any", "permit udp any eq 60 61 any");
    const at = (sourcePort: number) =>
      matchAcl(ports, packet(UDP, "1.1.1.1", "2.2.2.2", { sourcePort, destinationPort: 1 }));
    expect([49, 50, 60, 61, 62, 100, 101].map(at)).toEqual([
      "permit",
      "none",
      "permit",
      "permit",
      "none",
      "none",
      "permit",
    ]);
    const range = acl("deny udp any any range 10 12", "permit udp any any neq 14");
    const to = (destinationPort: number) =>
      matchAcl(range, packet(UDP, "1.1.1.1", "2.2.2.2", { sourcePort: 1, destinationPort }));
    expect([9, 10, 12, 13, 14].map(to)).toEqual(["permit", "deny", "deny", "permit", "none"]);
  });

  it("a wildcard may have holes", () => {
    const odd = acl("permit ip 10.0.0.1 0.255.255.254 any", "deny ip 0.0.3.0 255.255.0.255 any");
    expect(matchAcl(odd, packet(1, "10.77.8.9", "1.1.1.1"))).toBe("permit");
    expect(matchAcl(odd, packet(1, "10.77.8.8", "1.1.1.1"))).toBe("none");
    expect(matchAcl(odd, packet(1, "99.1.3.8", "1.1.1.1"))).toBe("deny");
  });

  it("agrees with a match that goes bit by bit", () => {
    const word = fc.nat(0xffffffff);
    fc.assert(
      fc.property(word, word, word, fc.boolean(), (address, wildcard, noise, flip) => {
        const inside = ((address & ~wildcard) | (noise & wildcard)) >>> 0;
        const fixed = [...Array(32).keys()].find((bit) => ((wildcard >>> bit) & 1) === 0);
        const probe = flip && fixed !== undefined ? (inside ^ (1 << fixed)) >>> 0 : inside;
        const one = acl(`permit ip ${formatIpv4(address)} ${formatIpv4(wildcard)} any`);
        const expected = flip && fixed !== undefined ? "none" : "permit";
        return matchAcl(one, { protocol: 1, source: probe, destination: 0 }) === expected;
      }),
    );
  });
});

describe("reversal", () => {
  it("an entry fits a packet exactly when the reversed entry fits the answer", () => {
    const entry = acl("permit tcp 10.1.0.0 0.0.255.255 eq 22 host 10.2.0.1 gt 1023").entries[0]!;
    const there = packet(TCP, "10.1.3.4", "10.2.0.1", { sourcePort: 22, destinationPort: 2000 });
    expect(matchEntry(entry, there)).toBe(true);
    expect(matchEntry(reverseEntry(entry), reversePacket(there))).toBe(true);
    expect(matchEntry(reverseEntry(entry), there)).toBe(false);
  });

  it("a list is symmetric when each entry has its mirror image", () => {
    expect(isSymmetric(acl("permit ip any any", "deny udp any eq 848 any eq 848"))).toBe(true);
    expect(isSymmetric(acl("permit tcp any any eq 22"))).toBe(false);
    expect(isSymmetric(acl("permit tcp any any eq 22", "permit tcp any eq 22 any"))).toBe(true);
  });
});

describe("texts", () => {
  it.each([
    "permit ip any any",
    "deny udp any eq 848 any eq 848",
    "deny tcp any any eq bgp",
    "deny udp any eq isakmp any eq isakmp",
    "permit icmp 10.0.0.0 0.255.255.255 host 10.0.0.1 echo-reply",
    "permit icmp any any 3 9",
    "permit tcp host 10.0.0.1 range ftp-data ftp any neq www",
    "deny eigrp any any",
    "deny esp any any log",
    "deny 112 any any",
    "permit udp any eq domain isakmp non500-isakmp any",
  ])("%s comes back as it was typed", (text) => {
    expect(formatEntry(acl(text).entries[0]!)).toBe(text);
  });

  it("typed in other words it is printed in IOS's own", () => {
    expect(formatEntry(acl("perm 17 0.0.0.0 255.255.255.255 10.0.0.1 0.0.0.0").entries[0]!)).toBe(
      "permit udp any host 10.0.0.1",
    );
  });

  it("show prints ports as numbers behind an equals sign", () => {
    const [entry, all] = acl("deny udp any eq isakmp any eq 848", "permit ip any any").entries;
    expect(showEntry(entry!, "A1")).toBe("access-list A1  deny udp any port = 500 any port = 848");
    expect(showEntry(all!)).toBe("access-list  permit ip any any");
    expect(showEntry(all!, "", 3)).toBe("access-list   permit ip any any");
  });

  it("a list with remarks is read back from its own text", () => {
    const list = acl("remark one", "deny ospf any any", "permit ip any any", "remark end");
    expect(formatAccessList(list)).toEqual([
      "ip access-list extended A",
      " remark one",
      " deny ospf any any",
      " permit ip any any",
      " remark end",
    ]);
  });
});

describe("editing", () => {
  const base = "ip access-list extended A\n permit ip host 1.1.1.1 any\n permit ip host 2.2.2.2 any\n";
  const texts = (more: string) => {
    const { config, problems } = applyConfig(parseConfig(base, "f").config, `ip access-list extended A\n${more}`, "g");
    expect(problems).toEqual([]);
    return config.accessLists.get("A")!.entries.map((entry) => `${entry.sequence} ${formatEntry(entry)}`);
  };

  it("numbers entries by ten and puts a numbered one in its place", () => {
    expect(texts("15 deny ospf any any")).toEqual([
      "10 permit ip host 1.1.1.1 any",
      "15 deny ospf any any",
      "20 permit ip host 2.2.2.2 any",
    ]);
  });

  it("removes by number and by text", () => {
    expect(texts("no 10")).toEqual(["20 permit ip host 2.2.2.2 any"]);
    expect(texts("no permit ip host 2.2.2.2 any")).toEqual(["10 permit ip host 1.1.1.1 any"]);
  });

  it("refuses a number that is taken", () => {
    const { problems } = parseConfig(`${base} 20 deny ospf any any`, "f");
    expect(problems).toMatchObject([{ code: "iosRefused", line: 4, column: 2 }]);
  });

  it("numbered lists are the same lists, standard ones know sources only", () => {
    const { config, problems } = parseConfig(
      "access-list 101 permit tcp any any eq 22\naccess-list 10 remark hosts\naccess-list 10 permit 10.0.0.1\naccess-list 10 permit 10.1.0.0 0.0.255.255",
      "f",
    );
    expect(problems).toEqual([]);
    expect(formatEntry(config.accessLists.get("101")!.entries[0]!)).toBe("permit tcp any any eq 22");
    const ten = config.accessLists.get("10")!;
    expect(ten.kind).toBe("standard");
    expect(formatAccessList(ten).slice(1)).toEqual([
      " remark hosts",
      " permit 10.0.0.1",
      " permit 10.1.0.0 0.0.255.255",
    ]);
    expect(matchAcl(ten, packet(6, "10.1.2.3", "9.9.9.9"))).toBe("permit");
  });

  it("a qualifier that cannot be honoured is a problem and the entry is left out", () => {
    const { config, problems } = parseConfig("ip access-list extended A\n permit tcp any any established", "f");
    expect(problems).toMatchObject([{ code: "iosUnsupported", line: 2, column: 21 }]);
    expect(config.accessLists.get("A")!.entries).toEqual([]);
  });
});
