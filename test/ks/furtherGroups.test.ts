/** Further groups over one IKE SA: GSA_REGISTRATION, driven by a bare IKE endpoint that stands in for a member. */
import { describe, expect, it } from "vitest";
import { createRng } from "../../sim/core/rng.ts";
import type { Datagram, Send } from "../../src/base/machine.ts";
import { native } from "../../src/crypto/native.ts";
import { rfc9838 } from "../../src/gikev2/rfc9838/rfc9838.ts";
import type { IkeOutcome } from "../../src/ikev2/api.ts";
import { createEndpoint, initiate, lastSa, receive, request, saView } from "../../src/ikev2/endpoint.ts";
import { createKsState, handleKs } from "../../src/ks/keyServer.ts";
import { Exchange } from "../../src/wire/ikev2Numbers.ts";
import type { Payload } from "../../src/wire/payloads.ts";
import { gmAddress, ike, KS_ADDRESS, ksGroup } from "../gm/network.ts";

const group = (number: number) => ({ kind: "number", number }) as const;

function setUp() {
  const rng = createRng("further groups");
  const endpoint = createEndpoint(ike(gmAddress(1)));
  const own = { crypto: native, rng: rng.fork("gm") };
  const theirs = { crypto: native, rng: rng.fork("ks") };
  const ks = createKsState({
    local: { address: KS_ADDRESS, port: 848 },
    ike: ike(KS_ADDRESS),
    groups: [1, 2].map((number) => ksGroup({ name: `GROUP${number}`, id: group(number) })),
  });
  const log: IkeOutcome[] = [];
  const swap = ({ local, remote, octets }: Datagram): Datagram => ({ local: remote, remote: local, octets });
  const exchange = (outcomes: readonly IkeOutcome[]): void => {
    for (const outcome of outcomes) {
      if (outcome.kind !== "send") {
        log.push(outcome);
        continue;
      }
      const answers = handleKs(ks, theirs, { kind: "datagram", datagram: swap(outcome) }, 0);
      for (const answer of answers.filter((one): one is Send => one.kind === "send")) {
        exchange(receive(endpoint, own, swap(answer), 0));
      }
    }
  };
  const options = {
    local: { address: gmAddress(1), port: 848 },
    remote: { address: KS_ADDRESS, port: 848 },
    profile: "GETVPN",
    authExchange: Exchange.GSA_AUTH,
    payloads: rfc9838.registration({ group: group(1), senderIds: undefined }),
  };
  exchange(initiate(endpoint, own, options, 0));
  const sa = lastSa(endpoint);
  const ask = (payloads: readonly Payload[]): readonly Payload[] => {
    log.length = 0;
    exchange(request(endpoint, own, sa, Exchange.GSA_REGISTRATION, payloads, { tag: "ask" }, 0));
    const response = log.find((outcome) => outcome.kind === "response");
    if (response?.kind !== "response") throw new Error("no response");
    return response.payloads;
  };
  const view = saView(endpoint, sa)!;
  const kwk = rfc9838.unicastKwk(native, view.suite, view.skD!)!;
  return { ks, ask, kwk };
}

const members = (ks: ReturnType<typeof setUp>["ks"]) => [...ks.groups.values()].map((one) => one.members.size);

describe("a member with an IKE SA", () => {
  it("registers to a further group over it, under the same key-wrap key", () => {
    const { ks, ask, kwk } = setUp();
    expect(members(ks)).toEqual([1, 0]);
    const answer = ask(rfc9838.registration({ group: group(2), senderIds: undefined }));
    const read = rfc9838.readGrant(native, kwk, answer, false);
    expect(read).toMatchObject({ ok: true, value: { kind: "granted" } });
    expect(members(ks)).toEqual([1, 1]);
  });

  it("is refused for an unknown group without harm to the SA or to its membership", () => {
    const { ks, ask, kwk } = setUp();
    const answer = ask(rfc9838.registration({ group: group(3), senderIds: undefined }));
    expect(rfc9838.readGrant(native, kwk, answer, false)).toEqual({ ok: true, value: { kind: "refused", notify: 45 } });
    expect(members(ks)).toEqual([1, 0]);
    ask(rfc9838.registration({ group: group(2), senderIds: undefined }));
    expect(members(ks)).toEqual([1, 1]);
  });

  it("leaves one group by refusing its policy, gets an empty answer and stays in the other", () => {
    const { ks, ask } = setUp();
    ask(rfc9838.registration({ group: group(2), senderIds: undefined }));
    expect(ask(rfc9838.withdrawal(group(1), 14))).toEqual([]);
    expect(members(ks)).toEqual([0, 1]);
  });
});
