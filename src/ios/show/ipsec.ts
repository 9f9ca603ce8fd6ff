/** `show crypto ipsec transform-set`, `show crypto ipsec profile` and `show crypto map`: what is configured for IPsec. */
import { formatIpv4 } from "../../base/ipv4.ts";
import type {
  CryptoMap,
  GkmGroup,
  GkmMapEntry,
  IosConfig,
  IpsecProfile,
  Reference,
  TransformSet,
  TunnelMapEntry,
} from "../model.ts";
import { lines, transformText } from "./text.ts";

/** `name` absent: all. The set `default` of newer images is not in the model, and nobody can use it here. */
export function transformSets({ transformSets: sets }: IosConfig, name: string | undefined): string {
  return [...sets.values()]
    .filter((set) => name === undefined || set.name === name)
    .map((set) =>
      lines(
        `Transform set ${set.name}: ${transforms(set)} `,
        `   will negotiate = { ${set.mode === "tunnel" ? "Tunnel" : "Transport"},  }, `,
        "",
      ),
    )
    .join("");
}

/** `{ esp-256-aes esp-sha256-hmac  }`. */
function transforms({ cipher, keyBits, espHash, ahHash }: TransformSet): string {
  const esp =
    cipher === undefined ? espHash && `esp-${espHash}-hmac` : transformText({ cipher, keyBits, hash: espHash });
  const words = [ahHash === undefined ? undefined : `ah-${ahHash}-hmac`, esp].filter((word) => word !== undefined);
  return `{ ${words.join(" ")}  }`;
}

/** `name` absent: all. */
export function ipsecProfiles(config: IosConfig, name: string | undefined): string {
  return [...config.ipsecProfiles.values()]
    .filter((profile) => name === undefined || profile.name === name)
    .map((profile) => lines(`IPSEC profile ${profile.name}`, negotiation(config, profile), ""))
    .join("");
}

interface Negotiated extends Pick<IpsecProfile, "ikev2Profile" | "pfsGroup" | "lifetimeSeconds" | "transformSets"> {}

/** What a profile and an entry of a crypto map have in common. `between`: lines of the entry alone. */
function negotiation(config: IosConfig, one: Negotiated, between: readonly string[] = []): string[] {
  const { ikev2Profile, pfsGroup, lifetimeSeconds } = one;
  return [
    ...(ikev2Profile === undefined ? [] : [`        IKEv2 Profile: ${ikev2Profile.name}`]),
    ...between,
    // Volumes are accepted and never reached: nothing counts them.
    `        Security association lifetime: 4608000 kilobytes/${lifetimeSeconds} seconds`,
    "        Dualstack (Y/N): N",
    "",
    "        Responder-Only (Y/N): N",
    `        PFS (Y/N): ${pfsGroup === undefined ? "N" : "Y"}`,
    ...(pfsGroup === undefined ? [] : [`        DH group:  group${pfsGroup}`]),
    "        Mixed-mode : Disabled",
    "        Transform sets={ ",
    ...one.transformSets.map((reference) => setRow(config, reference)),
    "        }",
  ];
}

function setRow({ transformSets: sets }: IosConfig, { name }: Reference): string {
  const set = sets.get(name);
  return `                ${name}:  ${set === undefined ? "{ }" : transforms(set)} , `;
}

/** `show crypto map [tag NAME | interface NAME]`. */
export function cryptoMaps(config: IosConfig, tag: string | undefined, onInterface: string | undefined): string {
  const wanted = onInterface === undefined ? tag : config.interfaces.get(onInterface)?.cryptoMap?.name;
  const maps = [...config.cryptoMaps.values()].filter(
    ({ name }) => (tag === undefined && onInterface === undefined) || name === wanted,
  );
  if (maps.length === 0) return "No crypto maps found.\n";
  return maps.map((map) => mapText(config, map)).join("");
}

/** Entries in the order in which they are asked, a blank line between them, the interfaces behind the last one. */
function mapText(config: IosConfig, map: CryptoMap): string {
  const family = map.family === "ipv6" ? "IPv6" : "IPv4";
  const users = [...config.interfaces.values()].filter(({ cryptoMap }) => cryptoMap?.name === map.name);
  const heading = (sequence: number, keyword: string) => `Crypto Map ${family} "${map.name}" ${sequence} ${keyword}`;
  const groups = [...map.entries.values()].map((entry) => ({
    sequence: entry.sequence,
    text: [heading(entry.sequence, entry.keyword), ...groupEntryLines(config, entry)],
  }));
  const tunnels = [...map.tunnels.values()].map((entry) => ({
    sequence: entry.sequence,
    text: [heading(entry.sequence, "ipsec-isakmp"), ...tunnelLines(config, entry)],
  }));
  const entries = [...groups, ...tunnels].sort((a, b) => a.sequence - b.sequence);
  return lines(
    entries.flatMap(({ text }, index) => (index === 0 ? text : ["", ...text])),
    `        Interfaces using crypto map ${map.name}:`,
    users.map(({ name }) => `                ${name}`),
    "",
  );
}

function groupEntryLines(config: IosConfig, { group: reference, acl }: GkmMapEntry): string[] {
  const group = reference && config.groups.get(reference.name);
  return [
    ...(acl === undefined ? [] : [`        Extended IP access list ${acl.name}`]),
    ...(reference === undefined ? [] : [`        Group Name: ${reference.name}`]),
    ...(group === undefined ? [] : groupLines(group)),
  ];
}

function tunnelLines(config: IosConfig, entry: TunnelMapEntry): string[] {
  const { peer, acl } = entry;
  const address = peer && formatIpv4(peer.value);
  const isComplete = peer !== undefined && acl !== undefined;
  return [
    ...(isComplete
      ? []
      : [
          "        WARNING: This crypto map is in an incomplete state!",
          "                (missing peer or access-list definitions)",
        ]),
    ...(address === undefined ? [] : [`        Peer = ${address}`]),
    ...negotiation(config, entry, [
      "        Access-List SS dynamic: False",
      acl === undefined ? "        No matching address list set." : `        Extended IP access list ${acl.name}`,
      ...(address === undefined ? [] : [`        Current peer: ${address}`]),
    ]),
  ];
}

function groupLines({ identity, servers }: GkmGroup): string[] {
  const id =
    identity?.kind === "number"
      ? `identity number ${identity.number}`
      : identity && `identity address ipv4 ${formatIpv4(identity.address)}`;
  return [
    ...(id === undefined ? [] : [`        ${id}`]),
    ...servers.map((server) =>
      server.kind === "ipv4"
        ? `        server address ipv4 ${formatIpv4(server.address)}`
        : `        server ${server.kind === "ipv6" ? `address ipv6 ${server.address}` : `hostname ${server.name}`}`,
    ),
  ];
}
