/**
 * Who may join a group of GDOI: `authorization address ipv4` and `authorization identity`. Where both are there each counts
 * for its kind of authentication, the addresses with a pre-shared key and the names with a certificate; a list that is
 * alone counts for all. G-IKEv2 leaves this to the profile's match statements.
 */

import { fromUtf8 } from "../base/bytes.ts";
import { parseIpv4 } from "../base/ipv4.ts";
import type { SaView } from "../ikev1/api.ts";
import { decodeCertificate } from "../pki/certificate.ts";
import { nameOfIdentity } from "../pki/identity.ts";
import { hasAttributes, type Name, type NameAttribute } from "../pki/name.ts";
import type { Id } from "../wire/isakmp.ts";
import { IsakmpIdType } from "../wire/isakmpNumbers.ts";

export interface Authorization {
  /** First and last address, as numbers; the first entry that has the member's decides, and none means no. */
  readonly addresses?: readonly { readonly permit: boolean; readonly first: number; readonly last: number }[];
  /** One of them has to fit. */
  readonly identities?: readonly MemberIdentity[];
}

/**
 * One line of `crypto identity`. `dn`: the member's distinguished name, that of its certificate whatever it calls itself,
 * has all of the attributes. `fqdn`: the member calls itself so. That several lines are alternatives and that `dn` names a
 * part of the whole name is not documented: IOS texts show lines with one attribute only.
 */
export type MemberIdentity =
  | { readonly kind: "dn"; readonly attributes: readonly NameAttribute[] }
  | { readonly kind: "fqdn"; readonly text: string };

/** What is known of a member whose phase 1 stands. */
type Member = Pick<SaView, "remote" | "identity" | "certificate">;

/** Why the member may not join; undefined where it may. */
export function unauthorized(
  { addresses, identities }: Authorization,
  member: Member,
): "address" | "identity" | undefined {
  const hasCertificate = member.certificate !== undefined;
  const byName = identities !== undefined && (hasCertificate || addresses === undefined);
  if (byName) return isNamed(identities, member) ? undefined : "identity";
  return addresses === undefined || isListed(addresses, member.remote.address) ? undefined : "address";
}

function isListed(addresses: NonNullable<Authorization["addresses"]>, text: string): boolean {
  const address = parseIpv4(text);
  const entry = addresses.find(({ first, last }) => address !== undefined && first <= address && address <= last);
  return entry?.permit === true;
}

function isNamed(identities: readonly MemberIdentity[], { identity, certificate }: Member): boolean {
  if (identity === undefined) return false;
  const name = distinguishedName(identity, certificate);
  return identities.some((wanted) =>
    wanted.kind === "dn"
      ? name !== undefined && hasAttributes(name, wanted.attributes)
      : identity.type === IsakmpIdType.FQDN && fromUtf8(identity.data).toLowerCase() === wanted.text.toLowerCase(),
  );
}

/** The certificate has been read before, when the member was judged by it. */
function distinguishedName(identity: Id, certificate: Member["certificate"]): Name | undefined {
  return certificate === undefined ? nameOfIdentity(identity) : decodeCertificate(certificate).subject;
}
