/** The translations that a router makes at an instant. */
import { formatIpv4 } from "../../../src/base/ipv4.ts";
import type { Micros } from "../../../src/base/micros.ts";
import type { NatEntryView } from "../../../src/ios/show/views.ts";
import { IpProtocol } from "../../../src/wire/ip.ts";
import type { Nat, NatEntry } from "../../net/nat.ts";
import type { End } from "../../net/rewrite.ts";

const PROTOCOLS: Readonly<Record<number, NatEntryView["protocol"]>> = {
  [IpProtocol.TCP]: "tcp",
  [IpProtocol.UDP]: "udp",
  [IpProtocol.ICMP]: "icmp",
  [IpProtocol.ESP]: "esp",
};

/** None on a router that translates nothing. */
export function natViews(nat: Nat | undefined, now: Micros): NatEntryView[] {
  if (nat === undefined) return [];
  const statics = nat.rules.statics.map(({ local, global, ports }) =>
    view(
      ports?.protocol ?? 0,
      { address: global, port: ports?.global ?? 0 },
      { address: local, port: ports?.local ?? 0 },
    ),
  );
  const made = [...nat.entries.values()].filter(({ isStatic, expiresAt }) => !isStatic && expiresAt! > now);
  return [...statics, ...made.map((entry) => view(entry.protocol, entry.global, entry.local, farEnd(entry)))];
}

/** Outside, an echo has the translated identifier at both ends. */
function farEnd({ outside, global, protocol }: NatEntry): End | undefined {
  return outside && protocol === IpProtocol.ICMP ? { address: outside.address, port: global.port } : outside;
}

function view(protocol: number, global: End, local: End, outside?: End): NatEntryView {
  const text = ({ address, port }: End) => (protocol === 0 ? formatIpv4(address) : `${formatIpv4(address)}:${port}`);
  return {
    protocol: PROTOCOLS[protocol],
    insideGlobal: text(global),
    insideLocal: text(local),
    outside: outside && text(outside),
  };
}
