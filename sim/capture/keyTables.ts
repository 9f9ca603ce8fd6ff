/**
 * The keys of a run as a Wireshark configuration folder, so that `WIRESHARK_CONFIG_DIR=keys tshark -r capture.pcapng`
 * decrypts IKE and ESP, and the way back.
 *
 * | file | content |
 * |---|---|
 * | `ikev2_decryption_table` | one row per IKE SA and per rekey SA |
 * | `esp_sa` | one row per SA of the data plane |
 * | `ikev1_decryption_table` | one row per SA of IKEv1, where there are any |
 * | `preferences` | ESP is decrypted and its ICV checked |
 * | `decode_as_entries` | UDP 848 is IKE |
 * | `getvpn_keys` | every entry in full, KEKs of GDOI too, for our own tools and our dissector |
 */
import { type Bytes, EMPTY, fromHex, toHex } from "../../src/base/bytes.ts";
import { type Secret, secret } from "../../src/base/secret.ts";
import type { EspKeyEntry, GdoiKeyEntry, IkeKeyEntry, Ikev1KeyEntry, KeyEntry } from "../../src/crypto/keyEntry.ts";
import { type CsvRow, csvQuoted, csvRows } from "./csv.ts";
import {
  type CipherName,
  ESP_CIPHERS,
  ESP_INTEGRITIES,
  IKE_CIPHERS,
  IKE_INTEGRITIES,
  type IntegrityName,
} from "./wiresharkNames.ts";

const IKE_TABLE = "ikev2_decryption_table";
const ESP_TABLE = "esp_sa";
const IKEV1_TABLE = "ikev1_decryption_table";
const OWN_TABLE = "getvpn_keys";

const FIXED_FILES: readonly (readonly [string, string])[] = [
  ["preferences", "esp.enable_encryption_decode: TRUE\nesp.enable_authentication_check: TRUE\n"],
  ["decode_as_entries", "decode_as_entry: udp.port,848,(none),ISAKMP\n"],
];

export interface KeyTables {
  /** File name to text. */
  readonly files: ReadonlyMap<string, string>;
  /** Entries whose algorithms Wireshark does not know; they stand in `getvpn_keys` only. */
  readonly unsupported: readonly KeyEntry[];
}

/**
 * Writes the folder, rows in the order of the entries. Entries that say the same, such as those of all members that hold
 * one rekey SA, become one row.
 */
export function writeKeyTables(entries: readonly KeyEntry[]): KeyTables {
  const rows = { ike: new Set<string>(), esp: new Set<string>(), ikev1: new Set<string>() };
  const own = new Set<string>();
  const unsupported: KeyEntry[] = [];
  for (const entry of entries) {
    const line = JSON.stringify(ownForm(entry));
    if (own.has(line)) continue;
    own.add(line);
    // Wireshark has no table for the KEK of a GDOI group; the dissector that goes with the folder reads ours.
    if (entry.kind === "gdoi") continue;
    const row = rowOf(entry);
    if (row === undefined) unsupported.push(entry);
    else rows[entry.kind].add(row);
  }
  const files = new Map<string, string>([
    [IKE_TABLE, lines(rows.ike)],
    [ESP_TABLE, lines(rows.esp)],
    [OWN_TABLE, lines(own)],
    ...FIXED_FILES,
  ]);
  if (rows.ikev1.size > 0) files.set(IKEV1_TABLE, lines(rows.ikev1));
  return { files, unsupported };
}

export interface KeyTableProblem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly message: string;
}

/**
 * Reads a folder back: `getvpn_keys` where it is there, else Wireshark's own tables, which hold neither SK_d nor the PRF.
 * Rows that cannot be read are passed over and listed.
 */
export function readKeyTables(files: ReadonlyMap<string, string>): {
  readonly entries: readonly KeyEntry[];
  readonly problems: readonly KeyTableProblem[];
} {
  const entries: KeyEntry[] = [];
  const problems: KeyTableProblem[] = [];
  const read = (file: string, rows: Iterable<CsvRow>, entryOf: (row: CsvRow) => KeyEntry | string): void => {
    for (const row of rows) {
      const entry = entryOf(row);
      if (typeof entry === "string") problems.push({ file, line: row.line, message: entry });
      else entries.push(entry);
    }
  };
  const own = files.get(OWN_TABLE);
  if (own !== undefined) {
    const rows = own.split("\n").map((text, index) => ({ line: index + 1, cells: [text] }));
    read(
      OWN_TABLE,
      rows.filter(({ cells }) => cells[0]!.trim() !== ""),
      ownEntry,
    );
  } else {
    read(IKE_TABLE, csvRows(files.get(IKE_TABLE) ?? ""), ikeEntry);
    read(ESP_TABLE, csvRows(files.get(ESP_TABLE) ?? ""), espEntry);
    read(IKEV1_TABLE, csvRows(files.get(IKEV1_TABLE) ?? ""), ikev1Entry);
  }
  return { entries, problems };
}

