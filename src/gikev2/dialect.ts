/**
 * The seam between what roles decide and how a protocol writes it down; key servers and members speak through these
 * interfaces and know nothing of octets. A `RekeyProtocol` is what happens under a KEK, which GDOI and G-IKEv2 have in
 * common; a `Dialect` adds registration over IKEv2. RFC 9838 and the draft that Cisco ships share exchange and payload
 * numbers but not contents. A dialect belongs to the group: its key server and its members use the same one.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Rng } from "../base/rng.ts";
import type { Secret } from "../base/secret.ts";
import type { Crypto, PrivateKey, PublicKey } from "../crypto/api.ts";
import type { KeyEntry } from "../crypto/keyEntry.ts";
import type { IkeSuite } from "../ikev2/api.ts";
import type { Payload, Registry } from "../wire/payloads.ts";
import type { GroupId } from "./groupId.ts";
import type { Grant, GroupUpdate, KekKeys, KekSuite, Registration, RekeyAuthentication, TreeKey } from "./policy.ts";
import type { Read } from "./protocolError.ts";

export type DialectName = "rfc9838" | "yeung-07";

/** How a rekey SA is spoken under: a dialect of G-IKEv2, or GDOI. */
export type ProtocolName = DialectName | "gdoi";

/** A rekey SA as both ends hold it: what opens a rekey message and says who may have sent it. */
export interface RekeySa {
  /** 32 hexadecimal digits. */
  readonly spi: string;
  readonly suite: KekSuite;
  readonly keys: KekKeys;
  readonly authentication: RekeyAuthentication;
  readonly publicKey?: PublicKey;
  /** As in `KekPolicy`. */
  readonly acknowledgement?: number;
}

/** What a registration request turns out to be. `leave`: the member goes, or cannot use the policy (`notify`). */
export type RegistrationIntent =
  | { readonly kind: "join"; readonly registration: Registration }
  | { readonly kind: "leave"; readonly group: GroupId; readonly notify: number };

/** Where rekeys are acknowledged without asking, or not at all. */
export const NO_ACKNOWLEDGEMENT = { plain: 0, withTree: 0 };

/** A KD payload in which the wrapped keys are still missing. */
export interface BlankKd {
  /** Body of the payload with gaps of zeros. */
  readonly octets: Bytes;
  readonly gaps: readonly { readonly at: number; readonly key: Secret }[];
}

/** What is the same in a rekey for every member, encoded once. */
export interface PreparedRekey {
  readonly shared: readonly Payload[];
  /** Where keys are wrapped for each member. */
  readonly blankKd?: BlankKd;
}

/**
 * `malformed`: no message of this SA's format. `integrity`: altered, or under another key. `authentication`: not signed
 * by the key server.
 */
export type RekeyRefusal = "malformed" | "integrity" | "authentication";

/** Fragments of a rekey message that are there, all of them genuine. RFC 9838 section 2.4.1.2, RFC 7383. */
export interface RekeyAssembly {
  readonly messageId: number;
  /** Type of the first inner payload; known once the first fragment is there. */
  readonly firstInner: number;
  readonly parts: readonly (Bytes | undefined)[];
}

/** What a rekey message holds: only the protocol that has opened it knows what that is. */
export interface RekeyPayload {
  readonly kind: string;
}

export type OpenedRekey =
  | { readonly kind: "whole"; readonly messageId: number; readonly payloads: readonly RekeyPayload[] }
  | { readonly kind: "part"; readonly assembly: RekeyAssembly }
  /** Its number is below the one that comes next, where the number is encrypted with the rest. Nothing is checked yet. */
  | { readonly kind: "old"; readonly messageId: number }
  | { readonly kind: "refused"; readonly reason: RekeyRefusal; readonly problem: string };

export interface RekeySealing {
  readonly messageId: number;
  /** An IV of the cipher's length that was never used under the key; called once for each datagram. */
  readonly nextIv: () => Bytes;
  /** IP packets must not be larger; absent: one datagram, however large. */
  readonly mtu?: number;
}

/** A member's answer to a pushed rekey. */
export interface RekeyAnswer {
  readonly messageId: number;
  /** An IV of the cipher's length that no member has used under the key; called where the answer needs one. */
  readonly nextIv: () => Bytes;
  /** The member's address as the key server knows it, text form. */
  readonly address: string;
  /** Its own key in a key hierarchy, where it has one. */
  readonly leaf?: Secret;
}

