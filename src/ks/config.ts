/** What a key server is told to do, as plain data. `fromIos.ts` makes it of a router's configuration. */
import type { Endpoint } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { MILLISECOND, SECOND } from "../base/micros.ts";
import type { PrivateKey, SignatureScheme } from "../crypto/api.ts";
import type { Selector } from "../esp/api.ts";
import type { IsakmpConfig } from "../gdoi/peerCertificates.ts";
import type { GdoiSwitches } from "../gdoi/switches.ts";
import type { DialectChoice } from "../gikev2/dialects.ts";
import type { GroupId } from "../gikev2/groupId.ts";
import type { DataSuite, KekSuite } from "../gikev2/policy.ts";
import type { EndpointConfig } from "../ikev2/api.ts";
import type { Authorization } from "./authorization.ts";
import type { Retransmit } from "./schedule.ts";

export interface KsConfig {
  /** Source of everything that the key server sends; port 848 as a rule. */
  readonly local: Endpoint;
  /** For members of G-IKEv2, where there are groups that serve them. */
  readonly ike?: EndpointConfig;
  /** The same for GDOI. */
  readonly isakmp?: IsakmpConfig;
  readonly groups: readonly KsGroupConfig[];
}

export interface KsGroupConfig {
  /** Local name; members know the group by its identity only. */
  readonly name: string;
  readonly id: GroupId;
  /** Protocols of the members, at least one: all of them share the TEKs, and each protocol has a KEK of its own. */
  readonly gikev2?: GikeService;
  readonly gdoi?: GdoiService;
  readonly transport:
    | { readonly kind: "unicast" }
    | { readonly kind: "multicast"; readonly source: Endpoint; readonly destination: Endpoint };
  readonly kek: {
    readonly lifetimeSeconds: number;
    /** Absent: rekeys are authenticated by the possession of the KEK alone (RFC 9838 advises against it, GDOI has no such). */
    readonly signer?: Signer;
  };
  /** `sa ipsec N` in order of their numbers. */
  readonly dataSas: readonly DataSaConfig[];
  readonly mode: "tunnel" | "transport";
  readonly retransmit: Retransmit;
  readonly tuning?: Partial<KsTuning>;
  /** Length of Sender-IDs for counter-mode ciphers: 8, 12, 16, 24 (default) or 32. */
  readonly senderIdBits?: number;
  /** Sender-IDs that this key server may give out; default: all of that length. Key servers of one group share no ID. */
  readonly senderIds?: { readonly first: number; readonly count: number };
  /** Activation and deactivation delay that members are told; absent: none. */
  readonly atdSeconds?: number;
  readonly dtdSeconds?: number;
}

export type ProtocolKind = "gikev2" | "gdoi";

export interface GikeService extends DialectChoice {
  /** IKEv2 profile that a member must have matched: its statements say who may join. */
  readonly profile: string;
  readonly kekSuite: KekSuite;
}

export interface GdoiService {
  /** Open points of RFC 6407 and RFC 8263 where they are not to have their defaults. */
  readonly switches?: Partial<GdoiSwitches>;
  /** A CBC cipher alone; the suite of `kekSuite` in the room of GDOI. */
  readonly kekSuite: KekSuite;
  /** Who may join; absent: whoever has authenticated. */
  readonly authorization?: Authorization;
}

/** What rekeys are signed with. */
export interface Signer {
  readonly key: PrivateKey;
  readonly scheme: SignatureScheme;
}

/** One `sa ipsec`: its entries have a data SA each where they permit, and exempt traffic where they deny. */
export interface DataSaConfig {
  readonly number: number;
  readonly lifetimeSeconds: number;
  readonly suite: DataSuite;
  /** RFC 9827: 2 for SAs with several senders. */
  readonly sequenceNumbers: number;
  readonly entries: readonly { readonly action: "permit" | "deny"; readonly selector: Selector }[];
}

/** Habits that no document fixes, or on which documents disagree. */
export interface KsTuning {
  /** Unicast rekeys that leave at once, and the pause after them; a size of 0 sends all at once. */
  readonly batchSize: number;
  readonly batchPause: Micros;
  /**
   * A member that stays silent is deleted after so many transmissions in a row (what Cisco's lesson says) or after so
   * many rekeys in a row, each with all its copies (what Cisco's guide says).
   */
  readonly ejectAfter: { readonly unit: "transmission" | "rekey"; readonly count: number };
  /** IKE SAs of a multicast group are closed this long after registration (RFC 9838 section 2.3.3; not draft-yeung). */
  readonly idleClose: Micros;
  /** The same for IKE SAs whose member was refused. */
  readonly refusedClose: Micros;
  /** Members tell a lost rekey by traffic or rekeys with an SPI that was announced (GSA_NEXT_SPI); multicast groups only. */
  readonly announceNextSpi: boolean;
  /**
   * `lkh`: members whose rekeys travel under the KEK hold keys of a tree, so that one of them can be put out by one message
   * to all others. `none`: that takes a new registration of all others. RFC 9838 section 3.2.2, RFC 6407 section 5.6.3.
   */
  readonly keyTree: "none" | "lkh";
  /** Sender-IDs that one registration gets at most. */
  readonly senderIdsMost: number;
  /** Members beyond this number are refused with REGISTRATION_FAILED. */
  readonly membersMost: number;
}

export const KS_TUNING: KsTuning = {
  batchSize: 50,
  batchPause: 100 * MILLISECOND,
  ejectAfter: { unit: "transmission", count: 3 },
  idleClose: 60 * SECOND,
  refusedClose: 10 * SECOND,
  announceNextSpi: false,
  keyTree: "none",
  senderIdsMost: 16,
  membersMost: 1_000_000,
};

export const SENDER_ID_BITS = 24;
