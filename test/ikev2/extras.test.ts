import { describe, expect, it } from "vitest";
import { toHex, utf8 } from "../../src/base/bytes.ts";
import { SECOND } from "../../src/base/micros.ts";
import { secret } from "../../src/base/secret.ts";
import type { AuthProfile, IkeOutcome } from "../../src/ikev2/api.ts";
import { initiate, receive, request, saView } from "../../src/ikev2/endpoint.ts";
import { findKey, matchProfile } from "../../src/ikev2/profile.ts";
import { Exchange, IdType } from "../../src/wire/ikev2Numbers.ts";
import type { Payload } from "../../src/wire/payloads.ts";
import {
  carryOut,
  closedReasons,
  connect,
  createPair,
  DELETE_TEK,
  establishedPair,
  events,
  fqdn,
  kinds,
  outcomesOf,
  type Pair,
  pskProfile,
  run,
  settle,
  step,
} from "./pair.ts";

function ask(pair: Pair, payloads: readonly Payload[] = DELETE_TEK): void {
  const { endpoint, tools } = pair.initiator;
  carryOut(pair, pair.initiator, request(endpoint, tools, 1, 42, payloads, { tag: "" }, pair.now));
}

describe("cookies", () => {
  it("are asked for from the threshold on, brought along, and the responder keeps nothing before", () => {
    const pair = createPair({ responder: { cookieThreshold: 0 } });
    connect(pair);
    const [first] = pair.flight;
    const { endpoint, tools } = pair.responder;
    const answer = receive(endpoint, tools, first!.datagram, 0);
    expect(endpoint.sas.size).toBe(0);
    const [cookie] = answer.filter((outcome) => outcome.kind === "send");
    expect(cookie!.octets.length).toBeLessThan(first!.datagram.octets.length);
    settle(pair);
    expect(pair.sent).toHaveLength(6);
    expect(saView(pair.initiator.endpoint, 1)!.established).toBe(true);
    expect(events(pair.initiator)).toContain("ike.cookie");
  });

  it("another address cannot use them", () => {
    const pair = createPair({ responder: { cookieThreshold: 0 } });
    connect(pair);
    settle(pair);
    const withCookie = pair.sent[2]!;
    const { endpoint, tools, address } = pair.responder;
    const from = (remote: string, now: number): readonly IkeOutcome[] =>
      receive(
        endpoint,
        tools,
        { local: address, remote: { address: remote, port: 500 }, octets: withCookie.octets },
        now,
      );
    const sas = endpoint.sas.size;
    expect(from("203.0.113.9", pair.now).filter(({ kind }) => kind === "keys")).toHaveLength(0);
    expect(endpoint.sas.size).toBe(sas);
  });

  for (const [age, good] of [
    [30, true],
    [90, true],
    [130, false],
  ] as const) {
    it(`one that is ${age} s old is ${good ? "good" : "of no use any more"}`, () => {
      const pair = createPair({ responder: { cookieThreshold: 0 } });
      connect(pair);
      while (pair.sent.length < 3) step(pair);
      const { endpoint, tools } = pair.responder;
      receive(endpoint, tools, pair.flight[0]!.datagram, age * SECOND);
      expect(endpoint.sas.size).toBe(good ? 1 : 0);
    });
  }

  it("an initiator gives up on a responder that never has enough of them", () => {
    const pair = createPair({ responder: { cookieThreshold: 0 } });
    const { endpoint, tools } = pair.responder;
    connect(pair);
    while (pair.flight.length > 0) {
      const next = pair.flight.shift()!;
      pair.now = next.at;
      if (next.to === pair.initiator) {
        carryOut(pair, pair.initiator, receive(pair.initiator.endpoint, pair.initiator.tools, next.datagram, next.at));
        continue;
      }
      endpoint.cookies = undefined;
      carryOut(pair, pair.responder, receive(endpoint, tools, next.datagram, next.at));
    }
    expect(pair.sent.filter(({ from }) => from === "initiator")).toHaveLength(4);
  });
});

