import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import type { CapturedPacket } from "../../../sim/capture/capture.ts";
import { decodeCapture } from "../../../sim/capture/decode.ts";
import { keyRing } from "../../../sim/capture/keyRing.ts";
import { readKeyTables, writeKeyTables } from "../../../sim/capture/keyTables.ts";
import { pcapngChunks } from "../../../sim/capture/pcapng.ts";
import { readCapture } from "../../../sim/capture/readCapture.ts";
import { cipherScript, wiresharkProfile } from "../../../sim/capture/wireshark/profile.ts";
import { nodeSha256 } from "../../../sim/cli/backends.ts";
import { readScenarioFiles } from "../../../sim/cli/scenarioFiles.ts";
import { NONE, Trace } from "../../../sim/core/trace.ts";
import type { TraceHead } from "../../../sim/core/traceTypes.ts";
import { loadScenario } from "../../../sim/scenario/loader.ts";
import { createRun } from "../../../sim/scenario/runner.ts";
import { type Bytes, concat, fromHex, toHex } from "../../../src/base/bytes.ts";
import { secret } from "../../../src/base/secret.ts";
import type { IkeKeyEntry, KeyEntry } from "../../../src/crypto/keyEntry.ts";
import { native } from "../../../src/crypto/native.ts";
import { protectBehind } from "../../../src/crypto/protector.ts";
import { encrSpec } from "../../../src/crypto/suite.ts";
import type { Field } from "../../../src/wire/field.ts";
import { sealedPrefix } from "../../../src/wire/ikeMessage.ts";
import { encodeChain, type Payload, YEUNG07 } from "../../../src/wire/payloads.ts";
import { Gsa, Kd } from "../../../src/wire/yeung07.ts";
import { describeShared, readShared, readSharedJson, sharedPath } from "../../shared.ts";
import { describeTool } from "../../tools.ts";
import { type Leaf, leavesOf, tshark, withFolder } from "./tshark.ts";

const HEAD: TraceHead = {
  version: 1,
  scenario: "vector",
  seed: "0",
  run: 0,
  devices: [{ name: "peer", role: "host", addresses: [] }],
  links: [],
  notes: [],
};

/** Labels around an encrypted part, which Wireshark's own dissector shows. */
const AROUND = new Set([
  "IV",
  "Encrypted data",
  "Integrity check value",
  "Padding",
  "Pad length",
  "Part of the payloads",
]);
const SEALED = new Set(["Encrypted data and ICV", "Encrypted payloads", "Padding", "Dialect"]);
/** Shown in hexadecimal there, and in words here. */
const WORDED = new Set(["Version", "Flags"]);

type Files = ReadonlyMap<string, string>;

/** `Label: text (octets @offset)` of every leaf of the IKE messages of a packet, as our own inspector has it. */
function ownLeaves(layers: readonly Field[]): string[] {
  const lines: string[] = [];
  const visit = ({ label, text, offset, length, children }: Field): void => {
    if (children.length > 0) for (const child of children) visit(child);
    else if (!AROUND.has(label) && !SEALED.has(label)) lines.push(line(label, text, length, offset));
  };
  for (const layer of layers) if (layer.label === "IKEv2" || layer.label === "ISAKMP") visit(layer);
  return lines;
}

function wiresharkLeaves(leaves: readonly Leaf[]): string[] {
  // Wireshark puts fragments together; our own inspector shows the packet alone.
  const fragment = leaves.findIndex(({ name }) => name === "getvpn.skf.total_fragments");
  return leaves
    .slice(0, fragment < 0 ? leaves.length : fragment + 1)
    .map(({ text, length, offset }) => ({ label: /^[^:]*/.exec(text)![0], text, length, offset }))
    .filter(({ label }) => !SEALED.has(label))
    .map(({ label, text, length, offset }) => line(label, text.slice(label.length + 2), length, offset));
}

