/** The Cisco dialect by itself: what is written is read again, octets worked out by hand, every switch both ways. */
import { describe, expect, it } from "vitest";
import { createRng } from "../../../sim/core/rng.ts";
import { type Bytes, fromHex, Reader, toHex } from "../../../src/base/bytes.ts";
import { secret } from "../../../src/base/secret.ts";
import { algorithmOfScheme } from "../../../src/crypto/algorithmId.ts";
import type { PrivateKey, SignatureScheme } from "../../../src/crypto/api.ts";
import { native } from "../../../src/crypto/native.ts";
import { noble } from "../../../src/crypto/noble.ts";
import { ecPrivateKey, ed25519PrivateKey, publicHalf } from "../../../src/crypto/privateKey.ts";
import { rsaKey } from "../../../src/crypto/rsaKey.ts";
import type { Dialect, RekeySa } from "../../../src/gikev2/dialect.ts";
import { dialectOfChoice } from "../../../src/gikev2/dialects.ts";
import type { DataSuite, Grant, GroupPolicy, GroupUpdate } from "../../../src/gikev2/policy.ts";
import { NO_KEYS, NO_POLICY } from "../../../src/gikev2/policy.ts";
import { deletionOfDelete } from "../../../src/gikev2/yeung07/deletion.ts";
import { gsaOfPolicy, policyOfGsa } from "../../../src/gikev2/yeung07/gsa.ts";
import { YEUNG07_SWITCHES, type Yeung07Switches } from "../../../src/gikev2/yeung07/switches.ts";
import { checkGrammar } from "../../../src/wire/grammar.ts";
import { Encr, Exchange, Integ, NotifyType } from "../../../src/wire/ikev2Numbers.ts";
import { encodeChain, type Payload, payloadOf, readChain, YEUNG07 } from "../../../src/wire/payloads.ts";
import { Gsa, isTekPolicy } from "../../../src/wire/yeung07.ts";
import { ICMP, SSH, selector } from "../../gm/network.ts";

const run = (first: number, count: number): Bytes => Uint8Array.from({ length: count }, (_, i) => first + i);

const SPI = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
const CBC = { encr: Encr.AES_CBC, encrKeyBits: 256, integ: Integ.HMAC_SHA2_256_128 };
const GCM = { encr: Encr.AES_GCM_16, encrKeyBits: 256, integ: 0 };
const RSA = rsaKey(createRng("dialect"), 1024);
const SHA256: SignatureScheme = { kind: "rsa-pkcs1", hash: "sha256" };
const WEB = selector({ protocol: 6, destinationPortFirst: 80, destinationPortLast: 80 });

const KEK = {
  spi: SPI,
  suite: { ...CBC, kwa: 0 },
  source: { first: "10.0.0.1", last: "10.0.0.1", port: 848 },
  destination: { first: "239.1.1.1", last: "239.1.1.1", port: 848 },
  lifetimeSeconds: 86400,
  authentication: { kind: "signature", algorithm: algorithmOfScheme(SHA256)! },
  publicKey: publicHalf(RSA),
  nextMessageId: 1,
  nextSpis: [],
} as const;
const KEK_KEYS = { encr: secret(run(0, 32)), integ: secret(run(32, 32)), wrap: secret(new Uint8Array(0)) };

const TEK = { spi: 0xa1b2c3d4, suite: GCM, selector: ICMP, lifetimeSeconds: 3600, sequenceNumbers: 2, nextSpis: [] };

const GRANT: Grant = {
  policy: { kek: KEK, mode: "tunnel", dataSas: [TEK], bypass: [], atdSeconds: 15, dtdSeconds: 30, senderIdBits: 24 },
  keys: { kek: KEK_KEYS, teks: new Map([[TEK.spi, secret(run(0x80, 36))]]) },
  senderIds: [1, 2],
  deletions: [],
};

const NO_WRAP = secret(new Uint8Array(0));

function dialect(switches: Partial<Yeung07Switches> = {}): Dialect {
  return dialectOfChoice({ dialect: "yeung-07", switches });
}

/** Through octets and back, as between two endpoints. */
function travel(payloads: readonly Payload[]): readonly Payload[] {
  const { first, octets } = encodeChain(payloads, YEUNG07);
  return readChain(new Reader(octets), first, YEUNG07).payloads;
}

