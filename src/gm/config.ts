/** What a group member is told to do, as plain data. `fromIos.ts` makes it of a router's configuration. */
import type { Endpoint } from "../base/machine.ts";
import type { Micros } from "../base/micros.ts";
import { SECOND } from "../base/micros.ts";
import type { Selector } from "../esp/api.ts";
import type { IsakmpConfig } from "../gdoi/peerCertificates.ts";
import type { GdoiSwitches } from "../gdoi/switches.ts";
import type { DialectChoice } from "../gikev2/dialects.ts";
import type { GroupId } from "../gikev2/groupId.ts";
import type { Capabilities, Registration } from "../gikev2/policy.ts";
import type { EndpointConfig } from "../ikev2/api.ts";

/** Each protocol has its own endpoint; absent: no group needs it. */
export interface GmConfig {
  readonly ike?: EndpointConfig;
  readonly isakmp?: IsakmpConfig;
  readonly groups: readonly GmGroupConfig[];
}

/**
 * How a group is registered with and rekeyed. The G-IKEv2 groups of one member have one dialect: it decides how the
 * payloads of its IKE SAs are read. `profile`: IKEv2 or ISAKMP profile to register with; without one GDOI takes the last of
 * its endpoint, where the global settings are. `switches`: open points of the protocol where they are not to have their
 * defaults.
 */
export type GroupProtocol =
  | ({ readonly kind: "gikev2"; readonly profile: string } & DialectChoice)
  | { readonly kind: "gdoi"; readonly profile?: string; readonly switches?: Partial<GdoiSwitches> };

export type ProtocolKind = GroupProtocol["kind"];

export interface GmGroupConfig {
  /** Local name; the key server knows the group by its identity only. */
  readonly name: string;
  readonly id: GroupId;
  readonly protocol: GroupProtocol;
  /** Where registrations start from; port 848 as a rule. */
  readonly local: Endpoint;
  /** Key servers, most preferred first; at least one. */
  readonly servers: readonly Endpoint[];
  /** Sender-IDs to ask for; undefined: the member does not send. */
  readonly senderIds: number | undefined;
  /** Registrations over IKEv2 ask for a part of the keys; what is held of the other part stays. Absent: for all. */
  readonly want?: Registration["want"];
  /** Traffic in clear by the member's own list, in front of the group's. */
  readonly localBypass: readonly Selector[];
  /** The member's own key management traffic stays in clear (`client bypass-policy`, the default). */
  readonly bypassControl: boolean;
  /** What the member accepts; absent: everything that is implemented, and nothing is announced. */
  readonly capabilities?: Capabilities;
  readonly tuning?: Partial<GmTuning>;
}

/** Habits that no document fixes. */
export interface GmTuning {
  /** Pause after the last server of the list failed, before the first is tried again; a second of jitter at most. */
  readonly retryWait: Micros;
  /** The next TEK is used for sending once the old one has so much life left (IOS: 30 s). */
  readonly rolloverLeft: Micros;
  /** An excluded member waits a random whole number of seconds, from 1 to this, before it registers again. */
  readonly exclusionSecondsMost: number;
  /** Further groups of one key server are registered over the IKE SA that stands, instead of one SA for each. */
  readonly shareSa: boolean;
  /** How long a rekey may be behind the first packet under its keys before it counts as lost. */
  readonly missedRekeyWait: Micros;
  /** Where its TEKs go on for a while: at most this long, or half their shortened life. */
  readonly gentleExclusionMost: Micros;
}

export const GM_TUNING: GmTuning = {
  retryWait: 10 * SECOND,
  rolloverLeft: 30 * SECOND,
  exclusionSecondsMost: 10,
  shareSa: true,
  missedRekeyWait: 2 * SECOND,
  gentleExclusionMost: 60 * SECOND,
};
