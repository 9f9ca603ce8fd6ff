/** Pieces of text that several views share. */
import type { GroupTypeText, ReplayView, TransformView } from "./views.ts";

/** `GDOI` software levels that this program has the features of. */
export const VERSIONS = { server: "1.0.27", member: "1.0.26", coop: "1.0.8" } as const;

/** `    Group Name               : g`: the label is padded to `width`, blanks before it not counted. */
export function field(indent: number, label: string, width: number, value: string | number): string {
  return `${" ".repeat(indent)}${label.padEnd(width)}: ${value}`;
}

export function lines(...parts: readonly (string | readonly string[])[]): string {
  return parts
    .flat()
    .map((line) => `${line}\n`)
    .join("");
}

export function enabled(on: boolean): "Enabled" | "Disabled" {
  return on ? "Enabled" : "Disabled";
}

/** `0x8AF09BD1`. */
export function hexSpi(spi: string): string {
  return `0x${spi.toUpperCase()}`;
}

/** `0x8AF09BD1(2331024337)`. */
export function longSpi(spi: string): string {
  return `${hexSpi(spi)}(${Number.parseInt(spi, 16)})`;
}

/** Octets of a key for an HMAC. */
const HASH_OCTETS: Readonly<Record<string, number>> = { md5: 16, sha: 20, sha256: 32, sha384: 48, sha512: 64 };

export function hashOctets(hash: string | undefined): number {
  return hash === undefined ? 0 : (HASH_OCTETS[hash] ?? 0);
}

/** `esp-256-aes esp-sha256-hmac`, `esp-aes esp-sha-hmac`, `esp-gcm 256`. */
export function transformText({ cipher, keyBits, hash }: TransformView): string {
  const integrity = hash === undefined ? "" : ` esp-${hash}-hmac`;
  if (keyBits === 0 || keyBits === 128) return cipher + integrity;
  if (cipher === "esp-aes") return `esp-${keyBits}-aes${integrity}`;
  return cipher === "esp-gcm" || cipher === "esp-gmac" ? `${cipher} ${keyBits}${integrity}` : cipher + integrity;
}

/** Key octets of the cipher, without salt. */
export function keyOctets({ cipher, keyBits }: TransformView): number {
  const fixed: Readonly<Record<string, number>> = { "esp-3des": 24, "esp-des": 8, "esp-null": 0 };
  return fixed[cipher] ?? keyBits / 8;
}

/** Octets in hexadecimal as words of 8 digits, so many on a line: `30820122 300D0609`. */
export function hexWords(hex: string, perLine: number): string[] {
  const words = hex.toUpperCase().match(/.{1,8}/g) ?? [];
  return words.flatMap((_, i) => (i % perLine === 0 ? [words.slice(i, i + perLine).join(" ")] : []));
}

export function encapsText(mode: "tunnel" | "transport"): string {
  return mode === "tunnel" ? "ENCAPS_TUNNEL" : "ENCAPS_TRANSPORT";
}

/** `Counter/64`, `Time/3 sec`, `None/0`. */
export function replayShort(replay: ReplayView): string {
  switch (replay.method) {
    case "counter":
      return `Counter/${replay.window}`;
    case "time":
      return `Time/${replay.seconds} sec`;
    case "none":
      return "None/0";
  }
}

export function directionText(isReceiveOnly: boolean): string {
  return isReceiveOnly ? "Inbound Only" : "Both";
}

/** `01:02:03`. */
export function clockText(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

/** Handles count up from here, in the order of the groups. */
export const FIRST_HANDLE = 0x40000002;

export function handleText(index: number): string {
  return `0x${(FIRST_HANDLE + index).toString(16).toUpperCase()}`;
}

export function typeText(gdoi: boolean, gikev2: boolean): GroupTypeText {
  if (gdoi && gikev2) return "GDOI (ISAKMP) & G-IKEv2 (IKEv2)";
  return gikev2 ? "G-IKEv2 (IKEv2)" : "GDOI (ISAKMP)";
}
