/** A trustpoint as IOS means it: an authority that is trusted, and what it has issued to this router. */
import type { Bytes } from "../base/bytes.ts";
import type { PrivateKey } from "../crypto/api.ts";
import type { Certificate } from "./certificate.ts";
import type { RevocationCheck } from "./chain.ts";
import type { Crl } from "./crl.ts";

/** What a router proves its identity with. */
export interface RouterIdentity {
  readonly key: PrivateKey;
  /** Its own certificate first, then those of intermediate authorities. */
  readonly chain: readonly Certificate[];
  /** Where a peer that asks for it may fetch each certificate of the chain instead. */
  readonly urls?: readonly string[];
}

export interface Trustpoint {
  readonly name: string;
  /** `sign`: what we prove ourselves with; `verify`: what we trust. */
  readonly use: "sign" | "verify" | "both";
  readonly anchor: Certificate;
  readonly identity?: RouterIdentity;
  readonly crls: readonly Crl[];
  readonly revocation: RevocationCheck;
}

/** Octets behind URLs: stands for the HTTP server of RFC 7296 section 3.6. */
export type UrlTable = ReadonlyMap<string, Bytes>;