export interface RekeyProtocol {
  readonly name: ProtocolName;
  /**
   * How a rekey reaches one member: `inband` as a request in its IKE SA, which the response acknowledges; `push` as a
   * message under the KEK with an acknowledgement of its own.
   */
  readonly unicastRekey: "inband" | "push";
  /** Message ID of the first rekey under a KEK; the next ones follow without a gap. */
  readonly firstMessageId: number;
  /** All permit entries of a list share one data SA, unless its cipher counts its IVs. */
  readonly sharesDataSa: boolean;
  /** A rekey that brings a KEK says again how rekeys are authenticated. */
  readonly repeatsAuthentication: boolean;
  /** The key server closes IKE SAs that no rekey will come in; otherwise they stand until their life is over. */
  readonly closesIdleSas: boolean;
  /** Acknowledgement that members of a unicast group are asked for with the KEK; 0 where they need no asking. */
  readonly acknowledgement: { readonly plain: number; readonly withTree: number };

  /** Octets of the keys of a key hierarchy; undefined where a KEK of this suite cannot travel by way of one. */
  treeKeyOctets(suite: KekSuite): number | undefined;
  /** Fresh keys for a rekey SA of this suite. */
  newKekKeys(rng: Rng, suite: KekSuite): KekKeys;
  /** What opens the messages of a rekey SA, for export. */
  keyEntry(sa: RekeySa): KeyEntry;

  /** A rekey message under the KEK, as the datagrams it takes. `signer` for a signed one. */
  sealRekey(
    crypto: Crypto,
    sa: RekeySa,
    signer: PrivateKey | undefined,
    update: GroupUpdate,
    sealing: RekeySealing,
  ): readonly Bytes[];
  /**
   * Integrity and signature of a rekey message; what it says is read by `readRekey` once its number is accepted.
   * `assembly`: what earlier fragments under the same SA came to. `nextMessageId`: numbers from there on are new.
   */
  openRekey(
    crypto: Crypto,
    sa: RekeySa,
    message: Bytes,
    assembly: RekeyAssembly | undefined,
    nextMessageId: number,
  ): OpenedRekey;
  /** `path`: the member's Working Key Path. */
  readRekey(
    crypto: Crypto,
    sa: RekeySa,
    payloads: readonly RekeyPayload[],
    path: readonly TreeKey[],
  ): Read<GroupUpdate | Excluded>;

  /** The answer of one member to a pushed rekey; undefined where none is wanted. */
  rekeyAck(crypto: Crypto, sa: RekeySa, answer: RekeyAnswer): Bytes | undefined;
  /**
   * Message ID of the rekey that is acknowledged; undefined for what is no genuine acknowledgement under this SA. `leaf`: of
   * the member that it comes from.
   */
  readRekeyAck(crypto: Crypto, sa: RekeySa, message: Bytes, leaf?: Secret): number | undefined;
}

export interface Dialect extends RekeyProtocol {
  readonly name: DialectName;
  readonly registry: Registry;
  /** Exchange that authenticates and registers at once, and the one that registers in an SA that stands. */
  readonly authExchange: number;
  readonly registrationExchange: number;
  readonly inbandExchange: number;
  /** A group refusal in the authentication exchange is an error notify alone, and the IKE SA is gone with it. */
  readonly refusalEndsSa: boolean;

  /** The key that wraps keys in an IKE SA; undefined where the SA's suite does not serve this dialect. */
  unicastKwk(crypto: Crypto, suite: IkeSuite, skD: Secret): Secret | undefined;

  /** Member to key server, behind IDi and AUTH or in a registration request of its own. */
  registration(registration: Registration): readonly Payload[];
  withdrawal(group: GroupId, notify: number): readonly Payload[];
  readRegistration(payloads: readonly Payload[]): Read<RegistrationIntent>;

  /** Key server to member. */
  grant(crypto: Crypto, kwk: Secret, grant: Grant): readonly Payload[];
  refusal(notify: number): readonly Payload[];
  /** The grant, or the notify with which the key server refused. `sender`: the member had announced itself as one. */
  readGrant(crypto: Crypto, kwk: Secret, payloads: readonly Payload[], sender: boolean): Read<GrantAnswer>;

  prepareInband(update: GroupUpdate): PreparedRekey;
  /** Payloads of a rekey for one member. `group`: named where the IKE SA serves several groups. */
  inbandRekey(crypto: Crypto, kwk: Secret, prepared: PreparedRekey, group?: GroupId): readonly Payload[];
  readInbandRekey(crypto: Crypto, kwk: Secret, payloads: readonly Payload[]): Read<GroupUpdate>;
}

/** The key hierarchy of a rekey leads no way to this member: it is no longer of the group. RFC 9838 section 3.3. */
export interface Excluded {
  readonly excluded: true;
}

export type GrantAnswer =
  | { readonly kind: "granted"; readonly grant: Grant }
  | { readonly kind: "refused"; readonly notify: number };
