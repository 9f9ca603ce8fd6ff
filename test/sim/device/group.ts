/** Key servers and group members on routers, made of the roles themselves. */
import type { CpuSpec, HostedMachine, MachineOutput, MachineSpec, RouterSpec } from "../../../sim/device/spec.ts";
import { type GmCommand, type GmOutput, groupMember } from "../../../src/gm/groupMember.ts";
import type { EndpointConfig } from "../../../src/ikev2/api.ts";
import type { KsGroupConfig } from "../../../src/ks/config.ts";
import { type KsCommand, keyServer } from "../../../src/ks/keyServer.ts";
import { gmGroup, ike, ksGroup } from "../../gm/network.ts";
import { router, site } from "./lab.ts";

export const KS = "192.168.1.254";

function ksMachine(group: Partial<KsGroupConfig>, change: Partial<EndpointConfig>): MachineSpec {
  return {
    name: "ks",
    start({ crypto, rng, maxInNegotiation }): HostedMachine {
      const local = { address: KS, port: 848 };
      const config = { local, ike: ike(KS, "cisco", { maxInNegotiation, ...change }), groups: [ksGroup(group)] };
      const machine = keyServer(config, { crypto, rng });
      return {
        handle: (input, now) =>
          machine.handle(
            input.kind === "command"
              ? { kind: "command", command: { name: input.name, ...input.data } as KsCommand }
              : input,
            now,
          ) as readonly MachineOutput[],
        nextTimeout: () => machine.nextTimeout(),
      };
    },
  };
}

function ordersApart(outputs: readonly GmOutput[]): readonly MachineOutput[] {
  return outputs.map((output) => (output.kind === "order" ? output.order : output));
}

function gmMachine(address: string, change: Partial<EndpointConfig>): MachineSpec {
  const local = { address, port: 848 };
  return {
    name: "gm",
    start({ crypto, rng }): HostedMachine {
      const groups = [gmGroup(1, { local, servers: [{ address: KS, port: 848 }] })];
      const machine = groupMember({ ike: ike(address, "cisco", change), groups }, { crypto, rng });
      return {
        hearsUnknownSpi: true,
        handle: (input, now) =>
          ordersApart(
            machine.handle(
              input.kind === "command"
                ? { kind: "command", command: { name: input.name, ...input.data } as GmCommand }
                : input,
              now,
            ),
          ),
        nextTimeout: () => machine.nextTimeout(),
      };
    },
    firstInputs: [{ kind: "command", name: "mapApplied", data: { group: "GROUP" } }],
  };
}

const MAP = `
crypto gkm group GROUP
 identity number 1111
 server address ipv4 ${KS}
crypto map MAP 10 gkm
 set group GROUP
`;

/** Registers with a key server over the cloud; the map is on the interface to it. */
export function memberRouter(
  number: number,
  extra = "",
  cpu: CpuSpec = { profile: "ideal" },
  change: Partial<EndpointConfig> = {},
): RouterSpec {
  const text = `${MAP}${site(number, " crypto map MAP")}${extra}`;
  return router(`gm${number}`, text, { machines: [gmMachine(`192.168.1.${number}`, change)], cpu });
}

export function serverRouter(
  group: Partial<KsGroupConfig> = {},
  cpu: CpuSpec = { profile: "ideal" },
  change: Partial<EndpointConfig> = {},
): RouterSpec {
  const text = "interface GigabitEthernet0/0\n ip address 192.168.1.254 255.255.255.0";
  return router("ks1", text, { machines: [ksMachine(group, change)], cpu });
}