function lines(rows: Iterable<string>): string {
  return [...rows].map((row) => `${row}\n`).join("");
}

function cipherName(table: readonly CipherName[], encr: number, keyBits: number): string | undefined {
  return table.find((row) => row.encr === encr && (row.keyBits ?? keyBits) === keyBits)?.name;
}

function integrityName(table: readonly IntegrityName[], integ: number): string | undefined {
  return table.find((row) => row.integ === integ)?.name;
}

/** Undefined where Wireshark does not know an algorithm of the entry. */
function rowOf(entry: Exclude<KeyEntry, GdoiKeyEntry>): string | undefined {
  if (entry.kind === "ike") return ikeRow(entry);
  return entry.kind === "esp" ? espRow(entry) : ikev1Row(entry);
}

function ikev1Row(entry: Ikev1KeyEntry): string {
  return `${entry.cookieInitiator},${hex(entry.encrKey)}`;
}

function ikeRow(entry: IkeKeyEntry): string | undefined {
  const cipher = cipherName(IKE_CIPHERS, entry.encr, entry.encrKeyBits);
  const integrity = integrityName(IKE_INTEGRITIES, entry.integ);
  if (cipher === undefined || integrity === undefined) return undefined;
  const { spiInitiator, spiResponder } = entry;
  const encr = [hex(entry.encrInitiator), hex(entry.encrResponder)];
  const integ = [hex(entry.integInitiator), hex(entry.integResponder)];
  return [spiInitiator, spiResponder, ...encr, csvQuoted(cipher), ...integ, csvQuoted(integrity)].join(",");
}

function espRow(entry: EspKeyEntry): string | undefined {
  const cipher = cipherName(ESP_CIPHERS, entry.encr, entry.encrKeyBits);
  const integrity = integrityName(ESP_INTEGRITIES, entry.integ);
  if (cipher === undefined || integrity === undefined) return undefined;
  const family = `${entry.source}${entry.destination}`.includes(":") ? "IPv6" : "IPv4";
  const key = (value: Secret) => (value.secret.length === 0 ? "" : `0x${hex(value)}`);
  const cells = [family, entry.source, entry.destination, `0x${entry.spi}`, cipher, key(entry.encrKey)];
  return [...cells, integrity, key(entry.integKey)].map(csvQuoted).join(",");
}

function ikeEntry({ cells }: CsvRow): KeyEntry | string {
  if (cells.length !== 8) return `8 columns expected, ${cells.length} found`;
  const [spiInitiator, spiResponder] = cells.slice(0, 2).map((cell) => cell.replace(/^0x/i, "").toLowerCase());
  if (!isHex(spiInitiator!, 8) || !isHex(spiResponder!, 8)) return "SPIs of 16 hexadecimal digits expected";
  const keys = [2, 3, 5, 6].map((index) => octets(cells[index]!));
  if (keys.some((key) => key === undefined)) return "keys in hexadecimal expected";
  const cipher = IKE_CIPHERS.find(({ name }) => name === cells[4]);
  const integrity = IKE_INTEGRITIES.find(({ name }) => name === cells[7]);
  if (cipher === undefined) return `unknown cipher ${cells[4]}`;
  if (integrity === undefined) return `unknown integrity ${cells[7]}`;
  const [encrInitiator, encrResponder, integInitiator, integResponder] = keys.map((key) => secret(key!));
  return {
    kind: "ike",
    spiInitiator: spiInitiator!,
    spiResponder: spiResponder!,
    encr: cipher.encr,
    encrKeyBits: cipher.keyBits ?? 0,
    integ: integrity.integ,
    encrInitiator: encrInitiator!,
    encrResponder: encrResponder!,
    integInitiator: integInitiator!,
    integResponder: integResponder!,
  };
}

