/** `show crypto ikev2 sa`, `show crypto isakmp sa`, `show crypto ipsec sa`, `show crypto session`. */
import { formatIpv4 } from "../../base/ipv4.ts";
import type { AclEntry, AddressMatch, PortMatch } from "../model.ts";
import { clockText, lines, longSpi, transformText } from "./text.ts";
import type { Ikev2SaView, IpsecFlowView, IpsecInterfaceView, IpsecSaView, IsakmpSaView, RouterView } from "./views.ts";

/** `show crypto ikev2 sa [detailed]`. */
export function ikev2Sas(sas: readonly Ikev2SaView[], isDetailed: boolean): string {
  return lines(
    " IPv4 Crypto IKEv2  SA ",
    "",
    sas.flatMap((sa) => ikev2Lines(sa, isDetailed)),
    " IPv6 Crypto IKEv2  SA ",
    "",
  );
}

function ikev2Lines(sa: Ikev2SaView, isDetailed: boolean): string[] {
  const place = ({ address, port }: Ikev2SaView["local"]) => `${address}/${port}`.padEnd(22);
  return [
    "Tunnel-id Local                 Remote                fvrf/ivrf            Status ",
    `${String(sa.number).padEnd(10)}${place(sa.local)}${place(sa.remote)}${"none/none".padEnd(21)}${sa.status.padEnd(7)}`,
    ...(sa.cipher === ""
      ? []
      : [
          `      Encr: ${sa.cipher}, keysize: ${sa.keyBits}, PRF: ${sa.prf}, Hash: ${sa.hash}, DH Grp:${sa.dhGroup}, ` +
            `Auth sign: ${sa.authentication.sign}, Auth verify: ${sa.authentication.verify}`,
        ]),
    `      Life/Active Time: ${sa.lifetime}/${sa.active} sec`,
    ...(isDetailed ? detailLines(sa) : []),
    "",
  ];
}

function detailLines(sa: Ikev2SaView): string[] {
  const { requests, dpd } = sa;
  const twin = (left: string, a: string | number, right: string, b: string | number) =>
    `      ${left.padEnd(18)} ${String(a).padEnd(15)}${right.padEnd(19)} ${String(b).padEnd(10)}`;
  return [
    `      CE id: ${1000 + sa.number}, Session-id: ${sa.number}`,
    `      Local spi: ${sa.localSpi.toUpperCase()}       Remote spi: ${sa.remoteSpi.toUpperCase()}`,
    `      Status Description: ${sa.status === "READY" ? "Negotiation done" : "Negotiation in progress"}`,
    `      Local id: ${sa.localId}`,
    `      Remote id: ${sa.remoteId}`,
    twin("Local req msg id:", requests.localNext, "Remote req msg id:", requests.remoteNext),
    twin("Local next msg id:", requests.localNext, "Remote next msg id:", requests.remoteNext),
    twin("Local req queued:", requests.localNext + requests.localQueued, "Remote req queued:", requests.remoteNext),
    twin("Local window:", requests.localWindow, "Remote window:", requests.remoteWindow),
    `      DPD configured for ${dpd?.seconds ?? 0} seconds, retry ${dpd?.retry ?? 0}`,
    sa.isFragmenting ? "      Fragmentation configured." : "      Fragmentation not  configured.",
    "      Extended Authentication not configured.",
    sa.isNatted ? "      NAT-T is detected  " : "      NAT-T is not detected  ",
    "      Cisco Trust Security SGT is disabled",
    `      Initiator of SA : ${sa.isInitiator ? "Yes" : "No"}`,
  ];
}

/** `show crypto isakmp sa`. */
export function isakmpSas(sas: readonly IsakmpSaView[]): string {
  const row = (a: string, b: string, state: string, id: string | number, status: string) =>
    `${a.padEnd(16)}${b.padEnd(16)}${state.padEnd(15)}${String(id).padStart(7)} ${status}`;
  return lines(
    "IPv4 Crypto ISAKMP SA",
    row("dst", "src", "state", "conn-id", "status"),
    sas.map((sa) => row(sa.destination, sa.source, sa.state, sa.connectionId, sa.status)),
    "",
    "IPv6 Crypto ISAKMP SA",
    "",
  );
}