function line(label: string, text: string, length: number, offset: number): string {
  return `${label}: ${WORDED.has(label) ? "" : text} (${length} @${offset})`;
}

interface Shown {
  readonly own: readonly string[][];
  readonly there: readonly string[][];
  readonly leaves: readonly Leaf[][];
  readonly pdml: string;
}

/** Both trees of every packet. The dissector must not stumble: Wireshark tells so in the tree or on stderr. */
function bothTrees(capture: Bytes, tables: Files, ...options: string[]): Shown {
  const ring = keyRing(native, readKeyTables(tables).entries);
  const own = [...decodeCapture(capture, ring).packets].map(({ layers }) => ownLeaves(layers));
  const files = [...tables, ...wiresharkProfile(), ["capture.pcapng", capture] as const];
  const { out, err } = withFolder(files, (folder) =>
    tshark(folder, "-r", join(folder, "capture.pcapng"), "-T", "pdml", ...options),
  );
  expect(linesWith(err, "lua", "Lua")).toEqual([]);
  expect(linesWith(out, "Lua Error", "_ws.lua.error")).toEqual([]);
  const leaves = leavesOf(out);
  return { own, there: leaves.map(wiresharkLeaves), leaves, pdml: out };
}

/** Packets whose trees differ, each with the first lines that do. */
function differences(own: readonly string[][], there: readonly string[][]): unknown[] {
  const found: unknown[] = own.length === there.length ? [] : [[own.length, there.length]];
  for (const [index, lines] of own.entries()) {
    const others = there[index] ?? [];
    if (lines.join("\n") === others.join("\n")) continue;
    const at = lines.findIndex((text, i) => text !== others[i]);
    found.push({ packet: index + 1, own: lines.slice(at, at + 2), there: others.slice(at, at + 2) });
  }
  return found.slice(0, 5);
}

/** Lines that hold one of the words, and no more of a long text than a few. */
function linesWith(text: string, ...words: string[]): string[] {
  if (!words.some((word) => text.includes(word))) return [];
  const found = text.split("\n").filter((one) => words.some((word) => one.includes(word)));
  return found.slice(0, 5);
}

interface Captured {
  readonly capture: Bytes;
  readonly tables: Files;
}

const DATAGRAMS = 80;

const runs = new Map<string, Captured>();

/** The datagrams of the first ten minutes, and the keys. A scenario runs once. */
function scenarioRun(name: string): Captured {
  const known = runs.get(name) ?? newRun(name);
  runs.set(name, known);
  return known;
}

function newRun(name: string): Captured {
  const { files, path } = readScenarioFiles(`scenarios/${name}.yaml`);
  const options = { crypto: native, hash: nodeSha256(), untilMicros: 600_000_000 };
  const run = createRun(loadScenario(files, path), options);
  while (!run.done) run.step({ maxEvents: 20_000 });
  const { packets } = readCapture(concat(...pcapngChunks(run.head, run.trace)));
  return { capture: captureOf(messagesOf(packets)), tables: writeKeyTables(run.keys()).files };
}

/** Each UDP datagram once, wherever it was seen; of very many those of both ends of the run. */
function messagesOf(packets: Iterable<CapturedPacket>): Bytes[] {
  const seen = new Map<string, Bytes>();
  for (const { octets } of packets) if (octets[9] === 17) seen.set(toHex(octets.subarray(28)), octets);
  const datagrams = [...seen.values()];
  return datagrams.length <= 2 * DATAGRAMS
    ? datagrams
    : [...datagrams.slice(0, DATAGRAMS), ...datagrams.slice(-DATAGRAMS)];
}

/** Packets of several captures, without their link layers, one after the other. */
function captureOf(packets: Iterable<Bytes>): Bytes {
  const trace = new Trace();
  for (const octets of packets) {
    trace.append(trace.events, 0, "packet.sent", NONE, octets, { link: "l", interface: "i" });
  }
  return concat(...pcapngChunks(HEAD, trace));
}

