/**
 * Our responder in the place of the recorded one: it gets the recorded initiator's datagrams, draws the recorded cookie
 * and nonce, and has the recorded half of the Diffie-Hellman exchange. What the initiator proved there it proves here.
 */
import { X509Certificate } from "node:crypto";
import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { type Bytes, EMPTY, fromHex, utf8 } from "../../src/base/bytes.ts";
import type { Rng } from "../../src/base/rng.ts";
import { secret } from "../../src/base/secret.ts";
import type { Crypto, PrivateKey, PublicKey } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import { decodePrivateKeyPem } from "../../src/crypto/privateKey.ts";
import { decodeSpki } from "../../src/crypto/spki.ts";
import type { Ikev1Outcome, IsakmpPolicy } from "../../src/ikev1/api.ts";
import { answerAuth, createEndpoint, receive } from "../../src/ikev1/endpoint.ts";
import type { Phase1Transform } from "../../src/wire/isakmp.ts";
import { decodeIsakmp } from "../../src/wire/isakmpMessage.ts";
import { ISAKMP, isakmpPayloadOf } from "../../src/wire/isakmpPayloads.ts";
import { attributeOf } from "../../src/wire/tagged.ts";
import { testRng } from "../crypto/testRng.ts";
import { describeShared, readSharedJson, sharedPath } from "../shared.ts";
import { fqdn, profile } from "./pair.ts";

interface Recorded {
  readonly cookieR: string;
  readonly nonceR: string;
  readonly keR: string;
  readonly shared: string;
}

/** Draws of a responder: cookie, exponent (not used), nonce, and then whatever. */
function recordedRng({ cookieR, nonceR }: Recorded): Rng {
  const draws = [fromHex(cookieR), EMPTY, fromHex(nonceR)];
  const further = testRng("further");
  return { ...further, bytes: (count) => draws.shift() ?? further.bytes(count) };
}

interface Run {
  readonly datagrams: readonly string[];
  readonly recorded: Recorded;
  readonly psk?: Bytes;
  readonly signer?: PrivateKey;
  readonly publicKey?: PublicKey;
}

/** Feeds phase 1 and returns the outcomes. */
function replay({ datagrams, recorded, psk, signer, publicKey }: Run): Ikev1Outcome[] {
  const crypto: Crypto = {
    ...native,
    dhPublic: () => fromHex(recorded.keR),
    dhShared: () => fromHex(recorded.shared),
  };
  const tools = { crypto, rng: recordedRng(recorded) };
  const endpoint = createEndpoint({
    policies: policiesOf(datagrams[0]!),
    profiles: [profile(fqdn("ks1.example"), signer === undefined ? {} : { signer })],
    keys: psk === undefined ? [] : [{ address: { network: "0.0.0.0", mask: "0.0.0.0" }, key: secret(psk) }],
  });
  const outcomes: Ikev1Outcome[] = [];
  for (const wire of datagrams) {
    const [local, remote] = [1, 2].map((last) => ({ address: `192.0.2.${last}`, port: 848 })) as [never, never];
    const caused = receive(endpoint, tools, { local, remote, octets: fromHex(wire) }, 0);
    outcomes.push(...caused);
    const asked = caused.find(({ kind }) => kind === "authenticating");
    if (asked?.kind !== "authenticating") continue;
    const answer = { accept: true, ...(publicKey === undefined ? {} : { publicKey }) } as const;
    outcomes.push(...answerAuth(endpoint, tools, asked.sa, answer, 0));
  }
  return outcomes;
}

/** What the recorded initiator offers, as policies of ours. */
function policiesOf(first: string): IsakmpPolicy[] {
  const offer = isakmpPayloadOf(decodeIsakmp(fromHex(first), ISAKMP).payloads, "SA")!;
  return (offer.proposals[0]!.transforms as readonly Phase1Transform[]).map(({ attributes }) => ({
    encryption: attributeOf(attributes, "ENCRYPTION")!,
    keyBits: attributeOf(attributes, "KEY_LENGTH") ?? 0,
    hash: attributeOf(attributes, "HASH")!,
    group: attributeOf(attributes, "GROUP")!,
    authentication: attributeOf(attributes, "AUTHENTICATION")!,
    lifetimeSeconds: 0,
  }));
}

function isEstablished(outcomes: readonly Ikev1Outcome[]): boolean {
  return outcomes.some(({ kind }) => kind === "established");
}

interface StrongSwanVector {
  readonly credentials: {
    readonly pskHex?: string;
    readonly initiator?: { readonly certificatePem: string };
    readonly responder?: { readonly privateKeyPem: string };
  };
  readonly ikeSas: readonly Readonly<Record<string, string>>[];
  readonly messages: readonly { readonly wire: string; readonly from: string; readonly messageId: string }[];
}

