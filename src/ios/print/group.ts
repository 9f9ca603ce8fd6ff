/** Groups as the running configuration prints them: the member's side and the key server's. */
import { formatIpv4 } from "../../base/ipv4.ts";
import { DEFAULTS } from "../defaults.ts";
import type { GkmClient, GkmGroup, LocalServer, Redundancy, ReplayMethod, SaIpsec, ServerAddress } from "../model.ts";
import { block, optional, unless, when } from "./writer.ts";

export function printGroup(group: GkmGroup): string[] {
  const { keyword, family, name, identity, passive, servers, client, server } = group;
  return block(`crypto ${keyword} group ${family === "ipv6" ? "ipv6 " : ""}${name}`, [
    ...optional(identity, (value) =>
      value.kind === "number"
        ? `identity number ${value.number}`
        : `identity address ipv4 ${formatIpv4(value.address)}`,
    ),
    ...when(passive, "passive"),
    ...servers.map(serverText),
    ...printClient(client, keyword === "gkm" && server === undefined),
    ...(server === undefined ? [] : block("server local", printServer(server, keyword === "gkm"))),
  ]);
}

function serverText(server: ServerAddress): string {
  switch (server.kind) {
    case "ipv4":
      return `server address ipv4 ${formatIpv4(server.address)}`;
    case "ipv6":
      return `server address ipv6 ${server.address}`;
    case "hostname":
      return `server hostname ${server.family} ${server.name}`;
  }
}

/** Images that know G-IKEv2 print the protocol in any case, older ones have no such command. */
function printClient(client: GkmClient, showsProtocol: boolean): string[] {
  const { protocol, profile, registrationInterface, bypassPolicy, rekeyEncryption, rekeyHash, transformSets } = client;
  const isShown = showsProtocol || protocol !== DEFAULTS.client.protocol;
  return [
    ...when(isShown, `client protocol ${protocol}${profile === undefined ? "" : ` ${profile.name}`}`),
    ...optional(registrationInterface, ({ name }) => `client registration interface ${name}`),
    ...when(!bypassPolicy, "no client bypass-policy"),
    ...when(rekeyEncryption.length > 0, `client rekey encryption ${rekeyEncryption.map(cipherText).join(" ")}`),
    ...when(rekeyHash.length > 0, `client rekey hash ${rekeyHash.join(" ")}`),
    ...when(transformSets.length > 0, `client transform-sets ${transformSets.map(({ name }) => name).join(" ")}`),
    ...optional(client.recoveryCheckSeconds, (value) => `client recovery-check interval ${value}`),
    ...optional(client.statusTrack, (value) => `client status active-sa track ${value}`),
    ...when(client.failCloseRevert, "client fail-close revert"),
    ...when(!client.pfs, "no client pfs"),
    ...optional(client.transportEncryptKey, (value) => `client transport-encrypt-key ${value}`),
  ];
}

/** `aes-256` is typed as two words. */
function cipherText(cipher: string): string {
  return cipher.replace(/^aes-/, "aes ");
}

