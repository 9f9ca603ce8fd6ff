/**
 * What the dialects share of GSA_REKEY: one encrypted payload under the keys of the rekey SA, in fragments where it is too
 * large for the network, and the octets in clear that a signature over it covers. RFC 9838 sections 2.4.1.1 to 2.4.1.4.
 */
import type { Bytes } from "../base/bytes.ts";
import { concat } from "../base/bytes.ts";
import { assert, WireError } from "../base/errors.ts";
import type { Crypto } from "../crypto/api.ts";
import type { Protection } from "../crypto/protector.ts";
import { bodyOctets } from "../crypto/protector.ts";
import { openPart, readInner, sealChain } from "../ikev2/protect.ts";
import type { MessageHead, SealedPart } from "../wire/ikeMessage.ts";
import { decodeMessage, IKE_HEADER_LENGTH, sealedPrefix } from "../wire/ikeMessage.ts";
import { Exchange, FLAG_INITIATOR } from "../wire/ikev2Numbers.ts";
import type { Chain, Payload, Registry } from "../wire/payloads.ts";
import type { RekeyAssembly, RekeyRefusal, RekeySa, RekeySealing } from "./dialect.ts";
import { specsOf } from "./policy.ts";

/** IPv4 and UDP in front of each datagram. */
const IP_UDP_HEADERS = 28;
const SK_HEADER = 4;
const SKF_HEADER = 8;
/** More pieces than that are nobody's rekey. */
const FRAGMENTS_MAX = 256;

/** Flags of the header are not defined beyond "as in IKEv2": we set the initiator bit (0x08), and receivers ignore it. */
export function rekeyHead(sa: RekeySa, messageId: number, flags = FLAG_INITIATOR): MessageHead {
  return {
    spiInitiator: sa.spi.slice(0, 16),
    spiResponder: sa.spi.slice(16),
    exchange: Exchange.GSA_REKEY,
    flags,
    messageId,
  };
}

/** The datagrams of the message with these inner payloads: one, or its fragments in order. */
export function sealRekeySk(
  crypto: Crypto,
  sa: RekeySa,
  head: MessageHead,
  { first, octets }: Chain,
  { nextIv, mtu }: Pick<RekeySealing, "nextIv" | "mtu">,
): readonly Bytes[] {
  const protection = protectionOf(sa);
  const parts = mtu === undefined ? [octets] : partsOf(protection, octets, mtu);
  return parts.map((inner, index) => {
    const fragment = parts.length === 1 ? {} : { fragment: { number: index + 1, total: parts.length } };
    // Only the first fragment names the first payload. RFC 7383 section 2.5.
    const input = { head, first: index === 0 ? first : 0, inner, iv: nextIv(), ...fragment };
    return sealChain(crypto, protection, keysOf(sa), input);
  });
}

function partsOf(protection: Protection, inner: Bytes, mtu: number): readonly Bytes[] {
  const room = mtu - IP_UDP_HEADERS - IKE_HEADER_LENGTH;
  const { block } = protection.encr;
  const whole = Math.ceil((inner.length + 1) / block) * block;
  if (SK_HEADER + bodyOctets(protection, whole) <= room) return [inner];
  const plain = room - SKF_HEADER - bodyOctets(protection, 0);
  const size = Math.max(Math.floor(plain / block) * block - 1, 1);
  const parts: Bytes[] = [];
  for (let at = 0; at < inner.length; at += size) parts.push(inner.subarray(at, at + size));
  return parts;
}

/** Header and generic header of SK with both lengths as if IV, padding and ICV did not exist, then the inner payloads. */
export function signedOctets(head: MessageHead, first: number, inner: Bytes): Bytes {
  return concat(sealedPrefix(head, first, inner.length), inner);
}

/** Inner payloads as they were signed. `signature`: a view into them, so its place is known without walking the chain. */
export function withSignatureZeroed(inner: Bytes, signature: Bytes): Bytes {
  const at = signature.byteOffset - inner.byteOffset;
  const zeroed = inner.slice();
  zeroed.fill(0, at, at + signature.length);
  return zeroed;
}

export type OpenedSk =
  | {
      readonly kind: "whole";
      readonly head: MessageHead;
      readonly firstInner: number;
      readonly inner: Bytes;
      readonly payloads: readonly Payload[];
    }
  | { readonly kind: "part"; readonly assembly: RekeyAssembly }
  | { readonly kind: "refused"; readonly reason: RekeyRefusal; readonly problem: string };

export function refused(reason: RekeyRefusal, problem: string) {
  return { kind: "refused", reason, problem } as const;
}

/**
 * Integrity, then the chain of inner payloads once all fragments are there. `assembly`: what earlier fragments came to.
 * Never throws for foreign octets.
 */
export function openRekeySk(
  crypto: Crypto,
  sa: RekeySa,
  octets: Bytes,
  known: Registry,
  assembly: RekeyAssembly | undefined,
): OpenedSk {
  try {
    return open(crypto, sa, octets, known, assembly);
  } catch (error) {
    if (error instanceof WireError) return refused("malformed", `${error.path}: ${error.message}`);
    throw error;
  }
}

function open(
  crypto: Crypto,
  sa: RekeySa,
  octets: Bytes,
  known: Registry,
  assembly: RekeyAssembly | undefined,
): OpenedSk {
  const message = decodeMessage(octets, known);
  const { sealed } = message;
  if (sealed === undefined || message.payloads.length > 0) return refused("malformed", "not one encrypted payload");
  if (sealed.fragments > FRAGMENTS_MAX) return refused("malformed", `${sealed.fragments} fragments`);
  const part = openPart(crypto, protectionOf(sa), keysOf(sa), octets, sealed);
  if (part === undefined) return refused("integrity", "integrity check value or padding");
  const { spiInitiator, spiResponder, exchange, flags, messageId } = message;
  const head: MessageHead = { spiInitiator, spiResponder, exchange, flags, messageId };
  if (sealed.fragments === 1) return whole(head, sealed.firstInner, part, known);
  const next = withPart(assembly, messageId, sealed, part);
  // A hole in an array is passed over by `some`, so the parts are looked for one by one.
  for (const one of next.parts) if (one === undefined) return { kind: "part", assembly: next };
  return whole(head, next.firstInner, concat(...(next.parts as readonly Bytes[])), known);
}

function whole(head: MessageHead, firstInner: number, inner: Bytes, known: Registry): OpenedSk {
  return { kind: "whole", head, firstInner, inner, payloads: readInner(inner, firstInner, known) };
}

/** A fragment of another message or of another number of parts begins anew: the older one will never be whole. */
function withPart(
  assembly: RekeyAssembly | undefined,
  messageId: number,
  { fragment, fragments, firstInner }: SealedPart,
  part: Bytes,
): RekeyAssembly {
  const fits = assembly?.messageId === messageId && assembly.parts.length === fragments;
  const parts = fits ? [...assembly.parts] : Array.from<Bytes | undefined>({ length: fragments }).fill(undefined);
  parts[fragment - 1] = part;
  const first = fragment === 1 ? firstInner : fits ? assembly.firstInner : 0;
  return { messageId, firstInner: first, parts };
}

function protectionOf(sa: RekeySa): Protection {
  const specs = specsOf(sa.suite);
  assert(specs !== undefined, "a rekey SA with a suite that we do not have");
  return specs;
}

function keysOf(sa: RekeySa) {
  return { encr: sa.keys.encr.secret, integ: sa.keys.integ.secret };
}
