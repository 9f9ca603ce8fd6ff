/** Where a run comes from, seen from the page: something that takes page messages and answers with holder messages. */
import type { HolderMessage, PageMessage } from "../../sim/serve/protocol.ts";

export interface Source {
  readonly kind: "worker" | "socket";
  send(message: PageMessage): void;
  /** Replays a trace file; key files of the same run may lie beside it. Only where `kind` is `worker`. */
  open(files: readonly File[]): void;
  close(): void;
}

export interface SourceListener {
  message(message: HolderMessage): void;
  /** The other side is gone; nothing more will come. */
  gone(reason: string): void;
}