function strongSwanRun({ credentials, ikeSas, messages }: StrongSwanVector): Run {
  const sa = ikeSas[0]!;
  const certificate = credentials.initiator && new X509Certificate(credentials.initiator.certificatePem);
  return {
    datagrams: messages
      .filter(({ wire, from, messageId }) => {
        return from === "initiator" && messageId === "00000000" && wire.startsWith(sa.cookieI!);
      })
      .map(({ wire }) => wire),
    recorded: { cookieR: sa.cookieR!, nonceR: sa.nonceR!, keR: sa.keR!, shared: sa.dhSharedSecret! },
    ...(credentials.pskHex === undefined ? {} : { psk: fromHex(credentials.pskHex) }),
    ...(certificate && {
      publicKey: decodeSpki(Uint8Array.from(certificate.publicKey.export({ type: "spki", format: "der" }))),
      signer: decodePrivateKeyPem(credentials.responder!.privateKeyPem),
    }),
  };
}

describeShared("vectors/ikev1", "recorded initiators of strongSwan", () => {
  const files = readdirSync(sharedPath("vectors/ikev1")).filter((name) => name.endsWith(".json"));
  const whole = files.filter((name) => !name.includes("no-proposal"));

  it.each(whole)("%s: our responder takes the proof", (file) => {
    const run = strongSwanRun(readSharedJson<StrongSwanVector>(`vectors/ikev1/${file}`));
    expect(run.datagrams).toHaveLength(file.includes("-am-") ? 2 : 3);
    expect(isEstablished(replay(run))).toBe(true);
    const forged = { ...run, recorded: { ...run.recorded, shared: run.recorded.shared.replace(/^./, "5") } };
    if (forged.recorded.shared !== run.recorded.shared) expect(isEstablished(replay(forged))).toBe(false);
  });

  it("with a signature do not pass with another public key", () => {
    const [first, second] = whole
      .filter((name) => name.includes("rsasig"))
      .map((name) => strongSwanRun(readSharedJson<StrongSwanVector>(`vectors/ikev1/${name}`)));
    expect(isEstablished(replay({ ...first!, publicKey: second!.publicKey! }))).toBe(false);
    expect(isEstablished(replay(first!))).toBe(true);
    expect(isEstablished(replay(second!))).toBe(true);
  });

  it("whose offer was refused are refused here as well where nothing fits", () => {
    const { messages } = readSharedJson<StrongSwanVector>("vectors/ikev1/v1-no-proposal-chosen.json");
    const policies = policiesOf(messages[0]!.wire).map((policy) => ({ ...policy, hash: 1 }));
    const endpoint = createEndpoint({ policies, profiles: [profile(fqdn("ks1.example"))], keys: [] });
    const side = { address: "192.0.2.1", port: 500 };
    const datagram = { local: side, remote: { ...side, address: "192.0.2.2" }, octets: fromHex(messages[0]!.wire) };
    const outcomes = receive(endpoint, { crypto: native, rng: testRng("refusal") }, datagram, 0);
    const answer = decodeIsakmp(outcomes.flatMap((one) => (one.kind === "send" ? [one.octets] : []))[0]!, ISAKMP);
    const theirs = decodeIsakmp(fromHex(messages[1]!.wire), ISAKMP);
    const shape = ({ payloads }: typeof answer) =>
      payloads.map((payload) => (payload.kind === "N" ? [payload.body.type, payload.body.spi.length] : payload.kind));
    expect(shape(answer)).toEqual(shape(theirs));
  });
});

describeShared("vectors/gdoi", "recorded initiators of gdoid", () => {
  it("our responder takes the proof under DOI 2", () => {
    const vector = readSharedJson<{
      psk_ascii: string;
      phase1: Record<string, string>[];
      messages: { wire: string; src: string; message_id: string }[];
    }>("vectors/gdoi/keys.json");
    const sa = vector.phase1[0]!;
    const { src } = vector.messages[0]!;
    const datagrams = vector.messages
      .filter(({ wire, src: from }) => from === src && wire.startsWith(sa.cky_i!) && wire.slice(40, 48) === "00000000")
      .map(({ wire }) => wire);
    const recorded = { cookieR: sa.cky_r!, nonceR: sa.nonce_r!, keR: sa.ke_r!, shared: sa.g_xy! };
    const outcomes = replay({ datagrams, recorded, psk: utf8(vector.psk_ascii) });
    expect(outcomes.find(({ kind }) => kind === "established")).toMatchObject({ doi: 2 });
  });
});
