/**
 * The payloads of an ISAKMP message and the sets that say what a payload number means. Payload 1 holds proposals in phase
 * 1 and in Quick Mode, but the policies of a group in a GROUPKEY exchange, and exchange 32 is one or the other by the DOI
 * of the phase 1: so the set is chosen by who knows the SA.
 */
import * as Gdoi from "./gdoi.ts";
import * as Isakmp from "./isakmp.ts";
import { type PayloadSet, payloadSet, type UnknownIsakmpPayload } from "./isakmpChain.ts";
import { GdoiExchange, IsakmpExchange, IsakmpPayloadType, GdoiPayloadType as P } from "./isakmpNumbers.ts";
import type { NumberSpace } from "./kit.ts";

export interface IsakmpBodies {
  SA: Isakmp.Sa;
  KE: Isakmp.Octets;
  ID: Isakmp.Id;
  CERT: Isakmp.Cert;
  CERTREQ: Isakmp.CertRequest;
  HASH: Isakmp.Octets;
  SIG: Isakmp.Octets;
  NONCE: Isakmp.Octets;
  N: Isakmp.Notify;
  D: Isakmp.Delete;
  VID: Isakmp.Octets;
  "NAT-D": Isakmp.Octets;
  "NAT-OA": Isakmp.NatOa;
  /** SA with the policies of a group. */
  GSA: Gdoi.GroupSa;
  KD: Gdoi.KeyDownload;
  SEQ: Gdoi.Sequence;
  GAP: Gdoi.Gap;
}
export type IsakmpKind = keyof IsakmpBodies;

export type IsakmpPayload =
  | { [K in IsakmpKind]: { readonly kind: K; readonly body: IsakmpBodies[K] } }[IsakmpKind]
  | UnknownIsakmpPayload;

export interface IsakmpSet extends PayloadSet {
  readonly exchanges: NumberSpace;
}

const COMMON = [
  ["KE", P.KE, Isakmp.Ke],
  ["ID", P.ID, Isakmp.Id],
  ["CERT", P.CERT, Isakmp.Cert],
  ["CERTREQ", P.CERTREQ, Isakmp.CertRequest],
  ["HASH", P.HASH, Isakmp.Hash],
  ["SIG", P.SIG, Isakmp.Signature],
  ["NONCE", P.NONCE, Isakmp.Nonce],
  ["N", P.N, Isakmp.Notify],
  ["D", P.D, Isakmp.Delete],
  ["VID", P.VID, Isakmp.VendorId],
  ["NAT-D", P["NAT-D"], Isakmp.NatD],
  ["NAT-OA", P["NAT-OA"], Isakmp.NatOa],
] as const;

/** Phase 1 in every DOI, and phase 2 of the IPsec DOI. */
export const ISAKMP: IsakmpSet = {
  ...payloadSet(IsakmpPayloadType.space, [["SA", P.SA, Isakmp.Sa], ...COMMON]),
  exchanges: IsakmpExchange.space,
};

/** GROUPKEY-PULL, GROUPKEY-PUSH and its acknowledgement, and Informational under DOI 2. */
export const GDOI: IsakmpSet = {
  ...payloadSet(P.space, [
    ["GSA", P.SA, Gdoi.GroupSa],
    ...COMMON,
    ["KD", P.KD, Gdoi.KeyDownload],
    ["SEQ", P.SEQ, Gdoi.Sequence],
    ["GAP", P.GAP, Gdoi.Gap],
  ]),
  exchanges: GdoiExchange.space,
};

/** Body of the first payload of a kind. */
export function isakmpPayloadOf<K extends IsakmpKind>(
  payloads: readonly IsakmpPayload[],
  kind: K,
): IsakmpBodies[K] | undefined {
  for (const payload of payloads) if (payload.kind === kind) return payload.body as IsakmpBodies[K];
  return undefined;
}