const valuesOf = (leaves: readonly Leaf[][], name: string): string[] =>
  leaves.flat().flatMap((leaf) => (leaf.name === name ? [leaf.text.replace(/^[^:]*: /, "")] : []));

interface Keys {
  readonly wireshark?: Readonly<Record<string, readonly string[]>>;
  readonly phase1?: { readonly cky_i: string; readonly cipher_key: string }[];
}

/** All captures of a folder of vectors as one, and the keys that lie beside them. */
function vectors(folder: string): Captured {
  const packets: Bytes[] = [];
  const rows = new Map<string, string[]>();
  for (const name of readdirSync(sharedPath(`vectors/${folder}`)).sort()) {
    const path = `vectors/${folder}/${name}`;
    if (name.endsWith(".pcap")) {
      packets.push(
        ...readCapture(readShared(path)).packets.flatMap(({ octets }) => (octets.length > 0 ? [octets] : [])),
      );
    } else if (name.endsWith(".json")) {
      const { wireshark = {}, phase1 } = readSharedJson<Keys>(path);
      for (const [table, found] of Object.entries(wireshark)) rows.set(table, [...(rows.get(table) ?? []), ...found]);
      const sas = Array.isArray(phase1) ? phase1 : [];
      const cookies = sas.map(({ cky_i, cipher_key }) => `${cky_i},${cipher_key}`);
      rows.set("ikev1_decryption_table", [...(rows.get("ikev1_decryption_table") ?? []), ...cookies]);
    }
  }
  const tables = [...rows].map(([table, found]) => [table, `${found.join("\n")}\n`] as const);
  return { capture: captureOf(packets), tables: new Map(tables) };
}

