import { X509Certificate } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { decodePrivateKeyPem } from "../../src/crypto/privateKey.ts";
import { decodeSpki } from "../../src/crypto/spki.ts";
import type { IsakmpPolicy, Phase1Mode } from "../../src/ikev1/api.ts";
import { describeShared, readSharedJson } from "../shared.ts";
import { CHARON_ID, type Charon, describeCharon, startCharon } from "./charon.ts";
import { type Ikev1Options, type Ikev1Peer, startIkev1Peer } from "./ikev1Peer.ts";

const POLICY: IsakmpPolicy = {
  encryption: 7,
  keyBits: 256,
  hash: 4,
  group: 14,
  authentication: 1,
  lifetimeSeconds: 3600,
};

interface Connection {
  readonly ike?: string;
  readonly mode?: Phase1Mode;
  readonly local?: string;
  readonly remote?: string;
  /** Where charon calls. */
  readonly peer?: Ikev1Peer;
}

const PSK_AUTH = `auth = psk
      id = ${CHARON_ID}`;

function connection(charon: Charon, options: Connection): string {
  const { ike = "aes256-sha256-modp2048", mode = "main", local = PSK_AUTH, remote = "auth = psk", peer } = options;
  return `  v1 {
    version = 1
    local_addrs = ${charon.address}
    remote_addrs = ${peer?.address ?? "%any"}
    ${peer === undefined ? "" : `remote_port = ${peer.port}`}
    aggressive = ${mode === "aggressive" ? "yes" : "no"}
    proposals = ${ike}
    rekey_time = 0
    reauth_time = 0
    dpd_delay = 60s
    local { ${local} }
    remote { ${remote} }
    children { net {
      local_ts = 10.200.2.1/32
      remote_ts = 10.200.1.0/24
      esp_proposals = aes256-sha256
    } }
  }`;
}

interface Credentials {
  readonly credentials: Readonly<
    Record<"initiator" | "responder", { readonly certificatePem: string; readonly privateKeyPem: string }>
  > & { readonly caCertificatePem: string };
}

