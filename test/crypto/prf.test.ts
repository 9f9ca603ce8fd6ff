import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { Bytes } from "../../src/base/bytes.ts";
import { fromHex, toHex, utf8 } from "../../src/base/bytes.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import type { IkeKeys } from "../../src/crypto/prf.ts";
import { childKeymat, ikeKeys, prf, prfPlus, rekeySkeyseed, skeyseed, splitSaKeys } from "../../src/crypto/prf.ts";
import { encrSpec, integSpec, prfSpec } from "../../src/crypto/suite.ts";
import { describeShared, readSharedJson, sharedPath } from "../shared.ts";

const BOTH = [native, noble] as const;
const sha256 = prfSpec(5)!;
const gcm256 = encrSpec(20, 256)!;

const KEY_NAMES: readonly (readonly [keyof IkeKeys, string])[] = [
  ["d", "SK_d"],
  ["ai", "SK_ai"],
  ["ar", "SK_ar"],
  ["ei", "SK_ei"],
  ["er", "SK_er"],
  ["pi", "SK_pi"],
  ["pr", "SK_pr"],
];

describe("prf+", () => {
  it("has at most 255 blocks", () => {
    const [key, seed] = [new Uint8Array(32), new Uint8Array(8)];
    expect(prfPlus(native, sha256, key, seed, 255 * 32).length).toBe(255 * 32);
    expect(() => prfPlus(native, sha256, key, seed, 255 * 32 + 1)).toThrow();
    expect(prfPlus(native, sha256, key, seed, 0).length).toBe(0);
  });

  it("gives a prefix of what a longer request gives", () => {
    const [key, seed] = [utf8("key"), utf8("seed")];
    const whole = prfPlus(noble, sha256, key, seed, 200);
    for (const length of [1, 31, 32, 33, 64, 199]) {
      expect(prfPlus(noble, sha256, key, seed, length)).toEqual(whole.subarray(0, length));
    }
  });
});

describe("the IKEv2 key schedule", () => {
  it("gives the keys of the worked example", () => {
    const [ni, nr, shared] = [1, 2, 3].map((octet) => new Uint8Array(32).fill(octet)) as [Bytes, Bytes, Bytes];
    const [spiInitiator, spiResponder] = [new Uint8Array(8).fill(0x11), new Uint8Array(8).fill(0x22)];
    for (const crypto of BOTH) {
      const seed = skeyseed(crypto, sha256, ni, nr, shared);
      expect(toHex(seed)).toBe("febc4e77f81e58a1138cbc3b1afb431f79422b5bd4e41a9bc969e219634b8c9d");
      const suite = { encr: gcm256, integ: undefined, prf: sha256 };
      const keys = ikeKeys(crypto, suite, seed, ni, nr, spiInitiator, spiResponder);
      expect(toHex(keys.d)).toBe("7a6984e4cd1757cc7b3bc0ad811d3ae2b33d0aec048f1c8cb3b97d95eb7cd2d5");
      expect(toHex(keys.ei)).toBe("a5cf5a1068f970804d2c226ae9f4fdd3557280e3c5f241fcf2862e0b98104f13b5eff5ca");
      expect(toHex(keys.er)).toBe("95b3ad3ee11a704a2bc05f3e848a67babe641b225c5a3ee4802876e8e42a855dfd7a52fd");
      expect(toHex(keys.pi)).toBe("7f61b531df497b0a6f260206dcffc96a5f930ad213d322748b484c59ca568696");
      expect(toHex(keys.pr)).toBe("ab67a23cad24b8937e40296333c919bb93509ed52dc31a088cf050349fec6be3");
      expect(keys.ai.length + keys.ar.length).toBe(0);
    }
  });

  it("gives the padded shared key of the worked example", () => {
    const padded = "8eb0e36bea6d95d58a70b05ae5edd4fe5a7bd9000a8cfd156403f1678e6cb5cd";
    for (const crypto of BOTH) {
      expect(toHex(prf(crypto, sha256, utf8("cisco123"), utf8("Key Pad for IKEv2")))).toBe(padded);
    }
  });

  it("takes eight octets of each nonce for the AES PRFs", () => {
    const [ni, nr] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
    const spec = prfSpec(8)!;
    const short = skeyseed(native, spec, ni.subarray(0, 8), nr.subarray(0, 8), utf8("shared"));
    expect(skeyseed(native, spec, ni, nr, utf8("shared"))).toEqual(short);
    expect(skeyseed(native, sha256, ni, nr, utf8("shared"))).not.toEqual(
      skeyseed(native, sha256, ni.subarray(0, 8), nr.subarray(0, 8), utf8("shared")),
    );
  });

  it("splits key material of one direction into cipher key with salt and integrity key", () => {
    const material = Uint8Array.from({ length: 48 }, (_, i) => i);
    const keys = splitSaKeys(encrSpec(12, 128)!, integSpec(12), material);
    expect(keys.encr).toEqual(material.subarray(0, 16));
    expect(keys.integ).toEqual(material.subarray(16));
    expect(splitSaKeys(gcm256, undefined, material.subarray(0, 36)).encr.length).toBe(36);
    expect(() => splitSaKeys(gcm256, undefined, material)).toThrow();
  });
});

interface CavsGroup {
  readonly hash: string;
  readonly dkmBits: number;
  readonly dkmChildBits: number;
  readonly tests: readonly Record<string, string>[];
}

