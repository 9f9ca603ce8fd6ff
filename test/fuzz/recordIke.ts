/**
 * Plain IKEv2 sessions: Child SA, its rekey with and without fresh DH, IKE SA rekey, fragments, liveness, deletion; and
 * authentication with certificates by methods 1, 9, 10, 11 and 14.
 */
import type { KeyEntry } from "../../src/crypto/keyEntry.ts";
import type { AuthProfile, ChildPolicy, ChildProposal, EndpointConfig } from "../../src/ikev2/api.ts";
import { close, receive, rekeyChild, rekeySa, request, saNumbers } from "../../src/ikev2/endpoint.ts";
import { distinguishedName } from "../../src/pki/identity.ts";
import { Exchange } from "../../src/wire/ikev2Numbers.ts";
import {
  carryOut,
  connect,
  createPair,
  fqdn,
  other,
  outcomesOf,
  type Pair,
  type PairOptions,
  pskProfile,
} from "../ikev2/pair.ts";
import { type Holder, NOW } from "../pki/authority.ts";
import { EC_GM, EC_KS, EC521_GM, EC521_KS, RSA_GM, RSA_KS, SUB, trustpointOf } from "./certificates.ts";
import type { Recording } from "./record.ts";

function net(startAddress: string, endAddress: string) {
  return { type: 7, ipProtocol: 0, startPort: 0, endPort: 65535, startAddress, endAddress };
}

const LEFT = net("10.1.0.0", "10.1.255.255");
const RIGHT = net("10.2.0.0", "10.2.255.255");
const ESP: ChildProposal = { encr: [{ id: 20, keyBits: 256 }], integ: [], dh: [31], sn: [0] };
const POLICY: ChildPolicy = { proposals: [ESP], mode: "tunnel", localSelectors: [LEFT], remoteSelectors: [RIGHT] };
const MIRROR: ChildPolicy = { ...POLICY, localSelectors: [RIGHT], remoteSelectors: [LEFT] };

/** Delivers what is on its way, one by one, recording each datagram with the state that it meets. */
type Drain = () => void;

function recordPair(session: string, options: PairOptions, script: (pair: Pair, drain: Drain) => void): Recording[] {
  const recordings: Recording[] = [];
  const keys: KeyEntry[] = [];
  const pair = createPair(options);
  const drain: Drain = () => {
    while (pair.flight.length > 0) {
      const { to, datagram, at } = pair.flight[0]!;
      recordings.push({
        session,
        role: "ike",
        exchange: datagram.octets[18] ?? 0,
        response: ((datagram.octets[19] ?? 0) & 0x20) !== 0,
        datagram,
        now: at,
        state: structuredClone(to.endpoint),
        tools: to.tools,
        keys,
      });
      // One at a time: `settle` would deliver all that is on its way without stopping in between.
      const later = pair.flight.splice(1);
      const { endpoint, tools } = to;
      pair.flight.length = 0;
      pair.now = at;
      carryOut(pair, to, receive(endpoint, tools, datagram, at));
      pair.flight.unshift(...later);
    }
  };
  script(pair, drain);
  for (const one of [pair.initiator, pair.responder]) keys.push(...outcomesOf(one, "keys").map(({ entry }) => entry));
  return recordings;
}

function recordChildren(): Recording[] {
  const profile = (name: string, child: ChildPolicy) => pskProfile(fqdn(name), "shared", { child });
  const fragmentation = { mtu: 576 };
  const options = {
    initiator: { profiles: [profile("gm1.example", POLICY)], fragmentation },
    responder: { profiles: [profile("ks1.example", MIRROR)], fragmentation },
  };
  return recordPair("IKEv2 with Child SAs and fragments", options, (pair, drain) => {
    const side = pair.initiator;
    const sa = (): number => saNumbers(side.endpoint)[0]!;
    const spi = (): number => outcomesOf(side, "child").at(-1)!.child.inboundSpi;

    connect(pair, { child: POLICY });
    drain();
    carryOut(pair, side, rekeyChild(side.endpoint, side.tools, sa(), spi(), pair.now));
    drain();
    carryOut(pair, side, rekeySa(side.endpoint, side.tools, sa(), pair.now));
    drain();
    const large = Array.from({ length: 40 }, (_, i) => ({
      kind: "V" as const,
      body: { data: new Uint8Array(60).fill(i) },
    }));
    const tag = { tag: "large" };
    carryOut(pair, side, request(side.endpoint, side.tools, sa(), Exchange.INFORMATIONAL, large, tag, pair.now));
    drain();
    end(pair, drain);
  });
}

function end(pair: Pair, drain: Drain): void {
  const { endpoint, tools } = pair.responder;
  carryOut(pair, other(pair, pair.initiator), close(endpoint, tools, saNumbers(endpoint)[0]!, pair.now));
  drain();
}

// -------------------------------------------------------------------------------------------------------- certificates

function certificateProfile(own: readonly Holder[]): AuthProfile {
  const [first] = own;
  return {
    name: "default",
    localIdentity: distinguishedName(first!.certificate.subject),
    local: first!.key.type === "rsa" ? "rsa-sig" : "ecdsa-sig",
    remote: ["rsa-sig", "ecdsa-sig"],
    match: { remoteAddresses: [], remoteIdentities: [], anyRemote: true },
    keys: [],
    trustpoints: [trustpointOf(own)],
    lifetimeSeconds: 0,
  };
}

function recordSigned(
  session: string,
  gm: readonly Holder[],
  ks: readonly Holder[],
  change: Partial<EndpointConfig>,
): Recording[] {
  const side = (own: readonly Holder[]): Partial<EndpointConfig> => ({
    profiles: [certificateProfile(own)],
    pki: { epoch: NOW },
    ...change,
  });
  return recordPair(session, { initiator: side(gm), responder: side(ks) }, (pair, drain) => {
    connect(pair);
    drain();
    end(pair, drain);
  });
}

const NO_HASHES: Partial<EndpointConfig> = { pki: { epoch: NOW, signatureHashes: [] } };

export function recordIke(): readonly Recording[] {
  return [
    ...recordChildren(),
    ...recordSigned("certificates, method 14, RSA", [RSA_GM, SUB], [RSA_KS], {}),
    ...recordSigned("certificates, method 14, ECDSA, fragments", [EC_GM, SUB], [EC_KS], {
      fragmentation: { mtu: 576 },
    }),
    ...recordSigned("certificates, method 1", [RSA_GM, SUB], [RSA_KS], NO_HASHES),
    ...recordSigned("certificates, methods 9 and 10", [EC_GM, SUB], [EC_KS], NO_HASHES),
    ...recordSigned("certificates, method 11", [EC521_GM, SUB], [EC521_KS], NO_HASHES),
  ];
}