describeCharon("IKEv1 with charon", () => {
  let charon: Charon;
  const peers: Ikev1Peer[] = [];
  beforeAll(async () => {
    charon = await startCharon({ settings: ["i_dont_care_about_security_and_use_aggressive_mode_psk = yes"] });
  });
  afterEach(async () => {
    await charon.swanctl("--terminate", "--ike", "v1", "--force", "--timeout", "1");
    await Promise.all(peers.splice(0).map((peer) => peer.stop()));
  });
  afterAll(() => charon?.stop());

  async function peerOf(options: Ikev1Options): Promise<Ikev1Peer> {
    const peer = await startIkev1Peer(charon, options);
    peers.push(peer);
    return peer;
  }

  async function bringUp(options: Ikev1Options, wanted: Connection = {}): Promise<Ikev1Peer> {
    const peer = await peerOf(options);
    const { mode = "main" } = wanted;
    await charon.load(connection(charon, { ...wanted, ...(options.isResponder ? { peer } : {}) }));
    if (options.isResponder) {
      const begun = await charon.swanctl("--initiate", "--ike", "v1", "--timeout", "20");
      expect(begun.text).toContain("initiate completed successfully");
    } else peer.initiate(mode);
    expect(await peer.next("isakmp.established")).toMatchObject({ initiator: !options.isResponder });
    return peer;
  }

  /** Both sides find the other alive, and a Delete of ours ends the SA on charon's side. */
  async function lives(peer: Ikev1Peer): Promise<void> {
    const before = charon.log().length;
    const heard = () => [...peer.endpoint.sas.values()].at(-1)!.dpd.unanswered;
    peer.probe();
    await charon.logged(/R_U_THERE|DPD/, before);
    await expect.poll(heard, { timeout: 5000 }).toBe(0);
    expect(peer.endpoint.dropped.hash ?? 0).toBe(0);
    peer.close();
    expect(await peer.next("isakmp.closed")).toMatchObject({ reason: "deletedByUs", established: true });
    await charon.logged(/received DELETE for IKE_SA/, before);
  }

  describe.each(["initiator", "responder"] as const)("our endpoint as %s", (role) => {
    const isResponder = role === "responder";

    it.each<[Phase1Mode, string, Partial<IsakmpPolicy>]>([
      ["main", "aes256-sha256-modp2048", {}],
      ["main", "3des-sha1-modp1024", { encryption: 5, keyBits: 0, hash: 2, group: 2 }],
      ["main", "aes128-sha384-ecp256", { keyBits: 128, hash: 5, group: 19 }],
      ["main", "aes192-sha512-ecp384", { keyBits: 192, hash: 6, group: 20 }],
      ["aggressive", "aes256-sha256-modp2048", {}],
      ["aggressive", "aes128-sha1-modp1536", { keyBits: 128, hash: 2, group: 5 }],
    ])(
      "has an SA in %s mode with a pre-shared key and %s, dead peer detection and a Delete",
      async (mode, ike, change) => {
        const peer = await bringUp({ policy: { ...POLICY, ...change }, isResponder }, { ike, mode });
        await lives(peer);
      },
    );

    it("hears of charon's Delete", async () => {
      const peer = await bringUp({ policy: POLICY, isResponder });
      await charon.swanctl("--terminate", "--ike", "v1", "--timeout", "5");
      expect(await peer.next("isakmp.closed")).toMatchObject({ reason: "deletedByPeer" });
    });
  });

  it("does not come up with another pre-shared key", async () => {
    await charon.load(connection(charon, {}), "quite-another-key");
    const peer = await peerOf({ policy: POLICY });
    peer.initiate("main");
    await charon.logged(/invalid ID_V1 payload length|could not decrypt|INVALID_ID|PAYLOAD_MALFORMED/i);
    expect(peer.events.some(({ name }) => name === "isakmp.established")).toBe(false);
  });

  describeShared("vectors/ikev1", "with certificates", () => {
    const read = () => readSharedJson<Credentials>("vectors/ikev1/v1-mm-rsasig-aes128-sha1-modp2048.json").credentials;
    const install = (folder: string, name: string, text: string) => {
      mkdirSync(join(charon.folder, "swanctl", folder), { recursive: true });
      writeFileSync(join(charon.folder, "swanctl", folder, name), text);
    };
    const der = (pem: string) => Uint8Array.from(new X509Certificate(pem).raw);

    it.each<["initiator" | "responder", Phase1Mode]>([
      ["initiator", "main"],
      ["responder", "main"],
      ["initiator", "aggressive"],
      // Message 1 of charon is long enough for an answer with our one certificate.
      ["responder", "aggressive"],
    ])("our endpoint as %s has an SA in %s mode with RSA signatures", async (role, mode) => {
      const { initiator, responder, caCertificatePem } = read();
      install("x509ca", "ca.pem", caCertificatePem);
      install("x509", "ks.pem", responder.certificatePem);
      install("private", "ks.key.pem", responder.privateKeyPem);
      const { publicKey } = new X509Certificate(responder.certificatePem);
      const peer = await bringUp(
        {
          policy: { ...POLICY, authentication: 3 },
          profile: {
            signer: decodePrivateKeyPem(initiator.privateKeyPem),
            certificates: [der(initiator.certificatePem)],
          },
          publicKey: decodeSpki(Uint8Array.from(publicKey.export({ type: "spki", format: "der" }))),
          isResponder: role === "responder",
        },
        {
          mode,
          local: "auth = pubkey\n      certs = ks.pem\n      id = ks1.example.org",
          remote: "auth = pubkey\n      cacerts = ca.pem\n      id = gm1.example.org",
        },
      );
      await lives(peer);
    });
  });
});
