/**
 * What the roles tell the data plane: which SAs exist, which one to send with, and what traffic belongs to the group.
 */
import type { Micros } from "../base/micros.ts";
import type { Secret } from "../base/secret.ts";

/** One address and port range of a rule; addresses as unsigned 32-bit numbers, ends included. */
export interface Selector {
  readonly sourceFirst: number;
  readonly sourceLast: number;
  readonly destinationFirst: number;
  readonly destinationLast: number;
  /** 0: any. */
  readonly protocol: number;
  /** 0 to 65535: any. ICMP type and code are not selected on. */
  readonly sourcePortFirst: number;
  readonly sourcePortLast: number;
  readonly destinationPortFirst: number;
  readonly destinationPortLast: number;
}

/**
 * The group's traffic rules in order, first match wins: `bypass` goes in clear, `protect` through the SA of that family.
 * `family` numbers the data SA within the group (one per permit entry); TEK generations of one family follow each other.
 */
export interface TrafficRule {
  readonly action: "bypass" | "protect";
  readonly selector: Selector;
  readonly family: number;
}

/** One data SA of a group (a TEK): the same SPI and key at every member, in and out. */
export interface DataSa {
  readonly group: string;
  readonly family: number;
  /** TEK generation as the member counts it, from 1; for display. */
  readonly generation: number;
  readonly spi: number;
  /** IANA transform IDs; integ 0 with AEAD ciphers. */
  readonly encr: number;
  readonly encrKeyBits: number;
  readonly integ: number;
  /** Cipher key with its salt last. */
  readonly encrKey: Secret;
  readonly integKey: Secret;
  /** RFC 9827: 0 = 32-bit sequential, 2 = 32-bit unspecified (no replay window). */
  readonly sequenceNumbers: number;
  /** Tunnel mode with address preservation, or transport mode. */
  readonly mode: "tunnel" | "transport";
  readonly installedAt: Micros;
  /** Hard end: the SA neither sends nor receives from here on. */
  readonly expiresAt: Micros;
  /** Sender-ID bits that open the IV of a counter-mode cipher, or undefined (RFC 6054). */
  readonly senderId?: { readonly value: number; readonly bits: number } | undefined;
}

/** From a role to the data plane of the same router. */
export type DataPlaneOrder =
  | { readonly kind: "install"; readonly sa: DataSa }
  | { readonly kind: "remove"; readonly group: string; readonly spi: number }
  /** From now on the family sends with this SA. */
  | { readonly kind: "sendWith"; readonly group: string; readonly family: number; readonly spi: number }
  | { readonly kind: "rules"; readonly group: string; readonly rules: readonly TrafficRule[] }
  /** Membership of a multicast group for rekeys, on the interface that the group is applied to. */
  | { readonly kind: "join"; readonly address: string }
  | { readonly kind: "leave"; readonly address: string };