/** `show crypto isakmp sa detail`: phase 1 with what was agreed. Rekey SAs have no phase 1 and are not in it. */
export function isakmpSaDetails(sas: readonly IsakmpSaView[]): string {
  return lines(
    "Codes: C - IKE configuration mode, D - Dead Peer Detection",
    "       K - Keepalives, N - NAT-traversal",
    "       T - cTCP encapsulation, X - IKE Extended Authentication",
    "       psk - Preshared key, rsig - RSA signature",
    "       renc - RSA encryption",
    "IPv4 Crypto ISAKMP SA",
    "",
    "C-id  Local           Remote          I-VRF  Status Encr Hash   Auth DH Lifetime Cap.",
    "",
    sas.filter(({ state }) => state !== "GDOI_REKEY").flatMap(isakmpDetail),
    "IPv6 Crypto ISAKMP SA",
    "",
  );
}

function isakmpDetail(sa: IsakmpSaView): string[] {
  const { connectionId, local, remote, status, suite, remaining, hasDpd, isNatted } = sa;
  const ends = `${local.address.padEnd(16)}${remote.address.padEnd(16)}`;
  const { encryption = "", hash = "", authentication = "", group = "" } = suite ?? {};
  const agreed = `${encryption.padEnd(5)}${hash.padEnd(7)}${authentication.padEnd(5)}${String(group).padEnd(3)}`;
  const capabilities = `${hasDpd ? "D" : ""}${isNatted ? "N" : ""}`.padEnd(4);
  return [
    `${String(connectionId).padEnd(6)}${ends}${"".padEnd(7)}${status.padEnd(7)}${agreed}${clockText(remaining)} ${capabilities}`,
    `       Engine-id:Conn-id =  SW:${connectionId - FIRST_ISAKMP_CONNECTION}`,
    "",
  ];
}

const FIRST_ISAKMP_CONNECTION = 1000;

/** `show crypto ipsec sa`. */
export function ipsecSas(interfaces: readonly IpsecInterfaceView[]): string {
  return interfaces
    .map((one) =>
      lines(
        "",
        `interface: ${one.name}`,
        `    Crypto map tag: ${one.map}, local addr ${one.address}`,
        "",
        one.flows.flatMap((flow) => flowLines(one, flow)),
      ),
    )
    .join("");
}

function flowLines(one: IpsecInterfaceView, flow: IpsecFlowView): string[] {
  const { counters, entry, outboundSpi, pfsGroup } = flow;
  return [
    "   protected vrf: (none)",
    `   local  ident (addr/mask/prot/port): (${identText(entry, entry.source, entry.sourcePort)})`,
    `   remote ident (addr/mask/prot/port): (${identText(entry, entry.destination, entry.destinationPort)})`,
    ...(flow.group === undefined ? [] : [`   Group: ${flow.group}`]),
    `   current_peer ${flow.peer.address} port ${flow.peer.port}`,
    `     PERMIT, flags={${flow.group === undefined ? "origin_is_acl," : ""}}`,
    `    #pkts encaps: ${counters.encaps}, #pkts encrypt: ${counters.encrypt}, #pkts digest: ${counters.digest}`,
    `    #pkts decaps: ${counters.decaps}, #pkts decrypt: ${counters.decrypt}, #pkts verify: ${counters.verify}`,
    "    #pkts compressed: 0, #pkts decompressed: 0",
    "    #pkts not compressed: 0, #pkts compr. failed: 0",
    "    #pkts not decompressed: 0, #pkts decompress failed: 0",
    `    #send errors ${counters.sendErrors}, #recv errors ${counters.receiveErrors}`,
    "",
    `     local crypto endpt.: ${one.address}, remote crypto endpt.: ${flow.peer.address}`,
    `     plaintext mtu ${flow.plaintextMtu}, path mtu ${one.mtu}, ip mtu ${one.mtu}, ip mtu idb ${one.name}`,
    `     current outbound spi: ${outboundSpi === undefined ? "0x0(0)" : longSpi(outboundSpi)}`,
    `     PFS (Y/N): ${pfsGroup === undefined ? "N, DH group: none" : `Y, DH group: group${pfsGroup}`}`,
    "",
    ...saBlock("inbound", flow, one.map),
    ...saBlock("outbound", flow, one.map),
  ];
}

