/** IKEv2 objects: complete enough to be used, and leading somewhere. */
import type { ConfigProblem } from "../../base/errors.ts";
import { BUILT_IN } from "../defaults.ts";
import type { Ikev2Keyring, Ikev2Peer, Ikev2Profile, Ikev2Proposal, IosConfig, TypedKey } from "../model.ts";
import { missing, problemAt } from "./problem.ts";

export function checkIke(config: IosConfig): ConfigProblem[] {
  const { proposals, policies, keyrings, profiles } = config.ikev2;
  return [
    ...[...proposals.values()].flatMap(checkProposal),
    ...[...policies.values()].flatMap((policy) => {
      const unknown = missing(policy.proposals, proposals, (name) => `IKEv2 proposal ${name} does not exist.`);
      if (policy.proposals.length > 0) return unknown;
      return [problemAt("iosIncompleteObject", policy.at, `IKEv2 policy ${policy.name} MUST have a proposal.`)];
    }),
    ...[...keyrings.values()].flatMap(checkKeyring),
    ...[...profiles.values()].flatMap((profile) => checkProfile(config, profile)),
  ];
}

/** AES-GCM brings its own integrity and needs a PRF; all others need integrity. The two do not mix in one proposal. */
function checkProposal(proposal: Ikev2Proposal): ConfigProblem[] {
  if (proposal.at === BUILT_IN) return [];
  const aead = proposal.encryption.filter((name) => name.startsWith("aes-gcm")).length;
  const lacking: string[] = [];
  if (proposal.encryption.length === 0) lacking.push("an encryption algorithm");
  if (proposal.groups.length === 0) lacking.push("a DH group");
  if (aead < proposal.encryption.length && proposal.integrity.length === 0) lacking.push("an integrity algorithm");
  if (aead > 0 && proposal.prf.length === 0) lacking.push("a PRF algorithm");
  const found = lacking.map((part) =>
    problemAt("iosIncompleteObject", proposal.at, `IKEv2 proposal ${proposal.name} MUST have ${part}.`),
  );
  if (aead > 0 && aead < proposal.encryption.length) {
    const message = `IKEv2 proposal ${proposal.name} mixes AES-GCM with other encryption algorithms.`;
    found.push(problemAt("iosConflict", proposal.at, message));
  }
  if (aead > 0 && aead === proposal.encryption.length && proposal.integrity.length > 0) {
    const message = `IKEv2 proposal ${proposal.name} has AES-GCM, which excludes an integrity algorithm.`;
    found.push(problemAt("iosConflict", proposal.at, message));
  }
  return found;
}

function checkKeyring(keyring: Ikev2Keyring): ConfigProblem[] {
  return [...keyring.peers.values()].flatMap((peer) => [
    ...incompletePeer(peer),
    ...sealedKey(peer.localKey),
    ...(peer.remoteKey === peer.localKey ? [] : sealedKey(peer.remoteKey)),
  ]);
}

function incompletePeer(peer: Ikev2Peer): ConfigProblem[] {
  const found: ConfigProblem[] = [];
  const lack = (part: string) => problemAt("iosIncompleteObject", peer.at, `Keyring peer ${peer.name} has no ${part}.`);
  const named = peer.address ?? peer.address6 ?? peer.hostname ?? peer.identity;
  if (named === undefined) found.push(lack("address, hostname or identity"));
  if (peer.localKey === undefined || peer.remoteKey === undefined)
    found.push(lack("pre-shared key for both directions"));
  return found;
}

export function sealedKey(key: TypedKey | undefined): ConfigProblem[] {
  if (key?.encryption !== 6) return [];
  const message = "A key of type 6 is sealed with the master key of the box it came from; type the key itself.";
  return [problemAt("iosUnsupported", key.at, message)];
}

function checkProfile(config: IosConfig, profile: Ikev2Profile): ConfigProblem[] {
  const methods = [profile.authenticationLocal, ...profile.authenticationRemote].filter((one) => one !== undefined);
  return [
    ...incompleteProfile(profile),
    ...missing([profile.keyring], config.ikev2.keyrings, (name) => `IKEv2 keyring ${name} does not exist.`),
    ...missing(profile.trustpoints, config.pki.trustpoints, (name) => `PKI trustpoint ${name} does not exist.`),
    ...missing(
      profile.matchCertificates,
      config.pki.certificateMaps,
      (name) => `Certificate map ${name} does not exist.`,
    ),
    ...methods.flatMap(({ key }) => sealedKey(key)),
    ...methods
      .filter(({ method }) => method === "eap")
      .map(({ at }) => problemAt("iosUnsupported", at, "EAP is not supported with G-IKEv2.")),
  ];
}

function incompleteProfile(profile: Ikev2Profile): ConfigProblem[] {
  const { matchRemote, matchCertificates, authenticationLocal, authenticationRemote } = profile;
  const lacking: string[] = [];
  if (matchRemote.length === 0 && matchCertificates.length === 0) lacking.push("match identity or a certificate map");
  if (authenticationLocal === undefined) lacking.push("a local authentication method");
  if (authenticationRemote.length === 0) lacking.push("a remote authentication method");
  const all = authenticationLocal === undefined ? authenticationRemote : [authenticationLocal, ...authenticationRemote];
  const wantsKeyring = all.some(({ method, key }) => method === "pre-share" && key === undefined);
  if (wantsKeyring && profile.keyring === undefined && profile.keyringAaa === undefined) lacking.push("a keyring");
  const signs = all.some(({ method }) => method === "rsa-sig" || method === "ecdsa-sig");
  if (signs && profile.trustpoints.length === 0) lacking.push("a trustpoint");
  return lacking.map((part) =>
    problemAt("iosIncompleteObject", profile.at, `IKEv2 profile ${profile.name} MUST have ${part}.`),
  );
}
