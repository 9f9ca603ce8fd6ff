/**
 * A rekey message as a member takes it in: opened, its signature verified, its contents read. Members that hold the same
 * rekey SA make the same of the same octets, so that a host may let them share it: ten thousand members of one run then
 * read a multicast message twice.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Crypto, PublicKey } from "../crypto/api.ts";
import type { Excluded, OpenedRekey, RekeyAssembly, RekeyProtocol, RekeySa } from "./dialect.ts";
import type { GroupUpdate, TreeKey } from "./policy.ts";
import type { Read } from "./protocolError.ts";

export type RekeyReading =
  | { readonly kind: "read"; readonly messageId: number; readonly update: Read<GroupUpdate | Excluded> }
  | Exclude<OpenedRekey, { kind: "whole" }>;

/** What a member knows of the rekey SA beside the SA itself. */
export interface RekeyStanding {
  /** Fragments of this message that came before. */
  readonly assembly: RekeyAssembly | undefined;
  /** Working Key Path. */
  readonly path: readonly TreeKey[];
  /** Numbers from there on are new. */
  readonly nextMessageId: number;
}

export function readRekeyMessage(
  crypto: Crypto,
  protocol: RekeyProtocol,
  sa: RekeySa,
  message: Bytes,
  standing: RekeyStanding,
): RekeyReading {
  const { assembly, path, nextMessageId } = standing;
  const read = (): RekeyReading => {
    const opened = protocol.openRekey(crypto, sa, message, assembly, nextMessageId);
    if (opened.kind !== "whole") return opened;
    const { messageId, payloads } = opened;
    return { kind: "read", messageId, update: protocol.readRekey(crypto, sa, payloads, path) };
  };
  // Fragments and keys of a tree are a member's own.
  if (crypto.share === undefined || assembly !== undefined || path.length > 0) return read();
  const { spi, suite, keys, authentication, publicKey, acknowledgement } = sa;
  const { encr, encrKeyBits, integ, kwa } = suite;
  return crypto.share(
    {
      among: "many",
      octets: [
        message,
        keys.encr.secret,
        keys.integ.secret,
        keys.wrap.secret,
        ...(authentication.kind === "signature" ? [authentication.algorithm] : []),
        ...(publicKey === undefined ? [] : octetsOf(publicKey)),
      ],
      words: [
        protocol,
        spi,
        encr,
        encrKeyBits,
        integ,
        kwa,
        acknowledgement,
        nextMessageId,
        authentication.kind,
        wordOf(publicKey),
      ],
    },
    read,
  );
}

function octetsOf(key: PublicKey): readonly Bytes[] {
  return key.type === "rsa" ? [key.n, key.e] : [key.point];
}

function wordOf(key: PublicKey | undefined): string | undefined {
  return key?.type === "ec" ? key.curve : key?.type;
}