function saBlock(direction: "inbound" | "outbound", { sas, group }: IpsecFlowView, map: string): string[] {
  const lead = (sa: IpsecSaView) =>
    direction === "inbound"
      ? ([sa.inboundSpi, sa.connectionId] as const)
      : ([sa.outboundSpi, sa.connectionId + 1] as const);
  return [
    `     ${direction} esp sas:`,
    ...sas.flatMap((sa) => saLines(sa, map, ...lead(sa), group !== undefined)),
    "",
    `     ${direction} ah sas:`,
    "",
    `     ${direction} pcp sas:`,
    "",
  ];
}

const FIRST_CONNECTION = 2000;

function saLines(sa: IpsecSaView, map: string, spi: string, id: number, isOfGroup: boolean): string[] {
  return [
    `      spi: ${longSpi(spi)}`,
    `        transform: ${transformText(sa.transform)} ,`,
    `        in use settings ={${sa.mode === "tunnel" ? "Tunnel" : "Transport"}${sa.isInUdp ? " UDP-Encaps" : ""}, }`,
    `        conn id: ${id}, flow_id: SW:${id - FIRST_CONNECTION}, sibling_flags 80000040, crypto map: ${map}`,
    `        sa timing: remaining key lifetime (sec): ${sa.remaining}`,
    "        Kilobyte Volume Rekey has been disabled",
    `        IV size: ${sa.ivOctets} bytes`,
    `        replay detection support: ${replayText(sa, isOfGroup)}`,
    "        Status: ACTIVE(ACTIVE)",
  ];
}

/** A window over the sequence numbers of several senders would drop what is good: a group's counters are not checked. */
function replayText({ replay }: IpsecSaView, isOfGroup: boolean): string {
  if (replay.method === "time") return `Y  replay window size: ${replay.seconds} sec`;
  return replay.method === "counter" && !isOfGroup ? "Y" : "N";
}

/** `10.0.0.0/255.0.0.0/1/0`: address, mask, protocol, port. */
function identText({ protocol }: AclEntry, { address, wildcard }: AddressMatch, port: PortMatch | undefined): string {
  const number = protocol === "ip" ? 0 : protocol;
  return `${formatIpv4(address)}/${formatIpv4(~wildcard >>> 0)}/${number}/${singlePort(port)}`;
}

function singlePort(match: PortMatch | undefined): number {
  return match !== undefined && match.operator === "eq" ? match.ports[0]! : 0;
}

/** An IKE SA as sessions list it. */
interface IkeEnds extends Pick<Ikev2SaView, "local" | "remote"> {
  readonly version: "IKEv1" | "IKEv2";
  readonly isActive: boolean;
}

/**
 * `show crypto session [detail]`: for each interface with a crypto map one session with each peer; a group is one peer
 * without address. IKE SAs without such an interface, those of a key server, are sessions without flows.
 */
