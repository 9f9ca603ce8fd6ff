/** Which of its security associations an endpoint is asked about. */
import type { Endpoint } from "./machine.ts";

/** Those with all that is told here; addresses as text, ports count for nothing. */
export interface SaChoice {
  readonly number?: number;
  readonly local?: string;
  readonly remote?: string;
}

interface Numbered {
  readonly number: number;
  readonly local: Endpoint;
  readonly remote: Endpoint;
}

export function isChosen({ number, local, remote }: SaChoice, sa: Numbered): boolean {
  return (
    (number === undefined || sa.number === number) &&
    (local === undefined || sa.local.address === local) &&
    (remote === undefined || sa.remote.address === remote)
  );
}
