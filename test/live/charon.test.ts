import { createSocket } from "node:dgram";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { MILLISECOND } from "../../src/base/micros.ts";
import { NotifyType } from "../../src/wire/ikev2Numbers.ts";
import { type Charon, type ConnectionOptions, connection, describeCharon, startCharon } from "./charon.ts";
import { espProposals, firstRequest, type OurOptions, type OurPeer, startPeer } from "./ourPeer.ts";

type Role = "initiator" | "responder";

/** Peers of the running test. */
const peers: OurPeer[] = [];

async function peerOf(charon: Charon, options: OurOptions = {}): Promise<OurPeer> {
  const peer = await startPeer(charon, options);
  peers.push(peer);
  return peer;
}

/** charon ends what still stands while our side is there to answer: no SA of one test may turn up in the next one. */
async function closePeers(charon: Charon): Promise<void> {
  await charon.swanctl("--terminate", "--ike", "v2", "--force", "--timeout", "1");
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
}

interface Setting {
  readonly charon?: ConnectionOptions;
  readonly ours?: OurOptions;
}

/** The SA and its tunnel, begun by whoever has the role of the initiator. */
async function bringUp(charon: Charon, role: Role, setting: Setting = {}): Promise<OurPeer> {
  const { ike = "aes256-sha256-modp2048", esp = "aes256-sha256" } = setting.charon ?? {};
  const isResponder = role === "responder";
  const peer = await peerOf(charon, { ike: [ike], esp: [esp], ...setting.ours, isResponder });
  await charon.load(connection(charon, { ...setting.charon, remote: isResponder ? peer : undefined }));
  if (isResponder) {
    const initiated = await charon.swanctl("--initiate", "--child", "net", "--timeout", "10");
    expect(initiated.text).toContain("initiate completed successfully");
  } else peer.command({ name: "up" });
  expect(await peer.next("ike.established")).toMatchObject({ initiator: !isResponder, identity: "psk.ks.test" });
  await peer.next("peer.tunnelUp");
  return peer;
}

/** charon's host pings ours: the answers are made by our machine. */
async function pingFromCharon(charon: Charon): Promise<string> {
  const { text } = await charon.run("ping", "-n", "-c", "2", "-i", "0.05", "-w", "5", "-I", "10.200.2.1", "10.200.1.1");
  return text;
}

async function expectTraffic(charon: Charon, peer: OurPeer): Promise<void> {
  expect(await peer.ping()).toEqual({ sent: 3, received: 3 });
  // With a deadline ping waits for two answers; without, it gives up two round trips after its last request.
  expect(await pingFromCharon(charon)).toContain(" 2 received");
}

const SUITES: readonly [ike: string, esp: string][] = [
  ["aes256-sha256-modp2048", "aes256-sha256"],
  ["aes128gcm16-prfsha256-ecp256", "aes128gcm16"],
  ["aes256gcm16-prfsha384-x25519", "aes256gcm16"],
  ["chacha20poly1305-prfsha512-ecp384", "chacha20poly1305"],
  ["aes192ctr-sha384-modp3072", "aes128ctr-sha512"],
  ["3des-sha1-modp1024", "3des-sha1"],
];

