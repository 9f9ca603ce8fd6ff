/**
 * `getvpn bench registration`: whole registrations beside the bare cryptography of both their ends: every end by itself,
 * with results shared between the two ends, and with Diffie-Hellman done ahead on further processors, as `getvpn run` does.
 */
import { assert } from "../../src/base/errors.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import { ecdsaCertificates, sharedKey } from "../bench/credentials.ts";
import { replay } from "../bench/recordedCrypto.ts";
import { type RegistrationOptions, recordRegistrations, registrationModel } from "../bench/registration.ts";
import { type BenchReport, type BenchRow, rateRow } from "../bench/report.ts";
import { registrationForecast, SEED } from "../bench/roleNetwork.ts";
import { signerOf } from "../bench/signedFanOut.ts";
import { memoCrypto } from "../scenario/memo.ts";
import { nodeSha256 } from "./backends.ts";
import { secondsOf } from "./benchClock.ts";
import type { BenchOptions } from "./benchOptions.ts";
import { idleProcessors, startKeyThreads } from "./keyThreads.ts";
import { printNote } from "./terminal.ts";

interface Case extends Pick<RegistrationOptions, "dh" | "credentials" | "gdoi" | "signer"> {
  readonly name: string;
}

/** A function: keys and certificates take a quarter of a second, which no other command should wait for. */
function cases(): readonly Case[] {
  const gdoi = { dh: 14, credentials: sharedKey, gdoi: true, signer: signerOf("GDOI with RSA-2048") } as const;
  return [
    { name: "PSK, X25519", dh: 31, credentials: sharedKey },
    { name: "PSK, MODP 14", dh: 14, credentials: sharedKey },
    { name: "ECDSA P-256 certificates, X25519", dh: 31, credentials: ecdsaCertificates(native) },
    { name: "GDOI: Main Mode with PSK, MODP 14", ...gdoi },
  ];
}

const RECORDED = 64;
/** Contestants take turns within a round too: what disturbs a machine for a second then disturbs both. */
const SLICE = 250;

export function benchRegistration({ rounds, quick, count }: BenchOptions & { readonly count: number }): BenchReport {
  const rows: BenchRow[] = [];
  for (const { name, ...peers } of cases()) {
    const recordings = recordRegistrations({ ...peers, crypto: native }, quick ? 4 : RECORDED);
    const bare = (registrations: number): void => {
      for (let i = 0; i < registrations; i++) replay(recordings[i % recordings.length]!);
    };
    const members = quick ? Math.min(count, 40) : count;
    const model = (crypto: Crypto, size = members): Model =>
      registrationModel({ ...peers, crypto, members: size, sha256: nodeSha256() });
    const warm = Math.min(members, 3_000);
    model(native, warm).register(warm);
    bare(warm);
    const times = { plain: [] as number[], memo: [] as number[], threads: [] as number[], bare: [] as number[] };
    for (let round = 0; round < rounds; round++) {
      printNote(`${name}: round ${round + 1} of ${rounds}`);
      const { spent, fingerprint } = oneRound(members, model(native), model(memoCrypto(native)), bare);
      for (const contestant of ["plain", "memo", "bare"] as const) times[contestant].push(spent[contestant]);
      times.threads.push(secondsOf(() => registerAhead(members, peers.dh, model, fingerprint)));
    }
    const row = (title: string, ours: readonly number[]) =>
      rateRow(title, "registrations/s", members, { ours, baseline: times.bare });
    rows.push(row(name, times.plain), row(`${name}, memo`, times.memo));
    if (idleProcessors() > 0) rows.push(row(`${name}, memo and threads`, times.threads));
  }
  return { benchmark: "registration", rows };
}

type Model = ReturnType<typeof registrationModel>;

/**
 * With Diffie-Hellman done ahead on the idle processors, as `getvpn run` does. All members in one go, from the start of
 * the threads on: whatever they did while another contestant has its turn would be a present.
 */
function registerAhead(
  members: number,
  dh: RegistrationOptions["dh"],
  model: (crypto: Crypto) => Model,
  fingerprint: string,
): void {
  const threads = startKeyThreads(native, SEED, registrationForecast(members, dh));
  const ours = model(memoCrypto(threads?.crypto ?? native));
  for (let done = 0; done < members; done += SLICE) ours.register(Math.min(SLICE, members - done));
  threads?.stop();
  assert(ours.trace.fingerprint() === fingerprint, "the threads have moved the fingerprint");
}

type Contestant = "plain" | "memo" | "bare";

/** Seconds that each of them takes, and the fingerprint that all traces of these registrations have. */
function oneRound(
  members: number,
  plain: Model,
  memo: Model,
  bare: (registrations: number) => void,
): { readonly spent: Readonly<Record<Contestant, number>>; readonly fingerprint: string } {
  const spent = { plain: 0, memo: 0, bare: 0 };
  for (let done = 0; done < members; done += SLICE) {
    const slice = Math.min(SLICE, members - done);
    spent.plain += secondsOf(() => plain.register(slice));
    spent.bare += secondsOf(() => bare(slice));
    spent.memo += secondsOf(() => memo.register(slice));
  }
  for (const { registered } of [plain, memo]) {
    assert(registered === members, () => `${registered} of ${members} members are registered`);
  }
  const fingerprint = plain.trace.fingerprint();
  assert(memo.trace.fingerprint() === fingerprint, "the memo has moved the fingerprint");
  return { spent, fingerprint };
}
