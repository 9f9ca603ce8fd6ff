/**
 * The same registration and the same rekey in both dialects of G-IKEv2, octet by octet and side by side, as the field trees
 * of our own dissector tell them. One member, one key server, one seed: only the dialect differs.
 */
import { keyRing } from "../../sim/capture/keyRing.ts";
import { type Bytes, toHex } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import { native } from "../../src/crypto/native.ts";
import type { DialectName } from "../../src/gikev2/dialect.ts";
import type { Field } from "../../src/wire/field.ts";
import { dissectIke } from "../../src/wire/ikeMessage.ts";
import { RFC9838, YEUNG07 } from "../../src/wire/payloads.ts";
import {
  commandKs,
  createNetwork,
  gike,
  gikev2,
  MULTICAST,
  type Network,
  runUntil,
  startAll,
  type Wire,
} from "../gm/network.ts";

const CBC = { encr: 12, encrKeyBits: 256, integ: 12 };

const DIALECTS: readonly DialectName[] = ["rfc9838", "yeung-07"];
const HEADS: Readonly<Record<DialectName, string>> = {
  rfc9838: "RFC 9838",
  "yeung-07": "Cisco (draft-yeung-g-ikev2-07)",
};

function session(dialect: DialectName): Network {
  const net = createNetwork({
    members: 1,
    seed: "dialects",
    group: { gikev2: gike({ dialect, kekSuite: { ...CBC, kwa: 3 } }), transport: MULTICAST, dtdSeconds: 90 },
    member: () => ({ protocol: gikev2({ dialect }) }),
  });
  startAll(net);
  runUntil(net, 10 * SECOND);
  commandKs(net, { name: "rekey", group: "GROUP", replaceNow: false });
  runUntil(net, 11 * SECOND);
  return net;
}

/** Blocks by name: what stands between the marks of the page. */
export function dialectComparison(): ReadonlyMap<string, string> {
  const sessions = DIALECTS.map((dialect) => ({ dialect, net: session(dialect) }));
  const block = (pick: (wire: Wire) => boolean): string => {
    const columns = sessions.map(({ dialect, net }) => payloadsOf(net, dialect, net.wire.find(pick)!));
    return sideBySide(columns[0]!, columns[1]!);
  };
  return new Map([
    ["offer", block(({ exchange, response }) => exchange === 34 && !response)],
    ["request", block(({ exchange, response }) => exchange === 39 && !response)],
    ["answer", block(({ exchange, response }) => exchange === 39 && response)],
    ["rekey", block(({ exchange }) => exchange === 41)],
  ]);
}

interface PayloadRows {
  readonly title: string;
  readonly rows: readonly string[];
}

/** Payloads in clear, and those inside of the encrypted payload. */
function payloadsOf(net: Network, dialect: DialectName, wire: Wire): readonly PayloadRows[] {
  const registry = dialect === "yeung-07" ? YEUNG07 : RFC9838;
  const root = dissectIke(wire.octets, registry, keyRing(native, net.keys).openIke);
  return root.children.flatMap((field) => {
    const sealed = find(field, ({ plain }) => plain !== undefined);
    if (sealed === undefined) return [rowsOfPayload(field, wire.octets)];
    const inner = sealed.children.filter(({ label }) => label.endsWith("payload"));
    const title = `${field.label}, ${field.length} octets; inside of it:`;
    return [{ title, rows: [] }, ...inner.map((one) => rowsOfPayload(one, sealed.plain!))];
  });
}

function find(field: Field, test: (field: Field) => boolean): Field | undefined {
  if (test(field)) return field;
  for (const child of field.children) {
    const found = find(child, test);
    if (found !== undefined) return found;
  }
  return undefined;
}

function rowsOfPayload(field: Field, octets: Bytes): PayloadRows {
  return {
    title: `${field.label}, ${field.length} octets`,
    rows: field.children.flatMap((one) => rowsOf(one, octets, 1)),
  };
}

/** A small field is one line, a large one a line for each of its parts. */
const SMALL = 16;

function rowsOf(field: Field, octets: Bytes, depth: number): string[] {
  const parts = field.children.filter(({ length }) => length > 0);
  const isSmall = field.length <= SMALL && parts.every(({ children }) => children.length === 0);
  if (parts.length === 0 || isSmall) return [row(field, octets, depth)];
  const head = `${" ".repeat(HEX + 6)}${"  ".repeat(depth - 1)}${field.label}`;
  return [cut(head), ...parts.flatMap((part) => rowsOf(part, octets, depth + 1))];
}

const HEX = 24;
const WIDTH = 78;

/** Offset in the payload's buffer, octets, name and value. */
function row(field: Field, octets: Bytes, depth: number): string {
  const value = field.text === "" ? (field.children.at(-1)?.text ?? "") : field.text;
  const shown = toHex(octets.subarray(field.offset, field.offset + field.length));
  const hex = shown.length <= HEX ? shown : `${shown.slice(0, HEX - 6)}.. ${field.length}`.padEnd(HEX);
  const isHex = /^[0-9a-f]{9,}$/.test(value);
  const text = isHex || value === "" ? field.label : `${field.label}: ${value}`;
  return cut(`${String(field.offset).padStart(4)}  ${hex.padEnd(HEX)}${"  ".repeat(depth - 1)}${text}`);
}

function cut(line: string): string {
  return line.length <= WIDTH ? line : `${line.slice(0, WIDTH - 2)}..`;
}

/** Payloads of the same name face each other, in the order of the first column. */
function sideBySide(left: readonly PayloadRows[], right: readonly PayloadRows[]): string {
  const lines: string[] = [HEADS.rfc9838.padEnd(WIDTH) + BETWEEN + HEADS["yeung-07"]];
  const rest = [...right];
  const nameOf = ({ title }: PayloadRows) => title.split(",")[0];
  for (const one of left) {
    const index = rest.findIndex((other) => nameOf(other) === nameOf(one));
    const other = index < 0 ? undefined : rest.splice(index, 1)[0];
    lines.push(...facing(one, other));
  }
  for (const one of rest) lines.push(...facing(undefined, one));
  return lines.map((line) => line.trimEnd()).join("\n");
}

const BETWEEN = " | ";

function facing(left: PayloadRows | undefined, right: PayloadRows | undefined): string[] {
  const a = left === undefined ? [] : [left.title, ...left.rows];
  const b = right === undefined ? [] : [right.title, ...right.rows];
  return Array.from(
    { length: Math.max(a.length, b.length) },
    (_, i) => (a[i] ?? "").padEnd(WIDTH) + BETWEEN + (b[i] ?? ""),
  );
}
