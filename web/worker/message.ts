import type { PageMessage } from "../../sim/serve/protocol.ts";

/** What the page posts to its worker: the common protocol, and files to replay, which only a worker can take. */
export type WorkerMessage = PageMessage | { readonly type: "open"; readonly files: readonly File[] };
