/**
 * GSA_REKEY: one message for all members under the keys of the rekey SA. RFC 9838 sections 2.4.1.1 to 2.4.1.4.
 *
 *     | IKE header 28 | SK header 4 | IV | ciphertext of: GSA KD D N AUTH, padding | ICV |
 *
 * The signature covers A | P: the first 32 octets with both lengths as if IV, padding and ICV did not exist, then all
 * inner payloads in clear with the signature itself as zeros of its final length. A message that is too large for the
 * network travels in fragments (RFC 7383) after it was signed as a whole.
 *
 * Flags of the header are not defined beyond "as in IKEv2": we set the initiator bit (0x08), and receivers ignore it (note
 * 4 of docs/rfc9838-notes.md).
 */
import type { Bytes } from "../../base/bytes.ts";
import { concat, EMPTY, equal } from "../../base/bytes.ts";
import { assert } from "../../base/errors.ts";
import { schemeOfAlgorithm } from "../../crypto/algorithmId.ts";
import type { Crypto, PrivateKey, PublicKey, SignatureScheme } from "../../crypto/api.ts";
import { CURVES } from "../../crypto/dhGroup.ts";
import { checkGrammar } from "../../wire/grammar.ts";
import type { MessageHead } from "../../wire/ikeMessage.ts";
import { AuthMethod, Exchange, NotifyType, Protocol } from "../../wire/ikev2Numbers.ts";
import type { Chain, Payload } from "../../wire/payloads.ts";
import { encodeChain, payloadsOf, RFC9838 } from "../../wire/payloads.ts";
import type { OpenedRekey, RekeyAssembly, RekeySa, RekeySealing } from "../dialect.ts";
import { openRekeySk, refused, rekeyHead, sealRekeySk, signedOctets, withSignatureZeroed } from "../rekeySk.ts";

/** The datagrams of one message: one, or its fragments in order. `signer` exactly where the SA's messages are signed. */
export function sealRekeyMessage(
  crypto: Crypto,
  sa: RekeySa,
  signer: PrivateKey | undefined,
  payloads: readonly Payload[],
  sealing: RekeySealing,
): readonly Bytes[] {
  const head = rekeyHead(sa, sealing.messageId);
  return sealRekeySk(crypto, sa, head, innerPayloads(crypto, sa, signer, payloads, head), sealing);
}

function innerPayloads(
  crypto: Crypto,
  sa: RekeySa,
  signer: PrivateKey | undefined,
  payloads: readonly Payload[],
  head: MessageHead,
): Chain {
  if (sa.authentication.kind === "implicit") return encodeChain(payloads, RFC9838);
  const { algorithm } = sa.authentication;
  const scheme = schemeOfAlgorithm(algorithm);
  assert(signer !== undefined && scheme !== undefined, "a signed rekey without key or algorithm");
  const sizes = signatureSizes(signer);
  // The length of a signature is part of what it signs, and DER-coded ECDSA signatures vary in length: sign again until
  // the length is the one assumed. Once the lengths are through, a number in a notify that nobody heeds makes it another
  // message.
  for (let attempt = 0; attempt < 64; attempt++) {
    const retry = attempt < sizes.length ? [] : [retryNotify(attempt)];
    const size = sizes[attempt % sizes.length]!;
    const chain = signedChain(crypto, signer, scheme, algorithm, [...payloads, ...retry], head, size);
    if (chain !== undefined) return chain;
  }
  assert(false, "no signature of a foreseen length");
}

/** Undefined where the signature has another length than `size`. */
function signedChain(
  crypto: Crypto,
  signer: PrivateKey,
  scheme: SignatureScheme,
  algorithm: Bytes,
  payloads: readonly Payload[],
  head: MessageHead,
  size: number,
): Chain | undefined {
  const data = concat(Uint8Array.of(algorithm.length), algorithm, new Uint8Array(size));
  const auth: Payload = { kind: "AUTH", body: { method: AuthMethod.DIGITAL_SIGNATURE, data } };
  const chain = encodeChain([...payloads, auth], RFC9838);
  const signature = crypto.sign(signer, scheme, signedOctets(head, chain.first, chain.octets));
  if (signature.length !== size) return undefined;
  // AUTH stands last, and its signature is the last thing in it.
  chain.octets.set(signature, chain.octets.length - size);
  return chain;
}

/** Lengths that a signature can have, the likely ones first: of ECDSA, r and s with or without a leading zero octet. */
function signatureSizes(key: PrivateKey): readonly number[] {
  switch (key.type) {
    case "rsa":
      return [key.n.length];
    case "ed25519":
      return [64];
    case "ec": {
      const least = 2 * CURVES[key.curve].size;
      return [least + 7, least + 6, least + 8, least + 5];
    }
  }
}

function retryNotify(attempt: number): Payload {
  const data = Uint8Array.of(attempt);
  return { kind: "N", body: { protocol: Protocol.NONE, type: NotifyType.X_SIGNED_AGAIN, spi: EMPTY, data } };
}

/** Integrity, then grammar, then signature. The caller has found the SA by its SPI and checks the message ID afterwards. */
export function openRekeyMessage(
  crypto: Crypto,
  sa: RekeySa,
  octets: Bytes,
  assembly: RekeyAssembly | undefined,
): OpenedRekey {
  const opened = openRekeySk(crypto, sa, octets, RFC9838, assembly);
  if (opened.kind !== "whole") return opened;
  const { head, firstInner, inner, payloads } = opened;
  const grammar = checkGrammar(Exchange.GSA_REKEY, false, payloads);
  if (!grammar.ok) return refused("malformed", grammar.problem);
  if (!authentic(crypto, sa, head, firstInner, inner, payloads)) return refused("authentication", "signature");
  return { kind: "whole", messageId: head.messageId, payloads };
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
  const zeroed = withSignatureZeroed(inner, signature);
  return crypto.verify(sa.publicKey, scheme, signedOctets(head, first, zeroed), signature);
}

/**
 * The key's own algorithm identifier cannot equal the signature's for RSA PKCS#1 and ECDSA (their SPKI says rsaEncryption
 * and id-ecPublicKey), so section 4.5.3.2 is read as: the key must be of the signature's kind (note 6 of
 * docs/rfc9838-notes.md).
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
