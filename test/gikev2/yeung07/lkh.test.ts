/** The key hierarchy of the Cisco dialect by itself: what a registration and a rekey say, and what is refused. */
import { describe, expect, it } from "vitest";
import { createRng } from "../../../sim/core/rng.ts";
import { concat, fromHex, Reader, toHex } from "../../../src/base/bytes.ts";
import { secret } from "../../../src/base/secret.ts";
import { algorithmOfScheme } from "../../../src/crypto/algorithmId.ts";
import { native } from "../../../src/crypto/native.ts";
import { publicHalf } from "../../../src/crypto/privateKey.ts";
import { rsaKey } from "../../../src/crypto/rsaKey.ts";
import type { RekeySa } from "../../../src/gikev2/dialect.ts";
import { dialectOfChoice } from "../../../src/gikev2/dialects.ts";
import {
  type DataSuite,
  type Grant,
  type GroupUpdate,
  type KekKeys,
  type KeyHierarchy,
  NO_POLICY,
  type TreeKey,
} from "../../../src/gikev2/policy.ts";
import type { Yeung07Switches } from "../../../src/gikev2/yeung07/switches.ts";
import { addLeaf, createKeyTree, excludeLeaf, pathOf } from "../../../src/ks/keyTree.ts";
import { Encr, Integ, NotifyType } from "../../../src/wire/ikev2Numbers.ts";
import { encodeChain, type Payload, payloadOf, readChain, YEUNG07 } from "../../../src/wire/payloads.ts";
import type { Kd } from "../../../src/wire/yeung07.ts";

const SIGNER = rsaKey(createRng("tree"), 1024);
const SCHEME = { kind: "rsa-pkcs1", hash: "sha256" } as const;
const AUTHENTICATION = { kind: "signature", algorithm: algorithmOfScheme(SCHEME)! } as const;
const CBC = { encr: Encr.AES_CBC, encrKeyBits: 256, integ: Integ.HMAC_SHA2_256_128 };
const NO_WRAP = secret(new Uint8Array(0));
const OLD = "00".repeat(15).concat("01");
const NEW = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
const TOOLS = { crypto: native, rng: createRng("keys of the tree") };

const dialect = (switches: Partial<Yeung07Switches> = {}) => dialectOfChoice({ dialect: "yeung-07", switches });

function kekOf(spi: string, suite: DataSuite) {
  return {
    spi,
    suite: { ...suite, kwa: 0 },
    source: { first: "10.0.0.1", last: "10.0.0.1", port: 848 },
    destination: { first: "239.1.1.1", last: "239.1.1.1", port: 848 },
    lifetimeSeconds: 86400,
    authentication: AUTHENTICATION,
    publicKey: publicHalf(SIGNER),
    nextMessageId: 1,
    nextSpis: [],
  };
}

function travel(payloads: readonly Payload[]): readonly Payload[] {
  const { first, octets } = encodeChain(payloads, YEUNG07);
  return readChain(new Reader(octets), first, YEUNG07).payloads;
}

/** Key servers draw a key that wraps along with the others, which this dialect has no use for. */
function newKeys(suite: DataSuite): KekKeys {
  return { ...dialect().newKekKeys(TOOLS.rng, { ...suite, kwa: 3 }), wrap: NO_WRAP };
}

/** What a member of four is granted. */
function registration(suite: DataSuite = CBC) {
  const kek = kekOf(OLD, suite);
  const keys = newKeys(suite);
  const tree = createKeyTree(dialect().treeKeyOctets(kek.suite)!);
  const leaves = Array.from({ length: 4 }, () => addLeaf(tree, TOOLS));
  const grantTo = (leaf: number): Grant => ({
    policy: { ...NO_POLICY, kek },
    keys: { kek: keys, teks: new Map(), hierarchy: pathOf(tree, leaf) },
    senderIds: [],
    deletions: [],
  });
  return { kek, keys, tree, leaves, grantTo };
}

function read(payloads: readonly Payload[], switches: Partial<Yeung07Switches> = {}) {
  const answer = dialect(switches).readGrant(native, NO_WRAP, payloads, true);
  if (!answer.ok) return { notify: answer.notify };
  if (answer.value.kind !== "granted") throw new Error("refused");
  return answer.value.grant;
}

function pathRead(payloads: readonly Payload[]): readonly TreeKey[] {
  const grant = read(payloads);
  if ("notify" in grant) throw new Error(`notify ${grant.notify}`);
  return grant.keys.path!;
}

const SUITES: readonly (readonly [string, DataSuite])[] = [
  ["AES-256 with SHA-256", CBC],
  ["AES-128 with SHA-1, whose keys are padded", { encr: 12, encrKeyBits: 128, integ: Integ.HMAC_SHA1_96 }],
  ["3DES with SHA-256", { encr: Encr["3DES"], encrKeyBits: 0, integ: Integ.HMAC_SHA2_256_128 }],
];

