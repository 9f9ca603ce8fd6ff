/**
 * What a Wireshark configuration folder needs besides keys to show G-IKEv2 and GDOI: a dissector, made of the declarations
 * of `src/wire` and four pieces of Lua beside this file, and colours.
 */
import { DES_TABLES } from "../../../src/crypto/des.ts";
import { IkeHeader } from "../../../src/wire/ikeMessage.ts";
import { TRANSFORM_IDS } from "../../../src/wire/ikev2.ts";
import { Exchange, PayloadType, TransformType } from "../../../src/wire/ikev2Numbers.ts";
import { payloadsShape } from "../../../src/wire/isakmpChain.ts";
import { GdoiHeader, IsakmpHeader } from "../../../src/wire/isakmpMessage.ts";
import { GdoiExchange } from "../../../src/wire/isakmpNumbers.ts";
import { GDOI, ISAKMP } from "../../../src/wire/isakmpPayloads.ts";
import { type Registry, RFC9838, YEUNG07 } from "../../../src/wire/payloads.ts";
import type { PayloadsShape } from "../../../src/wire/shape.ts";
import ciphers from "./ciphers.lua?raw";
import {
  addField,
  type FormatWriter,
  fieldLines,
  formatCode,
  formatWriter,
  namesCode,
  payloadsCode,
} from "./luaFormats.ts";
import { type LuaValue, luaTable, luaText } from "./luaText.ts";
import plugin from "./plugin.lua?raw";
import reader from "./reader.lua?raw";
import { roundConstants, startWords } from "./roundConstants.ts";
import sessions from "./sessions.lua?raw";

const ROOT = "getvpn";

/** File name to text; names may hold a folder. The texts hold no keys and are the same for every run. */
export function wiresharkProfile(): ReadonlyMap<string, string> {
  return new Map([
    ["plugins/getvpn.lua", dissectorText()],
    ["colorfilters", coloursText()],
  ]);
}

function dissectorText(): string {
  const writer = formatWriter();
  const tables = [
    ["formats", formatTables(writer)],
    ["sets", setTables(writer)],
    ["exchanges", exchangeTables(writer)],
    ["transformIds", new Map([...TRANSFORM_IDS].map(([type, space]) => [type, namesCode(writer, space)]))],
    ["transformTypes", namesCode(writer, TransformType.space)],
    ["constants", constants()],
  ] as const;
  addCommonFields(writer);
  const { GSA, KD } = PayloadType;
  const { GSA_AUTH, GSA_INBAND_REKEY } = Exchange;
  return [
    "-- Dissector for G-IKEv2 (RFC 9838, draft-yeung-g-ikev2) and GDOI (RFC 6407), written by getvpn-sim.",
    ...writer.lines,
    ...tables.map(([name, value]) => `local ${name} = ${luaText(value)}`),
    ...Object.entries({ GSA, KD, GSA_AUTH, GSA_INBAND_REKEY }).map(([name, value]) => `local ${name} = ${value}`),
    `local proto = Proto(${luaText(ROOT)}, "Group VPN (G-IKEv2, GDOI)")`,
    "local fields = {}",
    ...fieldLines(writer),
    "for _, field in pairs(fields) do table.insert(proto.fields, field) end",
    moduleText("reader", reader),
    moduleText("ciphers", ciphers),
    moduleText("sessions", sessions),
    `\n${plugin}`,
  ].join("\n");
}

/** The ciphers and hashes of the dissector alone, as the local `ciphers`. */
export function cipherScript(): string {
  return `local constants = ${luaText(constants())}\n${moduleText("ciphers", ciphers)}`;
}

/** A piece of Lua that returns a table, as a local of that name. */
function moduleText(name: string, text: string): string {
  return `\nlocal ${name} = (function()\n${text.trimEnd()}\nend)()`;
}

function formatTables(writer: FormatWriter): LuaValue {
  const header = ({ shape }: typeof IkeHeader | typeof IsakmpHeader) => formatCode(writer, shape, ROOT, "", "Header");
  return luaTable({
    ikeHeader: header(IkeHeader),
    isakmpHeader: header(IsakmpHeader),
    gdoiHeader: header(GdoiHeader),
  });
}