function granted(sender: Dialect, grant: Grant, receiver = dialect()): Grant {
  const read = receiver.readGrant(native, NO_WRAP, travel(sender.grant(native, NO_WRAP, grant)), true);
  if (!read.ok || read.value.kind !== "granted") throw new Error(JSON.stringify(read));
  return read.value.grant;
}

describe("a registration answer of draft-yeung", () => {
  it("carries policy, keys and Sender-IDs in clear, and the member reads what the key server meant", () => {
    expect(granted(dialect(), GRANT)).toEqual(GRANT);
  });

  it("has the worked octets of KEK, delays and TEK", () => {
    const policy: GroupPolicy = {
      ...GRANT.policy,
      dataSas: [
        {
          ...TEK,
          selector: selector({
            sourceFirst: 0x0a000000,
            sourceLast: 0x0affffff,
            destinationFirst: 0xef020202,
            destinationLast: 0xef020202,
          }),
        },
      ],
    };
    const expected = `01000058 ${SPI} 07110010035003500a0000010a000001 0711001003500350ef010101ef010101
      8002000c 80030100 0004000400015180 8005000c 80060001 80070002 0008000400000001
      0200000c 8001000f 8002001e
      0300003d 01 a1b2c3d4 070000100000ffff0a0000000affffff 070000100000ffffef020202ef020202
      0000000c01000014800e0100 0001000400000e10`;
    expect(toHex(Gsa.encode(gsaOfPolicy(policy, YEUNG07_SWITCHES)))).toBe(toHex(fromHex(expected)));
  });

  it("fits the grammar of its exchanges, with and without SEQ", () => {
    for (const seqPayload of ["kekMessageId", "payload"] as const) {
      const answer = travel(dialect({ seqPayload }).grant(native, NO_WRAP, GRANT));
      expect(checkGrammar(Exchange.GSA_REGISTRATION, true, answer)).toMatchObject({ ok: true });
      expect(payloadOf(answer, "SEQ07")?.number).toBe(seqPayload === "payload" ? 0 : undefined);
    }
  });

  it("names RSASSA-PSS by method 14 and its hash", () => {
    const algorithm = algorithmOfScheme({ kind: "rsa-pss", hash: "sha384", saltLength: 48 })!;
    const kek = { ...KEK, authentication: { kind: "signature", algorithm } as const };
    expect(granted(dialect(), { ...GRANT, policy: { ...GRANT.policy, kek } }).policy.kek).toEqual(kek);
  });

  it("without signatures has neither method nor key", () => {
    const { publicKey: _, ...kek } = KEK;
    const grant = {
      ...GRANT,
      policy: { ...GRANT.policy, kek: { ...kek, authentication: { kind: "implicit" } as const } },
    };
    expect(granted(dialect(), grant)).toEqual(grant);
  });

  it("is refused where a signature's key, an SA's key or an SA's policy is missing", () => {
    const refusal = (payloads: readonly Payload[]) => {
      const read = dialect().readGrant(native, NO_WRAP, payloads, true);
      return read.ok ? "read" : read.notify;
    };
    const { publicKey: _, ...kek } = KEK;
    const unsigned = { ...GRANT, policy: { ...GRANT.policy, kek } };
    expect(refusal(travel(dialect().grant(native, NO_WRAP, unsigned)))).toBe(NotifyType.INVALID_SYNTAX);
    const whole = travel(dialect().grant(native, NO_WRAP, GRANT));
    const gsa = payloadOf(whole, "GSA07")!;
    const kd = payloadOf(whole, "KD07")!;
    const with_ = (policies: typeof gsa.policies, packets: typeof kd.packets): Payload[] => [
      { kind: "GSA07", body: { policies } },
      { kind: "KD07", body: { packets } },
    ];
    expect(refusal(with_(gsa.policies, kd.packets))).toBe("read");
    expect(refusal(with_(gsa.policies, kd.packets.slice(1)))).toBe(NotifyType.INVALID_SYNTAX);
    expect(refusal(with_(gsa.policies.slice(1), kd.packets))).toBe(NotifyType.INVALID_SYNTAX);
    expect(refusal(with_(gsa.policies, [...kd.packets, kd.packets[1]!]))).toBe(NotifyType.INVALID_SYNTAX);
    expect(refusal(with_([...gsa.policies, gsa.policies[0]!], kd.packets))).toBe(NotifyType.INVALID_SYNTAX);
    expect(refusal(with_([], kd.packets))).toBe(NotifyType.INVALID_SYNTAX);
  });
});