describeCharon("with charon on ports 500 and 4500", () => {
  let charon: Charon;
  beforeAll(async () => {
    charon = await startCharon();
  });
  afterEach(() => closePeers(charon));
  afterAll(() => charon?.stop());

  describe.each<Role>(["initiator", "responder"])("our endpoint as %s", (role) => {
    it.each(SUITES)("has a tunnel with %s and %s that carries pings both ways", async (ike, esp) => {
      const peer = await bringUp(charon, role, { charon: { ike, esp } });
      await expectTraffic(charon, peer);
    });

    it("rekeys the tunnel, and traffic goes on", async () => {
      const peer = await bringUp(charon, role);
      peer.command({ name: "rekeyChild" });
      const successor = await peer.next("peer.tunnelUp");
      expect(await peer.next("peer.tunnelDown")).toMatchObject({ reason: "replaced", inbound: successor.replaces });
      await expectTraffic(charon, peer);
    });

    it("rekeys the tunnel with a Diffie-Hellman exchange of its own", async () => {
      const setting = { charon: { esp: "aes256gcm16-ecp256" }, ours: { esp: ["aes256gcm16-ecp256"] } };
      const peer = await bringUp(charon, role, setting);
      const before = charon.log().length;
      peer.command({ name: "rekeyChild" });
      await peer.next("peer.tunnelUp");
      await charon.logged(/parsed CREATE_CHILD_SA request \d+ \[.*\bKE\b/, before);
      await expectTraffic(charon, peer);
    });

    it("lets charon rekey the tunnel", async () => {
      const peer = await bringUp(charon, role);
      expect((await charon.swanctl("--rekey", "--child", "net")).ok).toBe(true);
      const successor = await peer.next("peer.tunnelUp");
      expect(await peer.next("peer.tunnelDown")).toMatchObject({ inbound: successor.replaces });
      await expectTraffic(charon, peer);
    });

    it("rekeys the IKE SA, and the tunnel lives on under the new one", async () => {
      const peer = await bringUp(charon, role);
      peer.command({ name: "rekeyIke" });
      await peer.next("peer.rekeyed");
      await expectTraffic(charon, peer);
      peer.command({ name: "rekeyChild" });
      await peer.next("peer.tunnelUp");
      await expectTraffic(charon, peer);
    });

    it("lets charon rekey the IKE SA, and is asked for a tunnel under the new one", async () => {
      const peer = await bringUp(charon, role);
      expect((await charon.swanctl("--rekey", "--ike", "v2")).ok).toBe(true);
      await peer.next("peer.rekeyed");
      await expectTraffic(charon, peer);
      expect((await charon.swanctl("--rekey", "--child", "net")).ok).toBe(true);
      await peer.next("peer.tunnelUp");
      await expectTraffic(charon, peer);
    });

    it("deletes the tunnel and makes another one under the same IKE SA", async () => {
      const peer = await bringUp(charon, role);
      const before = charon.log().length;
      peer.command({ name: "deleteChild" });
      expect(await peer.next("peer.tunnelDown")).toMatchObject({ reason: "deletedByUs" });
      await charon.logged(/received DELETE for ESP CHILD_SA/, before);
      peer.command({ name: "createChild" });
      await peer.next("peer.tunnelUp");
      await expectTraffic(charon, peer);
    });

    it("sees charon delete the tunnel, then the IKE SA", async () => {
      const peer = await bringUp(charon, role);
      expect((await charon.swanctl("--terminate", "--child", "net")).ok).toBe(true);
      expect(await peer.next("peer.tunnelDown")).toMatchObject({ reason: "deletedByPeer" });
      expect(peer.state.sas).toHaveLength(1);
      expect((await charon.swanctl("--terminate", "--ike", "v2")).ok).toBe(true);
      expect(await peer.next("peer.ended")).toMatchObject({ reason: "deletedByPeer", established: true });
    });

    it("deletes the IKE SA, and charon forgets it", async () => {
      const peer = await bringUp(charon, role);
      const before = charon.log().length;
      peer.command({ name: "down" });
      expect(await peer.next("peer.ended")).toMatchObject({ reason: "deletedByUs" });
      await charon.logged(/received DELETE for IKE_SA/, before);
      expect((await charon.swanctl("--list-sas")).text).not.toContain("v2");
    });

    it("answers charon's dead peer detection", async () => {
      const before = charon.log().length;
      const peer = await bringUp(charon, role, { charon: { lines: ["dpd_delay = 1s"] } });
      // The second question is only asked once the first one was answered.
      await charon.logged(/sending DPD request[\s\S]*parsed INFORMATIONAL response[\s\S]*sending DPD request/, before);
      await expectTraffic(charon, peer);
    });

    it("asks whether charon is there, and is answered", async () => {
      const before = charon.log().length;
      const liveness = {
        idleMicros: 100 * MILLISECOND,
        retransmit: { first: 500 * MILLISECOND, factor: 1, repeats: 2 },
      };
      const peer = await bringUp(charon, role, { ours: { change: { liveness } } });
      const question = "parsed INFORMATIONAL request (\\d+) \\[ \\]";
      await charon.logged(new RegExp(`${question}[\\s\\S]*${question}[\\s\\S]*${question}`), before);
      const asked = [...charon.log().slice(before).matchAll(new RegExp(question, "g"))].map((match) => match[1]);
      expect(new Set(asked).size).toBe(asked.length);
      expect(peer.events.map(({ name }) => name)).not.toContain("ike.retransmit");
    });
  });

  it("a wrong pre-shared key of ours ends with AUTHENTICATION_FAILED", async () => {
    await charon.load(connection(charon));
    const peer = await peerOf(charon, { psk: "not the key" });
    peer.command({ name: "up" });
    const notify = NotifyType.AUTHENTICATION_FAILED;
    expect(await peer.next("peer.ended")).toMatchObject({ reason: "authenticationFailed", notify, established: false });
  });

  it("a wrong pre-shared key of charon's is refused with AUTHENTICATION_FAILED", async () => {
    const peer = await peerOf(charon, { isResponder: true, psk: "not the key" });
    await charon.load(connection(charon, { remote: peer }));
    const initiated = await charon.swanctl("--initiate", "--child", "net", "--timeout", "10");
    expect(initiated.text).toContain("AUTHENTICATION_FAILED");
    expect(await peer.next("ike.authFailed")).toMatchObject({ reason: "mismatch" });
  });

  it("a responder that claims another identity is refused", async () => {
    await charon.load(connection(charon));
    const peer = await peerOf(charon, { change: { remoteIdentity: { type: 2, data: new Uint8Array([0x78]) } } });
    peer.command({ name: "up" });
    expect(await peer.next("peer.ended")).toMatchObject({ reason: "authenticationFailed" });
  });

  it("without a common IKE proposal charon says NO_PROPOSAL_CHOSEN", async () => {
    await charon.load(connection(charon));
    const peer = await peerOf(charon, { ike: ["aes128gcm16-prfsha256-x25519"] });
    peer.command({ name: "up" });
    const notify = NotifyType.NO_PROPOSAL_CHOSEN;
    expect(await peer.next("peer.ended")).toMatchObject({ reason: "noProposalChosen", notify });
  });

  it("without a common IKE proposal charon hears NO_PROPOSAL_CHOSEN", async () => {
    const peer = await peerOf(charon, { isResponder: true, ike: ["aes128gcm16-prfsha256-x25519"] });
    await charon.load(connection(charon, { remote: peer }));
    const initiated = await charon.swanctl("--initiate", "--child", "net", "--timeout", "10");
    expect(initiated.text).toContain("NO_PROPOSAL_CHOSEN");
  });

  it("a tunnel without a common ESP proposal is refused, and the IKE SA stands", async () => {
    await charon.load(connection(charon));
    const peer = await peerOf(charon, { esp: ["aes128gcm16"] });
    peer.command({ name: "up" });
    expect(await peer.next("peer.tunnelRefused")).toMatchObject({ notify: NotifyType.NO_PROPOSAL_CHOSEN });
    expect(peer.state.sas).toHaveLength(1);
  });

  it("charon's tunnel without a common ESP proposal is refused, and the IKE SA stands", async () => {
    const peer = await peerOf(charon, { isResponder: true, esp: ["aes128gcm16"] });
    await charon.load(connection(charon, { remote: peer }));
    const before = charon.log().length;
    await charon.swanctl("--initiate", "--child", "net", "--timeout", "10");
    await charon.logged(/received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built/, before);
    expect(peer.state.sas).toHaveLength(1);
  });

  it("traffic selectors that charon does not have end with TS_UNACCEPTABLE", async () => {
    await charon.load(connection(charon));
    const foreign = { type: 7, ipProtocol: 0, startPort: 0, endPort: 65_535 } as const;
    const selector = { ...foreign, startAddress: "10.99.0.0", endAddress: "10.99.0.255" };
    const peer = await peerOf(charon, { change: { remoteSelectors: [selector] } });
    peer.command({ name: "up" });
    expect(await peer.next("peer.tunnelRefused")).toMatchObject({ notify: NotifyType.TS_UNACCEPTABLE });
  });

  it("a group that charon does not have is replaced by the one that it asks for", async () => {
    const before = charon.log().length;
    await charon.load(connection(charon));
    const peer = await peerOf(charon, { ike: ["aes256-sha256-x25519-modp2048"] });
    peer.command({ name: "up" });
    await peer.next("peer.tunnelUp");
    expect(charon.log().slice(before)).toMatch(/DH group CURVE_25519 unacceptable, requesting MODP_2048/);
    await expectTraffic(charon, peer);
  });

  it("charon takes the group that we ask for", async () => {
    const peer = await peerOf(charon, { isResponder: true, ike: ["aes256-sha256-ecp256"] });
    await charon.load(connection(charon, { ike: "aes256-sha256-x25519-ecp256", remote: peer }));
    const before = charon.log().length;
    expect((await charon.swanctl("--initiate", "--child", "net", "--timeout", "10")).ok).toBe(true);
    await charon.logged(/peer didn't accept DH group CURVE_25519, it requested ECP_256/, before);
    await peer.next("peer.tunnelUp");
    await expectTraffic(charon, peer);
  });

  it("charon brings the cookie that we demand", async () => {
    const peer = await peerOf(charon, { isResponder: true, change: { cookieThreshold: 0 } });
    await charon.load(connection(charon, { remote: peer }));
    const before = charon.log().length;
    expect((await charon.swanctl("--initiate", "--child", "net", "--timeout", "10")).ok).toBe(true);
    await charon.logged(/parsed IKE_SA_INIT response 0 \[ N\(COOKIE\) \]/, before);
    await peer.next("peer.tunnelUp");
    await expectTraffic(charon, peer);
  });

  it("charon puts our fragments together", async () => {
    const words = ["aes128", "aes192", "aes256"].flatMap((cipher) =>
      ["sha1", "sha256", "sha384", "sha512"].map((integ) => `${cipher}-${integ}`),
    );
    const before = charon.log().length;
    await charon.load(connection(charon, { childLines: [] }));
    const change = { esp: espProposals(...words), fragmentation: { mtu: 576 } };
    const peer = await peerOf(charon, { change });
    peer.command({ name: "up" });
    await peer.next("peer.tunnelUp");
    expect(charon.log().slice(before)).toMatch(/received fragment #\d of \d/);
    await expectTraffic(charon, peer);
  });
});

describeCharon("with charon on ports of its own, where it wants the non-ESP marker everywhere", () => {
  let charon: Charon;
  beforeAll(async () => {
    const settings = ["cookie_threshold = 1", "fragment_size = 400"];
    charon = await startCharon({ port: 15_500, natPort: 14_500, settings });
  });
  afterEach(() => closePeers(charon));
  afterAll(() => charon?.stop());

  it("our endpoint floats to its NAT port", async () => {
    const peer = await bringUp(charon, "initiator");
    expect(peer.events.find(({ name }) => name === "peer.tunnelUp")?.data.port).toBe(14_500);
    await expectTraffic(charon, peer);
  });

  it("our endpoint may as well stay on the IKE port", async () => {
    const peer = await bringUp(charon, "initiator", { ours: { change: { natRemotePort: 15_500 } } });
    expect(peer.events.find(({ name }) => name === "peer.tunnelUp")?.data.port).toBe(15_500);
    await expectTraffic(charon, peer);
  });

  it("our endpoint is called", async () => {
    const peer = await bringUp(charon, "responder");
    await expectTraffic(charon, peer);
  });

  it("we put charon's fragments together", async () => {
    const change = { fragmentation: { mtu: 1280 } };
    const peer = await bringUp(charon, "initiator", { ours: { change } });
    const before = charon.log().length;
    expect((await charon.swanctl("--rekey", "--ike", "v2")).ok).toBe(true);
    await peer.next("peer.rekeyed");
    expect(charon.log().slice(before)).toMatch(/splitting IKE message \(\d+ bytes\) into \d fragments/);
    await expectTraffic(charon, peer);
  });

  it("our endpoint brings the cookie that charon demands while others are half-open", async () => {
    await charon.load(connection(charon));
    const before = charon.log().length;
    await leaveHalfOpen(charon);
    const peer = await peerOf(charon);
    peer.command({ name: "up" });
    expect(await peer.next("ike.cookie")).toMatchObject({ side: "remote" });
    await peer.next("peer.tunnelUp");
    expect(charon.log().slice(before)).toMatch(/IKE_SA_INIT request 0 \[ N\(COOKIE\)/);
    await expectTraffic(charon, peer);
  });
});

/** Sends an IKE_SA_INIT request that is never followed by an AUTH request. */
async function leaveHalfOpen(charon: Charon): Promise<void> {
  const before = charon.log().length;
  const socket = createSocket("udp4");
  await new Promise<void>((done) => socket.bind(0, charon.ourAddress, done));
  socket.send(firstRequest(charon), charon.port, charon.address);
  await charon.logged(/generating IKE_SA_INIT response 0/, before);
  socket.close();
}
