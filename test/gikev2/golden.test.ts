/**
 * Worked octets for other implementers: whole exchanges with the keys to open them and with what is inside. Everything is
 * drawn from one seed, so each run makes the same files; a difference is a change of the protocol, to be looked at and,
 * if it was meant, recorded with `npx vitest run test/gikev2/golden.test.ts -u`.
 */
import { describe, expect, it } from "vitest";
import { toHex } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import { ed25519PrivateKey } from "../../src/crypto/privateKey.ts";
import { encrSpec, integSpec } from "../../src/crypto/suite.ts";
import { saView } from "../../src/ikev2/endpoint.ts";
import { openPart, readInner } from "../../src/ikev2/protect.ts";
import { decodeMessage, isFromInitiator } from "../../src/wire/ikeMessage.ts";
import { Exchange } from "../../src/wire/ikev2Numbers.ts";
import { RFC9838 } from "../../src/wire/payloads.ts";
import {
  commandGm,
  commandKs,
  createNetwork,
  GCM,
  gmGroup,
  ICMP,
  ksGroup,
  MULTICAST,
  type Network,
  runUntil,
  SSH,
  type Wire,
} from "../gm/network.ts";

const id = (number: number) => ({ kind: "number", number }) as const;
const RED = { name: "RED", id: id(1) };
const BLUE = { name: "BLUE", id: id(2) };
const SEED = Uint8Array.from({ length: 32 }, (_, i) => i);

/** RED: multicast, key tree, Ed25519, counter-mode ciphers, all attributes. BLUE: inband, over the same IKE SA. */
function network(crypto: Crypto): Network {
  const [sa] = ksGroup().dataSas;
  const red = ksGroup({
    ...RED,
    transport: MULTICAST,
    kek: { ...ksGroup().kek, signer: { key: ed25519PrivateKey(SEED), scheme: { kind: "ed25519" } } },
    dataSas: [
      {
        ...sa!,
        suite: GCM,
        entries: [
          { action: "deny", selector: SSH },
          { action: "permit", selector: ICMP },
        ],
      },
    ],
    senderIdBits: 8,
    atdSeconds: 15,
    dtdSeconds: 30,
    tuning: { keyTree: "lkh", announceNextSpi: true },
  });
  return createNetwork({
    members: 3,
    seed: "golden",
    crypto,
    ksConfig: (config) => ({ ...config, groups: [red, ksGroup(BLUE)] }),
    gmConfig: (index, config) => ({ ...config, groups: [gmGroup(index, RED), gmGroup(index, BLUE)] }),
  });
}

/** A value as JSON has it: octets as hexadecimal digits. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, plain(inner)]));
}

function described(net: Network, { from, to, octets }: Wire) {
  const message = decodeMessage(octets, RFC9838);
  const { sealed } = message;
  const common = {
    from,
    to,
    exchange: nameOfExchange(message.exchange),
    messageId: message.messageId,
    octets: toHex(octets),
  };
  if (sealed === undefined) return { ...common, payloads: plain(message.payloads) };
  const spi = message.spiInitiator + message.spiResponder;
  const entry = net.keys.find((one) => one.kind === "ike" && one.spiInitiator + one.spiResponder === spi);
  if (entry?.kind !== "ike") throw new Error("no key");
  const initiator = isFromInitiator(message);
  const keys = {
    encr: (initiator ? entry.encrInitiator : entry.encrResponder).secret,
    integ: (initiator ? entry.integInitiator : entry.integResponder).secret,
  };
  const protection = {
    encr: encrSpec(entry.encr, entry.encrKeyBits)!,
    integ: entry.integ === 0 ? undefined : integSpec(entry.integ),
  };
  const inner = openPart(native, protection, keys, octets, sealed)!;
  const payloads = plain(readInner(inner, sealed.firstInner, RFC9838));
  return { ...common, skE: toHex(keys.encr), skA: toHex(keys.integ), inner: toHex(inner), payloads };
}

function nameOfExchange(exchange: number): string {
  return Object.entries(Exchange).find(([, number]) => number === exchange)?.[0] ?? String(exchange);
}

function unwrapping(net: Network) {
  const [gm] = net.members;
  const held = gm!.state.groups[0]!.held!;
  const { kek, path, sa } = held;
  const view = saView(gm!.state.endpoint!, sa!)!;
  return {
    unicast: { skD: toHex(view.skD!.secret), gskW: toHex(held.kwk!.secret) },
    rekeySa: { spi: kek!.sa.spi, ...(plain(kek!.sa.keys) as object) },
    workingKeyPath: plain(path),
    teks: held.teks.map(({ spi, key }) => ({ spi: spi.toString(16).padStart(8, "0"), key: toHex(key.secret) })),
  };
}

/** Exchanges with the first member, or with all at once. */
function since(net: Network, start: number): readonly Wire[] {
  const [gm] = net.members;
  return net.wire
    .slice(start)
    .filter(({ from, to }) => from === gm!.address || to === gm!.address || to.startsWith("239."));
}

