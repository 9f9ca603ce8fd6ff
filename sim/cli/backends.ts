/** What Node offers to a run: the crypto back ends by name, and its own hash for the fingerprint. */
import { createHash } from "node:crypto";
import { native } from "../../src/crypto/native.ts";
import { noble } from "../../src/crypto/noble.ts";
import type { Sha256 } from "../core/fingerprint.ts";

export const backends = { native, noble } as const;

/** The digest is that of the default, several times faster. */
export function nodeSha256(): Sha256 {
  const hash = createHash("sha256");
  return {
    update: (octets) => void hash.update(octets),
    digest: () => hash.copy().digest(),
  };
}
