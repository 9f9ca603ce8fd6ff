/**
 * GSA_REKEY: one message for all members under the keys of the rekey SA. RFC 9838 sections 2.4.1.1 and 2.4.1.4.
 *
 *     | IKE header 28 | SK header 4 | IV | ciphertext of: GSA KD D N AUTH, padding | ICV |
 *
 * The signature covers A | P: the first 32 octets with both lengths as if IV, padding and ICV did not exist, then all
 * inner payloads in clear with the signature itself as zeros of its final length.
 */
import type { Bytes } from "../../base/bytes.ts";
import { concat, equal, Reader } from "../../base/bytes.ts";
import { assert, WireError } from "../../base/errors.ts";
import { schemeOfAlgorithm } from "../../crypto/algorithmId.ts";
import type { Crypto, PrivateKey, PublicKey, SignatureScheme } from "../../crypto/api.ts";
import type { Protection } from "../../crypto/protector.ts";
import { bodyOctets, protect, unprotect } from "../../crypto/protector.ts";
import { checkGrammar } from "../../wire/grammar.ts";
import type { MessageHead } from "../../wire/ikeMessage.ts";
import { decodeMessage, sealedPrefix } from "../../wire/ikeMessage.ts";
import { AuthMethod, Exchange, FLAG_INITIATOR, PayloadType } from "../../wire/ikev2Numbers.ts";
import type { Payload } from "../../wire/payloads.ts";
import { encodeChain, payloadsOf, RFC9838, readChain } from "../../wire/payloads.ts";
import type { OpenedRekey, RekeyRefusal, RekeySa } from "../dialect.ts";
import { specsOf } from "../policy.ts";

/** `iv`: of the cipher's IV length. `signer` exactly where the SA's messages are signed. */
export function sealRekeyMessage(
  crypto: Crypto,
  sa: RekeySa,
  signer: PrivateKey | undefined,
  payloads: readonly Payload[],
  messageId: number,
  iv: Bytes,
): Bytes {
  const head = headOf(sa, messageId);
  const { first, octets } = innerPayloads(crypto, sa, signer, payloads, head);
  const protection = protectionOf(sa);
  const plain = padded(octets, protection.encr.block);
  const prefix = sealedPrefix(head, first, bodyOctets(protection, plain.length));
  return concat(prefix, protect(crypto, protection, keysOf(sa), { prefix, iv, plain }));
}

/** Flags of GSA_REKEY are not defined beyond "as in IKEv2"; the sender sets the initiator bit, receivers ignore it. */
function headOf(sa: RekeySa, messageId: number): MessageHead {
  return {
    spiInitiator: sa.spi.slice(0, 16),
    spiResponder: sa.spi.slice(16),
    exchange: Exchange.GSA_REKEY,
    flags: FLAG_INITIATOR,
    messageId,
  };
}

function protectionOf(sa: RekeySa): Protection {
  const specs = specsOf(sa.suite);
  assert(specs !== undefined, "a rekey SA with a suite that we do not have");
  return specs;
}

function keysOf(sa: RekeySa) {
  return { encr: sa.keys.encr.secret, integ: sa.keys.integ.secret };
}

/** Padding of an SK payload: its length stands in the last octet. RFC 7296 section 3.14. */
function padded(octets: Bytes, block: number): Bytes {
  const padding = (block - ((octets.length + 1) % block)) % block;
  const plain = new Uint8Array(octets.length + padding + 1);
  plain.set(octets);
  plain[plain.length - 1] = padding;
  return plain;
}

function innerPayloads(
  crypto: Crypto,
  sa: RekeySa,
  signer: PrivateKey | undefined,
  payloads: readonly Payload[],
  head: MessageHead,
) {
  if (sa.authentication.kind === "implicit") return encodeChain(payloads, RFC9838);
  const { algorithm } = sa.authentication;
  const scheme = schemeOfAlgorithm(algorithm);
  assert(signer !== undefined && scheme !== undefined, "a signed rekey without key or algorithm");
  const size = signatureOctets(signer);
  const data = concat(Uint8Array.of(algorithm.length), algorithm, new Uint8Array(size));
  const auth: Payload = { kind: "AUTH", body: { method: AuthMethod.DIGITAL_SIGNATURE, data } };
  const chain = encodeChain([...payloads, auth], RFC9838);
  const signature = crypto.sign(signer, scheme, signedOctets(head, chain.first, chain.octets));
  assert(signature.length === size, `signature of ${signature.length} octets, ${size} foreseen`);
  // AUTH stands last, and its signature is the last thing in it.
  chain.octets.set(signature, chain.octets.length - size);
  return chain;
}

