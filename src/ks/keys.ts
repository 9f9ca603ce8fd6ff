/** KEKs and TEKs: how they are made and what of them members are told. Every key is drawn from the server's stream. */
import { toHex, uintFrom } from "../base/bytes.ts";
import { assert } from "../base/errors.ts";
import { formatIpv4 } from "../base/ipv4.ts";
import type { Micros } from "../base/micros.ts";
import { SECOND } from "../base/micros.ts";
import type { Secret } from "../base/secret.ts";
import { secret } from "../base/secret.ts";
import { algorithmOfScheme } from "../crypto/algorithmId.ts";
import type { KeyEntry } from "../crypto/keyEntry.ts";
import { splitSaKeys } from "../crypto/prf.ts";
import { publicHalf } from "../crypto/privateKey.ts";
import { tekOctets } from "../gikev2/keyMaterial.ts";
import type {
  BypassRule,
  DataSaPolicy,
  GroupKeys,
  GroupPolicy,
  KekPolicy,
  RekeyAuthentication,
  RekeySelector,
} from "../gikev2/policy.ts";
import { isCounterMode, specsOf } from "../gikev2/policy.ts";
import { selectorKey } from "../gikev2/selectors.ts";
import type { KsGroupConfig, Signer } from "./config.ts";
import { ksEvent } from "./events.ts";
import type { KeyTree } from "./keyTree.ts";
import type { KsBranch, KsGroup, KsKek, Tek, TekGeneration, Turn } from "./state.ts";
import { protocolOf, rekeysInband } from "./state.ts";

// ----------------------------------------------------------------------------------------------------------- creation

/** A KEK that lives from now on. */
export function createKek(turn: Turn, group: KsGroup, branch: KsBranch): KsKek {
  const { lifetimeSeconds } = group.config.kek;
  const { signer } = group;
  const { rng } = turn.tools;
  const protocol = protocolOf(group, branch);
  const { kekSuite: suite } = group.config[branch.kind]!;
  const spi = branch.nextKekSpi ?? toHex(rng.bytes(16));
  const keys = protocol.newKekKeys(rng, suite);
  const { plain, withTree } = protocol.acknowledgement;
  const acknowledgement = treeForNextKek(group, branch) === undefined ? plain : withTree;
  const isAsked = acknowledgement !== 0 && group.config.transport.kind === "unicast";
  const sa = {
    spi,
    suite,
    keys,
    authentication: authenticationOf(signer),
    ...(signer === undefined ? {} : { publicKey: publicHalf(signer.key) }),
    ...(isAsked ? { acknowledgement } : {}),
  };
  turn.out.push(ksEvent("ks.kekCreated", { group: group.config.name, protocol: branch.kind, spi, lifetimeSeconds }), {
    kind: "keys",
    entry: protocol.keyEntry(sa),
  });
  const expiresAt = turn.now + lifetimeSeconds * SECOND;
  branch.nextKekSpi = announcesNext(group) ? toHex(rng.bytes(16)) : undefined;
  return { sa, signer, createdAt: turn.now, expiresAt, lifetimeSeconds, sequence: 0, nextIv: 0 };
}

/** Inband rekeys do not announce SPIs (RFC 9838 table 10): a member that is rekeyed in its IKE SA misses none unnoticed. */
function announcesNext({ tuning, config }: KsGroup): boolean {
  return tuning.announceNextSpi && config.transport.kind === "multicast";
}

/** Of the tree that the next KEK could travel by; undefined where it is to have none. */
export function treeKeyOctets(group: KsGroup, branch: KsBranch): number | undefined {
  if (group.tuning.keyTree !== "lkh" || rekeysInband(group, branch)) return undefined;
  return protocolOf(group, branch).treeKeyOctets(group.config[branch.kind]!.kekSuite);
}

