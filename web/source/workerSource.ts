/** The simulator in a worker of this page. */
import type { HolderMessage } from "../../sim/serve/protocol.ts";
import type { WorkerMessage } from "../worker/message.ts";
import type { Source, SourceListener } from "./source.ts";

export function workerSource(listener: SourceListener): Source {
  const worker = new Worker(new URL("../worker/worker.ts", import.meta.url), { type: "module", name: "simulator" });
  const post = (message: WorkerMessage) => worker.postMessage(message);
  worker.addEventListener("message", (event: MessageEvent<HolderMessage>) => listener.message(event.data));
  worker.addEventListener("error", (event) => listener.gone(event.message || "the worker could not be started"));
  worker.addEventListener("messageerror", () => listener.gone("the worker sent something that cannot be read"));
  return {
    kind: "worker",
    send: post,
    open: (files) => post({ type: "open", files }),
    close: () => worker.terminate(),
  };
}
