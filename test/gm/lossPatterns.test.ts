import { describe, expect, it } from "vitest";
import { SECOND } from "../../src/base/micros.ts";
import { createNetwork, ksEvents, named, runUntil, spis, startAll } from "./network.ts";

describe("whatever is lost", () => {
  it("of the first six datagrams, a member registers in the end and is one member", () => {
    for (let pattern = 0; pattern < 64; pattern++) {
      const net = createNetwork({ members: 1 });
      let number = 0;
      net.lose = () => ((pattern >> number++) & 1) === 1;
      startAll(net);
      runUntil(net, 120 * SECOND);
      expect(net.members[0]!.sas.size, `pattern ${pattern}`).toBe(1);
      expect(net.servers[0]!.state.groups.get("1111")!.members.size, `pattern ${pattern}`).toBe(1);
    }
  });

  it("of a rekey and its acknowledgements, the member has the new TEK or registers for it before the old one ends", () => {
    for (let pattern = 0; pattern < 64; pattern++) {
      const net = createNetwork({ members: 2 });
      startAll(net);
      runUntil(net, 3390 * SECOND);
      const [gm, healthy] = net.members;
      let number = 0;
      net.lose = (wire) => {
        const concerned = wire.exchange === 42 && (wire.from === gm!.address || wire.to === gm!.address);
        return concerned && ((pattern >> number++) & 1) === 1;
      };
      runUntil(net, 3599 * SECOND);
      expect(spis(gm!), `pattern ${pattern}`).toEqual(spis(healthy!));
      expect(gm!.state.groups[0]!.phase.at, `pattern ${pattern}`).toBe("registered");
      const ejected = ksEvents(net, "ks.memberEjected").length;
      const returned = named(gm!.events, "gm.reregister").length;
      // Only who never got a copy comes back by itself; who got one and could not say so is deleted all the same.
      expect(returned, `pattern ${pattern}`).toBeLessThanOrEqual(ejected);
    }
  });
});
