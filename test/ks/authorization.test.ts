import { describe, expect, it } from "vitest";
import { utf8 } from "../../src/base/bytes.ts";
import { type Authorization, type MemberIdentity, unauthorized } from "../../src/ks/authorization.ts";
import { parseName } from "../../src/pki/name.ts";
import type { Id } from "../../src/wire/isakmp.ts";
import { IsakmpIdType } from "../../src/wire/isakmpNumbers.ts";
import { issue, root } from "../pki/authority.ts";

const ca = root();
const gm1 = issue("cn=gm1,ou=Members,ou=West,o=Example", ca);
const id = (type: number, data: Uint8Array): Id => ({ type, protocol: 0, port: 0, data });
const ADDRESS = id(IsakmpIdType.IPV4_ADDR, Uint8Array.of(10, 0, 0, 1));
const NAME = id(IsakmpIdType.DER_ASN1_DN, gm1.certificate.subject.octets);
const host = (text: string) => id(IsakmpIdType.FQDN, utf8(text));
const dn = (text: string): MemberIdentity => ({ kind: "dn", attributes: parseName(text)!.attributes });
const fqdn = (text: string): MemberIdentity => ({ kind: "fqdn", text });

const remote = { address: "10.0.0.1", port: 848 };
const refused = (authorization: Authorization, identity: Id, certificate?: Uint8Array) =>
  unauthorized(authorization, { remote, identity, certificate });
const PERMIT = [{ permit: true, first: 0x0a000001, last: 0x0a000001 }];

describe("authorization identity", () => {
  it.each([
    ["ou=Members", undefined],
    ["OU = members", undefined],
    ["ou=West,ou=Members", undefined],
    ["o=Example,cn=gm1", undefined],
    ["ou=Guests", "identity"],
    ["ou=Members,o=Elsewhere", "identity"],
    ["ou=Member", "identity"],
  ])("dn %s of a member with cn=gm1,ou=Members,ou=West,o=Example: %s", (text, reason) => {
    expect(refused({ identities: [dn(text)] }, NAME, gm1.octets)).toBe(reason);
  });

  it("looks at the certificate whatever the member calls itself", () => {
    expect(refused({ identities: [dn("ou=Members")] }, ADDRESS, gm1.octets)).toBeUndefined();
    expect(refused({ identities: [dn("ou=Guests")] }, ADDRESS, gm1.octets)).toBe("identity");
  });

  it("takes a host name as the member calls itself, in either case of letters", () => {
    expect(refused({ identities: [fqdn("GM1.example")] }, host("gm1.example"))).toBeUndefined();
    expect(refused({ identities: [fqdn("gm1.example")] }, host("gm2.example"))).toBe("identity");
    expect(refused({ identities: [fqdn("gm1")] }, NAME, gm1.octets)).toBe("identity");
  });

  it("has alternatives, and without any lets nobody in", () => {
    const identities = [dn("ou=Guests"), fqdn("gm9"), dn("cn=gm1")];
    expect(refused({ identities }, NAME, gm1.octets)).toBeUndefined();
    expect(refused({ identities: [] }, NAME, gm1.octets)).toBe("identity");
    expect(refused({ identities: [dn("cn=gm1")] }, ADDRESS)).toBe("identity");
  });
});

describe("authorization of both kinds", () => {
  const both: Authorization = { addresses: [], identities: [dn("cn=gm1")] };

  it("counts each for its kind of authentication", () => {
    expect(refused(both, ADDRESS)).toBe("address");
    expect(refused(both, ADDRESS, gm1.octets)).toBeUndefined();
    expect(refused({ addresses: PERMIT, identities: [] }, ADDRESS)).toBeUndefined();
    expect(refused({ addresses: PERMIT, identities: [] }, ADDRESS, gm1.octets)).toBe("identity");
  });

  it("leaves no kind of member unasked where one list is alone", () => {
    expect(refused({ addresses: [] }, ADDRESS, gm1.octets)).toBe("address");
    expect(refused({ identities: [fqdn("gm9")] }, host("gm1"))).toBe("identity");
    expect(refused({}, ADDRESS)).toBeUndefined();
  });
});