function record(crypto: Crypto): Readonly<Record<string, string>> {
  const net = network(crypto);
  const files: Record<string, string> = {};
  const write = (name: string, start: number, about: string) => {
    const messages = since(net, start).map((wire) => described(net, wire));
    const afterwards = unwrapping(net);
    files[name] = `${JSON.stringify({ about, seed: "golden", messages, memberAfterwards: afterwards }, null, 2)}\n`;
  };
  const join = (index: number) => {
    for (const { name } of [RED, BLUE]) commandGm(net, net.members[index]!, { name: "mapApplied", group: name });
    runUntil(net, net.now + SECOND);
  };
  join(1);
  join(2);
  const registration = net.wire.length;
  join(0);
  write(
    "registration",
    registration,
    "IKE_SA_INIT, GSA_AUTH to group 1 (key tree, third member), GSA_REGISTRATION to group 2",
  );
  const plainRekey = net.wire.length;
  commandKs(net, { name: "rekey", group: "RED", replaceNow: true });
  runUntil(net, net.now + SECOND);
  write(
    "rekey",
    plainRekey,
    "GSA_REKEY with a new KEK under GSK_w and new TEKs, the old ones deleted; signed with Ed25519",
  );
  runUntil(net, net.now + 30 * SECOND);
  const eviction = net.wire.length;
  commandKs(net, { name: "evictMember", group: "RED", member: net.members[1]!.address, now: true, bar: true });
  runUntil(net, net.now + 2 * SECOND);
  write(
    "eviction",
    eviction,
    "One of three members is put out: GSA_REKEY with a new KEK by the key tree, then TEKs under it",
  );
  runUntil(net, net.now + 20 * SECOND);
  const inband = net.wire.length;
  commandKs(net, { name: "rekey", group: "BLUE", replaceNow: true });
  runUntil(net, net.now + SECOND);
  write("inband", inband, "GSA_INBAND_REKEY in an IKE SA that serves two groups, and its answer");
  return files;
}

const files = record(native);

describe("the golden files", () => {
  it.each(Object.keys(files))("%s.json is what a run makes today", async (name) => {
    await expect(files[name]).toMatchFileSnapshot(`golden/${name}.json`);
  });

  it("do not depend on the back end", () => {
    expect(record(noble)).toEqual(files);
  });

  it("hold each exchange that they are about", () => {
    const exchanges = Object.values(files).flatMap((text) =>
      (JSON.parse(text) as { messages: { exchange: string }[] }).messages.map(({ exchange }) => exchange),
    );
    expect(new Set(exchanges)).toEqual(
      new Set(["IKE_SA_INIT", "GSA_AUTH", "GSA_REGISTRATION", "GSA_REKEY", "GSA_INBAND_REKEY"]),
    );
  });
});
