/**
 * What a declaration says about itself, as plain data: for whoever has to write a format down in another language, such
 * as the dissector for Wireshark. A codec without a shape cannot be carried over; the ones of this folder that stand in
 * payloads have one.
 */
import type { NumberSpace } from "./kit.ts";

export type Shape =
  /** A number in network order. `isHex`: shown in hexadecimal. */
  | { readonly form: "uint"; readonly width: number; readonly names?: NumberSpace; readonly isHex?: boolean }
  /**
   * `count` octets, or as many as the entry `from` of the scope says; up to the end of the format without either. Octets
   * that stand in `names`, in hexadecimal, are shown with their name.
   */
  | {
      readonly form: "bytes";
      readonly count?: number;
      readonly from?: string;
      readonly names?: ReadonlyMap<string, string>;
    }
  | { readonly form: "address"; readonly size: 4 | 16 }
  | { readonly form: "reserved"; readonly count: number }
  /** Length of the struct around it. */
  | { readonly form: "length"; readonly width: number }
  /** What the entry `#of` of the scope is to be: the size of the field `of`. */
  | { readonly form: "size"; readonly width: number; readonly of: string }
  /** First octet of an element of a chain: 0 on the last one. */
  | { readonly form: "marker"; readonly more: number }
  | {
      readonly form: "struct";
      readonly title: string;
      readonly rfc: string;
      readonly fields: readonly { readonly key: string; readonly label: string; readonly shape: Shape | undefined }[];
    }
  /**
   * Elements of one format: as many as `count` of the scope says, up to a marker of 0 where `isChain`, else up to the end.
   * `isEven`: they share the octets that are left in equal parts.
   */
  | {
      readonly form: "list";
      readonly title: string;
      readonly item: Shape | undefined;
      readonly count?: string;
      readonly isChain?: boolean;
      readonly isEven?: boolean;
    }
  /** The first octet ahead picks one of the table, or with `by` an entry of the scope does. */
  | {
      readonly form: "choice";
      readonly by?: string;
      readonly table: ReadonlyMap<number, Shape | undefined>;
      readonly other: Shape | undefined;
    }
  | { readonly form: "attributes"; readonly rfc: string; readonly table: readonly AttributeShape[] }
  /** Type of the first payload in two octets, two reserved ones, then payloads each with a generic header. */
  | { readonly form: "payloads"; readonly title: string; readonly payloads: PayloadsShape };

/** RFC 7296 section 3.3.5. `tv`: a number in the short form; `either`: that, or a long form; otherwise a long form. */
export interface AttributeShape {
  readonly number: number;
  readonly kind: string;
  readonly value: "tv" | "either" | Shape | undefined;
  readonly names?: NumberSpace;
}

/** What the payload numbers of a chain mean. */
export interface PayloadsShape {
  readonly numbers: NumberSpace;
  readonly bodies: ReadonlyMap<number, { readonly kind: string; readonly shape: Shape | undefined }>;
}