/**
 * The length of a signature is part of what it signs. DER-coded ECDSA signatures vary in length, so only keys with
 * signatures of one length can sign here; ECDSA signatures of others are verified like any other.
 */
function signatureOctets(key: PrivateKey): number {
  assert(key.type !== "ec", "rekeys cannot be signed with ECDSA keys");
  return key.type === "rsa" ? key.n.length : 64;
}

function signedOctets(head: MessageHead, first: number, inner: Bytes): Bytes {
  return concat(sealedPrefix(head, first, inner.length), inner);
}

/** Integrity, then signature, then grammar. The caller has found the SA by its SPI and checks the message ID afterwards. */
export function openRekeyMessage(crypto: Crypto, sa: RekeySa, octets: Bytes): OpenedRekey {
  try {
    return open(crypto, sa, octets);
  } catch (error) {
    if (error instanceof WireError) return refused("malformed", `${error.path}: ${error.message}`);
    throw error;
  }
}

function refused(reason: RekeyRefusal, problem: string): OpenedRekey {
  return { ok: false, reason, problem };
}

function open(crypto: Crypto, sa: RekeySa, octets: Bytes): OpenedRekey {
  const message = decodeMessage(octets, RFC9838);
  const { sealed } = message;
  if (sealed === undefined || sealed.number !== PayloadType.SK || message.payloads.length > 0) {
    return refused("malformed", "not one encrypted payload");
  }
  const prefix = octets.subarray(0, sealed.start + 4);
  const plain = unprotect(crypto, protectionOf(sa), keysOf(sa), { prefix, body: sealed.body });
  if (plain === undefined) return refused("integrity", "integrity check value");
  const padding = plain[plain.length - 1] ?? 0;
  if (plain.length < padding + 1) return refused("malformed", "padding longer than the payload");
  const inner = plain.subarray(0, plain.length - 1 - padding);
  const r = new Reader(inner);
  const { payloads, sealed: nested } = readChain(r, sealed.firstInner, RFC9838);
  if (nested !== undefined || r.left > 0) return refused("malformed", "octets behind the last payload");
  const grammar = checkGrammar(Exchange.GSA_REKEY, false, payloads);
  if (!grammar.ok) return refused("malformed", grammar.problem);
  if (!authentic(crypto, sa, message, sealed.firstInner, inner, payloads)) {
    return refused("authentication", "signature");
  }
  return { ok: true, messageId: message.messageId, payloads };
}

function authentic(
  crypto: Crypto,
  sa: RekeySa,
  head: MessageHead,
  first: number,
  inner: Bytes,
  payloads: readonly Payload[],
): boolean {
  const auth = payloadsOf(payloads, "AUTH")[0];
  // AUTH is required with signatures and forbidden without (section 2.4.1).
  if (sa.authentication.kind === "implicit") return auth === undefined;
  const { algorithm } = sa.authentication;
  const scheme = schemeOfAlgorithm(algorithm);
  if (auth === undefined || sa.publicKey === undefined || scheme === undefined) return false;
  const start = 1 + algorithm.length;
  if (auth.method !== AuthMethod.DIGITAL_SIGNATURE || auth.data[0] !== algorithm.length) return false;
  // The identifier must equal the policy's octet for octet (section 4.4.2.1.1).
  if (!equal(auth.data.subarray(1, start), algorithm) || !keyFits(sa.publicKey, scheme)) return false;
  const signature = auth.data.subarray(start);
  // The payload's data is a view into `inner`, so its place there is known without walking the chain again.
  const at = signature.byteOffset - inner.byteOffset;
  const zeroed = inner.slice();
  zeroed.fill(0, at, at + signature.length);
  return crypto.verify(sa.publicKey, scheme, signedOctets(head, first, zeroed), signature);
}

/**
 * The key's own algorithm identifier cannot equal the signature's for RSA PKCS#1 and ECDSA (their SPKI says rsaEncryption
 * and id-ecPublicKey), so section 4.5.3.2 is read as: the key must be of the signature's kind.
 */
function keyFits(key: PublicKey, scheme: SignatureScheme): boolean {
  switch (scheme.kind) {
    case "ecdsa":
      return key.type === "ec";
    case "ed25519":
      return key.type === "ed25519";
    default:
      return key.type === "rsa";
  }
}