/** A NAT between the two: the initiator's source is another address and port outside. */
function throughNat(pair: Pair, ports: { outside: number }): void {
  const { initiator } = pair;
  const inside = new Map<number, { address: string; port: number }>();
  const original = pair.flight.push.bind(pair.flight);
  pair.flight.push = (...items) => {
    const mapped = items.map((item) => {
      const { datagram } = item;
      if (item.to === pair.responder) {
        const port = ports.outside + (datagram.remote.port === 500 ? 0 : 1);
        inside.set(port, datagram.remote);
        return { ...item, datagram: { ...datagram, remote: { address: "203.0.113.1", port } } };
      }
      return { ...item, datagram: { ...datagram, local: inside.get(datagram.local.port) ?? initiator.address } };
    });
    return original(...mapped);
  };
}

describe("NAT traversal", () => {
  it("a NAT is found, and everything from the AUTH request on goes over 4500 with the marker", () => {
    const pair = createPair();
    throughNat(pair, { outside: 30000 });
    connect(pair);
    settle(pair);
    expect(kinds(pair.initiator)).toEqual(["established"]);
    const { local, remote } = saView(pair.initiator.endpoint, 1)!;
    expect([local.port, remote.port]).toEqual([4500, 4500]);
    expect(saView(pair.responder.endpoint, 1)!.remote).toEqual({ address: "203.0.113.1", port: 30001 });
    expect(pair.sent.map(({ octets }) => toHex(octets.subarray(0, 4)) === "00000000")).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  it("without a NAT nothing moves", () => {
    const pair = establishedPair();
    expect(saView(pair.initiator.endpoint, 1)!.remote.port).toBe(500);
    expect(events(pair.initiator)).not.toContain("ike.natDetected");
  });

  it("who is behind a NAT sends keepalives while nothing else leaves", () => {
    const pair = createPair();
    throughNat(pair, { outside: 30000 });
    connect(pair);
    run(pair, 65 * SECOND);
    const keepalives = pair.sent.filter(({ octets }) => octets.length === 1);
    expect(keepalives.map(({ from }) => from)).toEqual(["initiator", "initiator", "initiator"]);
    expect(pair.responder.endpoint.dropped).toEqual({ keepalive: 3 });
  });

  it("a peer whose NAT gives it another port is followed on its next genuine request", () => {
    const pair = createPair();
    const ports = { outside: 30000 };
    throughNat(pair, ports);
    connect(pair);
    settle(pair);
    ports.outside = 40000;
    ask(pair);
    settle(pair);
    expect(saView(pair.responder.endpoint, 1)!.remote.port).toBe(40001);
    expect(events(pair.responder).filter((name) => name === "ike.moved")).toHaveLength(2);
    expect(outcomesOf(pair.initiator, "response")).toHaveLength(1);
  });

  it("on ports of their own both sides mark, or do not, as configured", () => {
    for (const marker of ["auto", "always", "never"] as const) {
      const addresses = [
        { address: "127.0.0.1", port: 15500 },
        { address: "127.0.0.1", port: 16500 },
      ] as const;
      const pair = establishedPair({ addresses, initiator: { marker }, responder: { marker } });
      expect(kinds(pair.initiator)).toEqual(["established"]);
      const marked = pair.sent.map(({ octets }) => toHex(octets.subarray(0, 4)) === "00000000");
      expect(new Set(marked)).toEqual(new Set([marker !== "never"]));
    }
  });
});

describe("IPv6", () => {
  it("carries everything, keys by IPv6 prefix included", () => {
    const octets = secret(utf8("six"));
    const entry = { peer: "six", address: { network: "2001:db8::", mask: "ffff:ffff::" }, localKey: octets };
    const keys = [{ ...entry, remoteKey: octets }];
    const addresses = [
      { address: "2001:db8::1", port: 500 },
      { address: "2001:db8::2", port: 500 },
    ] as const;
    const pair = establishedPair({
      addresses,
      initiator: { profiles: [pskProfile(fqdn("gm1"), "x", { keys })] },
      responder: { profiles: [pskProfile(fqdn("ks1"), "x", { keys })] },
    });
    expect(kinds(pair.initiator)).toEqual(["established"]);
    expect(events(pair.initiator)).not.toContain("ike.natDetected");
  });
});

describe("fragmentation", () => {
  const fragmentation = { mtu: 576 };
  const large: Payload[] = [{ kind: "V", body: { data: new Uint8Array(1500).fill(7) } }, ...DELETE_TEK];

  function fragmented(change: { mtu: number } = fragmentation): Pair {
    return establishedPair({ initiator: { fragmentation: change }, responder: { fragmentation: change } });
  }

  it("large messages travel in packets of at most the MTU, and arrive whole in any order", () => {
    const pair = fragmented();
    const before = pair.sent.length;
    ask(pair, large);
    expect(pair.flight.length).toBeGreaterThan(3);
    pair.flight.reverse();
    settle(pair);
    for (const { octets } of pair.sent.slice(before)) expect(octets.length + 28).toBeLessThanOrEqual(576);
    expect(outcomesOf(pair.responder, "request")[0]!.payloads).toEqual(large);
    expect(outcomesOf(pair.initiator, "response")).toHaveLength(1);
  });

  it("works with block ciphers too", () => {
    const proposals = [{ encr: [{ id: 12, keyBits: 128 }], prf: [5], integ: [12], dh: [31], kwa: [] }];
    const pair = establishedPair({
      initiator: { fragmentation, proposals },
      responder: { fragmentation, proposals },
    });
    const before = pair.sent.length;
    ask(pair, large);
    settle(pair);
    for (const { octets } of pair.sent.slice(before)) expect(octets.length + 28).toBeLessThanOrEqual(576);
    expect(outcomesOf(pair.responder, "request")[0]!.payloads).toEqual(large);
  });

  it("a lost fragment is mended by the repetition of all", () => {
    const pair = fragmented();
    const lost = pair.sent.length + 1;
    pair.lose = (number) => number === lost;
    ask(pair, large);
    run(pair, 5 * SECOND);
    expect(outcomesOf(pair.initiator, "response")).toHaveLength(1);
    expect(outcomesOf(pair.responder, "request")).toHaveLength(1);
  });

  it("a repeated request is answered once, for its first fragment", () => {
    const pair = fragmented();
    ask(pair, large);
    const count = pair.flight.length;
    const answer = pair.sent.length;
    pair.lose = (number) => number === answer;
    run(pair, 5 * SECOND);
    const responses = pair.sent.slice(4 + count).filter(({ from }) => from === "responder");
    expect(responses).toHaveLength(2);
    expect(pair.responder.endpoint.dropped.repeated).toBe(count - 1);
  });

  it("is not used where one side does not want it", () => {
    const pair = establishedPair({ initiator: { fragmentation } });
    ask(pair, large);
    expect(pair.flight).toHaveLength(1);
  });

  it("more fragments than the limit are refused and kept nowhere", () => {
    const pair = establishedPair({
      initiator: { fragmentation: { mtu: 150 } },
      responder: { fragmentation: { mtu: 576, fragmentsMax: 4 } },
    });
    ask(pair, large);
    settle(pair);
    expect(pair.responder.endpoint.dropped.fragment).toBeGreaterThan(4);
    expect(pair.responder.endpoint.sas.get(1)!.assemblies).toEqual([]);
  });
});

describe("liveness", () => {
  const liveness = { idleMicros: 10 * SECOND, retransmit: { first: 2 * SECOND, factor: 1, repeats: 5 } };

  it("a silent peer is asked, and its answer buys another interval", () => {
    const pair = establishedPair({ initiator: { liveness } });
    const before = pair.sent.length;
    run(pair, 35 * SECOND);
    expect(pair.sent.slice(before).map(({ from }) => from)).toEqual([
      "initiator",
      "responder",
      "initiator",
      "responder",
      "initiator",
      "responder",
    ]);
    expect(closedReasons(pair.initiator)).toEqual([]);
  });

  it("a peer that does not answer is given up after all repetitions", () => {
    const pair = establishedPair({ initiator: { liveness } });
    pair.lose = () => true;
    run(pair, 60 * SECOND);
    expect(closedReasons(pair.initiator)).toEqual(["timeout"]);
    const closed = pair.initiator.log.findIndex(({ kind }) => kind === "closed");
    expect(closed).toBeGreaterThan(0);
  });

  it("a peer that talks is not asked", () => {
    const pair = establishedPair({ initiator: { liveness } });
    for (let i = 1; i <= 6; i++) {
      run(pair, i * 5 * SECOND);
      ask(pair);
      settle(pair);
    }
    const empty = outcomesOf(pair.responder, "request").length;
    expect(pair.sent).toHaveLength(4 + 2 * empty);
  });
});

describe("an endpoint under load", () => {
  it("answers no more IKE_SA_INIT requests than it may negotiate at one time", () => {
    const pair = createPair({ responder: { maxInNegotiation: 3 } });
    const { endpoint, tools } = pair.initiator;
    for (let i = 1; i <= 5; i++) {
      const local = { address: `192.0.2.${100 + i}`, port: 500 };
      const options = { local, remote: pair.responder.address, profile: "default", payloads: [] };
      carryOut(pair, pair.initiator, initiate(endpoint, tools, { ...options, authExchange: Exchange.IKE_AUTH }, 0));
    }
    for (const { datagram } of pair.flight.splice(0)) {
      receive(pair.responder.endpoint, pair.responder.tools, datagram, 0);
    }
    expect(pair.responder.endpoint.halfOpen).toBe(3);
    expect(pair.responder.endpoint.dropped).toEqual({ overload: 2 });
  });
});

describe("profiles and keyrings", () => {
  const key = (name: string) => ({ peer: name, localKey: secret(utf8(name)), remoteKey: secret(utf8(name)) });
  const any = { ...key("any"), address: { network: "0.0.0.0", mask: "0.0.0.0" } };
  const net = { ...key("net"), address: { network: "10.1.0.0", mask: "255.255.0.0" } };
  const host = { ...key("host"), address: { network: "10.1.0.9", mask: "255.255.255.255" } };
  const named = { ...key("named"), identity: fqdn("gm9") };
  const keys = [any, net, named, host];

  it("an address finds the key with the longest mask", () => {
    expect(findKey(keys, "10.1.0.9", undefined)?.peer).toBe("host");
    expect(findKey(keys, "10.1.0.8", fqdn("gm9"))?.peer).toBe("net");
  });

  it("an identity finds its key where only the entry for all addresses fits", () => {
    expect(findKey(keys, "172.16.0.1", fqdn("gm9"))?.peer).toBe("named");
    expect(findKey(keys, "172.16.0.1", fqdn("gm8"))?.peer).toBe("any");
    expect(findKey([named], "172.16.0.1", fqdn("gm8"))).toBeUndefined();
  });

  it("an address statement matches the identity, any one statement suffices, the first profile is taken", () => {
    const address = { type: IdType.IPV4_ADDR, data: Uint8Array.of(10, 0, 0, 7) };
    const profile = (name: string, match: Partial<AuthProfile["match"]>): AuthProfile =>
      pskProfile(fqdn("me"), "x", {
        name,
        match: { remoteAddresses: [], remoteIdentities: [], anyRemote: false, ...match },
      });
    const byAddress = profile("address", {
      remoteAddresses: [{ network: "10.0.0.0", mask: "255.0.0.0" }],
      remoteIdentities: [fqdn("gm1")],
    });
    const rest = profile("rest", { anyRemote: true });
    expect(matchProfile([byAddress, rest], { identity: address })?.name).toBe("address");
    expect(matchProfile([byAddress, rest], { identity: fqdn("gm1") })?.name).toBe("address");
    expect(matchProfile([byAddress, rest], { identity: fqdn("gm2") })?.name).toBe("rest");
    expect(matchProfile([byAddress], { identity: fqdn("gm2") })).toBeUndefined();
  });
});
