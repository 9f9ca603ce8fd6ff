import { describe, expect, test } from "vitest";
import { keyRing } from "../../sim/capture/keyRing.ts";
import { uintFrom } from "../../src/base/bytes.ts";
import { native } from "../../src/crypto/native.ts";
import type { Field } from "../../src/wire/field.ts";
import { dissectIke } from "../../src/wire/ikeMessage.ts";
import { RFC9838 } from "../../src/wire/payloads.ts";
import { diskScenario, finishedRun } from "./diskScenario.ts";

const IP = 20;
const IP_UDP = 28;
const ESP_HEADER = 8;

const flat = (field: Field): readonly Field[] => [field, ...field.children.flatMap(flat)];

describe("the group of Suite B", () => {
  const run = finishedRun(diskScenario("suite-b.yaml"));
  const sent = [...run.trace.ofKind("packet.sent")].flatMap(({ device, time, packet }) => {
    const { name, role } = run.head.devices[device]!;
    // What the cloud passes on was sent by a router before.
    return role === "cloud" ? [] : [{ name, time, octets: run.trace.packet(packet) }];
  });
  const esp = sent.filter(({ octets }) => octets[9] === 50);
  const opened = () => {
    const { openIke } = keyRing(native, run.keys());
    return sent
      .filter(({ octets }) => octets[9] === 17)
      .map(({ name, octets }) => {
        const fields = flat(dissectIke(octets.subarray(IP_UDP), RFC9838, openIke));
        return { name, exchange: octets[IP_UDP + 18], isResponse: (octets[IP_UDP + 19]! & 0x20) !== 0, fields };
      });
  };

  test("never uses an IV twice under one key, though four senders count by themselves", () => {
    const nonces = esp.map(({ octets }) => Buffer.from(octets.subarray(IP, IP + ESP_HEADER + 8)));
    const used = new Set(nonces.map((octets) => `${octets.toString("hex", 0, 4)} ${octets.toString("hex", 8)}`));
    expect(esp.length).toBeGreaterThan(1500);
    expect(used.size).toBe(esp.length);
  });

  test("tells its senders apart by the first 24 bits of the IV; who registers again gets bits that nobody had", () => {
    const senders = new Map<number, Set<string>>();
    for (const { name, octets } of esp) {
      const id = uintFrom(octets.subarray(IP + ESP_HEADER, IP + ESP_HEADER + 3));
      senders.set(id, new Set([...(senders.get(id) ?? []), name]));
    }
    // KSSID 16 in seven bits, then the members in the order in which they came.
    const first = 16 * 2 ** 17;
    expect([...senders].sort(([a], [b]) => a - b).map(([id, names]) => [id - first, ...names])).toEqual([
      [0, "gm1"],
      [1, "gm2"],
      [2, "gm3"],
      [3, "gm4"],
      [4, "gm3"],
    ]);
  });

  test("has a TEK for each permit entry, and asks for sender IDs in every registration", () => {
    const messages = opened();
    const problems = messages.flatMap(({ fields }) => fields.flatMap(({ problem }) => problem ?? []));
    expect(problems).toEqual([]);
    const requests = messages.filter(({ exchange, isResponse }) => exchange === 39 && !isResponse);
    const asked = requests.filter(({ fields }) => fields.some(({ text }) => text?.includes("(16429)")));
    // Large messages travel in fragments of IKE, and the last fragment brings the whole to light.
    expect(asked.map(({ name }) => name).sort()).toEqual(["gm1", "gm2", "gm3", "gm3", "gm4"]);
    const created = [...run.trace.ofKind("ks.tekCreated")].map(({ data }) => data.spi);
    expect(new Set(created).size).toBe(4);
  });

  test("proves identities by ECDSA with P-384", () => {
    // AES-CBC, PRF_HMAC_SHA2_384, AUTH_HMAC_SHA2_384_192, ECP-384.
    const suites = [...run.trace.ofKind("ike.answered")].map(({ data }) => data.suite);
    expect(new Set(suites)).toEqual(new Set(["12/6/13/20/0"]));
    const methods = opened().flatMap(({ fields }) =>
      fields.filter(({ label, text }) => label === "Method" && text !== undefined).map(({ text }) => text!),
    );
    expect(new Set(methods.filter((text) => !text.startsWith("RSA")))).toEqual(new Set(["DIGITAL_SIGNATURE (14)"]));
  });
});
