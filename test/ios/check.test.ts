import { describe, expect, it } from "vitest";
import { checkConfig } from "../../src/ios/check.ts";
import { parseConfig } from "../../src/ios/parse.ts";

const WORKING = `crypto key generate rsa label RK modulus 2048
crypto ikev2 keyring KR
 peer P
  address 0.0.0.0
  pre-shared-key X
crypto ikev2 profile P1
 match identity remote any
 authentication local pre-share
 authentication remote pre-share
 keyring local KR
crypto ipsec transform-set TS esp-aes esp-sha-hmac
crypto ipsec profile IP1
 set transform-set TS
ip access-list extended A1
 permit ip any any
crypto gkm group G
 identity number 1
 server local
  gikev2 P1
  rekey authentication mypubkey rsa RK
  rekey transport unicast
  sa ipsec 1
   profile IP1
   match address ipv4 A1
`;

/** Codes and lines found after replacing a part of the working configuration. */
function found(from: string | RegExp, to: string): string[] {
  const text = WORKING.replace(from, to);
  expect(text).not.toBe(WORKING);
  const { config, problems } = parseConfig(text, "f");
  expect(problems).toEqual([]);
  return checkConfig(config).map(({ code, line }) => `${code} ${text.split("\n")[line - 1]!.trim()}`);
}

/** Codes found in a text of its own. */
function codes(text: string): string[] {
  const { config, problems } = parseConfig(text, "f");
  expect(problems).toEqual([]);
  return checkConfig(config).map(({ code, line }) => `${code} ${text.split("\n")[line - 1]!.trim()}`);
}

