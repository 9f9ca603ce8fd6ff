/** What a member must refuse: every rule of RFC 9838 tables 9 and 10 and section 4.4.2.1, broken one at a time. */
import { describe, expect, it } from "vitest";
import { EMPTY, Reader, u32 } from "../../src/base/bytes.ts";
import { secret } from "../../src/base/secret.ts";
import { algorithmOfScheme } from "../../src/crypto/algorithmId.ts";
import { native } from "../../src/crypto/native.ts";
import { ed25519PrivateKey, publicHalf } from "../../src/crypto/privateKey.ts";
import { kekOctets, splitKekKeys, tekOctets } from "../../src/gikev2/keyMaterial.ts";
import type { Grant, GroupUpdate } from "../../src/gikev2/policy.ts";
import { deleteOfDeletion, deletionOfDelete } from "../../src/gikev2/rfc9838/deletion.ts";
import { rfc9838 } from "../../src/gikev2/rfc9838/rfc9838.ts";
import { Protocol, TransformType } from "../../src/wire/ikev2Numbers.ts";
import type { Payload } from "../../src/wire/payloads.ts";
import { encodeChain, RFC9838, readChain } from "../../src/wire/payloads.ts";
import {
  type Gsa,
  isGroupWide,
  isMemberBag,
  type Kd,
  type KeyBag,
  type Policy,
  type SaPolicy,
} from "../../src/wire/rfc9838.ts";
import { GCM, ICMP, SSH } from "../gm/network.ts";

const KWK = secret(new Uint8Array(32).fill(7));
const KEK_SUITE = { ...GCM, kwa: 3 };
const PUBLIC = publicHalf(ed25519PrivateKey(new Uint8Array(32).fill(1)));
const ALGORITHM = algorithmOfScheme({ kind: "ed25519" })!;

const GRANT: Grant = {
  policy: {
    kek: {
      spi: "000102030405060708090a0b0c0d0e0f",
      suite: KEK_SUITE,
      source: { first: "10.0.0.1", last: "10.0.0.1", port: 848 },
      destination: { first: "239.1.1.1", last: "239.1.1.1", port: 848 },
      lifetimeSeconds: 86400,
      authentication: { kind: "signature", algorithm: ALGORITHM },
      publicKey: PUBLIC,
      nextMessageId: 5,
      nextSpis: ["101112131415161718191a1b1c1d1e1f"],
    },
    dataSas: [
      { spi: 0x1234, suite: GCM, selector: ICMP, lifetimeSeconds: 3600, sequenceNumbers: 2, nextSpis: [0x5678] },
    ],
    bypass: [{ before: 0, selector: SSH }],
    mode: "tunnel",
    atdSeconds: 15,
    dtdSeconds: 30,
    senderIdBits: 8,
  },
  keys: {
    kek: splitKekKeys(KEK_SUITE, new Uint8Array(kekOctets(KEK_SUITE)).fill(3)),
    teks: new Map([[0x1234, secret(new Uint8Array(tekOctets(GCM)).fill(4))]]),
  },
  senderIds: [1, 2],
  deletions: [],
};

/** Over the wire and back, so that tests work on what a receiver sees. */
function received(payloads: readonly Payload[]): readonly Payload[] {
  const { first, octets } = encodeChain(payloads, RFC9838);
  return readChain(new Reader(octets), first, RFC9838).payloads;
}

function granted(change: (gsa: Gsa, kd: Kd) => { gsa?: Gsa; kd?: Kd }, sender = true) {
  const [gsa, kd, ...rest] = received(rfc9838.grant(native, KWK, GRANT));
  if (gsa?.kind !== "GSA" || kd?.kind !== "KD") throw new Error("a grant is GSA and KD");
  const changed = change(gsa.body, kd.body);
  const payloads: Payload[] = [
    { kind: "GSA", body: changed.gsa ?? gsa.body },
    { kind: "KD", body: changed.kd ?? kd.body },
    ...rest,
  ];
  return rfc9838.readGrant(native, KWK, received(payloads), sender);
}

const onSa = (protocol: number, change: (policy: SaPolicy) => SaPolicy) => (gsa: Gsa) => ({
  gsa: { policies: gsa.policies.map((p): Policy => (!isGroupWide(p) && p.protocol === protocol ? change(p) : p)) },
});
const onBag = (change: (bag: KeyBag) => KeyBag | undefined) => (_: Gsa, kd: Kd) => ({
  kd: { bags: kd.bags.flatMap((bag) => change(bag) ?? []) },
});
const { GIKE_UPDATE, ESP } = Protocol;
const without = (kind: string) => (policy: SaPolicy) => ({
  ...policy,
  attributes: policy.attributes.filter((attribute) => attribute.kind !== kind),
});
const withTransform = (type: number, id: number) => (policy: SaPolicy) => ({
  ...policy,
  transforms: [...policy.transforms, { type, id, attributes: [] }],
});
const lessTransform = (type: number) => (policy: SaPolicy) => ({
  ...policy,
  transforms: policy.transforms.filter((transform) => transform.type !== type),
});

