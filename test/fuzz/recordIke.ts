/** A plain IKEv2 session: Child SA, its rekey with and without fresh DH, IKE SA rekey, fragments, liveness, deletion. */
import type { KeyEntry } from "../../src/crypto/keyEntry.ts";
import type { ChildPolicy, ChildProposal } from "../../src/ikev2/api.ts";
import { close, receive, rekeyChild, rekeySa, request, saNumbers } from "../../src/ikev2/endpoint.ts";
import { Exchange } from "../../src/wire/ikev2Numbers.ts";
import { carryOut, connect, createPair, fqdn, other, outcomesOf, pskProfile } from "../ikev2/pair.ts";
import type { Recording } from "./record.ts";

function net(startAddress: string, endAddress: string) {
  return { type: 7, ipProtocol: 0, startPort: 0, endPort: 65535, startAddress, endAddress };
}

const LEFT = net("10.1.0.0", "10.1.255.255");
const RIGHT = net("10.2.0.0", "10.2.255.255");
const ESP: ChildProposal = { encr: [{ id: 20, keyBits: 256 }], integ: [], dh: [31], sn: [0] };
const POLICY: ChildPolicy = { proposals: [ESP], mode: "tunnel", localSelectors: [LEFT], remoteSelectors: [RIGHT] };
const MIRROR: ChildPolicy = { ...POLICY, localSelectors: [RIGHT], remoteSelectors: [LEFT] };

export function recordIke(): readonly Recording[] {
  const recordings: Recording[] = [];
  const keys: KeyEntry[] = [];
  const profile = (name: string, child: ChildPolicy) => pskProfile(fqdn(name), "shared", { child });
  const fragmentation = { mtu: 576 };
  const pair = createPair({
    initiator: { profiles: [profile("gm1.example", POLICY)], fragmentation },
    responder: { profiles: [profile("ks1.example", MIRROR)], fragmentation },
  });
  /** Delivers what is on its way, one by one, recording each datagram with the state that it meets. */
  const drain = (): void => {
    while (pair.flight.length > 0) {
      const { to, datagram, at } = pair.flight[0]!;
      recordings.push({
        session: "IKEv2 with Child SAs and fragments",
        role: "ike",
        exchange: datagram.octets[18] ?? 0,
        response: ((datagram.octets[19] ?? 0) & 0x20) !== 0,
        datagram,
        now: at,
        state: structuredClone(to.endpoint),
        tools: to.tools,
        keys,
      });
      // One at a time: `settle` would deliver all that is on its way without stopping in between.
      const later = pair.flight.splice(1);
      const { endpoint, tools } = to;
      pair.flight.length = 0;
      pair.now = at;
      carryOut(pair, to, receive(endpoint, tools, datagram, at));
      pair.flight.unshift(...later);
    }
  };
  const side = pair.initiator;
  const sa = (): number => saNumbers(side.endpoint)[0]!;
  const spi = (): number => outcomesOf(side, "child").at(-1)!.child.inboundSpi;

  connect(pair, { child: POLICY });
  drain();
  carryOut(pair, side, rekeyChild(side.endpoint, side.tools, sa(), spi(), pair.now));
  drain();
  carryOut(pair, side, rekeySa(side.endpoint, side.tools, sa(), pair.now));
  drain();
  const large = Array.from({ length: 40 }, (_, i) => ({
    kind: "V" as const,
    body: { data: new Uint8Array(60).fill(i) },
  }));
  const options = { tag: "large" };
  carryOut(pair, side, request(side.endpoint, side.tools, sa(), Exchange.INFORMATIONAL, large, options, pair.now));
  drain();
  carryOut(
    pair,
    other(pair, side),
    close(pair.responder.endpoint, pair.responder.tools, saNumbers(pair.responder.endpoint)[0]!, pair.now),
  );
  drain();
  for (const one of [pair.initiator, pair.responder]) keys.push(...outcomesOf(one, "keys").map(({ entry }) => entry));
  return recordings;
}
