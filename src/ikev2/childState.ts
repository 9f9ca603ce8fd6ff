/** State of Child SAs and of rekeys that are under way: plain data. RFC 7296 sections 1.3, 2.8 and 2.25. */
import type { Bytes } from "../base/bytes.ts";
import type { Micros } from "../base/micros.ts";
import type { Secret } from "../base/secret.ts";
import type { Sa } from "../wire/ikev2.ts";
import type { ChildPolicy } from "./api.ts";

export interface ChildSa {
  /** On which we receive; it names the pair. */
  readonly inboundSpi: number;
  readonly outboundSpi: number;
  readonly policy: ChildPolicy;
  /** `rekeying` and `closing`: an exchange of ours about this pair is under way. */
  state: "up" | "rekeying" | "closing";
  /** When it is to be replaced, and when it ends; undefined for never. */
  renewAt: Micros | undefined;
  readonly endAt: Micros | undefined;
}

/** The other outcome of two rekeys that crossed. The lowest of the four nonces loses. RFC 7296 section 2.8.1. */
export interface Rival {
  /** Inbound SPI of the pair, or number of the SA, that the peer's exchange made. */
  readonly made: number;
  readonly lowestNonce: Bytes;
}

/** A request of ours for a Child SA. */
export interface ChildOffer {
  readonly policy: ChildPolicy;
  readonly inboundSpi: number;
  readonly offered: Sa;
  readonly ni: Bytes;
  /** 0: without perfect forward secrecy. */
  readonly group: number;
  readonly privateKey: Secret | undefined;
  /** What the peer's own rekey of the same pair led to while ours was under way; it may outlive the old pair. */
  rival: Rival | undefined;
}

/** A request of ours for fresh keys of the IKE SA. */
export interface IkeRekey {
  readonly spi: string;
  readonly offered: Sa;
  readonly ni: Bytes;
  readonly group: number;
  readonly privateKey: Secret;
  rival: Rival | undefined;
}

/** Octet by octet, as section 2.8.1 compares nonces. */
export function isLower(a: Bytes, b: Bytes): boolean {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! < b[i]!;
  return a.length < b.length;
}

export function lowest(a: Bytes, b: Bytes): Bytes {
  return isLower(a, b) ? a : b;
}