export function sessions(
  { ipsec, ikev2Sas, isakmpSas, interfaces }: Pick<RouterView, "ipsec" | "ikev2Sas" | "isakmpSas" | "interfaces">,
  isDetailed: boolean,
): string {
  const sas: IkeEnds[] = [
    ...isakmpSas
      .filter(({ state }) => state !== "GDOI_REKEY")
      .map(
        ({ local, remote, state }) => ({ version: "IKEv1", local, remote, isActive: state.endsWith("IDLE") }) as const,
      ),
    ...ikev2Sas.map(
      ({ local, remote, status }) => ({ version: "IKEv2", local, remote, isActive: status === "READY" }) as const,
    ),
  ];
  const vrf = isDetailed ? " fvrf: (none) ivrf: (none)" : "";
  const known = new Set<IkeEnds>();
  const ofMaps = ipsec.flatMap((one) =>
    byPeer(one).map(({ peer, flows }) => {
      const active = flows.reduce((sum, flow) => sum + flow.sas.length, 0);
      const own = sas.filter(({ local, remote }) =>
        peer.address === GROUP_PEER.address ? local.address === one.address : remote.address === peer.address,
      );
      for (const sa of own) known.add(sa);
      return lines(
        `Interface: ${one.name}`,
        `Session status: ${active > 0 ? "UP-ACTIVE" : idleStatus(own)}`,
        `Peer: ${peer.address} port ${peer.port}${vrf}`,
        own.map(ikeLine),
        flows.flatMap((flow) => sessionFlow(flow, isDetailed)),
        "",
      );
    }),
  );
  const idle = sas
    .filter((sa) => !known.has(sa))
    .map((sa) =>
      lines(
        `Interface: ${interfaces.find(({ address }) => address === sa.local.address)?.name ?? "unknown"}`,
        `Session status: ${idleStatus([sa])}`,
        `Peer: ${sa.remote.address} port ${sa.remote.port}${vrf}`,
        ikeLine(sa),
        "",
      ),
    );
  return lines("Crypto session current status", "") + [...ofMaps, ...idle].join("");
}

const GROUP_PEER = { address: "0.0.0.0", port: 848 } as const;

interface PeerFlows {
  readonly peer: IpsecFlowView["peer"];
  readonly flows: readonly IpsecFlowView[];
}

/** A group whose policy is not there yet is a peer all the same. */
function byPeer({ flows }: IpsecInterfaceView): readonly PeerFlows[] {
  const peers = new Map(flows.map(({ peer }) => [peer.address, peer]));
  if (peers.size === 0) return [{ peer: GROUP_PEER, flows }];
  return [...peers.values()].map((peer) => ({
    peer,
    flows: flows.filter((flow) => flow.peer.address === peer.address),
  }));
}

/** Without SAs for data. */
function idleStatus(sas: readonly IkeEnds[]): "UP-IDLE" | "DOWN-NEGOTIATING" | "DOWN" {
  if (sas.some(({ isActive }) => isActive)) return "UP-IDLE";
  return sas.length > 0 ? "DOWN-NEGOTIATING" : "DOWN";
}

function ikeLine({ version, local, remote, isActive }: IkeEnds): string {
  const end = isActive ? "Active" : "Inactive";
  return `  ${version} SA: local ${local.address}/${local.port} remote ${remote.address}/${remote.port} ${end} `;
}

function sessionFlow({ entry, counters, sas, outboundSpi }: IpsecFlowView, isDetailed: boolean): string[] {
  const end = ({ address, wildcard }: AddressMatch) =>
    wildcard === 0 ? `host ${formatIpv4(address)}` : `${formatIpv4(address)}/${formatIpv4(~wildcard >>> 0)}`;
  const protocol = entry.protocol === "ip" ? "ip" : String(entry.protocol);
  const sender = sas.find((sa) => sa.outboundSpi === outboundSpi) ?? sas[0];
  const remaining = sender?.remaining ?? 0;
  return [
    `  IPSEC FLOW: permit ${protocol} ${end(entry.source)} ${end(entry.destination)} `,
    `        Active SAs: ${2 * sas.length}, origin: crypto map`,
    ...(isDetailed
      ? [
          `        Inbound:  #pkts dec'ed ${counters.decrypt} drop ${counters.receiveErrors} life (KB/Sec) 0/${remaining}`,
          `        Outbound: #pkts enc'ed ${counters.encrypt} drop ${counters.sendErrors} life (KB/Sec) 0/${remaining}`,
        ]
      : []),
  ];
}
