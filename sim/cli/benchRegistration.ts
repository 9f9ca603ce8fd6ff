/** `getvpn bench registration`: whole registrations beside the bare cryptography of both their ends. */
import { native } from "../../src/crypto/native.ts";
import { ecdsaCertificates, sharedKey } from "../bench/credentials.ts";
import { replay } from "../bench/recordedCrypto.ts";
import { type RegistrationOptions, recordRegistrations, registrationModel } from "../bench/registration.ts";
import { type BenchReport, type BenchRow, type Rounds, rateRow } from "../bench/report.ts";
import { signerOf } from "../bench/signedFanOut.ts";
import { nodeSha256 } from "./backends.ts";
import { secondsOf } from "./benchClock.ts";
import type { BenchOptions } from "./benchOptions.ts";
import { printNote } from "./terminal.ts";

/** Issued once for all rounds. */
const CERTIFICATES = ecdsaCertificates(native);

interface Case extends Pick<RegistrationOptions, "dh" | "credentials" | "gdoi" | "signer"> {
  readonly name: string;
}

const GDOI = { dh: 14, credentials: sharedKey, gdoi: true, signer: signerOf("GDOI with RSA-2048") } as const;

const CASES: readonly Case[] = [
  { name: "PSK, X25519", dh: 31, credentials: sharedKey },
  { name: "PSK, MODP 14", dh: 14, credentials: sharedKey },
  { name: "ECDSA P-256 certificates, X25519", dh: 31, credentials: CERTIFICATES },
  { name: "GDOI: Main Mode with PSK, MODP 14", ...GDOI },
];
const RECORDED = 64;
/** Contestants take turns within a round too: what disturbs a machine for a second then disturbs both. */
const SLICE = 250;

export function benchRegistration({ rounds, quick, count }: BenchOptions & { readonly count: number }): BenchReport {
  const rows: BenchRow[] = [];
  for (const { name, ...peers } of CASES) {
    const options = { ...peers, crypto: native };
    const recordings = recordRegistrations(options, quick ? 4 : RECORDED);
    const bare = (registrations: number): void => {
      for (let i = 0; i < registrations; i++) replay(recordings[i % recordings.length]!);
    };
    const model = (members: number) => registrationModel({ ...options, members, sha256: nodeSha256() });
    const members = quick ? Math.min(count, 40) : count;
    const warm = Math.min(members, 3_000);
    model(warm).register(warm);
    bare(warm);
    const times: { ours: number[]; baseline: number[] } = { ours: [], baseline: [] };
    for (let round = 0; round < rounds; round++) {
      printNote(`${name}: round ${round + 1} of ${rounds}`);
      const { ours, baseline } = oneRound(members, model(members), bare);
      times.ours.push(ours);
      times.baseline.push(baseline);
    }
    rows.push(rateRow(name, "registrations/s", members, times));
  }
  return { benchmark: "registration", rows };
}

type Model = ReturnType<typeof registrationModel>;

function oneRound(members: number, model: Model, bare: (registrations: number) => void) {
  let ours = 0;
  let baseline = 0;
  for (let done = 0; done < members; done += SLICE) {
    const slice = Math.min(SLICE, members - done);
    ours += secondsOf(() => model.register(slice));
    baseline += secondsOf(() => bare(slice));
  }
  if (model.registered !== members) throw new Error(`${model.registered} of ${members} members are registered`);
  return { ours, baseline } satisfies { [K in keyof Rounds]: number };
}
