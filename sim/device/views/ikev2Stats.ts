/** What a router has negotiated by IKEv2 since it was switched on: SAs as they are, requests as the trace tells them. */
import type { Ikev2StatsView } from "../../../src/ios/show/views.ts";
import { Exchange } from "../../../src/wire/ikev2Numbers.ts";
import type { Device } from "../device.ts";
import type { Network } from "../networkState.ts";
import type { RouterSpec } from "../spec.ts";
import { eventsOf } from "../syslog.ts";

type Way = { -readonly [K in keyof Ikev2StatsView["incoming"]]: number };

function newWay(): Way {
  return { active: 0, negotiating: 0, requests: 0, accepted: 0, rejected: 0 };
}

/** Reasons of drops that have a row of their own. */
const COUNTED_APART: readonly unknown[] = ["overload", "cookie"];

export function ikev2StatsView(network: Network, device: Device, { config }: RouterSpec): Ikev2StatsView {
  const [incoming, outgoing] = [newWay(), newWay()];
  for (const { machine } of device.hosted) {
    for (const sa of machine.role?.state.endpoint?.sas.values() ?? []) {
      const way = sa.initiator ? outgoing : incoming;
      if (sa.phase.at === "established") way.active += 1;
      else if (sa.phase.at !== "lingering" && sa.phase.at !== "deleting") way.negotiating += 1;
    }
  }
  const cookies = { demanded: 0, accepted: 0, rejected: 0 };
  const asked = new Set<string>();
  let [overload, dropped] = [0, 0];
  for (const { kind, data } of eventsOf(network, device)) {
    const peer = `${data.remote}:${data.port}`;
    switch (kind) {
      case "ike.answered":
        incoming.accepted += 1;
        if (asked.delete(peer)) cookies.accepted += 1;
        break;
      case "ike.initiated":
        outgoing.requests += 1;
        break;
      case "ike.established":
        if (data.initiator === true) outgoing.accepted += 1;
        break;
      case "ike.refused":
        if (data.side === "remote") outgoing.rejected += 1;
        else if (data.exchange === Exchange.IKE_SA_INIT) incoming.rejected += 1;
        break;
      case "ike.cookie":
        if (data.side !== "local") break;
        cookies.demanded += 1;
        asked.add(peer);
        break;
      case "ike.dropped":
        if (data.reason === "overload") overload += 1;
        if (data.reason === "cookie") cookies.rejected += 1;
        if (!COUNTED_APART.includes(data.reason)) dropped += 1;
        break;
    }
  }
  incoming.rejected += overload;
  incoming.requests = incoming.accepted + incoming.rejected;
  const { maxSa: sas, maxInNegotiation } = config.ikev2;
  const inNegotiation = maxInNegotiation ?? device.cpu.platform.maxInNegotiation?.ikev2;
  return { incoming, outgoing, limits: { sas, inNegotiation }, overload, dropped, cookies };
}
