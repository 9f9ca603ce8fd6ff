/** charon and we prove ourselves by certificates of one authority, which is ours. */
import { createPrivateKey, type JsonWebKey } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Bytes } from "../../src/base/bytes.ts";
import type { PrivateKey } from "../../src/crypto/api.ts";
import { distinguishedName } from "../../src/pki/identity.ts";
import { formatName } from "../../src/pki/name.ts";
import { toPem } from "../../src/pki/pem.ts";
import type { Trustpoint } from "../../src/pki/trustpoint.ts";
import { DAY, type Holder, issue, keyOf } from "../pki/authority.ts";
import { type Charon, connection, describeCharon, startCharon } from "./charon.ts";
import { type OurPeer, startPeer } from "./ourPeer.ts";

const NOW = Math.floor(Date.now() / 1000);
const VALIDITY = { notBefore: NOW - DAY, notAfter: NOW + DAY };

const ca = issue("cn=Live CA,o=Test", undefined, { ...VALIDITY, authority: {} });
const sub = issue("cn=Live Sub,o=Test", ca, { ...VALIDITY, authority: {} });

interface Case {
  readonly name: string;
  readonly method: "rsa-sig" | "ecdsa-sig";
  readonly theirs: Holder;
  readonly ours: readonly Holder[];
}

const rsa = (name: string) => keyOf(name, 2048);
const CASES: readonly Case[] = [
  {
    name: "RSA",
    method: "rsa-sig",
    theirs: issue("cn=charon rsa,o=Test", ca, VALIDITY, rsa("charon")),
    ours: [issue("cn=us rsa,o=Test", ca, VALIDITY, rsa("us"))],
  },
  {
    name: "ECDSA, with an intermediate authority",
    method: "ecdsa-sig",
    theirs: issue("cn=charon ec,o=Test", ca, VALIDITY),
    ours: [issue("cn=us ec,o=Test", sub, VALIDITY), sub],
  },
];

const base64url = (octets: Bytes) => Buffer.from(octets).toString("base64url");

/** PKCS#8, by way of node's own reader of keys. */
function keyPem(key: PrivateKey): string {
  const half = (octets: Bytes, second: boolean) =>
    octets.subarray(second ? octets.length / 2 : 0, second ? undefined : octets.length / 2);
  const jwk = (): JsonWebKey => {
    switch (key.type) {
      case "rsa": {
        const { n, e, d, p, q, dp, dq, qi } = key;
        const fields = Object.entries({ n, e, d, p, q, dp, dq, qi }).map(([name, octets]) => [name, base64url(octets)]);
        return { kty: "RSA", ...Object.fromEntries(fields) };
      }
      case "ec": {
        const [x, y] = [half(key.point, false), half(key.point, true)].map(base64url);
        return { kty: "EC", crv: key.curve, x, y, d: base64url(key.d) };
      }
      case "ed25519":
        return { kty: "OKP", crv: "Ed25519", x: base64url(key.point), d: base64url(key.seed) };
    }
  };
  return createPrivateKey({ key: jwk(), format: "jwk" }).export({ type: "pkcs8", format: "pem" }).toString();
}

const METHODS = [
  { title: "AUTH method 14", settings: [] },
  { title: "AUTH methods 1 and 9", settings: ["signature_authentication = no"] },
];

for (const { settings, title } of METHODS) {
  describeCharon(`certificates against charon, ${title}`, () => {
    let charon: Charon;
    let peer: OurPeer | undefined;
    beforeAll(async () => {
      charon = await startCharon({ settings });
    }, 30_000);
    afterEach(async () => {
      await charon.swanctl("--terminate", "--ike", "v2", "--force", "--timeout", "1");
      await peer?.close();
      peer = undefined;
    });
    afterAll(() => charon?.stop());

    async function meet(one: Case, isResponder: boolean, trusted: Holder = ca): Promise<OurPeer> {
      const chain = one.ours.map(({ certificate }) => certificate);
      const trustpoint: Trustpoint = {
        name: "LIVE",
        use: "both",
        anchor: trusted.certificate,
        identity: { key: one.ours[0]!.key, chain },
        crls: [],
        revocation: "none",
      };
      const change = {
        localIdentity: distinguishedName(chain[0]!.subject),
        certificates: {
          local: one.method,
          remote: [one.method],
          trustpoints: [trustpoint],
          pki: { epoch: NOW },
        },
        fragmentation: { mtu: 1280 },
      };
      const made = await startPeer(charon, { isResponder, change });
      peer = made;
      const settings = {
        local: "auth = pubkey\n      certs = own.pem",
        peer: "auth = pubkey\n      cacerts = ca.pem",
        remote: isResponder ? made : undefined,
      };
      await charon.load(connection(charon, settings), undefined, {
        "x509ca/ca.pem": toPem("CERTIFICATE", ca.octets),
        "x509/own.pem": toPem("CERTIFICATE", one.theirs.octets),
        "private/own.pem": keyPem(one.theirs.key),
      });
      return made;
    }

    describe.each(CASES)("$name", (one) => {
      it("we begin, it answers, and pings pass", async () => {
        const made = await meet(one, false);
        made.command({ name: "up" });
        const established = await made.next("ike.established");
        expect(established.identity).toBe(formatName(one.theirs.certificate.subject));
        await made.next("peer.tunnelUp");
        expect(await made.ping()).toEqual({ sent: 3, received: 3 });
        expect(charon.log()).toMatch(
          settings.length === 0
            ? /with (RSA|ECDSA)\S*SHA\S* successful/
            : /with (RSA signature|ECDSA-256 signature) successful/,
        );
      });

      it("it begins, we answer, and pings pass", async () => {
        const made = await meet(one, true);
        const initiated = await charon.swanctl("--initiate", "--child", "net", "--timeout", "10");
        expect(initiated.text).toContain("initiate completed successfully");
        expect(await made.next("ike.established")).toMatchObject({
          initiator: false,
          identity: formatName(one.theirs.certificate.subject),
        });
        await made.next("peer.tunnelUp");
        expect(await made.ping()).toEqual({ sent: 3, received: 3 });
      });
    });

    it("its certificate is refused by us where we trust somebody else", async () => {
      const other = issue("cn=Other CA", undefined, { ...VALIDITY, authority: {} });
      const made = await meet(CASES[0]!, false, other);
      made.command({ name: "up" });
      expect((await made.next("ike.authFailed")).reason).toBe("untrusted");
      await charon.logged(/AUTHENTICATION_FAILED|AUTH_FAILED/);
    });
  });
}
