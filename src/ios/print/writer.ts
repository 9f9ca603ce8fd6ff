/** Lines of a running configuration: one blank of indentation a level, and where keys may be seen and where not. */
import { fromUtf8 } from "../../base/bytes.ts";
import { formatIpv4, type Ipv4 } from "../../base/ipv4.ts";
import { printSecret } from "../../base/secret.ts";
import type { TypedKey } from "../model.ts";

export interface PrintOptions {
  /**
   * True: pre-shared keys as typed, and a `crypto key generate rsa` line for each key pair, so that the text makes the
   * same model again. False (default): keys appear as fingerprints, and key pairs, which IOS keeps elsewhere, not at all.
   */
  readonly withKeys?: boolean;
}

/** Inner lines of a block, one blank deeper than its heading. */
export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => ` ${line}`);
}

/** A heading with its inner lines. */
export function block(heading: string, lines: readonly string[]): string[] {
  return [heading, ...indent(lines)];
}

/** The line, unless its value is absent. */
export function optional<T>(value: T | undefined, line: (value: T) => string): string[] {
  return value === undefined ? [] : [line(value)];
}

/** `line` where the condition holds. */
export function when(condition: boolean, line: string): string[] {
  return condition ? [line] : [];
}

/** The line, unless the value is the default, which IOS leaves out. */
export function unless<T>(fallback: T, value: T, line: (value: T) => string): string[] {
  return value === fallback ? [] : [line(value)];
}

/** `MY_KEY`, `6 CIPHERTEXT`, or `<6B#3fa2>` where keys stay hidden: one word in any case. */
export function keyText({ encryption, key }: TypedKey, { withKeys = false }: PrintOptions): string {
  if (!withKeys) return printSecret(key).replace("secret ", "").replace(/\s/g, "");
  const text = fromUtf8(key.secret);
  // A key that reads as an encryption type would be taken for one.
  const marked = encryption === 6 || text === "0" || text === "6";
  return marked ? `${encryption} ${text}` : text;
}

export function pair(address: Ipv4, mask: Ipv4): string {
  return `${formatIpv4(address)} ${formatIpv4(mask)}`;
}