describe.each(SUITES)("a key hierarchy of draft-yeung under %s", (_, suite) => {
  it("takes all along but the one that is put out", () => {
    const { kek, keys, tree, leaves, grantTo } = registration(suite);
    const paths = leaves.map((leaf) => {
      const grant = read(travel(dialect().grant(native, NO_WRAP, grantTo(leaf))));
      expect(grant).toMatchObject({ keys: { kek: keys } });
      return "notify" in grant ? [] : grant.keys.path!;
    });
    const hierarchy = excludeLeaf(tree, TOOLS, leaves[2]!)!;
    const next = newKeys(suite);
    const update: GroupUpdate = {
      policy: { ...NO_POLICY, kek: kekOf(NEW, suite) },
      keys: { kek: next, teks: new Map(), hierarchy },
      deletions: [],
    };
    const sa: RekeySa = { ...kek, keys };
    const nextIv = () => TOOLS.rng.bytes(suite.encr === 12 ? 16 : 8);
    const [octets] = dialect().sealRekey(native, sa, SIGNER, update, { messageId: 1, nextIv });
    const opened = dialect().openRekey(native, sa, octets!, undefined, 1);
    if (opened.kind !== "whole") throw new Error(JSON.stringify(opened));
    for (const [index, path] of paths.entries()) {
      const content = dialect().readRekey(native, sa, opened.payloads, path);
      if (!content.ok) throw new Error(content.problem);
      if (index === 2) expect(content.value).toEqual({ excluded: true });
      else expect(content.value).toMatchObject({ policy: update.policy, keys: { kek: next } });
    }
  });
});

describe("a key hierarchy of draft-yeung", () => {
  const { kek, keys, leaves, tree, grantTo } = registration();
  const answer = travel(dialect().grant(native, NO_WRAP, grantTo(leaves[0]!)));

  it("is named in the policy of a registration and not in that of a rekey", () => {
    const named = (payloads: readonly Payload[]) => JSON.stringify(payloads).includes("KEK_MANAGEMENT_ALGORITHM");
    const { hierarchy: _, ...plain } = grantTo(leaves[0]!).keys;
    expect(named(answer)).toBe(true);
    expect(named(travel(dialect().grant(native, NO_WRAP, { ...grantTo(leaves[0]!), keys: plain })))).toBe(false);
  });

  it("has keys of IV, KEK_ENCR_KEY and KEK_INTEGRITY_KEY, the KEK's last, and the key that verifies beside them", () => {
    const [packet, ...others] = payloadOf(answer, "KD07")!.packets;
    expect([packet!.type, others]).toEqual([3, []]);
    const [array, verifier] = packet!.attributes as readonly { kind: string; value: unknown }[];
    expect([array!.kind, verifier!.kind]).toEqual(["LKH_DOWNLOAD_ARRAY", "AUTH_ALGORITHM_KEY"]);
    const entries = (array!.value as { keys: readonly { lkhId: number; keyType: number; data: Uint8Array }[] }).keys;
    const [leaf] = pathOf(tree, leaves[0]!).links.slice(-1);
    expect(toHex(entries[0]!.data)).toBe(toHex(leaf!.inner.key.secret));
    expect(toHex(entries.at(-1)!.data)).toBe(toHex(concat(fromHex(OLD), keys.encr.secret, keys.integ.secret)));
    for (const { keyType, data } of entries) expect([keyType, data.length]).toEqual([Encr.AES_CBC, 16 + 32 + 32]);
  });

  it("is refused by a member whose switch says that there is none", () => {
    expect(read(answer, { keyHierarchy: "none" })).toEqual({ notify: NotifyType.NO_PROPOSAL_CHOSEN });
  });

  it("is there for CBC ciphers alone, and for none where the switch says so", () => {
    const octets = (suite: DataSuite, switches = {}) => dialect(switches).treeKeyOctets({ ...suite, kwa: 0 });
    expect(octets(CBC)).toBe(80);
    expect(octets(CBC, { keyHierarchy: "none" })).toBeUndefined();
    for (const encr of [Encr.AES_GCM_16, Encr.AES_CTR, Encr.CHACHA20_POLY1305, 999]) {
      const integ = encr === Encr.AES_CTR ? CBC.integ : 0;
      expect(octets({ encr, encrKeyBits: encr === Encr.CHACHA20_POLY1305 ? 0 : 256, integ })).toBeUndefined();
    }
  });

  it("is refused with updates in a registration, both kinds at once, or keys of another length or KEK", () => {
    const gsa = payloadOf(answer, "GSA07")!;
    const [packet] = payloadOf(answer, "KD07")!.packets;
    const hierarchy: KeyHierarchy = excludeLeaf(tree, TOOLS, leaves[3]!)!;
    const signed = { ...kek, keys };
    const update = { policy: { ...NO_POLICY, kek }, keys: { kek: keys, teks: new Map(), hierarchy }, deletions: [] };
    const sealing = { messageId: 1, nextIv: () => TOOLS.rng.bytes(16) };
    const [octets] = dialect().sealRekey(native, signed, SIGNER, update, sealing);
    const opened = dialect().openRekey(native, signed, octets!, undefined, 1);
    if (opened.kind !== "whole") throw new Error(JSON.stringify(opened));
    const updates = payloadOf(opened.payloads as readonly Payload[], "KD07")!.packets[0]!.attributes;
    const [array] = packet!.attributes as unknown as { kind: string; value: { keys: { data: Uint8Array }[] } }[];
    const short = array!.value.keys.map((one) => ({ ...one, data: one.data.subarray(16) }));
    const broken: readonly object[] = [
      { attributes: updates },
      { attributes: [...packet!.attributes, ...updates] },
      { attributes: [{ ...array!, value: { ...array!.value, keys: short } }] },
      { attributes: [] },
      { spi: fromHex(NEW) },
    ];
    for (const change of broken) {
      const body = { packets: [{ ...packet!, ...change }] } as Kd;
      const payloads: Payload[] = [
        { kind: "GSA07", body: gsa },
        { kind: "KD07", body },
      ];
      expect(read(payloads)).toEqual({ notify: NotifyType.INVALID_SYNTAX });
    }
    expect(pathRead(answer)).toHaveLength(2);
  });
});
