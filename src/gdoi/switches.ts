/**
 * What RFC 6407 and RFC 8263 leave open, and where deployed implementations differ, as named choices with our default.
 * On receipt both forms of each signature are taken whatever the switches say.
 */
export interface GdoiSwitches {
  /** PKCS#1 of the SIG payload: with DigestInfo as RFC 6407 section 5.3.6.1 says, or around the bare digest (gdoid). */
  readonly signature: "digestInfo" | "bareDigest";
  /** Length field of the header as SIG covers it: without padding (gdoid; the RFC is silent) or as on the wire. */
  readonly signedLength: "unpadded" | "padded";
  /**
   * L in the derivation of ack_key: RFC 8263 section 3.2 prints 512 bits for HMAC-SHA-256 yet calls it the length of
   * ack_key, which is the PRF's output.
   */
  readonly ackKeyBits: "printed" | "output";
  /**
   * How a key server wants unicast rekeys acknowledged: with GROUPKEY-PUSH-ACK (RFC 8263), or in the layout of ours that
   * stands for Cisco's own, whose octets nobody outside knows (see ack.ts). Members answer as they are asked.
   */
  readonly acknowledgement: "interoperable" | "cisco";
  /**
   * Deny entries of the policy's access list and ranges of ports have no place in RFC 6407, and what IOS does is not
   * public. `private`: attributes of the private-use ranges, ours alone. `refuse`: such a policy is not sent.
   */
  readonly denyEntries: "private" | "refuse";
  /** SAs with another address preservation than "both" or in one direction only, which our data plane does not have. */
  readonly unusualSas: "refuse" | "asUsual";
}

export const DEFAULT_SWITCHES: GdoiSwitches = {
  signature: "digestInfo",
  signedLength: "unpadded",
  ackKeyBits: "printed",
  acknowledgement: "interoperable",
  denyEntries: "private",
  unusualSas: "refuse",
};
