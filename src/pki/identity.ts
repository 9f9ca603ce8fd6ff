/** IKE identities and the names in certificates. RFC 7296 section 3.5, RFC 4945 section 3.1. */
import { equal, fromUtf8 } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import { formatIdentity, type Id } from "../wire/ikev2.ts";
import { IdType } from "../wire/ikev2Numbers.ts";
import type { Certificate } from "./certificate.ts";
import { hostnames } from "./certificateMap.ts";
import { decodeName, formatName, type Name, sameName } from "./name.ts";

/** The identity that IOS has by default with a signature: the subject of its certificate. */
export function distinguishedName(name: Name): Id {
  return { type: IdType.DER_ASN1_DN, data: name.octets };
}

/** Undefined where the identity is no distinguished name, or no proper one. */
export function nameOfIdentity(identity: Id): Name | undefined {
  if (identity.type !== IdType.DER_ASN1_DN) return undefined;
  try {
    return decodeName(identity.data);
  } catch (error) {
    if (error instanceof WireError) return undefined;
    throw error;
  }
}

/** `example.org` of the host `gm1.example.org` and of the user `gm1@example.org`; text without such a part is its own. */
export function domainOf({ type, data }: Id): string {
  const text = fromUtf8(data);
  return text.slice(text.indexOf(type === IdType.RFC822_ADDR ? "@" : ".") + 1);
}

/** As `formatIdentity`, with distinguished names as IOS shows them. */
export function identityText(identity: Id): string {
  const name = nameOfIdentity(identity);
  return name === undefined ? formatIdentity(identity) : formatName(name);
}

/**
 * Whether the certificate was made out to this identity: its subject, one of its alternative names, or the host name that
 * IOS puts into the subject (`unstructuredName`). A key-id stands in no certificate.
 */
export function certifies(certificate: Certificate, identity: Id): boolean {
  const { type, data } = identity;
  switch (type) {
    case IdType.DER_ASN1_DN: {
      const name = nameOfIdentity(identity);
      return name !== undefined && sameName(name, certificate.subject);
    }
    case IdType.FQDN:
      return hasText(certificate, "dns", data) || hostnames(certificate.subject).some((text) => sameText(text, data));
    case IdType.RFC822_ADDR:
      return hasText(certificate, "email", data);
    case IdType.IPV4_ADDR:
    case IdType.IPV6_ADDR:
      return certificate.alternativeNames.some((name) => name.kind === "ip" && equal(name.octets, data));
    default:
      return false;
  }
}

function hasText(certificate: Certificate, kind: "dns" | "email", data: Uint8Array): boolean {
  return certificate.alternativeNames.some((name) => name.kind === kind && sameText(name.text, data));
}

function sameText(text: string, data: Uint8Array): boolean {
  return text.toLowerCase() === fromUtf8(data).toLowerCase();
}
