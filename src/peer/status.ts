/** What may be told of a peer machine, for summaries. */
import type { IkeSuite } from "../ikev2/api.ts";
import { saView } from "../ikev2/endpoint.ts";
import { identityText } from "../pki/identity.ts";
import { transformName } from "../wire/ikev2.ts";
import { TransformType } from "../wire/ikev2Numbers.ts";
import type { PeerState } from "./peer.ts";
import { suiteName } from "./tunnel.ts";

/** Texts are empty where there is nothing to tell. */
export interface PeerStatus {
  /** Address and port of the peer. */
  readonly remote: string;
  readonly identity: string;
  readonly ikeSuite: string;
  readonly espSuite: string;
}

export function peerStatus({ config, endpoint, sas, tunnels, sending }: PeerState): PeerStatus {
  const view = saView(endpoint, sas.at(-1) ?? 0);
  const tunnel = tunnels.get(sending);
  const remote = view?.remote ?? config.remote;
  return {
    remote: remote === undefined ? "" : `${remote.address}:${remote.port}`,
    identity: view?.identity === undefined ? "" : identityText(view.identity),
    ikeSuite: view === undefined ? "" : ikeSuiteName(view.suite),
    espSuite: tunnel === undefined ? "" : suiteName(tunnel.view.suite),
  };
}

/** `AES_GCM_16-256/HMAC_SHA2_256/CURVE25519`. */
function ikeSuiteName({ encr, encrKeyBits, prf, integ, dh }: IkeSuite): string {
  const cipher = transformName(TransformType.ENCR, encr);
  return [
    encrKeyBits === 0 ? cipher : `${cipher}-${encrKeyBits}`,
    transformName(TransformType.PRF, prf),
    ...(integ === 0 ? [] : [transformName(TransformType.INTEG, integ)]),
    transformName(TransformType.DH, dh),
  ].join("/");
}

/** Whether a Delete of ours is still to be answered. */
export function isClosing({ endpoint }: PeerState): boolean {
  for (const sa of endpoint.sas.values()) if (sa.phase.at === "deleting") return true;
  return false;
}
