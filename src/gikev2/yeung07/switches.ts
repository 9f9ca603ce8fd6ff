/**
 * Everything about draft-yeung-g-ikev2-07 that is not certain, in one table. The text of version 07 could not be obtained:
 * versions 04 and 08 were read, and nothing of what Cisco's devices send was seen. Each point is one switch with a default;
 * receivers accept every value of a switch wherever that cannot be mistaken for something else. No claim is made that the
 * octets are those of IOS XE.
 */
export interface Yeung07Switches {
  /**
   * KEK_MESSAGE_ID is a basic attribute in the draft's table (two octets) and a number of four octets in its text. `tlv`
   * as version 16 has it. Accepted: both.
   */
  readonly kekMessageId: "tlv" | "tv";
  /**
   * How a registration says where the numbering of rekeys stands. No version of the draft has a SEQ payload, KEK_MESSAGE_ID
   * took its place; Cisco's guide speaks of an optional SEQ payload in the answer of GSA_AUTH. `payload` sends that instead
   * of the attribute: GDOI's layout (RFC 6407 section 5.7, the last number used), payload number 128 of the private range,
   * ours alone. Accepted: both; the larger number counts.
   */
  readonly seqPayload: "kekMessageId" | "payload";
  /** KEK_AUTH_KEY has no number in versions 04 and 08; 3 is that of version 16. Accepted: 3 and this one. */
  readonly kekAuthKeyNumber: number;
  /** KEK_AUTH_ALGORITHM: numbers of the IKEv2 hash registry (version 08), or the list of 04 (1 is SHA2-256). Must agree. */
  readonly hashNumbers: "registry" | "draft04";
  /**
   * What AUTH of a rekey covers. `prefixed`: the seven octets "G-IKEv2" and the message (version 08); `message`: the message
   * alone (version 04). Neither says which octets the message has before it is encrypted; those of RFC 9838 section 2.4.1.1
   * are taken: both lengths without IV, padding and ICV, the signature as zeros. Must agree.
   */
  readonly rekeyAuth: "prefixed" | "message";
  /** Protocol of the rekey SA in Delete payloads: 1 in version 04, to be assigned in 08. Accepted: 0, 1, 6 and 41. */
  readonly deleteKekProtocol: number;
  /** Octets of the count in SENDER_REQUEST_ID; the draft gives none, version 16 has 4. Accepted: 1 to 4. */
  readonly senderRequestOctets: 1 | 2 | 4;
  /**
   * A member that asks for no Sender-ID: does it send? The draft allots one to every sending member without asking and has
   * no other word for a sender. `one` gives everybody one, `none` takes silence for a member that only receives.
   */
  readonly silentSender: "one" | "none";
  /** NUMBER_OF_SID_BITS: long form in versions 04 and 08, short in 16. Accepted: both. */
  readonly sidBits: "tlv" | "tv";
  /**
   * "An explicit IV stands before the key" where the mode of KEK_ENCR_KEY needs one. With an IV in every encrypted payload
   * it has no use: the first octets of the KEK's SPI are sent, and whatever comes is passed over. Accepted: with and without.
   */
  readonly kekIv: "whenCbc" | "never";
  /** Flags of the header of GSA_REKEY: the initiator bit. Receivers heed the response bit alone. */
  readonly rekeyFlags: number;
  /**
   * The draft knows no acknowledgement of a rekey, Cisco's key servers demand one of unicast members. `gsaRekey`: a
   * GSA_REKEY with the response flag, the SPI and message ID of the rekey, and no payload inside its encrypted payload,
   * under the same KEK; ours alone. `none`: members are silent (and a key server that counts on answers ejects them).
   */
  readonly unicastAck: "gsaRekey" | "none";
  /**
   * How a member asks for KEK or TEKs alone in GSA_CLIENT_SERVER, which Cisco's guide allows and the draft has no field
   * for. `notify`: a status notify of the private range (40963) with one octet, 1 for the KEK and 2 for the TEKs; ours alone.
   * `never`: everything is asked for.
   */
  readonly partialRequest: "notify" | "never";
  /**
   * Cisco's key servers have one SPI for all permit entries of a list unless the group is in Suite B mode; a TEK policy has
   * room for one pair of selectors. `repeat`: one TEK policy for each entry, with the same SPI, and one key packet; ours
   * alone. `separate`: an SPI and a key for each entry, as RFC 9838 demands.
   */
  readonly permitEntries: "repeat" | "separate";
  /**
   * Deny entries of the key server's list, which the draft has no place for. `policy`: a policy of the private type 242 with
   * the two selectors, in its place among the TEK policies; ours alone. `none`: they are not sent.
   */
  readonly denyEntries: "policy" | "none";
  /**
   * A group refusal in GSA_AUTH is a notify without IDr and AUTH; the member deletes the IKE SA (a must in version 08, a
   * should in 04). False: identity and proof are sent beside it and the SA stands, as in RFC 9838.
   */
  readonly refusalEndsSa: boolean;
  /**
   * Trees of keys, which Cisco's key servers do not have: one is made only where a group asks for it. The draft's arrays do
   * not say how a key encrypts another, nor where the KEK's integrity key is. `wholeKeys`: as in GDOI, by CBC with the IV
   * stored before the key; each key is IV, KEK_ENCR_KEY and KEK_INTEGRITY_KEY in one, so that whoever is put out gets none
   * of them; zeros fill the last block; ours alone. With an AEAD cipher, whose IV must not come twice, there is no tree.
   * `none`: no tree is made, and a policy that names one is refused.
   */
  readonly keyHierarchy: "wholeKeys" | "none";
}

export const YEUNG07_SWITCHES: Yeung07Switches = {
  kekMessageId: "tlv",
  seqPayload: "kekMessageId",
  kekAuthKeyNumber: 3,
  hashNumbers: "registry",
  rekeyAuth: "prefixed",
  deleteKekProtocol: 1,
  senderRequestOctets: 4,
  silentSender: "one",
  sidBits: "tlv",
  kekIv: "whenCbc",
  rekeyFlags: 0x08,
  unicastAck: "gsaRekey",
  partialRequest: "notify",
  permitEntries: "repeat",
  denyEntries: "policy",
  refusalEndsSa: true,
  keyHierarchy: "wholeKeys",
};
