import { describe, expect, it } from "vitest";
import { onlyServer, show, tunnelRouter } from "./router.ts";

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

  it("isakmp in detail: what was agreed, and how long it holds", () => {
    expect(show("crypto isakmp sa detail")).toContain(
      "C-id  Local           Remote          I-VRF  Status Encr Hash   Auth DH Lifetime Cap.\n\n" +
        "1001  3.3.1.1         1.1.1.1                ACTIVE aes  sha256 psk  14 23:57:45 DN  \n" +
        "       Engine-id:Conn-id =  SW:1\n\nIPv6 Crypto ISAKMP SA\n",
    );
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

  it("a tunnel to a single peer has an SPI for each direction, and a window", () => {
    const text = show("crypto ipsec sa", tunnelRouter);
    expect(text).toContain(
      "   remote ident (addr/mask/prot/port): (10.0.0.0/255.0.0.0/0/0)\n" +
        "   current_peer 192.0.2.2 port 4500\n     PERMIT, flags={origin_is_acl,}\n    #pkts encaps: 1,",
    );
    expect(text).toContain("     local crypto endpt.: 3.3.1.1, remote crypto endpt.: 192.0.2.2\n");
    expect(text).toContain("     PFS (Y/N): Y, DH group: group19\n");
    expect([...text.matchAll(/^ {6}spi: (\S+)$/gm)].map((match) => match[1])).toEqual([
      "0x00000A01(2561)",
      "0x00000B02(2818)",
    ]);
    expect(text).toContain("        in use settings ={Tunnel UDP-Encaps, }\n        conn id: 2001, flow_id: SW:1,");
    expect(text.match(/replay detection support: Y\n/g)).toHaveLength(2);
  });

  it("the sessions of a crypto map, one for each peer", () => {
    expect(show("crypto session", tunnelRouter)).toBe(
      "Crypto session current status\n\nInterface: GigabitEthernet0/0/1\nSession status: UP-ACTIVE\n" +
        "Peer: 192.0.2.2 port 4500\n  IKEv2 SA: local 3.3.1.1/4500 remote 192.0.2.2/4500 Active \n" +
        "  IPSEC FLOW: permit ip 10.0.0.0/255.0.0.0 10.0.0.0/255.0.0.0 \n        Active SAs: 2, origin: crypto map\n\n" +
        "Interface: GigabitEthernet0/0/1\nSession status: DOWN\nPeer: 192.0.2.3 port 500\n" +
        "  IPSEC FLOW: permit ip 10.0.0.0/255.0.0.0 10.0.0.0/255.0.0.0 \n        Active SAs: 0, origin: crypto map\n\n",
    );
  });

  it.each([
    ["crypto ipsec sa peer 192.0.2.2", ["192.0.2.2"]],
    ["crypto ipsec sa peer 192.0.2.9", []],
    ["crypto ipsec sa interface gi0/0/1", ["192.0.2.2", "192.0.2.3"]],
    ["crypto ipsec sa interface gi 0/0/1 detail", ["192.0.2.2", "192.0.2.3"]],
    ["crypto ipsec sa interface gi0/0/2", []],
  ] as const)("of one peer or interface: %s", (command, peers) => {
    const text = show(command, tunnelRouter);
    expect([...text.matchAll(/current_peer (\S+) port/g)].map(([, peer]) => peer)).toEqual(peers);
  });

  it("ikev2 and sessions of one end", () => {
    expect(show("crypto ikev2 sa remote 1.1.1.1 local 3.3.1.1")).toBe(show("crypto ikev2 sa"));
    expect(show("crypto ikev2 sa remote 1.1.1.2 detailed")).not.toContain("READY");
    expect(show("crypto session remote 192.0.2.3", tunnelRouter).match(/^Peer: .*$/gm)).toEqual([
      "Peer: 192.0.2.3 port 500",
    ]);
    expect(show("crypto session local 10.9.9.9 detail", tunnelRouter)).toBe("Crypto session current status\n\n");
  });

  it("session", () => {
    expect(show("crypto session")).toBe(
      "Crypto session current status\n\nInterface: GigabitEthernet0/0/1\nSession status: UP-ACTIVE\n" +
        "Peer: 0.0.0.0 port 848\n  IKEv1 SA: local 3.3.1.1/848 remote 1.1.1.1/848 Active \n  IKEv2 SA: local 3.3.1.1/848 remote 1.1.1.1/848 Active \n" +
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

  it("an interface: its state, address and size", () => {
    expect(show("interfaces gi 0/0/1")).toBe(
      "GigabitEthernet0/0/1 is up, line protocol is up \n  Hardware is simulated Ethernet\n" +
        "  Internet address is 3.3.1.1/24\n  MTU 1500 bytes\n",
    );
    expect(show("interfaces")).toContain("Loopback0 is administratively down, line protocol is down \n");
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
