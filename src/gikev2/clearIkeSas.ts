/** What `clear crypto ikev2 sa`, `clear crypto isakmp` and `clear crypto session` mean to a role. */
import type { SaChoice } from "../base/saChoice.ts";

/**
 * Deletes IKE SAs, and says so to their peers. Keys that were agreed or handed out over them stay, but for Child SAs, which
 * end with their IKE SA, and for members that are rekeyed in it. The next registration or tunnel makes another one.
 */
export interface ClearIkeSas extends SaChoice {
  readonly name: "clearIkeSas";
  /** Absent: of both. */
  readonly version?: "ikev1" | "ikev2";
}