describe("one data SA for a whole access list", () => {
  const policy: GroupPolicy = {
    ...GRANT.policy,
    dataSas: [{ ...TEK, suite: CBC, more: [WEB] }],
    bypass: [
      { before: 1, selector: SSH },
      { before: 2, selector: selector({ protocol: 17 }) },
    ],
  };
  const keys = { kek: KEK_KEYS, teks: new Map([[TEK.spi, secret(run(0, 64))]]) };

  it("is a TEK policy for each permit entry with the same SPI, and one key packet", () => {
    const { senderIdBits: _, ...plain } = policy;
    const grant: Grant = { ...GRANT, policy: plain, keys, senderIds: [] };
    const payloads = travel(dialect().grant(native, NO_WRAP, grant));
    const { policies } = payloadOf(payloads, "GSA07")!;
    expect(policies.filter(isTekPolicy).map(({ spi }) => toHex(spi))).toEqual(["a1b2c3d4", "a1b2c3d4"]);
    expect(payloadOf(payloads, "KD07")!.packets.map(({ type }) => type)).toEqual([2, 1]);
    expect(granted(dialect(), grant)).toEqual(grant);
  });

  it("has the deny entries in their places, or does not have them", () => {
    const types = (denyEntries: Yeung07Switches["denyEntries"]) =>
      gsaOfPolicy(policy, { ...YEUNG07_SWITCHES, denyEntries }).policies.map(({ type }) => type);
    expect(types("policy")).toEqual([1, 2, 3, 242, 3, 242]);
    expect(types("none")).toEqual([1, 2, 3, 3]);
    const back = policyOfGsa(gsaOfPolicy(policy, YEUNG07_SWITCHES), YEUNG07_SWITCHES);
    expect(back.bypass).toEqual(policy.bypass);
  });

  it("is refused where the entries contradict each other", () => {
    const gsa = gsaOfPolicy(policy, YEUNG07_SWITCHES);
    const policies = gsa.policies.map((entry) =>
      isTekPolicy(entry) && entry.source.ipProtocol === 6
        ? { ...entry, attributes: [{ kind: "LIFE_DURATION", value: 1 } as const] }
        : entry,
    );
    expect(() => policyOfGsa({ policies }, YEUNG07_SWITCHES)).toThrow("one SPI for two different SAs");
  });
});

describe("a registration request of draft-yeung", () => {
  const group = { kind: "number", number: 1111 } as const;
  const intent = (switches: Partial<Yeung07Switches>, senderIds: number | undefined, want?: "kek" | "teks") => {
    const payloads = travel(
      dialect(switches).registration({ group, senderIds, ...(want === undefined ? {} : { want }) }),
    );
    const read = dialect(switches).readRegistration(payloads);
    return read.ok && read.value.kind === "join" ? read.value.registration : undefined;
  };

  it("asks for Sender-IDs in as many octets as the switch says", () => {
    for (const senderRequestOctets of [1, 2, 4] as const) {
      expect(intent({ senderRequestOctets }, 7)).toEqual({ group, senderIds: 7 });
    }
    expect(intent({ senderRequestOctets: 1 }, 4711)).toEqual({ group, senderIds: 255 });
  });

  it("without one gets a Sender-ID all the same, unless silence means a receiver", () => {
    expect(intent({}, undefined)).toEqual({ group, senderIds: 1 });
    expect(intent({ silentSender: "none" }, undefined)).toEqual({ group, senderIds: undefined });
  });

  it("asks for KEK or TEKs alone, unless the switch forbids it", () => {
    expect(intent({}, 1, "kek")).toEqual({ group, senderIds: 1, want: "kek" });
    expect(intent({}, 1, "teks")).toEqual({ group, senderIds: 1, want: "teks" });
    expect(intent({ partialRequest: "never" }, 1, "teks")).toEqual({ group, senderIds: 1 });
  });

  it("is a farewell with NO_PROPOSAL_CHOSEN, whatever the reason", () => {
    const read = dialect().readRegistration(travel(dialect().withdrawal(group, NotifyType.REGISTRATION_FAILED)));
    expect(read).toEqual({ ok: true, value: { kind: "leave", group, notify: NotifyType.NO_PROPOSAL_CHOSEN } });
  });

  it("is refused with error types that the draft has", () => {
    const type = (notify: number) => payloadOf(dialect().refusal(notify), "N")!.type;
    expect([45, 46, 49].map(type)).toEqual([45, 46, 46]);
  });
});

