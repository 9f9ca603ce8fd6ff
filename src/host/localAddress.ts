/** The address that this host sends from towards another one; no datagram leaves. Rejects where there is no route. */
import { createSocket } from "node:dgram";
import type { Endpoint } from "../base/machine.ts";

export async function localAddress(remote: Endpoint): Promise<string> {
  const socket = createSocket(remote.address.includes(":") ? "udp6" : "udp4");
  try {
    await new Promise<void>((done, fail) => {
      socket.once("error", fail);
      socket.connect(remote.port, remote.address, () => done());
    });
    return socket.address().address;
  } finally {
    socket.close();
  }
}