describe("a registration answer", () => {
  it("arrives as it was given, Sender-IDs and exemptions included", () => {
    expect(granted(() => ({}))).toEqual({ ok: true, value: { kind: "granted", grant: GRANT } });
  });

  it("says transport mode by its notify", () => {
    const payloads = rfc9838.grant(native, KWK, { ...GRANT, policy: { ...GRANT.policy, mode: "transport" } });
    const read = rfc9838.readGrant(native, KWK, received(payloads), true);
    expect(read).toMatchObject({ ok: true, value: { grant: { policy: { mode: "transport" } } } });
  });

  it("may be a refusal with any error", () => {
    for (const notify of [14, 45, 46, 49]) {
      const read = rfc9838.readGrant(native, KWK, received(rfc9838.refusal(notify)), true);
      expect(read).toEqual({ ok: true, value: { kind: "refused", notify } });
    }
  });

  it.each<[string, number, Parameters<typeof granted>[0]]>([
    ["a KEK without lifetime", 7, onSa(GIKE_UPDATE, without("GSA_KEY_LIFETIME"))],
    ["a TEK without lifetime", 7, onSa(ESP, without("GSA_KEY_LIFETIME"))],
    [
      "a TEK with a message ID",
      7,
      onSa(ESP, (p) => ({ ...p, attributes: [...p.attributes, { kind: "GSA_INITIAL_MESSAGE_ID", value: 1 }] })),
    ],
    ["a KEK without key wrap algorithm", 7, onSa(GIKE_UPDATE, lessTransform(TransformType.KWA))],
    ["a KEK without authentication method", 7, onSa(GIKE_UPDATE, lessTransform(TransformType.GCAUTH))],
    ["a TEK without sequence number transform", 7, onSa(ESP, lessTransform(TransformType.SN))],
    ["two sequence number transforms", 7, onSa(ESP, withTransform(TransformType.SN, 0))],
    ["an integrity algorithm beside an AEAD cipher", 7, onSa(ESP, withTransform(TransformType.INTEG, 12))],
    ["a DH transform in a policy", 7, onSa(ESP, withTransform(TransformType.DH, 14))],
    [
      "64-bit sequence numbers",
      14,
      onSa(ESP, (p) => withTransform(TransformType.SN, 1)(lessTransform(TransformType.SN)(p))),
    ],
    [
      "an unknown cipher",
      14,
      onSa(ESP, (p) => ({ ...p, transforms: p.transforms.map((t) => (t.type === 1 ? { ...t, id: 999 } : t)) })),
    ],
    ["a KEK with a short SPI", 7, onSa(GIKE_UPDATE, (p) => ({ ...p, spi: p.spi.subarray(8) }))],
    [
      "a next SPI of the wrong size",
      7,
      onSa(ESP, (p) => ({ ...p, attributes: [...p.attributes, { kind: "GSA_NEXT_SPI", value: EMPTY }] })),
    ],
    ["no SA at all", 7, (gsa) => ({ gsa: { policies: gsa.policies.filter(isGroupWide) } })],
    ["two rekey SAs", 7, (gsa) => ({ gsa: { policies: [gsa.policies[0]!, ...gsa.policies] } })],
    ["two group-wide policies", 7, (gsa) => ({ gsa: { policies: [...gsa.policies, gsa.policies[2]!] } })],
    ["an AH policy", 14, onSa(ESP, (p) => ({ ...p, protocol: Protocol.AH }))],
    ["a KEK without its key", 7, onBag((bag) => (bag.protocol === GIKE_UPDATE ? undefined : bag))],
    ["a TEK without its key", 7, onBag((bag) => (bag.protocol === ESP ? undefined : bag))],
    [
      "a key without its SA",
      7,
      onBag((bag) => (bag.protocol === ESP && !isMemberBag(bag) ? { ...bag, spi: u32(9) } : bag)),
    ],
    [
      "a signed KEK without the key to verify with",
      7,
      onBag((bag) =>
        isMemberBag(bag) ? { ...bag, attributes: bag.attributes.filter((a) => a.kind !== "AUTH_KEY") } : bag,
      ),
    ],
    [
      "a counter-mode cipher without Sender-IDs",
      7,
      onBag((bag) =>
        isMemberBag(bag) ? { ...bag, attributes: bag.attributes.filter((a) => a.kind !== "GM_SENDER_ID") } : bag,
      ),
    ],
    ["a key that was altered", 7, onBag(altered)],
  ])("is refused with %s", (_, notify, change) => {
    expect(granted(change)).toMatchObject({ ok: false, notify });
  });

  it("must not give Sender-IDs to a member that did not ask", () => {
    expect(granted(() => ({}), false)).toMatchObject({ ok: false, notify: 7 });
  });
});

