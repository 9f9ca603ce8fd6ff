/**
 * The seam between what roles decide and how a dialect of G-IKEv2 writes it down. RFC 9838 and the draft that Cisco ships
 * share exchange and payload numbers but not contents; key servers and members speak through this interface and know
 * nothing of octets. A dialect belongs to the group: its key server and its members use the same one.
 */
import type { Bytes } from "../base/bytes.ts";
import type { Secret } from "../base/secret.ts";
import type { Crypto, PrivateKey, PublicKey } from "../crypto/api.ts";
import type { IkeSuite } from "../ikev2/api.ts";
import type { Payload, Registry } from "../wire/payloads.ts";
import type { GroupId } from "./groupId.ts";
import type { Grant, GroupUpdate, KekKeys, KekSuite, Registration, RekeyAuthentication, TreeKey } from "./policy.ts";
import type { Read } from "./protocolError.ts";

export type DialectName = "rfc9838" | "yeung-07";

/** A rekey SA as both ends hold it: what opens a rekey message and says who may have sent it. */
export interface RekeySa {
  /** 32 hexadecimal digits. */
  readonly spi: string;
  readonly suite: KekSuite;
  readonly keys: KekKeys;
  readonly authentication: RekeyAuthentication;
  readonly publicKey?: PublicKey;
}

/** What a registration request turns out to be. `leave`: the member goes, or cannot use the policy (`notify`). */
export type RegistrationIntent =
  | { readonly kind: "join"; readonly registration: Registration }
  | { readonly kind: "leave"; readonly group: GroupId; readonly notify: number };

/** What is the same in a rekey for every member, encoded once. */
export interface PreparedRekey {
  readonly update: GroupUpdate;
  readonly shared: readonly Payload[];
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

export type OpenedRekey =
  | { readonly kind: "whole"; readonly messageId: number; readonly payloads: readonly Payload[] }
  | { readonly kind: "part"; readonly assembly: RekeyAssembly }
  | { readonly kind: "refused"; readonly reason: RekeyRefusal; readonly problem: string };

export interface RekeySealing {
  readonly messageId: number;
  /** An IV of the cipher's length that was never used under the key; called once for each datagram. */
  readonly nextIv: () => Bytes;
  /** IP packets must not be larger; absent: one datagram, however large. */
  readonly mtu?: number;
}

export interface Dialect {
  readonly name: DialectName;
  readonly registry: Registry;
  /** Exchange that authenticates and registers at once, and the one that registers in an SA that stands. */
  readonly authExchange: number;
  readonly registrationExchange: number;
  /**
   * How a rekey reaches one member: `inband` as a request in its IKE SA, which the response acknowledges; `push` as a
   * message under the KEK with an acknowledgement of its own.
   */
  readonly unicastRekey: "inband" | "push";
  readonly inbandExchange: number;
  /** Message ID of the first rekey under a KEK; the next ones follow without a gap. */
  readonly firstMessageId: number;
  /** All permit entries of a list share one data SA, unless its cipher counts its IVs. */
  readonly sharesDataSa: boolean;
  /** A KEK can travel by way of a key hierarchy. */
  readonly hasKeyHierarchy: boolean;
  /** A rekey that brings a KEK says again how rekeys are authenticated. */
  readonly repeatsAuthentication: boolean;
  /** The key server closes IKE SAs that no rekey will come in; otherwise they stand until their life is over. */
  readonly closesIdleSas: boolean;
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

  /** A rekey message for all members under the KEK, as the datagrams it takes. `signer` for a signed one. */
  sealRekey(
    crypto: Crypto,
    sa: RekeySa,
    signer: PrivateKey | undefined,
    update: GroupUpdate,
    sealing: RekeySealing,
  ): readonly Bytes[];
  /**
   * Integrity and signature of a rekey message; what it says is read by `readRekey` once its number is accepted.
   * `assembly`: what earlier fragments under the same SA came to.
   */
  openRekey(crypto: Crypto, sa: RekeySa, message: Bytes, assembly: RekeyAssembly | undefined): OpenedRekey;
  /** `path`: the member's Working Key Path. */
  readRekey(
    crypto: Crypto,
    sa: RekeySa,
    payloads: readonly Payload[],
    path: readonly TreeKey[],
  ): Read<GroupUpdate | Excluded>;

  /** The answer of one member to a pushed rekey; undefined where the dialect has none. */
  rekeyAck(crypto: Crypto, sa: RekeySa, messageId: number, iv: Bytes): Bytes | undefined;
  /** Message ID of the rekey that is acknowledged; undefined for what is no genuine acknowledgement under this SA. */
  readRekeyAck(crypto: Crypto, sa: RekeySa, message: Bytes): number | undefined;
}

/** The key hierarchy of a rekey leads no way to this member: it is no longer of the group. RFC 9838 section 3.3. */
export interface Excluded {
  readonly excluded: true;
}

export type GrantAnswer =
  | { readonly kind: "granted"; readonly grant: Grant }
  | { readonly kind: "refused"; readonly notify: number };
