/** A run that `getvpn serve` streams. */
import { decodeFrame } from "../../sim/serve/frame.ts";
import type { PageMessage } from "../../sim/serve/protocol.ts";
import type { Source, SourceListener } from "./source.ts";

export function socketSource(listener: SourceListener): Source {
  const address = new URL("stream", location.href);
  address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  address.search = "";
  address.hash = "";
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  const waiting: PageMessage[] = [];
  socket.addEventListener("open", () => {
    for (const message of waiting.splice(0)) socket.send(JSON.stringify(message));
  });
  socket.addEventListener("message", (event: MessageEvent<ArrayBuffer>) => {
    listener.message(decodeFrame(new Uint8Array(event.data)));
  });
  socket.addEventListener("close", () => listener.gone("the connection to the server has ended"));
  return {
    kind: "socket",
    send(message) {
      if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
      else waiting.push(message);
    },
    open: () => undefined,
    close: () => socket.close(),
  };
}