describeTool("tshark", "apt-get install tshark", "the profile in tshark", () => {
  const CISCO = { kek: "kek_key_lifetime", tek: "life_duration", key: "kd.key_packet.tek_algorithm_key" } as const;
  const STANDARD = { kek: "gsa_key_lifetime", tek: "gsa_key_lifetime", key: "kd.key_bag.sa_key.wrapped" } as const;
  for (const [name, exchange, lifetime, fields] of [
    ["lab", "GSA_REKEY (41)", "1200", CISCO],
    ["multicast-rekey", "GSA_REKEY (41)", "86400", CISCO],
    ["rfc9838", "GSA_INBAND_REKEY (42)", "1200", STANDARD],
    ["two-groups", "GSA_REGISTRATION (40)", "86400", STANDARD],
  ] as const) {
    it(`shows every field of ${name} as our own inspector does`, () => {
      const { capture, tables } = scenarioRun(name);
      const { own, there, leaves, pdml } = bothTrees(capture, tables);
      expect(differences(own, there)).toEqual([]);
      expect(linesWith(pdml, "_ws.malformed", "getvpn.problem")).toEqual([]);
      const exchanges = new Set(valuesOf(leaves, "getvpn.exchange"));
      expect([...exchanges]).toEqual(expect.arrayContaining(["IKE_SA_INIT (34)", "GSA_AUTH (39)", exchange]));
      expect(valuesOf(leaves, `getvpn.gsa.policy.${fields.kek}`)).toContain(lifetime);
      expect(valuesOf(leaves, `getvpn.gsa.policy.${fields.tek}`)).toContain("600");
      expect(valuesOf(leaves, `getvpn.${fields.key}`).length).toBeGreaterThan(0);
    });
  }

  describeShared("vectors", "over third-party captures", () => {
    it.each(["ikev1", "ikev2", "gdoi"])("shows every field of %s as our own inspector does, decrypted", (folder) => {
      const { capture, tables } = vectors(folder);
      const { own, there, pdml } = bothTrees(capture, tables);
      expect(differences(own, there)).toEqual([]);
      expect(linesWith(pdml, "getvpn.problem")).toEqual([]);
    });
    it("opens a GROUPKEY-PUSH with an exported KEK where the PULL stays closed", () => {
      interface Kek {
        readonly spi: string;
        readonly iv: string;
        readonly key: string;
      }
      const { keks } = readSharedJson<{ readonly keks: readonly Kek[] }>("vectors/gdoi/keys.json");
      const entries = keks.map(
        ({ spi, iv, key }): KeyEntry => ({ kind: "gdoi", spi, algorithm: 3, encrKey: secret(fromHex(iv + key)) }),
      );
      const { files, unsupported } = writeKeyTables(entries);
      expect(unsupported).toEqual([]);
      expect(readKeyTables(files)).toEqual({ entries, problems: [] });
      const { own, there, leaves } = bothTrees(vectors("gdoi").capture, files);
      expect(differences(own, there)).toEqual([]);
      const pushes = leaves.filter((packet) => valuesOf([packet], "getvpn.exchange")[0] === "GROUPKEY_PUSH (33)");
      expect(pushes.length).toBeGreaterThan(3);
      expect(valuesOf(pushes, "getvpn.seq.number")).toHaveLength(pushes.length);
      expect(valuesOf(leaves, "getvpn.nonce.data").length).toBe(2);
    });
    it("puts fragments together and shows what is in them", () => {
      const { capture, tables } = vectors("ikev2");
      const { leaves } = bothTrees(capture, tables, "-Y", "getvpn.skf");
      const whole = leaves.filter((packet) => packet.some(({ name }) => name === "getvpn.skf.total_fragments"));
      expect(valuesOf(whole, "getvpn.auth.method")).toEqual(["DIGITAL_SIGNATURE (14)", "DIGITAL_SIGNATURE (14)"]);
      expect(valuesOf(whole, "getvpn.idr.type").length).toBeGreaterThan(0);
    });
    it("leaves Wireshark's own trees as they are, with all that it decrypts", () => {
      const { capture, tables } = vectors("ikev2");
      const fixed = [...writeKeyTables([]).files].filter(([name]) => name === "preferences");
      const shown = (profile: Files): string[] => {
        const files = [...tables, ...fixed, ...profile, ["c.pcapng", capture] as const];
        const { out } = withFolder(files, (folder) => tshark(folder, "-r", join(folder, "c.pcapng"), "-T", "pdml"));
        const without = out.replace(/ *<proto name="(getvpn|fake-field-wrapper)"[^>]*>[\s\S]*?<\/proto>\n/g, "");
        return without.split("\n").filter((text) => !/_ws\.lua\.fake|frame\.protocols|<pdml |<!-- /.test(text));
      };
      const plain = shown(new Map());
      expect(plain.filter((text) => text.includes("isakmp.enc.decrypted")).length).toBeGreaterThan(100);
      expect(plain.filter((text) => text.includes("ESP ICV:") || text.includes("esp.icv_good")).length).toBeGreaterThan(
        50,
      );
      expect(differences([plain], [shown(wiresharkProfile())])).toEqual([]);
    });
    it("stumbles over none of the captures that are broken on purpose", () => {
      const { capture, tables } = vectors("pcap");
      const { own, leaves } = bothTrees(capture, tables);
      expect(leaves).toHaveLength(own.length);
      expect(leaves.filter((packet) => packet.length > 0).length).toBeGreaterThan(10);
    });
  });

  /** A rekey SA of draft-yeung whose message holds the worked octets of a KEK, delays, a TEK and their keys. */
  const SPI = "f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff";
  const SELECTORS = "070000100000ffff0a0000000affffff 070000100000ffffef020202ef020202";
  const YEUNG_GSA = `01000058 ${SPI} ${SELECTORS} 8002000c 80030100 0004000400015180 8005000c 80060001 80070002
    0008000400000001 0200000c 8001000f 8002001e
    0300003d 01 a1b2c3d4 ${SELECTORS} 0000000c01000014800e0100 0001000400000e10`;
  const YEUNG_KD = `0002 0000 0100001d 04 a1b2c3d4 00010010 ${"a1".repeat(16)} 04000013 00 000100020008 0002000400000001`;
  const KEY = secret(fromHex("c1".repeat(36)));
  const REKEY: IkeKeyEntry = {
    kind: "ike",
    spiInitiator: SPI.slice(0, 16),
    spiResponder: SPI.slice(16),
    encr: 20,
    encrKeyBits: 256,
    integ: 0,
    encrInitiator: KEY,
    encrResponder: KEY,
    integInitiator: secret(fromHex("")),
    integResponder: secret(fromHex("")),
  };

  /** The rekey as an IP packet to a multicast group, UDP 848 on both sides. */
  function yeungRekey(): Bytes {
    const payloads: Payload[] = [
      { kind: "GSA07", body: Gsa.decode(fromHex(YEUNG_GSA)) },
      { kind: "KD07", body: Kd.decode(fromHex(YEUNG_KD)) },
      { kind: "D", body: { protocol: 3, spiSize: 4, spis: [fromHex("00c0ffee")] } },
    ];
    const { first, octets } = encodeChain(payloads, YEUNG07);
    const plain = concat(octets, fromHex("00"));
    const { spiInitiator, spiResponder } = REKEY;
    const head = { spiInitiator, spiResponder, exchange: 41, flags: 8, messageId: 7 };
    const encr = encrSpec(REKEY.encr, REKEY.encrKeyBits)!;
    const prefix = sealedPrefix(head, first, encr.iv + plain.length + encr.icv);
    const keys = { encr: KEY.secret, integ: fromHex("") };
    const input = { prefix, iv: fromHex("0000000000000007"), plain };
    const message = protectBehind(native, { encr, integ: undefined }, keys, input);
    const length = (octets: number) => fromHex(octets.toString(16).padStart(4, "0"));
    const ip = concat(fromHex("4500"), length(28 + message.length), fromHex("000000004011 0000 0a000001 e0000101"));
    return concat(ip, fromHex("03500350"), length(8 + message.length), fromHex("0000"), message);
  }

  it.each([
    ["the dialect that the key names", { ...REKEY, dialect: "yeung-07" as const }],
    ["the dialect that the octets suggest", REKEY],
  ])("reads a multicast rekey of draft-yeung by %s", (_, entry) => {
    const { own, there, leaves } = bothTrees(captureOf([yeungRekey()]), writeKeyTables([entry]).files);
    expect(differences(own, there)).toEqual([]);
    const value = (name: string) => valuesOf(leaves, `getvpn.${name}`);
    expect([value("exchange"), value("message_id")]).toEqual([["GSA_REKEY (41)"], ["7"]]);
    expect(value("gsa.policy.type")).toEqual(["KEK (1)", "GAP (2)", "TEK (3)"]);
    expect(value("gsa.policy.spi")).toEqual([SPI, "a1b2c3d4"]);
    expect(value("gsa.policy.kek_encr_algorithm")).toEqual(["AES_CBC (12)"]);
    expect(value("gsa.policy.life_duration")).toEqual(["3600"]);
    expect(value("kd.key_packet.tek_algorithm_key")).toEqual(["a1".repeat(16)]);
    expect([value("kd.key_packet.sid_value"), value("d.spi"), value("dialect")]).toEqual([
      ["00000001"],
      ["00c0ffee"],
      ["yeung-07"],
    ]);
  });

  it.each([
    [
      "with the port named on the command line",
      [["decode_as_entries", "decode_as_entry: udp.port,848,(none),ISAKMP\n"]],
    ],
    ["in a folder that does not name the port", [["decode_as_entries", ""]]],
  ] as const)("filters by the numbers of a declaration, %s", (_, more) => {
    const tables = new Map([...writeKeyTables([REKEY]).files, ...more]);
    const files = [...tables, ...wiresharkProfile(), ["c.pcapng", captureOf([yeungRekey()])] as const];
    const options = more[0][1] === "" ? [] : ["-d", "udp.port==848,isakmp"];
    const filter =
      "getvpn.gsa.policy.spi == a1:b2:c3:d4 && getvpn.exchange == 41 && getvpn.gsa.policy.life_duration < 7200";
    const { out } = withFolder(files, (folder) =>
      tshark(
        folder,
        "-r",
        join(folder, "c.pcapng"),
        ...options,
        "-Y",
        filter,
        "-T",
        "fields",
        "-e",
        "_ws.col.Info",
        "-e",
        "getvpn.kd.key_packet.spi",
      ),
    );
    expect(out).toBe("GSA_REKEY MID=7 Initiator Request [GSA, KD, D]\ta1b2c3d4\n");
  });

  it("colours rekeys and registrations apart", () => {
    const { capture, tables } = scenarioRun("multicast-rekey");
    const files = [...tables, ...wiresharkProfile(), ["c.pcapng", capture] as const];
    const { out, err } = withFolder(files, (folder) => {
      const fields = ["_ws.col.Info", "frame.coloring_rule.name"].flatMap((field) => ["-e", field]);
      return tshark(folder, "--color", "-r", join(folder, "c.pcapng"), "-T", "fields", ...fields);
    });
    expect(linesWith(err, "olor")).toEqual([]);
    const rules = new Map(
      out
        .trim()
        .split("\n")
        .map((row) => [/^\w+/.exec(row)![0], row.split("\t")[1]]),
    );
    expect(rules.get("IKE_SA_INIT")).toBe("IKE");
    expect(rules.get("GSA_AUTH")).toBe("Group registration");
    expect(rules.get("GSA_REKEY")).toBe("Group rekey");
  });

  it("hashes and deciphers in Lua as our own back end does", () => {
    const text = fromHex("6f".repeat(200));
    const lengths = [0, 55, 56, 111, 112, 119, 120, 200];
    const hashes = [1, 2, 4, 5, 6].flatMap((number) =>
      lengths.map((length) => `hex(ciphers.hash[${number}](("o"):rep(${length})))`),
    );
    const key = (octets: number) => Uint8Array.from({ length: octets }, (_, i) => 17 * i + 3);
    const quoted = (octets: Bytes) => `"${[...octets].map((octet) => `\\${String(octet).padStart(3, "0")}`).join("")}"`;
    const rows = [
      ["aes", 16],
      ["aes", 24],
      ["aes", 32],
      ["3des", 24],
      ["des", 8],
    ] as const;
    const opened = rows.map(([cipher, size]) => {
      const sealed = quoted(
        native.cbcEncrypt(cipher, key(size), key(cipher === "aes" ? 16 : 8), text.subarray(0, 192)),
      );
      const iv = quoted(key(cipher === "aes" ? 16 : 8));
      return `hex(ciphers.${cipher === "aes" ? "aes" : "des"}Cbc(${quoted(key(size))}, ${iv}, ${sealed}))`;
    });
    const script = `${cipherScript()}
      local function hex(text) return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
      for _, text in ipairs({ ${[...hashes, ...opened].join(", ")} }) do print(text) end`;
    const files = [["init.lua", script] as const, ["c.pcapng", captureOf([])] as const];
    const { out } = withFolder(files, (folder) => tshark(folder, "-r", join(folder, "c.pcapng")));
    const names = ["md5", "sha1", "sha256", "sha384", "sha512"] as const;
    const expected = names.flatMap((name) =>
      lengths.map((length) => toHex(native.hash(name, text.subarray(0, length)))),
    );
    expect(out.trim().split("\n")).toEqual([...expected, ...rows.map(() => "6f".repeat(192))]);
  });
});
