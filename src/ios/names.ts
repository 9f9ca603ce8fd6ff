/** Names that IOS knows for numbers in access lists: IP protocols, TCP and UDP ports, ICMP messages. */

/** IANA protocol numbers by IOS keyword. `ip` stands for all of them and is not in the table. */
export const PROTOCOLS = {
  icmp: 1,
  igmp: 2,
  ipinip: 4,
  tcp: 6,
  udp: 17,
  gre: 47,
  esp: 50,
  ahp: 51,
  eigrp: 88,
  ospf: 89,
  nos: 94,
  pim: 103,
  pcp: 108,
} as const;

export type ProtocolName = keyof typeof PROTOCOLS;

/** Ports that the running configuration prints by name. Where TCP and UDP disagree the row says so. */
const PORTS: readonly { readonly name: string; readonly port: number; readonly over: "tcp" | "udp" | "both" }[] = [
  { name: "echo", port: 7, over: "both" },
  { name: "discard", port: 9, over: "both" },
  { name: "daytime", port: 13, over: "tcp" },
  { name: "ftp-data", port: 20, over: "tcp" },
  { name: "ftp", port: 21, over: "tcp" },
  { name: "telnet", port: 23, over: "tcp" },
  { name: "smtp", port: 25, over: "tcp" },
  { name: "time", port: 37, over: "both" },
  { name: "nameserver", port: 42, over: "udp" },
  { name: "whois", port: 43, over: "tcp" },
  { name: "tacacs", port: 49, over: "both" },
  { name: "domain", port: 53, over: "both" },
  { name: "bootps", port: 67, over: "udp" },
  { name: "bootpc", port: 68, over: "udp" },
  { name: "tftp", port: 69, over: "udp" },
  { name: "gopher", port: 70, over: "tcp" },
  { name: "finger", port: 79, over: "tcp" },
  { name: "www", port: 80, over: "tcp" },
  { name: "pop2", port: 109, over: "tcp" },
  { name: "pop3", port: 110, over: "tcp" },
  { name: "sunrpc", port: 111, over: "both" },
  { name: "ident", port: 113, over: "tcp" },
  { name: "nntp", port: 119, over: "tcp" },
  { name: "ntp", port: 123, over: "udp" },
  { name: "netbios-ns", port: 137, over: "udp" },
  { name: "netbios-dgm", port: 138, over: "udp" },
  { name: "netbios-ss", port: 139, over: "udp" },
  { name: "snmp", port: 161, over: "udp" },
  { name: "snmptrap", port: 162, over: "udp" },
  { name: "xdmcp", port: 177, over: "udp" },
  { name: "bgp", port: 179, over: "tcp" },
  { name: "irc", port: 194, over: "tcp" },
  { name: "dnsix", port: 195, over: "udp" },
  { name: "mobile-ip", port: 434, over: "udp" },
  { name: "pim-auto-rp", port: 496, over: "both" },
  { name: "isakmp", port: 500, over: "udp" },
  { name: "exec", port: 512, over: "tcp" },
  { name: "biff", port: 512, over: "udp" },
  { name: "login", port: 513, over: "tcp" },
  { name: "who", port: 513, over: "udp" },
  { name: "cmd", port: 514, over: "tcp" },
  { name: "syslog", port: 514, over: "udp" },
  { name: "lpd", port: 515, over: "tcp" },
  { name: "talk", port: 517, over: "both" },
  { name: "rip", port: 520, over: "udp" },
  { name: "uucp", port: 540, over: "tcp" },
  { name: "klogin", port: 543, over: "tcp" },
  { name: "kshell", port: 544, over: "tcp" },
  { name: "non500-isakmp", port: 4500, over: "udp" },
];

/** ICMP messages by IOS keyword; a code is present where the keyword implies one. */
const ICMP: readonly { readonly name: string; readonly type: number; readonly code?: number }[] = [
  { name: "echo-reply", type: 0 },
  { name: "net-unreachable", type: 3, code: 0 },
  { name: "host-unreachable", type: 3, code: 1 },
  { name: "protocol-unreachable", type: 3, code: 2 },
  { name: "port-unreachable", type: 3, code: 3 },
  { name: "packet-too-big", type: 3, code: 4 },
  { name: "administratively-prohibited", type: 3, code: 13 },
  { name: "unreachable", type: 3 },
  { name: "source-quench", type: 4 },
  { name: "redirect", type: 5 },
  { name: "echo", type: 8 },
  { name: "router-advertisement", type: 9 },
  { name: "router-solicitation", type: 10 },
  { name: "ttl-exceeded", type: 11, code: 0 },
  { name: "reassembly-timeout", type: 11, code: 1 },
  { name: "time-exceeded", type: 11 },
  { name: "parameter-problem", type: 12 },
  { name: "timestamp-request", type: 13 },
  { name: "timestamp-reply", type: 14 },
  { name: "traceroute", type: 30 },
];

/** A port number or name as typed; undefined for anything else. */
export function portNumber(text: string): number | undefined {
  if (/^\d{1,5}$/.test(text)) return Number(text) <= 65535 ? Number(text) : undefined;
  return PORTS.find((row) => row.name === text.toLowerCase())?.port;
}

/** The name IOS prints for a port, or the number where it has none. Protocol: 6 or 17. */
export function portText(port: number, protocol: number | "ip"): string {
  const over = protocol === 17 ? "udp" : "tcp";
  return PORTS.find((row) => row.port === port && (row.over === "both" || row.over === over))?.name ?? String(port);
}

export function protocolText(protocol: number | "ip"): string {
  if (protocol === "ip") return "ip";
  return Object.entries(PROTOCOLS).find(([, number]) => number === protocol)?.[0] ?? String(protocol);
}

/** Keywords for ICMP messages, as a pattern's alternatives. */
export const ICMP_NAMES: readonly string[] = ICMP.map((row) => row.name);

export function icmpMessage(name: string): { readonly type: number; readonly code?: number } | undefined {
  return ICMP.find((row) => row.name === name);
}

/** ` echo-reply`, ` 3 9` or nothing: the end of an ICMP entry in the running configuration. */
export function icmpText(type: number | undefined, code: number | undefined): string {
  if (type === undefined) return "";
  const named = ICMP.find((row) => row.type === type && row.code === code);
  if (named !== undefined) return ` ${named.name}`;
  return code === undefined ? ` ${type}` : ` ${type} ${code}`;
}
