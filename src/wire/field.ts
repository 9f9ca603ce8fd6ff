/** The field tree that a dissection yields: what the inspector, `getvpn decode` and the tests read. */
import type { Bytes } from "../base/bytes.ts";

export interface Field {
  readonly label: string;
  /** Octets from the start of the enclosing buffer: the packet, or the `plain` of the nearest ancestor that has one. */
  readonly offset: number;
  readonly length: number;
  /** Value as a person would read it. */
  readonly text: string;
  /** Where the field is defined, such as `RFC 7296 3.3`. */
  readonly rfc?: string;
  /** What is wrong here, where something is. */
  readonly problem?: string;
  /** Decrypted octets of this field, or the packet that it completes as the last fragment. Where present, the children count their offsets from its start. */
  readonly plain?: Bytes;
  readonly children: readonly Field[];
}
