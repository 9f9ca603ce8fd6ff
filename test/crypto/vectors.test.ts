import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Bytes } from "../../src/base/bytes.ts";
import { concat, EMPTY, equal, fromHex, toHex } from "../../src/base/bytes.ts";
import type { Crypto, DhGroup, HashName, SignatureScheme } from "../../src/crypto/api.ts";
import { bigFrom, bigTo } from "../../src/crypto/bigint.ts";
import { DH_GROUPS } from "../../src/crypto/dhGroup.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { decodeSpki } from "../../src/crypto/spki.ts";
import { describeShared, readShared, readSharedJson } from "../shared.ts";

/** The portable back end takes milliseconds for a curve operation: every `stride`-th case there, all on the native one. */
function backends(index: number, stride: number): readonly Crypto[] {
  return index % stride === 0 ? [native, noble] : [native];
}
const BOTH = [native, noble] as const;

interface Wycheproof<G, T> {
  readonly testGroups: readonly (G & { readonly tests: readonly (T & Case)[] })[];
}
interface Case {
  readonly tcId: number;
  readonly comment: string;
  readonly flags: readonly string[];
  readonly result: "valid" | "invalid" | "acceptable";
}

/** Runs `body` for every case of a Wycheproof file with a running number; returns how many ran. */
function eachCase<G, T>(file: string, body: (test: T & Case, group: G, index: number) => void): number {
  let count = 0;
  for (const group of readSharedJson<Wycheproof<G, T>>(file).testGroups) {
    for (const test of group.tests) body(test, group, count++);
  }
  return count;
}

describeShared("vectors/wycheproof", "Wycheproof", () => {
  it("AES-GCM: every case with a nonce of 12 octets", () => {
    type T = { key: string; iv: string; aad: string; msg: string; ct: string; tag: string };
    let used = 0;
    eachCase<object, T>("vectors/wycheproof/aes_gcm_test.json", (test) => {
      const nonce = fromHex(test.iv);
      if (nonce.length !== 12) return;
      used++;
      const [key, aad, plain] = [fromHex(test.key), fromHex(test.aad), fromHex(test.msg)];
      const sealed = fromHex(test.ct + test.tag);
      for (const crypto of BOTH) {
        const opened = crypto.open("aes-gcm", key, nonce, aad, sealed, 16);
        if (test.result === "valid") {
          expect(toHex(crypto.seal("aes-gcm", key, nonce, aad, plain, 16)), `${test.tcId}`).toBe(test.ct + test.tag);
          expect(toHex(opened!), `${test.tcId}`).toBe(test.msg);
        } else expect(opened, `${test.tcId}`).toBeUndefined();
      }
    });
    expect(used).toBe(197);
  });

  it("AES-CBC: ciphertexts and their paddings", () => {
    type T = { key: string; iv: string; msg: string; ct: string };
    const count = eachCase<object, T>("vectors/wycheproof/aes_cbc_pkcs5_test.json", (test) => {
      const [key, iv, text] = [fromHex(test.key), fromHex(test.iv), fromHex(test.ct)];
      if (text.length % 16 !== 0) {
        expect(test.result).toBe("invalid");
        return;
      }
      for (const crypto of BOTH) {
        const padded = crypto.cbcDecrypt("aes", key, iv, text);
        expect(toHex(crypto.cbcEncrypt("aes", key, iv, padded))).toBe(test.ct);
        const plain = unpad(padded);
        expect(plain !== undefined && toHex(plain) === test.msg, `${test.tcId}`).toBe(test.result === "valid");
      }
    });
    expect(count).toBe(216);
  });

  it("AES key wrap with padding: valid, modified and impossible inputs", () => {
    type T = { key: string; msg: string; ct: string };
    const count = eachCase<object, T>("vectors/wycheproof/aes_kwp_test.json", (test) => {
      const [kek, wrapped] = [fromHex(test.key), fromHex(test.ct)];
      for (const crypto of BOTH) {
        const key = crypto.unwrapKey(kek, wrapped);
        if (test.result === "invalid") {
          expect(key, `${test.tcId}`).toBeUndefined();
          continue;
        }
        expect(toHex(key!), `${test.tcId}`).toBe(test.msg);
        expect(toHex(crypto.wrapKey(kek, key!)), `${test.tcId}`).toBe(test.ct);
      }
    });
    expect(count).toBe(254);
  });

  it.each(["sha1", "sha256"] as const)("HMAC-%s: whole and truncated tags", (name) => {
    type T = { key: string; msg: string; tag: string };
    eachCase<{ tagSize: number }, T>(`vectors/wycheproof/hmac_${name}_test.json`, (test, group) => {
      for (const crypto of BOTH) {
        const mac = crypto.hmac(name, fromHex(test.key), fromHex(test.msg)).subarray(0, group.tagSize / 8);
        expect(toHex(mac) === test.tag, `${test.tcId}`).toBe(test.result === "valid");
      }
    });
  });

  it("ECDH P-256: secrets at the edges, points that must be refused", () => {
    const stride = 12;
    type T = { public: string; private: string; shared: string };
    const count = eachCase<object, T>("vectors/wycheproof/ecdh_secp256r1_ecpoint_test.json", (test, _, index) => {
      const peer = fromHex(test.public);
      // A KE payload has x and y without a prefix: compressed and empty points cannot even be written.
      if (peer[0] !== 4) return;
      const key = bigTo(bigFrom(fromHex(test.private)), 32);
      for (const crypto of backends(index, stride)) {
        const shared = crypto.dhShared(19, key, peer.subarray(1));
        if (test.result === "invalid") expect(shared, `${test.tcId}`).toBeUndefined();
        else expect(toHex(shared!), `${test.tcId}`).toBe(test.shared);
      }
    });
    expect(count).toBe(355);
  });

  it("ECDSA P-256: signatures at the edges of the range", () => {
    const stride = 6;
    type T = { msg: string; sig: string };
    const scheme: SignatureScheme = { kind: "ecdsa", hash: "sha256", encoding: "raw" };
    const count = eachCase<{ publicKeyDer: string }, T>(
      "vectors/wycheproof/ecdsa_secp256r1_sha256_p1363_test.json",
      (test, group, index) => {
        const key = decodeSpki(fromHex(group.publicKeyDer));
        for (const crypto of backends(index, stride)) {
          const verdict = crypto.verify(key, scheme, fromHex(test.msg), fromHex(test.sig));
          expect(verdict, `${test.tcId} ${test.comment}`).toBe(test.result === "valid");
        }
      },
    );
    expect(count).toBe(262);
  });

  it("RSA PKCS#1 v1.5: forged paddings, missing parameters, odd lengths", () => {
    type T = { msg: string; sig: string };
    const scheme: SignatureScheme = { kind: "rsa-pkcs1", hash: "sha256" };
    const count = eachCase<{ publicKeyDer: string }, T>(
      "vectors/wycheproof/rsa_signature_2048_sha256_test.json",
      (test, group) => {
        const key = decodeSpki(fromHex(group.publicKeyDer));
        for (const crypto of BOTH) {
          const verdict = crypto.verify(key, scheme, fromHex(test.msg), fromHex(test.sig));
          // The one acceptable case lacks the NULL parameters: it is refused, as RFC 8017 section 8.2.2 compares encodings.
          expect(verdict, `${test.tcId} ${test.comment}`).toBe(test.result === "valid");
        }
      },
    );
    expect(count).toBe(259);
  });
});

