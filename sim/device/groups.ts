/**
 * Multicast membership. IGMP and PIM are not modelled: a join is known at once to the clouds that the device stands on,
 * and a host's join to the router at the other end of its link.
 */
import type { Ipv4 } from "../../src/base/ipv4.ts";
import { join, leave } from "../net/cloud.ts";
import type { Device } from "./device.ts";
import type { Network } from "./networkState.ts";

/** One part of a device (a role, or an operator's `ip igmp join-group`) joins. */
export function joinGroup(network: Network, device: Device, group: Ipv4): void {
  const members = device.groups.get(group) ?? 0;
  device.groups.set(group, members + 1);
  if (members > 0) return;
  for (const at of cloudSites(network, device)) join(network.clouds[at.cloud]!.cloud, at.site, group);
}

/** The group ends for the device when its last part has left; leaving what was not joined changes nothing. */
export function leaveGroup(network: Network, device: Device, group: Ipv4): void {
  const members = device.groups.get(group);
  if (members === undefined) return;
  if (members > 1) {
    device.groups.set(group, members - 1);
    return;
  }
  device.groups.delete(group);
  for (const at of cloudSites(network, device)) leave(network.clouds[at.cloud]!.cloud, at.site, group);
}

export function leaveAllGroups(network: Network, device: Device): void {
  for (const group of [...device.groups.keys()]) {
    device.groups.set(group, 1);
    leaveGroup(network, device, group);
  }
}

/** Sites by which the device hears its groups: its own, or those of the routers that a host is plugged into. */
function cloudSites(network: Network, device: Device): readonly { cloud: number; site: number }[] {
  const routers = device.forwards
    ? [device]
    : device.ports.flatMap(({ attachment }) =>
        attachment?.kind === "link" ? [network.devices[attachment.peerDevice]!] : [],
      );
  return [device, ...routers.filter((router) => router !== device)].flatMap(({ ports }) =>
    ports.flatMap(({ attachment }) => (attachment?.kind === "cloud" ? [attachment] : [])),
  );
}