// -------------------------------------------------------------------------------------------------------------- rekeys

const SIGNERS: readonly [string, PrivateKey, SignatureScheme, method: number][] = [
  ["RSA", RSA, SHA256, 1],
  ["ECDSA P-256", ecPrivateKey("P-256", run(1, 32)), { kind: "ecdsa", hash: "sha256", encoding: "der" }, 9],
  ["ECDSA P-521", ecPrivateKey("P-521", run(1, 66)), { kind: "ecdsa", hash: "sha512", encoding: "der" }, 11],
  ["Ed25519", ed25519PrivateKey(run(0, 32)), { kind: "ed25519" }, 14],
];

function rekeySa(signer: PrivateKey, scheme: SignatureScheme): RekeySa {
  const authentication = { kind: "signature", algorithm: algorithmOfScheme(scheme)! } as const;
  return { spi: SPI, suite: KEK.suite, keys: KEK_KEYS, authentication, publicKey: publicHalf(signer) };
}

const UPDATE: GroupUpdate = {
  policy: { mode: "tunnel", dataSas: [TEK], bypass: [], dtdSeconds: 90 },
  keys: { teks: new Map([[TEK.spi, secret(run(0x80, 36))]]) },
  deletions: [{ kind: "dataSas", spis: [0x01020304] }],
};
const SEALING = { messageId: 7, nextIv: () => run(0x60, 16) };
const ANSWER = { messageId: 7, nextIv: () => run(0, 16), address: "192.0.2.9" };

describe.each([native, noble])("a rekey of draft-yeung ($backend)", (crypto) => {
  it.each(SIGNERS)("signed with %s is opened and read, and method and key travel at registration", (...row) => {
    const [, signer, scheme, method] = row;
    const sa = rekeySa(signer, scheme);
    const [octets] = dialect().sealRekey(crypto, sa, signer, UPDATE, SEALING);
    const opened = dialect().openRekey(crypto, sa, octets!, undefined, 0);
    expect(opened).toMatchObject({ kind: "whole", messageId: 7 });
    if (opened.kind !== "whole") return;
    expect(opened.payloads.map(({ kind }) => kind)).toEqual(["GSA07", "KD07", "D", "AUTH"]);
    expect(payloadOf(opened.payloads as readonly Payload[], "AUTH")!.method).toBe(method);
    expect(dialect().readRekey(crypto, sa, opened.payloads, [])).toEqual({ ok: true, value: UPDATE });
    const kek = { ...KEK, authentication: sa.authentication, publicKey: sa.publicKey! };
    const grant = { ...GRANT, policy: { ...GRANT.policy, kek } };
    expect(granted(dialect(), grant).policy.kek).toEqual(kek);
  });

  it("is refused when altered, signed by another or covered differently", () => {
    const sa = rekeySa(RSA, SHA256);
    const [octets] = dialect().sealRekey(crypto, sa, RSA, UPDATE, SEALING);
    const reason = (one: Dialect, by: RekeySa, message: Bytes) => {
      const opened = one.openRekey(crypto, by, message, undefined, 0);
      return opened.kind === "refused" ? opened.reason : opened.kind;
    };
    const bent = octets!.slice();
    bent[60]! ^= 1;
    expect(reason(dialect(), sa, bent)).toBe("integrity");
    const other = publicHalf(rsaKey(createRng("another"), 1024));
    expect(reason(dialect(), { ...sa, publicKey: other }, octets!)).toBe("authentication");
    expect(reason(dialect({ rekeyAuth: "message" }), sa, octets!)).toBe("authentication");
    const [plain] = dialect({ rekeyAuth: "message" }).sealRekey(crypto, sa, RSA, UPDATE, SEALING);
    expect(reason(dialect({ rekeyAuth: "message" }), sa, plain!)).toBe("whole");
    expect(reason(dialect(), sa, octets!.subarray(0, 40))).toBe("malformed");
  });

  it("is acknowledged by a message with the response flag that holds nothing", () => {
    const sa = rekeySa(RSA, SHA256);
    const ack = dialect().rekeyAck(crypto, sa, ANSWER)!;
    expect(toHex(ack.subarray(0, 28))).toBe(`${SPI}2e20292000000007${ack.length.toString(16).padStart(8, "0")}`);
    expect(dialect().readRekeyAck(crypto, sa, ack)).toBe(7);
    const [rekey] = dialect().sealRekey(crypto, sa, RSA, UPDATE, SEALING);
    expect(dialect().readRekeyAck(crypto, sa, rekey!)).toBeUndefined();
    expect(dialect().openRekey(crypto, sa, ack, undefined, 0)).toMatchObject({ kind: "refused" });
    expect(
      dialect().readRekeyAck(
        crypto,
        sa,
        ack.map((octet, i) => (i === 50 ? octet ^ 1 : octet)),
      ),
    ).toBeUndefined();
    expect(dialect({ unicastAck: "none" }).rekeyAck(crypto, sa, ANSWER)).toBeUndefined();
  });
});