function unpad(padded: Bytes): Bytes | undefined {
  const count = padded.at(-1) ?? 0;
  if (count < 1 || count > 16 || count > padded.length) return undefined;
  const plain = padded.subarray(0, padded.length - count);
  return padded.subarray(plain.length).every((octet) => octet === count) ? plain : undefined;
}

interface Acvp<G, T> {
  readonly testGroups: readonly (G & {
    readonly direction: string;
    readonly tests: readonly (T & { tcId: number; testPassed?: boolean })[];
  })[];
}

describeShared("vectors/acvp", "ACVP", () => {
  it("AES-CBC, messages of several blocks", () => {
    let count = 0;
    type T = { key: string; iv: string; pt: string; ct: string };
    for (const group of readSharedJson<Acvp<object, T>>("vectors/acvp/ACVP-AES-CBC-1.0.json").testGroups) {
      for (const test of group.tests) {
        count++;
        const [key, iv, plain, text] = [test.key, test.iv, test.pt, test.ct].map(fromHex) as [
          Bytes,
          Bytes,
          Bytes,
          Bytes,
        ];
        for (const crypto of BOTH) {
          expect(crypto.cbcEncrypt("aes", key, iv, plain)).toEqual(text);
          expect(crypto.cbcDecrypt("aes", key, iv, text)).toEqual(plain);
        }
      }
    }
    expect(count).toBe(30);
  });

  it("3DES-CBC: permutation, substitution and several blocks", () => {
    let count = 0;
    type T = { key1: string; key2: string; key3: string; iv: string; pt: string; ct: string };
    for (const group of readSharedJson<Acvp<object, T>>("vectors/acvp/ACVP-TDES-CBC-1.0.json").testGroups) {
      for (const test of group.tests) {
        count++;
        const key = fromHex(test.key1 + test.key2 + test.key3);
        const [iv, plain, text] = [test.iv, test.pt, test.ct].map(fromHex) as [Bytes, Bytes, Bytes];
        for (const crypto of BOTH) {
          expect(crypto.cbcEncrypt("3des", key, iv, plain)).toEqual(text);
          expect(crypto.cbcDecrypt("3des", key, iv, text)).toEqual(plain);
        }
      }
    }
    expect(count).toBe(46);
  });

  it.each([
    ["ACVP-AES-GCM-1.0.json", "AES-GCM"],
    ["ACVP-AES-GMAC-1.0.json", "AES-GMAC: GCM without plaintext"],
  ])("%s, nonces of 12 and 15 octets, tags of 4 and 16", (file) => {
    let count = 0;
    type T = { key: string; iv: string; aad: string; pt: string; ct: string; tag: string };
    for (const group of readSharedJson<Acvp<{ tagLen: number }, T>>(`vectors/acvp/${file}`).testGroups) {
      const tagLength = group.tagLen / 8;
      for (const test of group.tests) {
        count++;
        const octets = [test.key, test.iv, test.aad ?? "", test.pt ?? ""].map(fromHex);
        const [key, iv, aad, plain] = octets as [Bytes, Bytes, Bytes, Bytes];
        const sealed = fromHex((test.ct ?? "") + test.tag);
        for (const crypto of BOTH) {
          const opened = crypto.open("aes-gcm", key, iv, aad, sealed, tagLength);
          if (test.testPassed === false) expect(opened, `${test.tcId}`).toBeUndefined();
          else {
            expect(opened, `${test.tcId}`).toEqual(plain);
            expect(crypto.seal("aes-gcm", key, iv, aad, plain, tagLength)).toEqual(sealed);
          }
        }
      }
    }
    expect(count).toBe(32);
  });

  it("HMAC-SHA2-256 with truncation", () => {
    type T = { key: string; msg: string; mac: string; macLen: number };
    for (const group of readSharedJson<Acvp<object, T>>("vectors/acvp/HMAC-SHA2-256-2.0.json").testGroups) {
      for (const test of group.tests) {
        for (const crypto of BOTH) {
          const mac = crypto.hmac("sha256", fromHex(test.key), fromHex(test.msg)).subarray(0, test.macLen / 8);
          expect(toHex(mac), `${test.tcId}`).toBe(test.mac.toLowerCase());
        }
      }
    }
  });

  it("MODP-2048 key pairs, right and wrong", () => {
    type T = { x: string; y: string };
    const verdicts: boolean[] = [];
    for (const group of readSharedJson<Acvp<object, T>>("vectors/acvp/safePrimes-keyVer-1.0.json").testGroups) {
      for (const test of group.tests) {
        for (const crypto of BOTH) {
          const matches = equal(crypto.dhPublic(14, fromHex(test.x)), fromHex(test.y));
          expect(matches, `${test.tcId}`).toBe(test.testPassed);
          verdicts.push(matches);
        }
      }
    }
    expect(verdicts).toContain(false);
    expect(verdicts).toContain(true);
  });
});

