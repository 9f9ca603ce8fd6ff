/** A good session, recorded datagram by datagram with the state of the receiver: what the campaign mutates. */
import type { Datagram } from "../../src/base/machine.ts";
import type { Micros } from "../../src/base/micros.ts";
import type { KeyEntry } from "../../src/crypto/keyEntry.ts";
import type { Tools } from "../../src/ikev2/api.ts";

/** `gdoiKs`, `gdoiGm`: the same machines as `ks` and `gm`, as far as they speak GDOI. */
export type Role =
  | "ks"
  | "gm"
  | "gdoiKs"
  | "gdoiGm"
  | "ike"
  | "isakmp"
  | "push"
  | "ack"
  | "certificate"
  | "authority"
  | "crl";

export interface Recording {
  readonly session: string;
  readonly role: Role;
  readonly exchange: number;
  readonly response: boolean;
  readonly datagram: Datagram;
  readonly now: Micros;
  /** A copy of its own: every case starts from a copy of this. */
  readonly state: unknown;
  readonly tools: Tools;
  /** Keys of the session, to mutate what is inside the encryption. */
  readonly keys: readonly KeyEntry[];
}