describeShared("vectors/cavs-ike/ikev2.json", "NIST CAVS IKEv2", () => {
  const PRFS: Readonly<Record<string, number>> = { "SHA-1": 2, "SHA-256": 5, "SHA-384": 6, "SHA-512": 7 };
  const { groups } = readSharedJson<{ groups: CavsGroup[] }>("vectors/cavs-ike/ikev2.json");

  it("covers every PRF of the file", () => {
    expect(groups.every(({ hash }) => hash in PRFS)).toBe(true);
    expect(groups.reduce((sum, group) => sum + group.tests.length, 0)).toBe(54);
  });

  it.each(groups.map((group, index) => [`${index} ${group.hash}`, group] as const))("group %s", (_, group) => {
    const spec = prfSpec(PRFS[group.hash]!)!;
    for (const test of group.tests) {
      const of = (name: string) => fromHex(test[name]!);
      const [ni, nr, gir, girNew] = [of("ni"), of("nr"), of("gir"), of("girNew")];
      const nonces = fromHex(test.ni! + test.nr!);
      for (const crypto of BOTH) {
        const seed = skeyseed(crypto, spec, ni, nr, gir);
        expect(toHex(seed)).toBe(test.skeyseed);
        const dkmSeed = fromHex(test.ni! + test.nr! + test.spiI! + test.spiR!);
        const dkm = prfPlus(crypto, spec, seed, dkmSeed, group.dkmBits / 8);
        expect(toHex(dkm)).toBe(test.dkm);
        const skD = dkm.subarray(0, spec.output);
        const childLength = group.dkmChildBits / 8;
        expect(toHex(prfPlus(crypto, spec, skD, nonces, childLength))).toBe(test.dkmChild);
        const withKey = prfPlus(crypto, spec, skD, fromHex(test.girNew! + test.ni! + test.nr!), childLength);
        expect(toHex(withKey)).toBe(test.dkmChildDh);
        expect(toHex(rekeySkeyseed(crypto, spec, skD, girNew, ni, nr))).toBe(test.skeyseedRekey);
      }
    }
  });
});

interface CapturedSuite {
  readonly encr: { readonly id: number; readonly keyBits?: number };
  readonly integ: { readonly id: number } | null;
  readonly nonceI: string;
  readonly nonceR: string;
  readonly dhSharedSecret?: string | null;
}
interface CapturedIke extends CapturedSuite, Readonly<Record<string, unknown>> {
  readonly spiI: string;
  readonly spiR: string;
  /** Both SPIs of the SA that it replaces. */
  readonly rekeyOf: string | null;
  readonly prf: { readonly id: number };
}
interface CapturedChild extends CapturedSuite {
  readonly exchangeInitiator: string;
  readonly sas: readonly { readonly src: string; readonly encKey: string | null; readonly authKey: string | null }[];
}
interface Capture {
  readonly peers: Readonly<Record<string, { readonly ip: string }>>;
  readonly ikeSas: readonly CapturedIke[];
  readonly childSas?: readonly CapturedChild[];
}

describeShared("vectors/ikev2", "key schedules of captured exchanges", () => {
  const files = readdirSync(sharedPath("vectors/ikev2")).filter((name) => name.endsWith(".json"));
  let rekeyed = 0;
  let children = 0;

  it.each(files)("%s", (file) => {
    const capture = readSharedJson<Capture>(`vectors/ikev2/${file}`);
    for (const sa of capture.ikeSas) {
      if (sa.dhSharedSecret === undefined || sa.dhSharedSecret === null) continue;
      const suite = specsOf(sa);
      const spec = prfSpec(sa.prf.id)!;
      const [ni, nr, shared] = [sa.nonceI, sa.nonceR, sa.dhSharedSecret].map(fromHex) as [Bytes, Bytes, Bytes];
      const old = capture.ikeSas.find(({ spiI, spiR }) => spiI + spiR === sa.rekeyOf);
      const seed =
        old === undefined
          ? skeyseed(native, spec, ni, nr, shared)
          : rekeySkeyseed(native, prfSpec(old.prf.id)!, fromHex(String(old.SK_d)), shared, ni, nr);
      if (old !== undefined) rekeyed++;
      expect(toHex(seed)).toBe(sa.SKEYSEED);
      const keys = ikeKeys(native, { ...suite, prf: spec }, seed, ni, nr, fromHex(sa.spiI), fromHex(sa.spiR));
      for (const [name, label] of KEY_NAMES) expect(toHex(keys[name]), label).toBe(sa[label] ?? "");
    }
    if (capture.ikeSas.length === 1) for (const child of capture.childSas ?? []) checkChild(capture, child);
  });

  /** Only where one IKE SA stands for the whole capture: otherwise the file does not say whose SK_d was used. */
  function checkChild(capture: Capture, child: CapturedChild): void {
    const ike = capture.ikeSas[0]!;
    const suite = { ...specsOf(ike), prf: prfSpec(ike.prf.id)! };
    const shared = typeof child.dhSharedSecret === "string" ? fromHex(child.dhSharedSecret) : undefined;
    const [ni, nr] = [fromHex(child.nonceI), fromHex(child.nonceR)];
    const material = childKeymat(native, suite, fromHex(String(ike.SK_d)), specsOf(child), ni, nr, shared);
    const initiatorAddress = capture.peers[child.exchangeInitiator]!.ip;
    for (const sa of child.sas) {
      const keys = sa.src === initiatorAddress ? material.initiator : material.responder;
      expect(toHex(keys.encr)).toBe(sa.encKey ?? "");
      expect(toHex(keys.integ)).toBe(sa.authKey ?? "");
      children++;
    }
  }

  it("the captures hold a rekeyed IKE SA and children", () => {
    expect(rekeyed).toBeGreaterThan(0);
    expect(children).toBeGreaterThan(20);
  });
});

function specsOf(suite: CapturedSuite) {
  return {
    encr: encrSpec(suite.encr.id, suite.encr.keyBits) ?? encrSpec(suite.encr.id, 0)!,
    integ: suite.integ === null ? undefined : integSpec(suite.integ.id),
  };
}
