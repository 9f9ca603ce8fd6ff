/**
 * Captures of strongSwan talking to strongSwan: what is on the wire and the secrets of both ends are given, every key is
 * derived here.
 */
import { existsSync, readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { concat, fromHex, toHex } from "../../src/base/bytes.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { childKeymat } from "../../src/crypto/prf.ts";
import { encrSpec, integSpec } from "../../src/crypto/suite.ts";
import type { IkeSuite } from "../../src/ikev2/api.ts";
import { readCertificates } from "../../src/ikev2/certificates.ts";
import { deriveKeys, deriveRekeyed, suiteSpecs } from "../../src/ikev2/keys.ts";
import { detectNat } from "../../src/ikev2/nat.ts";
import { sharedKeyAuth, signedOctets } from "../../src/ikev2/proof.ts";
import { checkAnswer } from "../../src/ikev2/proposal.ts";
import { directionKeys, openPart, readInner } from "../../src/ikev2/protect.ts";
import { decodeHashes, verifyAuth } from "../../src/ikev2/signature.ts";
import type { SaKeySet } from "../../src/ikev2/state.ts";
import { decodeCertificate } from "../../src/pki/certificate.ts";
import { checkChain } from "../../src/pki/chain.ts";
import { certifies } from "../../src/pki/identity.ts";
import { pemBlocks } from "../../src/pki/pem.ts";
import {
  decodeMessage,
  encodeMessage,
  type IkeMessage,
  isFromInitiator,
  sealedPrefix,
} from "../../src/wire/ikeMessage.ts";
import type { Auth, Id } from "../../src/wire/ikev2.ts";
import { Exchange, NotifyType, PayloadType } from "../../src/wire/ikev2Numbers.ts";
import { encodeChain, IKEV2, notifyOf, type Payload, payloadOf } from "../../src/wire/payloads.ts";
import { describeShared, readSharedJson, sharedPath } from "../shared.ts";

const FOLDER = "vectors/ikev2";

interface CapturedSa {
  readonly spiI: string;
  readonly spiR: string;
  readonly rekeyOf: string | null;
  readonly nonceI: string;
  readonly nonceR: string;
  readonly dhSharedSecret: string;
  readonly [key: `SK_${string}`]: string;
}

interface Captured {
  readonly name: string;
  readonly auth: string;
  readonly peers: Record<"initiator" | "responder", { readonly ip: string; readonly privateIp?: string }>;
  readonly credentials: {
    readonly pskHex?: string;
    readonly responderPskHex?: string;
    readonly caCertificatePem?: string;
  };
  readonly ikeSas: readonly CapturedSa[];
  readonly childSas: readonly {
    readonly negotiatedInFrame: number;
    readonly exchangeInitiator: string;
    readonly encr: { readonly id: number; readonly keyBits?: number };
    readonly integ: { readonly id: number } | null;
    readonly nonceI: string;
    readonly nonceR: string;
    readonly dhSharedSecret: string | null;
    readonly sas: readonly { readonly encKey: string; readonly authKey: string | null }[];
  }[];
  readonly messages: readonly {
    readonly frame: number;
    readonly exchange: string;
    readonly response: boolean;
    readonly wire: string;
    readonly plaintext?: string;
    readonly reassembledPlaintext?: string;
    readonly authMethod?: number;
    readonly signedOctets?: string;
  }[];
}

const NAMES = existsSync(sharedPath(FOLDER))
  ? readdirSync(sharedPath(FOLDER))
      .filter((name) => name.endsWith(".json"))
      .map((name) => name.replace(".json", ""))
  : ["none"];

function spisOf(message: { spiInitiator: string; spiResponder: string }): string {
  return message.spiInitiator + message.spiResponder;
}

/** The messages of a capture with all that can be opened, and the keys that did it, by SPIs. */
function follow(captured: Captured) {
  const keysBySpis = new Map<string, SaKeySet>();
  const opened: { message: IkeMessage; inner: readonly Payload[] | undefined; frame: number; keys?: SaKeySet }[] = [];
  let parts: Uint8Array[] = [];
  let first = 0;
  let offer: IkeMessage | undefined;
  let asked: readonly Payload[] = [];
  for (const { wire, frame, plaintext, reassembledPlaintext } of captured.messages) {
    const octets = fromHex(wire);
    const message = decodeMessage(octets, IKEV2);
    if (message.sealed === undefined) {
      expect(toHex(encodeMessage(message, message.payloads, IKEV2))).toBe(wire);
      if ((message.flags & 0x20) === 0) offer = message;
      else if (payloadOf(message.payloads, "SA") !== undefined)
        keysBySpis.set(spisOf(message), firstKeys(captured, offer!, message));
      opened.push({ message, inner: undefined, frame });
      continue;
    }
    const keys = keysBySpis.get(spisOf(message))!;
    const part = openPart(
      native,
      keys.protection,
      directionKeys(keys, isFromInitiator(message)),
      octets,
      message.sealed,
    )!;
    expect(toHex(part), `frame ${frame}`).toBe(plaintext);
    const { sealed } = message;
    const fragment =
      sealed.number === PayloadType.SKF ? { number: sealed.fragment, total: sealed.fragments } : undefined;
    const prefix = sealedPrefix(message, sealed.firstInner, sealed.body.length, fragment);
    expect(toHex(concat(prefix, sealed.body))).toBe(wire);
    if (sealed.fragment === 1) {
      parts = [];
      first = sealed.firstInner;
    }
    parts.push(part);
    if (sealed.fragment < sealed.fragments) continue;
    const whole = concat(...parts);
    if (reassembledPlaintext !== undefined) expect(toHex(whole)).toBe(reassembledPlaintext);
    const inner = readInner(whole, first, IKEV2);
    expect(toHex(encodeChain(inner, IKEV2).octets)).toBe(toHex(whole));
    opened.push({ message, inner, frame, keys });
    if (message.exchange !== Exchange.CREATE_CHILD_SA) continue;
    if ((message.flags & 0x20) === 0) asked = inner;
    else if (payloadOf(inner, "TSi") === undefined) {
      const successor = rekeyedKeys(captured, keys, asked, inner);
      if (successor !== undefined) keysBySpis.set(successor.spis, successor.keys);
    }
  }
  return { keysBySpis, opened };
}

function suiteOf(offer: readonly Payload[], answer: readonly Payload[]): IkeSuite {
  return checkAnswer(payloadOf(offer, "SA")!, payloadOf(answer, "SA")!)!.suite;
}

function firstKeys(captured: Captured, request: IkeMessage, response: IkeMessage): SaKeySet {
  const sa = captured.ikeSas.find((entry) => entry.spiI + entry.spiR === spisOf(response))!;
  return deriveKeys(native, {
    suite: suiteOf(request.payloads, response.payloads),
    ni: payloadOf(request.payloads, "NONCE")!.data,
    nr: payloadOf(response.payloads, "NONCE")!.data,
    spiInitiator: response.spiInitiator,
    spiResponder: response.spiResponder,
    shared: fromHex(sa.dhSharedSecret),
  });
}

function rekeyedKeys(captured: Captured, old: SaKeySet, asked: readonly Payload[], answer: readonly Payload[]) {
  if (payloadOf(answer, "SA") === undefined) return undefined;
  const spiInitiator = toHex(payloadOf(asked, "SA")!.proposals[0]!.spi);
  const spiResponder = toHex(payloadOf(answer, "SA")!.proposals[0]!.spi);
  const spis = spiInitiator + spiResponder;
  const sa = captured.ikeSas.find((entry) => entry.spiI + entry.spiR === spis)!;
  const keys = deriveRekeyed(native, old, {
    suite: suiteOf(asked, answer),
    ni: payloadOf(asked, "NONCE")!.data,
    nr: payloadOf(answer, "NONCE")!.data,
    spiInitiator,
    spiResponder,
    shared: fromHex(sa.dhSharedSecret),
  });
  return { spis, keys };
}

/** Hash algorithms count where both IKE_SA_INIT messages list them. */
function bothAnnounce(messages: readonly (readonly Payload[])[]): readonly number[] | undefined {
  const lists = messages.map((payloads) => notifyOf(payloads, NotifyType.SIGNATURE_HASH_ALGORITHMS));
  return lists.every((list) => list !== undefined) ? decodeHashes(lists[0]!.data) : undefined;
}

/** The certificates inside the message lead to the capture's authority, were made out to the identity and verify AUTH. */
function checkSignature(
  captured: Captured,
  octets: Uint8Array,
  auth: Auth,
  inner: readonly Payload[],
  identity: Id,
  hashes: readonly number[] | undefined,
): void {
  const brought = readCertificates(native, inner, undefined);
  if (!brought.ok) throw new Error(brought.problem);
  const [own] = brought.certificates;
  const anchors = pemBlocks(captured.credentials.caCertificatePem!, "CERTIFICATE").map(decodeCertificate);
  const trust = { anchors, crls: [], revocation: "none" } as const;
  for (const crypto of [native, noble]) {
    expect(checkChain(crypto, brought.certificates, trust, own!.notBefore)).toMatchObject({ ok: true });
    expect(verifyAuth(crypto, own!.publicKey!, hashes, octets, auth)).toBeUndefined();
    const changed = octets.slice();
    changed[0]! ^= 1;
    expect(verifyAuth(crypto, own!.publicKey!, hashes, changed, auth)).toBe("mismatch");
  }
  expect(certifies(own!, identity)).toBe(true);
  signaturesChecked += 1;
}

let signaturesChecked = 0;

describeShared(FOLDER, "captures of strongSwan", () => {
  for (const name of NAMES) {
    const load = () => readSharedJson<Captured>(`${FOLDER}/${name}.json`);

    it(`${name}: messages re-encode to the same octets and open with keys derived here`, () => {
      const captured = load();
      const { keysBySpis } = follow(captured);
      expect(keysBySpis.size).toBe(captured.ikeSas.length);
      for (const sa of captured.ikeSas) {
        const keys = keysBySpis.get(sa.spiI + sa.spiR)!;
        for (const which of ["d", "ai", "ar", "ei", "er", "pi", "pr"] as const) {
          expect(toHex(keys[which].secret), `SK_${which}`).toBe(sa[`SK_${which}`] ?? "");
        }
      }
    });

    it(`${name}: AUTH covers the octets that it should, and a pre-shared key's proof holds`, () => {
      const captured = load();
      const { opened } = follow(captured);
      let request: IkeMessage | undefined;
      const init: { octets: Uint8Array; payloads: readonly Payload[] }[] = [];
      for (const { message, frame } of opened) {
        if (message.exchange !== Exchange.IKE_SA_INIT) continue;
        const octets = fromHex(captured.messages.find((entry) => entry.frame === frame)!.wire);
        if (request === undefined || (message.flags & 0x20) === 0) request = message;
        init[message.flags & 0x20 ? 1 : 0] = { octets, payloads: message.payloads };
      }
      for (const { message, inner, frame, keys } of opened) {
        const auth = inner && payloadOf(inner, "AUTH");
        if (auth === undefined) continue;
        const ofInitiator = isFromInitiator(message);
        const transcript = {
          request: init[0]!.octets,
          response: init[1]!.octets,
          ni: payloadOf(init[0]!.payloads, "NONCE")!.data,
          nr: payloadOf(init[1]!.payloads, "NONCE")!.data,
        };
        const identity = payloadOf(inner!, ofInitiator ? "IDi" : "IDr")!;
        const octets = signedOctets(native, keys!, transcript, ofInitiator, identity);
        const listed = captured.messages.find((entry) => entry.frame === frame)!;
        expect(listed.authMethod).toBe(auth.method);
        if (listed.signedOctets !== undefined) expect(toHex(octets)).toBe(listed.signedOctets);
        if (auth.method !== 2) {
          checkSignature(captured, octets, auth, inner!, identity, bothAnnounce(init.map(({ payloads }) => payloads)));
          continue;
        }
        const { pskHex, responderPskHex } = captured.credentials;
        const psk = fromHex(ofInitiator ? pskHex! : (responderPskHex ?? pskHex!));
        expect(toHex(sharedKeyAuth(native, keys!.prf, psk, octets))).toBe(toHex(auth.data));
      }
    });

    it(`${name}: Child SA keys`, () => {
      const captured = load();
      const { opened } = follow(captured);
      for (const child of captured.childSas) {
        const { keys } = opened.find(({ frame }) => frame === child.negotiatedInFrame)!;
        const made = childKeymat(
          native,
          suiteSpecs(keys!.suite),
          keys!.d.secret,
          {
            encr: encrSpec(child.encr.id, child.encr.keyBits)!,
            integ: child.integ ? integSpec(child.integ.id) : undefined,
          },
          fromHex(child.nonceI),
          fromHex(child.nonceR),
          child.dhSharedSecret === null ? undefined : fromHex(child.dhSharedSecret),
        );
        expect(toHex(made.initiator.encr)).toBe(child.sas[0]!.encKey);
        expect(toHex(made.responder.encr)).toBe(child.sas[1]!.encKey);
        expect(toHex(made.initiator.integ)).toBe(child.sas[0]!.authKey ?? "");
      }
    });
  }

  it("all signatures were checked: two in each capture with certificates", () => {
    const withCertificates = NAMES.filter((name) => {
      return readSharedJson<Captured>(`${FOLDER}/${name}.json`).credentials.caCertificatePem !== undefined;
    });
    expect(withCertificates.length).toBeGreaterThanOrEqual(5);
    expect(signaturesChecked).toBe(2 * withCertificates.length);
  });

  it("v2-natt-real-nat: the responder sees that the initiator is behind a NAT, and only that", () => {
    const captured = readSharedJson<Captured>(`${FOLDER}/v2-natt-real-nat.json`);
    const message = decodeMessage(fromHex(captured.messages[0]!.wire), IKEV2);
    const at = (ip: string) => ({ address: ip, port: 500 });
    const { initiator, responder } = captured.peers;
    const found = detectNat(
      native,
      message.spiInitiator,
      message.spiResponder,
      at(responder.ip),
      at(initiator.ip),
      message.payloads,
    );
    expect(found).toEqual({ peerBehindNat: true, weBehindNat: false });
  });
});