/** `Name = hex` records separated by a blank line or by the next record's first name. */
function records(file: string, first: string): Record<string, string>[] {
  const found: Record<string, string>[] = [];
  for (const line of readShared(file).toString("utf8").split("\n")) {
    const match = /^(\w+) = (\S*)$/.exec(line.trim());
    if (match === null) continue;
    if (match[1] === first) found.push({});
    const record = found.at(-1);
    if (record !== undefined) record[match[1]!] = match[2]!;
  }
  return found;
}

describeShared("vectors/rfc", "vectors printed in RFCs", () => {
  it.each([
    ["rfc-2202-sha1.txt", "sha1"],
    ["rfc-4231-sha256.txt", "sha256"],
  ] as [string, HashName][])("%s", (file, name) => {
    const cases = records(`vectors/rfc/${file}`, "Len");
    expect(cases.length).toBeGreaterThan(5);
    for (const { Key, Msg, MD } of cases) {
      for (const crypto of BOTH) {
        const mac = toHex(crypto.hmac(name, fromHex(Key!), fromHex(Msg!)));
        expect(mac.slice(0, MD!.length)).toBe(MD);
      }
    }
  });

  it("AES-128-CTR of RFC 3686", () => {
    for (const { KEY, IV, PLAINTEXT, CIPHERTEXT } of records("vectors/rfc/aes-128-ctr.txt", "COUNT")) {
      for (const crypto of BOTH) {
        expect(crypto.aesCtr(fromHex(KEY!), fromHex(IV!), fromHex(PLAINTEXT!))).toEqual(fromHex(CIPHERTEXT!));
      }
    }
  });

  it("X25519 of RFC 7748", () => {
    const cases = records("vectors/rfc/x25519-rfc7748.txt", "COUNT");
    expect(cases.length).toBe(3);
    for (const { INPUT_SCALAR, INPUT_U, OUTPUT_U } of cases) {
      for (const crypto of BOTH) {
        expect(toHex(crypto.dhShared(31, fromHex(INPUT_SCALAR!), fromHex(INPUT_U!))!)).toBe(OUTPUT_U);
      }
    }
  });
});

