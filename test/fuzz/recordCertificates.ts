/** Certificates and revocation lists by themselves: octets in, trust or not. */
import { createRng } from "../../sim/core/rng.ts";
import type { Bytes } from "../../src/base/bytes.ts";
import { WireError } from "../../src/base/errors.ts";
import type { Datagram } from "../../src/base/machine.ts";
import type { Crypto } from "../../src/crypto/api.ts";
import { native } from "../../src/crypto/native.ts";
import type { Tools } from "../../src/ikev2/api.ts";
import { type Certificate, decodeCertificate } from "../../src/pki/certificate.ts";
import { checkChain, type Trust } from "../../src/pki/chain.ts";
import { decodeCrl } from "../../src/pki/crl.ts";
import { NOW } from "../pki/authority.ts";
import { CA, CRLS, EC_GM, OVERSIZED, RSA_GM, RSA_KS, SUB, TRUST } from "./certificates.ts";
import type { Recording, Role } from "./record.ts";

export interface TrustMachine {
  trusted: boolean;
}

function note(state: TrustMachine, crypto: Crypto, presented: () => readonly Certificate[], trust: () => Trust): void {
  try {
    state.trusted = checkChain(crypto, presented(), trust(), NOW).ok;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
  }
}

/** The octets as the peer's own certificate, with what else may be needed for a path. */
export function handleCertificate(state: TrustMachine, { crypto }: Tools, { octets }: Datagram): readonly [] {
  note(
    state,
    crypto,
    () => [decodeCertificate(octets), SUB.certificate, CA.certificate],
    () => TRUST,
  );
  return [];
}

/** The octets as the certificate of an authority between the peer and the anchor. */
export function handleAuthority(state: TrustMachine, { crypto }: Tools, { octets }: Datagram): readonly [] {
  note(
    state,
    crypto,
    () => [RSA_GM.certificate, decodeCertificate(octets)],
    () => TRUST,
  );
  return [];
}

/** The octets as the list of the authority, without which nobody is trusted. */
export function handleCrl(state: TrustMachine, { crypto }: Tools, { octets }: Datagram): readonly [] {
  note(
    state,
    crypto,
    () => [RSA_KS.certificate],
    () => ({ ...TRUST, crls: [decodeCrl(octets)] }),
  );
  return [];
}

const TOOLS: Tools = { crypto: native, rng: createRng("certificates") };

function recordOctets(role: Role, session: string, octets: Bytes): Recording {
  const datagram = { local: { address: "0.0.0.0", port: 0 }, remote: { address: "0.0.0.0", port: 0 }, octets };
  const state: TrustMachine = { trusted: false };
  return { session, role, exchange: 0, response: false, datagram, now: 0, state, tools: TOOLS, keys: [] };
}

export function recordCertificates(): readonly Recording[] {
  return [
    recordOctets("certificate", "RSA certificate", RSA_GM.octets),
    recordOctets("certificate", "ECDSA certificate", EC_GM.octets),
    recordOctets("authority", "certificate of an authority", SUB.octets),
    recordOctets("certificate", "certificate with a key of 16,384 bits", OVERSIZED),
    recordOctets("crl", "revocation list", CRLS[0]!.octets),
  ];
}