/** The tree, as long as the next KEK can travel by it: another cipher that was configured since may have other keys. */
export function treeForNextKek(group: KsGroup, branch: KsBranch): KeyTree | undefined {
  const { tree } = branch;
  return tree?.keyOctets === treeKeyOctets(group, branch) ? tree : undefined;
}

function authenticationOf(signer: Signer | undefined): RekeyAuthentication {
  if (signer === undefined) return { kind: "implicit" };
  const algorithm = algorithmOfScheme(signer.scheme);
  assert(algorithm !== undefined, "a signature scheme without an algorithm identifier");
  return { kind: "signature", algorithm };
}

/**
 * One TEK for each permit entry (RFC 9838 section 2.5: every data SA has a key of its own), or for each list where all
 * protocols of the group let its entries share one.
 */
export function createGeneration(turn: Turn, group: KsGroup): TekGeneration {
  const teks: Tek[] = [];
  const spis = new Set(group.generations.flatMap((generation) => generation.teks.map((tek) => tek.spi)));
  const number = (group.generations[0]?.number ?? 0) + 1;
  for (const { suite, selector, more, sequenceNumbers, lifetimeSeconds } of dataSasOf(group)) {
    const family = teks.length;
    const spi = group.nextTekSpis[family] ?? drawTekSpi(turn, spis);
    spis.add(spi);
    const key = secret(turn.tools.rng.bytes(tekOctets(suite)));
    const expiresAt = turn.now + lifetimeSeconds * SECOND;
    const traffic = more.length === 0 ? { selector } : { selector, more };
    teks.push({ spi, family, suite, sequenceNumbers, key, lifetimeSeconds, expiresAt, ...traffic });
    const data = { group: group.config.name, spi: spiText(spi), generation: number, family, lifetimeSeconds };
    turn.out.push(ksEvent("ks.tekCreated", data), { kind: "keys", entry: tekEntry(spi, suite, key) });
  }
  group.nextTekSpis = announcesNext(group) ? teks.map(() => drawTekSpi(turn, spis)) : [];
  return { number, createdAt: turn.now, teks };
}

/** SPIs up to 255 are reserved (RFC 4303 section 2.1). */
function drawTekSpi(turn: Turn, taken: Set<number>): number {
  for (;;) {
    const spi = uintFrom(turn.tools.rng.bytes(4));
    if (spi <= 255 || taken.has(spi)) continue;
    taken.add(spi);
    return spi;
  }
}

/**
 * The data SAs of all `sa ipsec` in order, each with the permit entries that it serves; of equal selectors only the first
 * can ever match. A cipher that counts its IVs has one SA for each entry in every protocol.
 */
function dataSasOf(group: KsGroup) {
  const sharesDataSa = group.branches.every((branch) => protocolOf(group, branch).sharesDataSa);
  const seen = new Set<string>();
  return group.config.dataSas.flatMap((sa) => {
    const selectors = sa.entries
      .filter(({ action }) => action === "permit")
      .map(({ selector }) => selector)
      .filter((selector) => !seen.has(selectorKey(selector)) && seen.add(selectorKey(selector)));
    const [first, ...others] = selectors;
    if (first === undefined) return [];
    if (sharesDataSa && !isCounterMode(sa.suite)) return [{ ...sa, selector: first, more: others }];
    return selectors.map((selector) => ({ ...sa, selector, more: [] }));
  });
}

/** Deny entries with the number of permit entries in front of them: several `sa ipsec` are one list. */
function bypassRules(config: KsGroupConfig): BypassRule[] {
  const seen = new Set<string>();
  const rules: BypassRule[] = [];
  for (const { entries } of config.dataSas) {
    for (const { action, selector } of entries) {
      if (action === "deny") rules.push({ before: seen.size, selector });
      else seen.add(selectorKey(selector));
    }
  }
  return rules;
}

/** As events name it: 8 hexadecimal digits. */
export function spiText(spi: number): string {
  return spi.toString(16).padStart(8, "0");
}