describe("the check of a configuration", () => {
  it("finds nothing in a working key server", () => {
    expect(checkConfig(parseConfig(WORKING, "f").config)).toEqual([]);
  });

  it.each([
    ["an unknown RSA key", "rsa RK", "rsa XX", ["iosMissing rekey authentication mypubkey rsa XX"]],
    ["an unknown IKEv2 profile", "gikev2 P1", "gikev2 XX", ["iosMissing gikev2 XX"]],
    [
      "an unknown identity",
      "  gikev2 P1",
      "  gikev2 P1\n  authorization identity XX",
      ["iosMissing authorization identity XX"],
    ],
    ["an unknown keyring", "keyring local KR", "keyring local XX", ["iosMissing keyring local XX"]],
    ["an unknown IPsec profile", "   profile IP1", "   profile XX", ["iosMissing profile XX"]],
    ["an unknown transform set", "set transform-set TS", "set transform-set XX", ["iosMissing set transform-set XX"]],
    ["an unknown access list", "ipv4 A1", "ipv4 XX", ["iosMissing match address ipv4 XX"]],
    ["no identity", " identity number 1\n", "", ["iosNoIdentity crypto gkm group G"]],
    [
      "server and client at once",
      " server local",
      " server address ipv4 1.1.1.1\n server local",
      ["iosConflict server address ipv4 1.1.1.1"],
    ],
    ["nobody to serve", "  gikev2 P1", "  no gdoi", ["iosServesNobody server local"]],
    ["multicast without an address", "  rekey transport unicast\n", "", ["iosIncompleteObject server local"]],
    [
      "a long KEK lifetime with 3DES",
      "  gikev2 P1",
      "  gikev2 P1\n  rekey lifetime days 2",
      ["iosLifetime server local"],
    ],
    ["an SA without list", "   match address ipv4 A1\n", "", ["iosIncompleteObject sa ipsec 1"]],
    ["no SA", / {2}sa ipsec[\s\S]*$/, "", ["iosIncompleteObject server local"]],
    ["a port range", "permit ip any any", "permit udp any any range 1 9", ["iosAclRange permit udp any any range 1 9"]],
    [
      "two ports in one entry",
      "permit ip any any",
      "permit udp any any eq 1 9",
      ["iosAclRange permit udp any any eq 1 9"],
    ],
    ["no keyring", " keyring local KR\n", "", ["iosIncompleteObject crypto ikev2 profile P1"]],
    ["nothing to match", " match identity remote any\n", "", ["iosIncompleteObject crypto ikev2 profile P1"]],
    ["a sealed key", "pre-shared-key X", "pre-shared-key 6 X", ["iosUnsupported pre-shared-key 6 X"]],
    ["a peer without key", "  pre-shared-key X\n", "", ["iosIncompleteObject peer P"]],
    ["a key too short to sign", "modulus 2048", "modulus 360", ["iosKeyTooShort rekey authentication mypubkey rsa RK"]],
    [
      "GCM with a hash",
      "esp-aes esp-sha-hmac",
      "esp-gcm esp-sha-hmac",
      ["iosConflict crypto ipsec transform-set TS esp-gcm esp-sha-hmac"],
    ],
    ["AH", "esp-aes esp-sha-hmac", "esp-aes ah-sha-hmac", ["iosUnsupported set transform-set TS"]],
    [
      "COOP without own address",
      "  gikev2 P1",
      "  gikev2 P1\n  redundancy\n   peer address ipv4 1.1.1.1\n  exit",
      ["iosIncompleteObject redundancy"],
    ],
  ])("finds %s", (_, from, to, expected) => {
    expect(found(from, to)).toEqual(expected);
  });

  it("finds the hundred-and-first permit entry", () => {
    const many = Array.from({ length: 101 }, (_, i) => ` permit ip host 10.0.0.${i} any`).join("\n");
    expect(found(" permit ip any any", many)).toEqual(["iosAclTooLong permit ip host 10.0.0.100 any"]);
  });

  it.each([
    [
      "a profile of IKEv1 that matches nobody",
      "crypto isakmp profile P",
      ["iosIncompleteObject crypto isakmp profile P"],
    ],
    [
      "what a profile of IKEv1 names and nobody has",
      "crypto isakmp profile P\n match identity host h\n match certificate M\n keyring default\n keyring K\n " +
        "ca trust-point T\n local-address Loopback7",
      [
        "iosMissing match certificate M",
        "iosMissing keyring K",
        "iosMissing ca trust-point T",
        "iosMissing local-address Loopback7",
      ],
    ],
    [
      "a keyring's sealed key and unknown interface",
      "crypto keyring K\n pre-shared-key address 10.0.0.1 key 6 X\n local-address Loopback7",
      ["iosUnsupported pre-shared-key address 10.0.0.1 key 6 X", "iosMissing local-address Loopback7"],
    ],
    ["an identity without names", "crypto identity I\n description later", ["iosIncompleteObject crypto identity I"]],
    [
      "an ISAKMP profile that a map names and nobody has",
      "crypto gkm group G\n identity 1\n server address ipv4 1.1.1.1\ncrypto map CM isakmp-profile P\n" +
        "crypto map CM 10 gkm\n set group G\n set isakmp-profile Q",
      ["iosMissing crypto map CM isakmp-profile P", "iosMissing set isakmp-profile Q"],
    ],
    ["no key server", "crypto gkm group G\n identity number 1", ["iosNoServer crypto gkm group G"]],
    ["a group that does not exist", "crypto map CM 10 gkm\n set group G", ["iosMissing set group G"]],
    ["a map without group", "crypto map CM 10 gkm", ["iosIncompleteObject crypto map CM 10 gkm"]],
    ["a map that does not exist", "interface g0\n crypto map CM", ["iosMissing crypto map CM"]],
    [
      "a host without address",
      "crypto gkm group G\n identity 1\n server address ipv4 ks1",
      ["iosMissing server address ipv4 ks1"],
    ],
    [
      "a network as address",
      "interface g0\n ip address 10.0.0.0 255.0.0.0",
      ["iosBadAddress ip address 10.0.0.0 255.0.0.0"],
    ],
    [
      "overlapping networks",
      "interface g0\n ip address 10.0.0.1 255.0.0.0\ninterface g1\n ip address 10.9.0.1 255.255.0.0",
      ["iosBadAddress ip address 10.9.0.1 255.255.0.0"],
    ],
    [
      "a proposal without group",
      "crypto ikev2 proposal P\n encryption aes-cbc-128\n integrity sha256",
      ["iosIncompleteObject crypto ikev2 proposal P"],
    ],
    [
      "GCM without PRF",
      "crypto ikev2 proposal P\n encryption aes-gcm-128\n group 19",
      ["iosIncompleteObject crypto ikev2 proposal P"],
    ],
    ["a policy without proposal", "crypto ikev2 policy P", ["iosIncompleteObject crypto ikev2 policy P"]],
    [
      "a local permit",
      "ip access-list extended L\n deny ospf any any\n permit ip any any\ncrypto gkm group G\n identity 1\n server address ipv4 1.1.1.1\ncrypto map CM 1 gkm\n set group G\n match address L",
      ["iosAclPermit permit ip any any"],
    ],
    [
      "another kind of crypto map on an interface",
      "crypto map CM 1 ipsec-manual\n set peer 1.1.1.1\ninterface g0\n crypto map CM",
      ["iosUnsupported crypto map CM"],
    ],
    [
      "a tunnel that lacks almost everything",
      "crypto map CM 1 ipsec-isakmp\n set peer 1.1.1.1\n match address NONE",
      [
        "iosIncompleteObject crypto map CM 1 ipsec-isakmp",
        "iosUnsupported crypto map CM 1 ipsec-isakmp",
        "iosMissing match address NONE",
      ],
    ],
    [
      "translation by a list, a pool and sides that are not there",
      "ip nat inside source list L pool P overload",
      [
        "iosMissing ip nat inside source list L pool P overload",
        "iosMissing ip nat inside source list L pool P overload",
        "iosIncompleteObject ip nat inside source list L pool P overload",
        "iosIncompleteObject ip nat inside source list L pool P overload",
      ],
    ],
  ])("finds %s", (_, text, expected) => {
    expect(codes(text)).toEqual(expected);
  });

  it("a host address of all bits and a point-to-point network are fine", () => {
    expect(
      codes("interface lo0\n ip address 10.0.0.0 255.255.255.255\ninterface g0\n ip address 10.1.0.0 255.255.255.254"),
    ).toEqual([]);
  });
});