function setTables(writer: FormatWriter): LuaValue {
  const sealed = [PayloadType.SK, PayloadType.SKF];
  return new Map<string, LuaValue>([
    ["rfc9838", payloadsCode(writer, registryShape(RFC9838), ROOT, sealed, false)],
    ["yeung-07", payloadsCode(writer, registryShape(YEUNG07), ROOT, sealed, false)],
    ["isakmp", payloadsCode(writer, payloadsShape(ISAKMP), ROOT, [], true)],
    ["gdoi", payloadsCode(writer, payloadsShape(GDOI), ROOT, [], true)],
  ]);
}

function registryShape({ byNumber }: Registry): PayloadsShape {
  const bodies = [...byNumber].map(([number, { kind, codec }]) => [number, { kind, shape: codec.shape }] as const);
  return { numbers: PayloadType.space, bodies: new Map(bodies) };
}

function exchangeTables(writer: FormatWriter): LuaValue {
  return luaTable({
    ike: namesCode(writer, Exchange.space),
    isakmp: namesCode(writer, ISAKMP.exchanges),
    gdoi: namesCode(writer, GDOI.exchanges),
  });
}

function constants(): LuaValue {
  const { IP, P, PC1, PC2, SHIFTS, BOXES } = DES_TABLES;
  return luaTable({
    rounds: roundConstants(),
    sha512: startWords("sha512"),
    sha384: startWords("sha384"),
    des: luaTable({ IP, P, PC1, PC2, SHIFTS, BOXES }),
  });
}

/** Fields that belong to no declaration. */
function addCommonFields(writer: FormatWriter): void {
  const add = (name: string, type: Parameters<typeof addField>[2], label: string) =>
    addField(writer, `${ROOT}.${name}`, type, label);
  add("payload", "none", "Payload of an unknown type");
  add("data", "bytes", "Data");
  add("next_payload", "uint8", "Next payload");
  add("critical", "uint8", "Critical and reserved");
  add("payload_length", "uint16", "Payload length");
  add("reserved", "bytes", "Reserved");
  add("attribute", "none", "Attribute");
  add("attribute.type", "uint16", "Type");
  add("attribute.length", "uint16", "Length");
  add("attribute.value", "bytes", "Value");
  add("sk", "none", "SK payload");
  add("skf", "none", "SKF payload");
  add("skf.fragment_number", "uint16", "Fragment number");
  add("skf.total_fragments", "uint16", "Total fragments");
  add("encrypted", "bytes", "Encrypted data");
  add("padding", "bytes", "Padding");
  add("dialect", "string", "Dialect");
  add("problem", "string", "Problem");
}

/** Name, display filter and background (16 bits of red, green and blue); the first that fits colours a packet. */
const COLOUR_RULES: readonly (readonly [name: string, filter: string, background: string])[] = [
  ["Group message with a problem", "getvpn.problem", "55000,20000,20000"],
  ["IKE error", "getvpn.n.type > 0 && getvpn.n.type < 16384", "65535,48000,48000"],
  [
    "Group rekey",
    groupFilter([Exchange.GSA_REKEY, Exchange.GSA_INBAND_REKEY], GdoiExchange.GROUPKEY_PUSH),
    "65535,58000,40000",
  ],
  [
    "Group registration",
    groupFilter([Exchange.GSA_AUTH, Exchange.GSA_REGISTRATION], GdoiExchange.GROUPKEY_PULL),
    "48000,62000,48000",
  ],
  ["IKE", "getvpn", "52000,58000,65535"],
  ["ESP", "esp", "58000,54000,65535"],
];

/** Exchanges of GDOI have other meanings outside of its port. */
function groupFilter(ike: readonly number[], gdoi: number): string {
  const exchanges = ike.map((exchange) => `getvpn.exchange == ${exchange}`);
  return [...exchanges, `(getvpn.exchange == ${gdoi} && udp.port == 848)`].join(" || ");
}

function coloursText(): string {
  return COLOUR_RULES.map(([name, filter, background]) => `@${name}@${filter}@[${background}][0,0,0]\n`).join("");
}
