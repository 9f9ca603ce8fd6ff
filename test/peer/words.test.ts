import { describe, expect, it } from "vitest";
import { fromUtf8 } from "../../src/base/bytes.ts";
import { parseIpv4 } from "../../src/base/ipv4.ts";
import { parseIdentity } from "../../src/peer/identity.ts";
import { espProposal, ikeProposal } from "../../src/peer/proposalWords.ts";
import { admits, hostAddress, parseSelector } from "../../src/peer/selectors.ts";
import { Dh, Encr, IdType, Integ, Prf } from "../../src/wire/ikev2Numbers.ts";

describe("an IKE proposal", () => {
  it("takes its PRFs from the integrity algorithms", () => {
    expect(ikeProposal("aes256-sha256-sha384-modp2048-x25519")).toEqual({
      encr: [{ id: Encr.AES_CBC, keyBits: 256 }],
      integ: [Integ.HMAC_SHA2_256_128, Integ.HMAC_SHA2_384_192],
      prf: [Prf.HMAC_SHA2_256, Prf.HMAC_SHA2_384],
      dh: [Dh.MODP_2048, Dh.CURVE25519],
      kwa: [],
    });
  });

  it("with an AEAD cipher names its PRF", () => {
    expect(ikeProposal("aes128gcm16-aes256gcm16-prfsha384-ecp256")).toEqual({
      encr: [
        { id: Encr.AES_GCM_16, keyBits: 128 },
        { id: Encr.AES_GCM_16, keyBits: 256 },
      ],
      integ: [],
      prf: [Prf.HMAC_SHA2_384],
      dh: [Dh.ECP_256],
      kwa: [],
    });
  });

  it.each([
    ["aes256gcm16-x25519", "a PRF is missing"],
    ["aes256-sha256", "a key exchange group is missing"],
    ["aes256-modp2048", "an integrity algorithm is missing"],
    ["sha256-modp2048", "a cipher is missing"],
    ["aes256-aes256gcm16-sha256-modp2048", "proposals of their own"],
    ["aes256gcm16-sha256-prfsha256-modp2048", "without integrity"],
    ["aes256-sha256-modp2049", 'unknown algorithm "modp2049"'],
    ["", 'unknown algorithm ""'],
  ])("%j is refused: %s", (text, problem) => {
    expect(ikeProposal(text)).toEqual({ problem: expect.stringContaining(problem) });
  });
});

describe("an ESP proposal", () => {
  it("has groups only for perfect forward secrecy", () => {
    expect(espProposal("aes128-sha1")).toMatchObject({ integ: [Integ.HMAC_SHA1_96], dh: [], sn: [0] });
    expect(espProposal("chacha20poly1305-ecp384")).toMatchObject({ integ: [], dh: [Dh.ECP_384] });
  });

  it("has no PRF", () => {
    expect(espProposal("aes256gcm16-prfsha256")).toEqual({ problem: expect.stringContaining("no PRF") });
  });
});

describe("an identity", () => {
  it.each([
    ["gm.test", IdType.FQDN, "gm.test"],
    ["@gm.test", IdType.FQDN, "gm.test"],
    ["gm@example.com", IdType.RFC822_ADDR, "gm@example.com"],
    ["keyid:1111", IdType.KEY_ID, "1111"],
  ])("%s has its type", (text, type, data) => {
    const id = parseIdentity(text)!;
    expect([id.type, fromUtf8(id.data)]).toEqual([type, data]);
  });

  it("may be an address, and is never empty", () => {
    expect(parseIdentity("192.0.2.1")).toEqual({ type: IdType.IPV4_ADDR, data: Uint8Array.of(192, 0, 2, 1) });
    expect(parseIdentity("2001:db8::1")?.type).toBe(IdType.IPV6_ADDR);
    for (const text of ["", "@", "keyid:"]) expect(parseIdentity(text)).toBeUndefined();
  });
});

describe("a traffic selector", () => {
  it.each([
    ["10.1.2.3", "10.1.2.3", "10.1.2.3"],
    ["10.1.2.3/24", "10.1.2.0", "10.1.2.255"],
    ["10.1.2.3-10.1.4.5", "10.1.2.3", "10.1.4.5"],
    ["0.0.0.0/0", "0.0.0.0", "255.255.255.255"],
  ])("%s is a range", (text, startAddress, endAddress) => {
    expect(parseSelector(text)).toMatchObject({
      startAddress,
      endAddress,
      ipProtocol: 0,
      startPort: 0,
      endPort: 65_535,
    });
  });

  it.each(["", "10.1.2", "10.1.2.0/33", "10.1.2.9-10.1.2.3", "10.0.0.0/8-10.1.0.0", "1.1.1.1-2.2.2.2-3.3.3.3", "::/0"])(
    "%j is none",
    (text) => {
      expect(parseSelector(text)).toBeUndefined();
    },
  );

  it("takes what lies in it, with its protocol and its ports", () => {
    const end = (address: string, protocol: number, port?: number) => ({
      address: parseIpv4(address)!,
      protocol,
      port,
    });
    const any = parseSelector("10.0.0.0/30")!;
    const web = { ...any, ipProtocol: 6, startPort: 80, endPort: 443 };
    expect(admits([any], end("10.0.0.3", 1))).toBe(true);
    expect(admits([any], end("10.0.0.4", 1))).toBe(false);
    expect(admits([web], end("10.0.0.1", 6, 443))).toBe(true);
    expect(admits([web], end("10.0.0.1", 6, 444))).toBe(false);
    expect(admits([web], end("10.0.0.1", 17, 443))).toBe(false);
    // A fragment hides its ports.
    expect(admits([web], end("10.0.0.1", 6))).toBe(false);
    expect(admits([], end("10.0.0.1", 6))).toBe(false);
  });

  it("has an address that a host may have", () => {
    expect(hostAddress([parseSelector("10.0.0.0/24")!])).toBe(parseIpv4("10.0.0.1"));
    expect(hostAddress([parseSelector("10.0.0.7")!])).toBe(parseIpv4("10.0.0.7"));
    expect(hostAddress([])).toBeUndefined();
  });
});
