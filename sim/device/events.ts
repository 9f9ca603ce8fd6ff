/** Kinds of events that devices add to a trace, beside those of the network and of the roles. */
export const DEVICE_EVENTS = {
  "device.up": "The device has started and knows its configuration; data isakmp (true: roles of it speak IKE).",
  "device.down": "The device was switched off or is reloading; data reason (powerOff, reload).",
  "link.up": "The line protocol of an interface came up; data link, interface.",
  "link.down": "The line protocol of an interface went down; data link, interface.",
  "fault.applied": "A fault of the scenario took effect; data kind and what it is about.",
  "ip.dropped": "A packet ended here; data reason (see IpDrop).",
  "esp.dropped":
    "The data plane did not let a packet pass; data reason, counter (as IOS calls it), group, spi; " +
    "with addressesChanged: innerSource, innerDestination, why.",
  "esp.tooBig": "A packet with DF does not fit once it is sealed; data mtu, group.",
  "cloud.dropped": "The cloud did not carry a packet; data reason (notIpv4, noRoute, noReceiver, sourceSite), site.",
  "ospf.hello": "A router tells the others by an interface that it is there; data interface.",
  "ospf.neighbour": "A router was heard that had been silent for forty seconds, or ever; data neighbour, interface.",
  "nat.translated":
    "An address, or a port of it, got another one on the outside; data protocol, local, global, outside.",
  "nat.expired": "Nobody has used such an entry for its time, and it is gone; data protocol, local, global, outside.",
  "nat.dropped": "A packet could not be translated; data reason (see NatDrop).",
  "cpu.dropped": "A datagram found the queue of the CPU full; data waiting.",
  "ping.started": "data ping, from, to, repeat, size.",
  "ping.sent": "An echo request left; data ping, sequence.",
  "ping.reply": "Its answer came in time; data ping, sequence, rttMicros, from.",
  "ping.unreachable": "A router said that it cannot get there; data ping, sequence, from, type, code. IOS prints U.",
  "ping.lost": "No answer came in time; data ping, sequence.",
  "ping.done":
    "data ping, from, to, sent, received, percent, text (!!!!!), line (as IOS prints it), minMicros, avgMicros, maxMicros.",
  "echo.answered": "An echo request was answered; data from, to.",
  "config.applied": "An operator changed the configuration; data lines.",
  "config.isakmp": "IKEv1 was switched on or off; data enabled.",
  "config.groupPolicy":
    "What a key server's group hands out will be different from the next rekey on; data group, transport (a new one).",
  "config.groupAdded": "A key server serves one more group; data group, transport (if unicast).",
  "config.groupRemoved": "A key server serves one group less; data group.",
  "config.incomplete":
    "A group cannot work as it is configured; data group, role, problem, and what the router logs: mnemonic, text.",
  "config.warning":
    "A part of a group's configuration has no effect; data problem, and what the router logs: mnemonic, text.",
  "config.interfaceDown":
    "A crypto map is on an interface that is down: no registration starts; data group, interface.",
} as const satisfies Readonly<Record<string, string>>;

/**
 * Why a packet ended at a device.
 * - `header` no whole IPv4 packet, or a wrong header checksum
 * - `noRoute` no way to the destination
 * - `noNeighbour` nobody at the other end of the link has the address that it would go to (ARP gets no answer)
 * - `ttl` its time to live is over
 * - `mtu` too large for the next link, and DF forbids to cut it
 * - `notForMe` a host got what is not addressed to it, or a multicast packet that came the wrong way (RPF)
 * - `checksum` UDP or ICMP is damaged
 * - `protocol` nobody here speaks that protocol
 * - `port` nobody listens on that UDP port
 * - `interfaceDown` it was to leave by an interface that is down
 */
export type IpDrop =
  | "header"
  | "noRoute"
  | "noNeighbour"
  | "ttl"
  | "mtu"
  | "notForMe"
  | "checksum"
  | "protocol"
  | "port"
  | "interfaceDown";
