/** Which Diffie-Hellman exchanges a run will most likely see: the first one of each member with its preferred key server. */
import { parseIpv4 } from "../../src/base/ipv4.ts";
import { type KeyExchange, privateKeyStream } from "../core/keyExchange.ts";
import type { SeededRng } from "../core/rng.ts";
import { deviceStream, FIRST_LIFE, machineStream } from "../device/machineStreams.ts";
import type { DeviceSpec, MachineSpec, RouterSpec } from "../device/spec.ts";

/** `run`: the stream of the run that the devices belong to. */
export function keyForecast(devices: readonly DeviceSpec[], run: SeededRng): readonly KeyExchange[] {
  const routers = devices.filter((device) => device.kind === "router");
  const streamOf = ({ name }: RouterSpec, machine: MachineSpec): string =>
    privateKeyStream(machineStream(deviceStream(run, name), FIRST_LIFE, machine.name)).path;
  const answering = new Map<number, string>();
  for (const router of routers) {
    for (const machine of router.machines) {
      if (machine.answersExchanges !== true) continue;
      for (const { address, secondaryAddresses } of router.config.interfaces.values()) {
        for (const own of address === undefined ? [] : [address, ...secondaryAddresses]) {
          answering.set(own.address, streamOf(router, machine));
        }
      }
    }
  }
  return routers.flatMap((router) =>
    router.machines.flatMap((machine): readonly KeyExchange[] => {
      const { firstExchange } = machine;
      const responder = firstExchange && answering.get(parseIpv4(firstExchange.server) ?? -1);
      if (firstExchange === undefined || responder === undefined) return [];
      return [{ initiator: streamOf(router, machine), responder, group: firstExchange.group }];
    }),
  );
}
