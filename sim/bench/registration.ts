/**
 * The registration benchmark: members register one after the other with a key server, both ends in full, their
 * packets on the wire and everything noted. Beside it stand the bare crypto operations of the same
 * registrations, done again one by one.
 */
import type { Micros } from "../../src/base/micros.ts";
import { MILLISECOND, SECOND } from "../../src/base/micros.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import type { Signer } from "../../src/ks/config.ts";
import type { Sha256 } from "../core/fingerprint.ts";
import { Trace } from "../core/trace.ts";
import type { Credentials } from "./credentials.ts";
import { type BenchDhGroup, GROUP_NAME } from "./group.ts";
import { newRecording, type Recording, recordedCrypto } from "./recordedCrypto.ts";
import { createRoleNetwork } from "./roleNetwork.ts";

export interface RegistrationModel {
  /** Lets so many further members register. */
  register(count: number): void;
  /** Members that are registered at both ends. */
  readonly registered: number;
  readonly trace: Trace;
}

export interface RegistrationOptions {
  readonly members: number;
  readonly dh: BenchDhGroup;
  readonly credentials: Credentials;
  /** True: members speak GDOI, over Main Mode; by the pre-shared key, whatever `credentials` says. Needs a signer. */
  readonly gdoi?: boolean;
  /** Given: members are told the key that multicast rekeys are signed with. */
  readonly signer?: Signer;
  readonly crypto: Crypto;
  /** Of the host, for the trace's fingerprint. */
  readonly sha256?: Sha256;
}

const SPACING: Micros = MILLISECOND;

export function registrationModel({ sha256, ...options }: RegistrationOptions): RegistrationModel {
  const trace = new Trace({ sha256 });
  const delay = (): Micros => 20 * MILLISECOND;
  const network = createRoleNetwork({ ...options, trace, delay, isLost: () => false });
  const { scheduler } = network;
  const begin = scheduler.register<number>("member begins", (member) =>
    network.commandMember(member, { name: "mapApplied", group: GROUP_NAME }),
  );
  let begun = 0;
  return {
    register(count) {
      const { now } = scheduler;
      for (let i = 0; i < count; i++) scheduler.schedule(now + i * SPACING, begin, ++begun);
      scheduler.runUntil(now + count * SPACING + SECOND);
    },
    get registered() {
      const welcomed = [...network.server.groups.values()][0]!.members.size;
      let installed = 0;
      for (let i = 1; i <= begun; i++) if (network.member(i).groups[0]!.phase.at === "registered") installed += 1;
      return Math.min(welcomed, installed);
    },
    trace,
  };
}

/** The crypto operations of both ends of each of so many registrations. */
export function recordRegistrations(
  options: Omit<RegistrationOptions, "members">,
  count: number,
): readonly Recording[] {
  // The first member finds a key server that has to make the group's keys: its recording is not of use.
  let recording = newRecording();
  const crypto = recordedCrypto(options.crypto, () => recording);
  const model = registrationModel({ ...options, crypto, members: count + 1 });
  model.register(1);
  return Array.from({ length: count }, () => {
    recording = newRecording();
    model.register(1);
    return recording;
  });
}