describeShared("vectors/dh", "IKE groups", () => {
  interface Exchange {
    readonly id: string;
    readonly ikeGroup: number;
    readonly privI: string;
    readonly privR: string;
    readonly pubI: string;
    readonly pubR: string;
    readonly shared: string;
  }

  it("public values and secrets of whole exchanges", () => {
    const exchanges = readSharedJson<Exchange[]>("vectors/dh/ike-groups.json");
    expect(exchanges.map(({ ikeGroup }) => ikeGroup)).toEqual([19, 21, 2, 14, 16, 24, 31]);
    for (const exchange of exchanges) {
      const group = exchange.ikeGroup as DhGroup;
      for (const crypto of BOTH) {
        expect(toHex(crypto.dhPublic(group, fromHex(exchange.privI))), exchange.id).toBe(exchange.pubI);
        expect(toHex(crypto.dhPublic(group, fromHex(exchange.privR))), exchange.id).toBe(exchange.pubR);
        expect(toHex(crypto.dhShared(group, fromHex(exchange.privI), fromHex(exchange.pubR))!)).toBe(exchange.shared);
        expect(toHex(crypto.dhShared(group, fromHex(exchange.privR), fromHex(exchange.pubI))!)).toBe(exchange.shared);
      }
    }
  });

  it("the MODP primes", () => {
    const primes = readSharedJson<Record<string, { prime: string }>>("vectors/dh/modp-primes.json");
    for (const group of [1, 2, 5, 14, 15, 16] as const) {
      const spec = DH_GROUPS[group];
      expect(spec.kind === "modp" && toHex(spec.primeOctets)).toBe(primes[group]!.prime);
    }
  });
});

describe("vectors too small for a file", () => {
  it("RFC 5649 section 6", () => {
    const kek = fromHex("5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8");
    const cases = [
      ["c37b7e6492584340bed12207808941155068f738", "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"],
      ["466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"],
    ];
    for (const [key, wrapped] of cases) {
      for (const crypto of BOTH) {
        expect(toHex(crypto.wrapKey(kek, fromHex(key!)))).toBe(wrapped);
        expect(toHex(crypto.unwrapKey(kek, fromHex(wrapped!))!)).toBe(key);
      }
    }
  });

  it("36 octets of group key under a key wrap key of 256 bits", () => {
    const kek = fromHex("b169180742eb22165048cce7281f2e65465010931c41a1b39a8492aff33a06d4");
    const key = Uint8Array.from({ length: 36 }, (_, i) => 0x80 + i);
    const wrapped = "c1fc92a517ced9a40731c4043c9df0fb7d1875c39234819689130d13227982af753114f414f8d61c02fca30c0b4e390f";
    for (const crypto of BOTH) expect(toHex(crypto.wrapKey(kek, key))).toBe(wrapped);
  });

  it("ECDSA nonces of RFC 6979 appendix A.2.5", () => {
    const d = fromHex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    const key = { type: "ec", curve: "P-256", d, point: native.dhPublic(19, d) } as const;
    const sample = Uint8Array.from(Buffer.from("sample"));
    const expected: [HashName, string][] = [
      ["sha1", "61340c88c3aaebeb4f6d667f672ca9759a6ccaa9fa8811313039ee4a35471d32"],
      ["sha256", "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"],
      ["sha384", "0eafea039b20e9b42309fb1d89e213057cbf973dc0cfc8f129edddc800ef7719"],
      ["sha512", "8496a60b5e9b47c825488827e0495b0e3fa109ec4568fd3f8d1097678eb97f00"],
    ];
    for (const [hash, r] of expected) {
      for (const crypto of BOTH) {
        const signature = crypto.sign(key, { kind: "ecdsa", hash, encoding: "raw" }, sample);
        expect(toHex(signature.subarray(0, 32)), hash).toBe(r);
      }
    }
  });

  it("Ed25519 of RFC 8032 section 7.1, test 1", () => {
    const seed = fromHex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    const point = fromHex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    const signature =
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b";
    for (const crypto of BOTH) {
      expect(toHex(crypto.sign({ type: "ed25519", seed, point }, { kind: "ed25519" }, EMPTY))).toBe(signature);
    }
  });

  it("hashes are those of FIPS 180-4 and RFC 1321", () => {
    const data = concat(fromHex("616263"), new Uint8Array(200));
    for (const name of ["md5", "sha1", "sha256", "sha384", "sha512"] as const) {
      const expected = createHash(name).update(data).digest("hex");
      for (const crypto of BOTH) expect(toHex(crypto.hash(name, data))).toBe(expected);
    }
  });
});