function tekEntry(spi: number, suite: Tek["suite"], key: Secret): KeyEntry {
  const specs = specsOf(suite)!;
  const { encr, integ } = splitSaKeys(specs.encr, specs.integ, key.secret);
  return {
    kind: "esp",
    spi: spiText(spi),
    source: "*",
    destination: "*",
    encr: suite.encr,
    encrKeyBits: suite.encrKeyBits,
    integ: suite.integ,
    encrKey: secret(encr),
    integKey: secret(integ),
  };
}

// -------------------------------------------------------------------------------------------------------- what is told

/** TEKs of a generation that still live. */
export function liveTeks(generation: TekGeneration, now: Micros): readonly Tek[] {
  return generation.teks.filter((tek) => secondsLeft(tek.expiresAt, now) > 0);
}

/** Whole seconds: a member counts them from receipt and must not outlive the key server's own count by more. */
function secondsLeft(expiresAt: Micros, now: Micros): number {
  return Math.max(0, Math.floor((expiresAt - now) / SECOND));
}

/**
 * Policy of `kek` and `teks`. `sequence`: number of the next message under the KEK. The rekey SA of a unicast group has
 * no address to send to; it is handed out all the same, as Cisco key servers do, with any address as its destination.
 */
export function policyOf(
  group: KsGroup,
  branch: KsBranch,
  kek: KsKek | undefined,
  teks: readonly Tek[],
  now: Micros,
): GroupPolicy {
  const { config } = group;
  return {
    mode: config.mode,
    ...(kek === undefined ? {} : { kek: kekPolicy(group, branch, kek, now) }),
    dataSas: teks.map((tek) => dataSaPolicy(group, tek, now)),
    bypass: teks.length === 0 ? [] : bypassRules(config),
    ...(config.atdSeconds === undefined ? {} : { atdSeconds: config.atdSeconds }),
    ...(config.dtdSeconds === undefined ? {} : { dtdSeconds: config.dtdSeconds }),
  };
}

export function keysOf(kek: KsKek | undefined, teks: readonly Tek[]): GroupKeys {
  const byTek = new Map(teks.map((tek) => [tek.spi, tek.key]));
  return kek === undefined ? { teks: byTek } : { kek: kek.sa.keys, teks: byTek };
}

function kekPolicy(group: KsGroup, branch: KsBranch, kek: KsKek, now: Micros): KekPolicy {
  const { transport } = group.config;
  const { spi, suite, authentication, publicKey, acknowledgement } = kek.sa;
  const multicast = transport.kind === "multicast";
  return {
    spi,
    suite,
    source: multicast ? host(transport.source) : ANYWHERE,
    destination: multicast ? host(transport.destination) : ANYWHERE,
    lifetimeSeconds: secondsLeft(kek.expiresAt, now),
    authentication,
    ...(publicKey === undefined ? {} : { publicKey }),
    nextMessageId: rekeysInband(group, branch) ? 0 : kek.sequence + protocolOf(group, branch).firstMessageId,
    nextSpis: branch.nextKekSpi === undefined ? [] : [branch.nextKekSpi],
    ...(acknowledgement === undefined ? {} : { acknowledgement }),
  };
}

const ANYWHERE: RekeySelector = { first: formatIpv4(0), last: formatIpv4(0xffffffff), port: 848 };

function host({ address, port }: { address: string; port: number }): RekeySelector {
  return { first: address, last: address, port };
}

function dataSaPolicy(group: KsGroup, tek: Tek, now: Micros): DataSaPolicy {
  const { spi, family, suite, selector, more, sequenceNumbers } = tek;
  const newest = group.generations[0]?.teks[family]?.spi === spi;
  const next = newest ? group.nextTekSpis[family] : undefined;
  return {
    spi,
    suite,
    selector,
    ...(more === undefined ? {} : { more }),
    lifetimeSeconds: secondsLeft(tek.expiresAt, now),
    sequenceNumbers,
    nextSpis: next === undefined ? [] : [next],
  };
}
