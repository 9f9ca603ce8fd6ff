/**
 * Cookies against floods of half-open SAs: the responder keeps nothing, the initiator must show that it gets what is sent
 * to its address. RFC 7296 section 2.6.
 */
import { type Bytes, concat, EMPTY, equal } from "../base/bytes.ts";
import type { Endpoint } from "../base/machine.ts";
import { MINUTE, type Micros } from "../base/micros.ts";
import { type Secret, secret } from "../base/secret.ts";
import { parseAddress } from "../wire/address.ts";
import type { IkeMessage } from "../wire/ikeMessage.ts";
import { NotifyType } from "../wire/ikev2Numbers.ts";
import { notifyOf, payloadOf } from "../wire/payloads.ts";
import { spiOctets } from "./keys.ts";
import type { Turn } from "./state.ts";

/** The secret in use and the one before: an initiator may answer across a change. */
export interface CookieSecrets {
  readonly version: number;
  readonly current: Secret;
  readonly previous: Secret | undefined;
  readonly madeAt: Micros;
}

/** Proposed default: how long a secret is in use. */
const SECRET_LIFE = MINUTE;
const COOKIE_LENGTH = 17;

/** The cookie that this request must bring; undefined where it has brought a good one, or none is asked for. */
export function demandCookie(turn: Turn, message: IkeMessage, remote: Endpoint): Bytes | undefined {
  const { config, halfOpen } = turn.endpoint;
  if (config.cookieThreshold === undefined || halfOpen < config.cookieThreshold) return undefined;
  const secrets = freshSecrets(turn);
  const shown = notifyOf(message.payloads, NotifyType.COOKIE)?.data;
  if (shown?.length === COOKIE_LENGTH) {
    const key = shown[0] === secrets.version ? secrets.current : secrets.previous;
    if (key !== undefined && equal(shown, cookieOf(turn, shown[0]!, key, message, remote))) return undefined;
  }
  return cookieOf(turn, secrets.version, secrets.current, message, remote);
}

/** version | hash(Ni | IPi | SPIi | secret): the form that the RFC proposes, with a keyed hash. */
function cookieOf(turn: Turn, version: number, key: Secret, message: IkeMessage, remote: Endpoint): Bytes {
  const ni = payloadOf(message.payloads, "NONCE")!.data;
  const input = concat(ni, parseAddress(remote.address) ?? EMPTY, spiOctets(message.spiInitiator));
  const mac = turn.tools.crypto.hmac("sha256", key.secret, input);
  return concat(Uint8Array.of(version), mac.subarray(0, COOKIE_LENGTH - 1));
}

function freshSecrets(turn: Turn): CookieSecrets {
  const known = turn.endpoint.cookies;
  if (known !== undefined && turn.now < known.madeAt + SECRET_LIFE) return known;
  const isStale = known === undefined || turn.now >= known.madeAt + 2 * SECRET_LIFE;
  const made: CookieSecrets = {
    version: ((known?.version ?? 0) + 1) & 255,
    current: secret(turn.tools.rng.bytes(32)),
    previous: isStale ? undefined : known.current,
    madeAt: turn.now,
  };
  turn.endpoint.cookies = made;
  return made;
}