function printServer(server: LocalServer, showsProtocols: boolean): string[] {
  const fallback = DEFAULTS.server;
  const { gdoi, gikev2, rekeyRetransmitSeconds, rekeyRetransmitCount, rekeyRetransmitPeriodic } = server;
  const isRetransmitShown =
    rekeyRetransmitPeriodic ||
    rekeyRetransmitSeconds !== fallback.rekeyRetransmitSeconds ||
    rekeyRetransmitCount !== fallback.rekeyRetransmitCount;
  const retransmitEnd = rekeyRetransmitPeriodic ? "periodic" : `number ${rekeyRetransmitCount}`;
  return [
    ...(gdoi ? when(showsProtocols, "gdoi") : ["no gdoi"]),
    ...(gikev2 === undefined ? when(showsProtocols, "no gikev2") : [`gikev2 ${gikev2.name}`]),
    ...unless<string>(
      fallback.rekeyAlgorithm,
      server.rekeyAlgorithm,
      (value) => `rekey algorithm ${cipherText(value)}`,
    ),
    ...unless<string>(fallback.rekeySigHash, server.rekeySigHash, (value) => `rekey sig-hash algorithm ${value}`),
    ...unless<number>(
      fallback.rekeyLifetimeSeconds,
      server.rekeyLifetimeSeconds,
      (value) => `rekey lifetime seconds ${value}`,
    ),
    ...when(isRetransmitShown, `rekey retransmit ${rekeyRetransmitSeconds} ${retransmitEnd}`),
    ...optional(server.rekeyAuthentication, ({ name }) => `rekey authentication mypubkey rsa ${name}`),
    ...when(server.rekeyTransport === "unicast", "rekey transport unicast"),
    ...optional(server.rekeyAddress, ({ name }) => `rekey address ipv4 ${name}`),
    ...unless<string>(
      fallback.rekeyAcknowledgement,
      server.rekeyAcknowledgement,
      (value) => `rekey acknowledgement ${value}`,
    ),
    ...optional(server.authorizationAddress, ({ name }) => `authorization address ipv4 ${name}`),
    ...optional(server.authorizationIdentity, ({ name }) => `authorization identity ${name}`),
    ...optional(server.registrationInterface, ({ name }) => `registration interface ${name}`),
    ...optional(server.registrationCrlTrustpoint, ({ name }) => `registration periodic crl trustpoint ${name}`),
    ...printSas(server),
    ...optional(server.address, ({ value }) => `address ipv4 ${formatIpv4(value)}`),
    ...(server.redundancy === undefined ? [] : block("redundancy", printRedundancy(server.redundancy))),
    ...unless<string>(fallback.groupSize, server.groupSize, (value) => `group size ${value.replace("-", " ")}`),
    ...(server.identifiers.length === 0
      ? []
      : block(
          "identifier",
          server.identifiers.map(({ from, to }) => (from === to ? `value ${from}` : `range ${from} - ${to}`)),
        )),
    ...when(server.pfs, "pfs"),
    ...when(!server.splitResiliency, "no split-resiliency"),
  ];
}

function printSas(server: LocalServer): string[] {
  const { saD3pWindowMillis, pairWiseSafetyLimit } = server;
  const limit = pairWiseSafetyLimit === undefined ? "" : ` safety-limit ${pairWiseSafetyLimit}`;
  return [
    ...when(server.saReceiveOnly, "sa receive-only"),
    ...optional(saD3pWindowMillis, (value) =>
      value % 1000 === 0 && value <= 100_000 ? `sa d3p window sec ${value / 1000}` : `sa d3p window msec ${value}`,
    ),
    ...when(server.saPairWiseKeying, `sa pair-wise-keying${limit}`),
    ...[...server.saIpsec.values()].flatMap((sa) => block(`sa ipsec ${sa.number}`, printSa(sa))),
  ];
}

function printSa({ profile, acl, aclFamily, replay, tagSgt }: SaIpsec): string[] {
  return [
    ...optional(profile, ({ name }) => `profile ${name}`),
    ...optional(acl, ({ name }) => `match address ${aclFamily} ${name}`),
    replayText(replay),
    ...when(tagSgt, "tag cts sgt"),
  ];
}

/** IOS prints the method in any case. */
function replayText(replay: ReplayMethod): string {
  switch (replay.method) {
    case "counter":
      return `replay counter window-size ${replay.windowSize}`;
    case "time":
      return `replay time window-size ${replay.windowSeconds}`;
    case "none":
      return "no replay";
  }
}

function printRedundancy({ localPriority, peers, protocolVersion, pdu }: Redundancy): string[] {
  const fallback = DEFAULTS.redundancy;
  return [
    ...unless<number>(fallback.localPriority, localPriority, (value) => `local priority ${value}`),
    ...peers.map(({ value }) => `peer address ipv4 ${formatIpv4(value)}`),
    ...unless<string>(fallback.protocolVersion, protocolVersion, (value) => `protocol version ${value}`),
    ...optional(pdu, (value) => `protocol pdu ${value}`),
  ];
}