function espEntry({ cells }: CsvRow): KeyEntry | string {
  if (cells.length !== 8) return `8 columns expected, ${cells.length} found`;
  const [, source, destination, spiText, cipherText, encrText, integrityText, integText] = cells as string[];
  const spi = spiText!.replace(/^0x/i, "").toLowerCase().padStart(8, "0");
  if (!isHex(spi, 4)) return "an SPI of up to 8 hexadecimal digits expected";
  const encrKey = octets(encrText!);
  const integKey = octets(integText!);
  if (encrKey === undefined || integKey === undefined) return "keys in hexadecimal expected";
  const cipher = ESP_CIPHERS.find(({ name }) => name === cipherText);
  const integrity = ESP_INTEGRITIES.find(({ name }) => name === integrityText);
  if (cipher === undefined) return `unknown cipher ${cipherText}`;
  if (integrity === undefined) return `unknown integrity ${integrityText}`;
  return {
    kind: "esp",
    spi,
    source: source!,
    destination: destination!,
    encr: cipher.encr,
    encrKeyBits: cipher.keyBits ?? 8 * Math.max(0, encrKey.length - cipher.salt),
    integ: integrity.integ,
    encrKey: secret(encrKey),
    integKey: secret(integKey),
  };
}

function ikev1Entry({ cells }: CsvRow): KeyEntry | string {
  if (cells.length !== 2) return `2 columns expected, ${cells.length} found`;
  const cookieInitiator = cells[0]!.replace(/^0x/i, "").toLowerCase();
  if (!isHex(cookieInitiator, 8)) return "a cookie of 16 hexadecimal digits expected";
  const key = octets(cells[1]!);
  if (key === undefined || key.length === 0) return "a key in hexadecimal expected";
  return { kind: "ikev1", cookieInitiator, encrKey: secret(key) };
}

/** Names of the fields that hold keys; every other field is a string or a number. */
const SECRETS = ["encrInitiator", "encrResponder", "integInitiator", "integResponder", "skD", "encrKey", "integKey"];
const TEXTS = {
  ike: ["spiInitiator", "spiResponder"],
  esp: ["spi", "source", "destination"],
  ikev1: ["cookieInitiator"],
  gdoi: ["spi"],
} as const;
const NUMBERS = {
  ike: ["encr", "encrKeyBits", "integ"],
  esp: ["encr", "encrKeyBits", "integ"],
  ikev1: [],
  gdoi: ["algorithm"],
} as const;
const DIALECTS: ReadonlySet<unknown> = new Set(["rfc9838", "yeung-07"]);
const KEYS = {
  ike: ["encrInitiator", "encrResponder", "integInitiator", "integResponder"],
  esp: ["encrKey", "integKey"],
  ikev1: ["encrKey"],
  gdoi: ["encrKey"],
} as const;

/** The entry with its keys in hexadecimal. */
function ownForm(entry: KeyEntry): Readonly<Record<string, unknown>> {
  const form = Object.entries(entry).filter(([, value]) => value !== undefined);
  return Object.fromEntries(form.map(([name, value]) => [name, SECRETS.includes(name) ? hex(value as Secret) : value]));
}

function ownEntry({ cells }: CsvRow): KeyEntry | string {
  let value: unknown;
  try {
    value = JSON.parse(cells[0]!);
  } catch {
    return "no JSON";
  }
  if (typeof value !== "object" || value === null) return "no JSON object";
  const found = value as Readonly<Record<string, unknown>>;
  const { kind } = found;
  if (kind !== "ike" && kind !== "esp" && kind !== "ikev1" && kind !== "gdoi") {
    return "kind `ike`, `esp`, `ikev1` or `gdoi` expected";
  }
  const entry: Record<string, unknown> = { kind };
  for (const name of TEXTS[kind]) {
    if (typeof found[name] !== "string") return `${name}: text expected`;
    entry[name] = found[name];
  }
  const hasSkD = kind === "ike" && found.skD !== undefined;
  for (const name of hasSkD ? [...NUMBERS[kind], "prf"] : NUMBERS[kind]) {
    if (!Number.isSafeInteger(found[name])) return `${name}: whole number expected`;
    entry[name] = found[name];
  }
  for (const name of hasSkD ? [...KEYS[kind], "skD"] : KEYS[kind]) {
    const key = typeof found[name] === "string" ? octets(found[name]) : undefined;
    if (key === undefined) return `${name}: hexadecimal digits expected`;
    entry[name] = secret(key);
  }
  if (kind === "ike" && DIALECTS.has(found.dialect)) entry.dialect = found.dialect;
  return entry as unknown as KeyEntry;
}

function hex(value: Secret): string {
  return toHex(value.secret);
}

function isHex(text: string, count: number): boolean {
  return text.length === 2 * count && /^[0-9a-f]*$/.test(text);
}

/** Key octets of a table cell, with or without `0x`; undefined where the cell holds anything else. */
function octets(cell: string): Bytes | undefined {
  const digits = cell.replace(/^0x/i, "");
  if (digits === "") return EMPTY;
  return digits.length % 2 === 0 && /^[0-9a-fA-F]+$/.test(digits) ? fromHex(digits) : undefined;
}
