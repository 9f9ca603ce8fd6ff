/**
 * GSA_REKEY of draft-yeung and its acknowledgement. draft-yeung-g-ikev2-08 section 3.3.
 *
 *     | IKE header 28 | SK header 4 | IV | ciphertext of: GSA KD D AUTH, padding | ICV |
 *
 * The signature covers "G-IKEv2" and A | P as in RFC 9838 section 2.4.1.1 (see the switch `rekeyAuth`). AUTH stands last.
 */
import type { Bytes } from "../../base/bytes.ts";
import { concat, EMPTY, utf8 } from "../../base/bytes.ts";
import { assert } from "../../base/errors.ts";
import type { Crypto, PrivateKey } from "../../crypto/api.ts";
import { checkGrammar } from "../../wire/grammar.ts";
import type { MessageHead } from "../../wire/ikeMessage.ts";
import { isResponse } from "../../wire/ikeMessage.ts";
import { Exchange, FLAG_RESPONSE, PayloadType } from "../../wire/ikev2Numbers.ts";
import type { Chain, Payload } from "../../wire/payloads.ts";
import { encodeChain, payloadsOf, YEUNG07 } from "../../wire/payloads.ts";
import type { OpenedRekey, RekeyAssembly, RekeySa, RekeySealing } from "../dialect.ts";
import { openRekeySk, refused, rekeyHead, sealRekeySk, signedOctets, withSignatureZeroed } from "../rekeySk.ts";
import { authWithRoom, schemeOf, signatureOf } from "./signature.ts";
import type { Yeung07Switches } from "./switches.ts";

const PREFIX = utf8("G-IKEv2");

/** The datagrams of one message. `signer` exactly where the SA's messages are signed. */
export function sealRekeyMessage(
  crypto: Crypto,
  sa: RekeySa,
  signer: PrivateKey | undefined,
  payloads: readonly Payload[],
  sealing: RekeySealing,
  switches: Yeung07Switches,
): readonly Bytes[] {
  const head = rekeyHead(sa, sealing.messageId, switches.rekeyFlags & ~FLAG_RESPONSE);
  return sealRekeySk(crypto, sa, head, innerPayloads(crypto, sa, signer, payloads, head, switches), sealing);
}

function innerPayloads(
  crypto: Crypto,
  sa: RekeySa,
  signer: PrivateKey | undefined,
  payloads: readonly Payload[],
  head: MessageHead,
  switches: Yeung07Switches,
): Chain {
  const scheme = schemeOf(sa.authentication);
  if (scheme === undefined) return encodeChain(payloads, YEUNG07);
  assert(signer !== undefined, "a signed rekey without its key");
  const size = signatureOctets(signer);
  const chain = encodeChain([...payloads, { kind: "AUTH", body: authWithRoom(sa.authentication, size) }], YEUNG07);
  const signature = crypto.sign(signer, scheme, covered(head, chain.first, chain.octets, switches));
  assert(signature.length === size, `signature of ${signature.length} octets, ${size} foreseen`);
  chain.octets.set(signature, chain.octets.length - size);
  return chain;
}

/** Bare signatures have but one length. */
function signatureOctets(key: PrivateKey): number {
  switch (key.type) {
    case "rsa":
      return key.n.length;
    case "ec":
      return key.point.length;
    case "ed25519":
      return 64;
  }
}

function covered(head: MessageHead, first: number, inner: Bytes, { rekeyAuth }: Yeung07Switches): Bytes {
  const message = signedOctets(head, first, inner);
  return rekeyAuth === "prefixed" ? concat(PREFIX, message) : message;
}

/** Integrity, then grammar, then signature. The caller has found the SA by its SPI and checks the message ID afterwards. */
export function openRekeyMessage(
  crypto: Crypto,
  sa: RekeySa,
  octets: Bytes,
  assembly: RekeyAssembly | undefined,
  switches: Yeung07Switches,
): OpenedRekey {
  const opened = openRekeySk(crypto, sa, octets, YEUNG07, assembly);
  if (opened.kind !== "whole") return opened;
  const { head, firstInner, inner, payloads } = opened;
  const grammar = checkGrammar(Exchange.GSA_REKEY, false, payloads);
  if (!grammar.ok) return refused("malformed", grammar.problem);
  if (isResponse(head) || !authentic(crypto, sa, head, firstInner, inner, payloads, switches)) {
    return refused("authentication", "signature");
  }
  return { kind: "whole", messageId: head.messageId, payloads };
}

function authentic(
  crypto: Crypto,
  sa: RekeySa,
  head: MessageHead,
  first: number,
  inner: Bytes,
  payloads: readonly Payload[],
  switches: Yeung07Switches,
): boolean {
  const auth = payloadsOf(payloads, "AUTH")[0];
  const scheme = schemeOf(sa.authentication);
  if (scheme === undefined) return auth === undefined;
  const signature = auth && signatureOf(auth, sa.authentication);
  if (signature === undefined || sa.publicKey === undefined) return false;
  const zeroed = withSignatureZeroed(inner, signature);
  return crypto.verify(sa.publicKey, scheme, covered(head, first, zeroed, switches), signature);
}

// ------------------------------------------------------------------------------------------------- acknowledgement (ours)

/** GSA_REKEY with the response flag and nothing inside. */
export function sealAck(crypto: Crypto, sa: RekeySa, messageId: number, iv: Bytes): Bytes {
  const head = rekeyHead(sa, messageId, FLAG_RESPONSE);
  const [octets] = sealRekeySk(crypto, sa, head, { first: PayloadType.NONE, octets: EMPTY }, { nextIv: () => iv });
  return octets!;
}

/** Every member holds the KEK, so this proves that some member sent it; the address says which. */
export function openAck(crypto: Crypto, sa: RekeySa, octets: Bytes): number | undefined {
  const opened = openRekeySk(crypto, sa, octets, YEUNG07, undefined);
  const isAck = opened.kind === "whole" && isResponse(opened.head) && opened.payloads.length === 0;
  return isAck ? opened.head.messageId : undefined;
}
