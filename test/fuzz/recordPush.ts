/** GROUPKEY-PUSH at a member, and its acknowledgement of both kinds at a key server. */

import { createRng } from "../../sim/core/rng.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import type { Datagram } from "../../src/base/machine.ts";
import { native } from "../../src/crypto/native.ts";
import { ackSpiOf, openAck, sealAck } from "../../src/gdoi/ack.ts";
import { newKekKeys } from "../../src/gdoi/kek.ts";
import { treeKeyOctets } from "../../src/gdoi/lkh.ts";
import { openPush, pushSpiOf, readPush, sealPush } from "../../src/gdoi/push.ts";
import { DEFAULT_SWITCHES } from "../../src/gdoi/switches.ts";
import type { HeldPath } from "../../src/gikev2/lkh.ts";
import { type GroupUpdate, type KeyHierarchy, NO_KEYS, NO_POLICY, type TreeKey } from "../../src/gikev2/policy.ts";
import type { Tools } from "../../src/ikev2/api.ts";
import { addLeaf, createKeyTree, excludeLeaf, pathOf } from "../../src/ks/keyTree.ts";
import { KekAck } from "../../src/wire/gdoiNumbers.ts";
import { testRng } from "../crypto/testRng.ts";
import { KEK, keysFor, POLICY, rekeySaOf, SIGNER } from "../gdoi/group.ts";
import type { Recording, Role } from "./record.ts";

const KEYS = keysFor(POLICY);
export const REKEY_SA = rekeySaOf(KEK, KEYS);

/** What a member knows of its group's rekeys. */
export interface PushMachine {
  last: number;
  readonly taken: GroupUpdate[];
}

/** What a key server knows of them: who has acknowledged which. */
export interface AckMachine {
  /** Of acknowledgement, as the policy of the group has it. */
  readonly type: number;
  readonly acknowledged: string[];
}

/** A tree of four members, one of which is put out; another one holds `HELD`. */
const TREE = createKeyTree(treeKeyOctets(KEK.suite)!);
const LEAVES = Array.from({ length: 4 }, () => addLeaf(TREE, { crypto: native, rng: testRng("tree") }));
const HELD: HeldPath = { crypto: native, path: pathHeld(pathOf(TREE, LEAVES[0]!)) };
const EXCLUSION = excludeLeaf(TREE, { crypto: native, rng: testRng("tree") }, LEAVES[3]!)!;

/** Keys as a member knows them: by LKH ID and handle, which are both the number of the node. */
function pathHeld({ links }: KeyHierarchy): readonly TreeKey[] {
  return links.map(({ inner }) => ({ id: inner.id * 2 ** 32 + inner.id, key: inner.key }));
}

export function handlePush(state: PushMachine, { crypto }: Tools, { octets }: Datagram): readonly [] {
  if (pushSpiOf(octets) !== REKEY_SA.spi) return [];
  const opened = openPush(crypto, REKEY_SA, octets, state.last);
  if (opened.kind !== "whole") return [];
  const content = readPush(REKEY_SA, opened.payloads, DEFAULT_SWITCHES, HELD);
  if (!content.ok || "excluded" in content.value) return [];
  state.last = opened.sequence;
  state.taken.push(content.value);
  return [];
}

export function handleAck(state: AckMachine, { crypto }: Tools, { octets }: Datagram): readonly [] {
  if (ackSpiOf(octets) !== REKEY_SA.spi) return [];
  const opened = openAck(crypto, REKEY_SA, octets, state.type);
  if (opened.ok) state.acknowledged.push(`${opened.sequence} ${opened.address}`);
  return [];
}

function updates(): readonly GroupUpdate[] {
  const { kek: _, ...teks } = POLICY;
  const next = { ...KEK, spi: "ff".repeat(16), nextMessageId: 1 };
  return [
    { policy: teks, keys: { teks: KEYS.teks }, deletions: [] },
    {
      policy: { ...NO_POLICY, kek: next },
      keys: { kek: newKekKeys(testRng("next"), next.suite), teks: new Map(), hierarchy: EXCLUSION },
      deletions: [],
    },
    {
      policy: { ...NO_POLICY, kek: next },
      keys: { kek: newKekKeys(testRng("next"), next.suite), teks: new Map() },
      deletions: [],
    },
    { policy: NO_POLICY, keys: NO_KEYS, deletions: [{ kind: "dataSas", spis: [0x1000, 0x1001] }] },
    { policy: NO_POLICY, keys: NO_KEYS, deletions: [{ kind: "allDataSas" }] },
    { policy: NO_POLICY, keys: NO_KEYS, deletions: [{ kind: "member" }] },
  ];
}

const TOOLS: Tools = { crypto: native, rng: createRng("push") };

export function recordPushes(): readonly Recording[] {
  const pushes = updates().map((update, index) =>
    sealPush(native, REKEY_SA, SIGNER, update, index + 1, DEFAULT_SWITCHES),
  );
  const member: PushMachine = { last: 0, taken: [] };
  const recordings: Recording[] = [];
  const record = (role: Role, octets: Bytes, state: unknown): void => {
    const datagram = {
      local: { address: "10.0.0.2", port: 848 },
      remote: { address: "192.0.2.2", port: 848 },
      octets,
    };
    const [exchange, response] = [octets[18]!, role === "ack"];
    const session = response ? "PUSH-ACK" : "PUSH";
    const before = structuredClone(state);
    recordings.push({ session, role, exchange, response, datagram, now: 0, state: before, tools: TOOLS, keys: [] });
  };
  for (const octets of pushes) {
    record("push", octets, member);
    handlePush(member, TOOLS, { ...recordings.at(-1)!.datagram });
  }
  for (const type of [KekAck.KEK_SHA256, KekAck.X_KEK_SHA256_ENCRYPTED]) {
    const state: AckMachine = { type, acknowledged: [] };
    record("ack", sealAck(native, REKEY_SA, 7, "10.0.0.2", type, DEFAULT_SWITCHES), state);
  }
  if (member.last !== pushes.length || member.taken.length !== pushes.length)
    throw new Error(`a good PUSH was not taken: ${member.last}`);
  return recordings;
}
