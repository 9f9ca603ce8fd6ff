/** A private key of a vector file. */
import { createPrivateKey } from "node:crypto";
import type { PrivateKey } from "../../src/crypto/api.ts";
import { decodePrivateKey } from "../../src/crypto/privateKey.ts";

/** PEM of PKCS#1 or PKCS#8. */
export function decodePkcs1PrivateKey(pem: string): PrivateKey {
  return decodePrivateKey(Uint8Array.from(createPrivateKey(pem).export({ type: "pkcs8", format: "der" })));
}