describe("deletions of draft-yeung", () => {
  it("of the rekey SA are sent with protocol 1 and taken with 0, 1, 6 and 41", () => {
    const update: GroupUpdate = {
      policy: NO_POLICY,
      keys: NO_KEYS,
      deletions: [{ kind: "allDataSas" }, { kind: "member" }],
    };
    const sa = rekeySa(RSA, SHA256);
    const [octets] = dialect().sealRekey(native, sa, RSA, update, SEALING);
    const opened = dialect().openRekey(native, sa, octets!, undefined, 0);
    if (opened.kind !== "whole") throw new Error("not opened");
    expect(opened.payloads.map(({ kind }) => kind)).toEqual(["D", "D", "AUTH"]);
    expect(dialect().readRekey(native, sa, opened.payloads, [])).toEqual({ ok: true, value: update });
    const member = (protocol: number) =>
      deletionOfDelete({ protocol, spiSize: 16, spis: [new Uint8Array(16)] }, YEUNG07_SWITCHES)?.kind;
    expect([0, 1, 6, 41, 2, 7].map(member)).toEqual(["member", "member", "member", "member", undefined, undefined]);
  });
});

describe("a switch", () => {
  const both: readonly Partial<Yeung07Switches>[] = [
    { kekMessageId: "tv" },
    { seqPayload: "payload" },
    { sidBits: "tv" },
    { kekIv: "never" },
    { senderRequestOctets: 2 },
    { denyEntries: "none" },
    { permitEntries: "separate" },
    { rekeyFlags: 0 },
  ];

  it.each(both)("that only a sender needs to know is understood by a receiver with the defaults: %o", (switches) => {
    const grant = { ...GRANT, policy: { ...GRANT.policy, kek: { ...KEK, nextMessageId: 41 } } };
    expect(granted(dialect(switches), grant)).toEqual(grant);
    expect(granted(dialect(switches), grant, dialect(switches))).toEqual(grant);
  });

  it.each([{ hashNumbers: "draft04" }, { kekAuthKeyNumber: 9 }] as const)("that both must agree on: %o", (switches) => {
    expect(granted(dialect(switches), GRANT, dialect(switches))).toEqual(GRANT);
    const read = dialect().readGrant(native, NO_WRAP, travel(dialect(switches).grant(native, NO_WRAP, GRANT)), true);
    expect(read.ok && read.value.kind === "granted" ? read.value.grant : undefined).not.toEqual(GRANT);
  });

  it("for the IV before the KEK adds the block of a CBC cipher and nothing for GCM", () => {
    const octets = (kekIv: Yeung07Switches["kekIv"], suite: DataSuite) => {
      const size = suite === CBC ? 32 : 36;
      const keys = { ...KEK_KEYS, encr: secret(run(0, size)), integ: secret(run(0, suite.integ === 0 ? 0 : 32)) };
      const policy = { ...GRANT.policy, kek: { ...KEK, suite: { ...suite, kwa: 0 } } };
      const grant = { ...GRANT, policy, keys: { ...GRANT.keys, kek: keys } };
      expect(granted(dialect({ kekIv }), grant)).toEqual(grant);
      return encodeChain(dialect({ kekIv }).grant(native, NO_WRAP, grant), YEUNG07).octets.length;
    };
    expect(octets("whenCbc", CBC) - octets("never", CBC)).toBe(16);
    expect(octets("whenCbc", GCM) - octets("never", GCM)).toBe(0);
  });
});