function altered(bag: KeyBag): KeyBag {
  if (isMemberBag(bag) || bag.protocol !== ESP) return bag;
  const [attribute] = bag.attributes;
  if (attribute?.kind !== "SA_KEY") throw new Error("a key bag has a key");
  const wrapped = attribute.value.wrapped.slice();
  wrapped[0]! ^= 1;
  return { ...bag, attributes: [{ kind: "SA_KEY", value: { ...attribute.value, wrapped } }] };
}

describe("an inband rekey", () => {
  const { authentication: _, publicKey: __, ...kek } = GRANT.policy.kek!;
  const { senderIdBits: ___, ...policy } = GRANT.policy;
  const update: GroupUpdate = {
    policy: { ...policy, kek: { ...kek, nextMessageId: 0, nextSpis: [] } },
    keys: GRANT.keys,
    deletions: [{ kind: "dataSas", spis: [1, 2] }],
  };
  const payloads = rfc9838.inbandRekey(native, KWK, rfc9838.prepareInband(update));

  it("brings keys and deletions, and leaves out what only a registration or a multicast rekey may say", () => {
    const read = rfc9838.readInbandRekey(native, KWK, received(payloads));
    const [sa] = update.policy.dataSas;
    const expected = { ...update, policy: { ...update.policy, dataSas: [{ ...sa, nextSpis: [] }] } };
    expect(read).toEqual({ ok: true, value: expected });
  });

  it("is refused with an authentication method, which cannot change by rekey", () => {
    const changed = received(payloads).map(
      (payload): Payload =>
        payload.kind === "GSA"
          ? { kind: "GSA", body: onSa(GIKE_UPDATE, withTransform(TransformType.GCAUTH, 1))(payload.body).gsa }
          : payload,
    );
    expect(rfc9838.readInbandRekey(native, KWK, received(changed))).toMatchObject({ ok: false, notify: 7 });
  });

  it("is refused when it says nothing", () => {
    expect(rfc9838.readInbandRekey(native, KWK, [])).toMatchObject({ ok: false, notify: 7 });
  });
});

describe("a deletion", () => {
  it("survives the wire in each of its meanings", () => {
    for (const deletion of [
      { kind: "dataSas", spis: [1, 0xffffffff] },
      { kind: "allDataSas" },
      { kind: "member" },
    ] as const) {
      expect(deletionOfDelete(deleteOfDeletion(deletion))).toEqual(deletion);
    }
  });

  it("of the member is also understood with protocol 0 and without SPI", () => {
    expect(deletionOfDelete({ protocol: 0, spiSize: 0, spis: [] })).toEqual({ kind: "member" });
    expect(deletionOfDelete({ protocol: 6, spiSize: 0, spis: [] })).toEqual({ kind: "member" });
    expect(deletionOfDelete({ protocol: 3, spiSize: 0, spis: [] })).toEqual({ kind: "allDataSas" });
    expect(deletionOfDelete({ protocol: 2, spiSize: 4, spis: [u32(5)] })).toBeUndefined();
  });
});

describe("a registration request", () => {
  const group = { kind: "number", number: 1111 } as const;
  it("says what the member can work with, and how many Sender-IDs it wants", () => {
    const registration = {
      group,
      senderIds: 3,
      capabilities: { kek: [KEK_SUITE], data: [GCM], signatures: [ALGORITHM] },
    };
    const read = rfc9838.readRegistration(received(rfc9838.registration(registration)));
    expect(read).toEqual({ ok: true, value: { kind: "join", registration } });
  });

  it("of no Sender-ID means one, since one is given to every sender", () => {
    const read = rfc9838.readRegistration(received(rfc9838.registration({ group, senderIds: 0 })));
    expect(read).toMatchObject({ value: { registration: { senderIds: 1 } } });
  });

  it("with an error notify is a withdrawal", () => {
    const read = rfc9838.readRegistration(received(rfc9838.withdrawal(group, 14)));
    expect(read).toEqual({ ok: true, value: { kind: "leave", group, notify: 14 } });
  });

  it("for an identity that no group can have is refused with INVALID_GROUP_ID", () => {
    const payloads: Payload[] = [{ kind: "IDg", body: { type: 2, data: new Uint8Array(3) } }];
    expect(rfc9838.readRegistration(payloads)).toMatchObject({ ok: false, notify: 45 });
  });
});
