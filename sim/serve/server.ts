/**
 * The visualizer over HTTP, and a run streamed to it over a WebSocket while it is computed. One process holds one run;
 * any number of pages watch it, each from its beginning, whenever they come.
 */
import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import sirv from "sirv";
import { type WebSocket, WebSocketServer } from "ws";
import { ConfigError } from "../../src/base/errors.ts";
import { encodeFrame } from "./frame.ts";
import { createFeed, dissected, type Feed, nextMessages, type Outcome, type WatchedRun } from "./liveRun.ts";
import { type HolderMessage, PROTOCOL_VERSION } from "./protocol.ts";
import { readPageMessage } from "./readPageMessage.ts";

export const DEFAULT_PORT = 8480;
/** How many ports after the default one are tried where nobody asked for a certain one. */
const PORTS_TRIED = 20;
/** Octets that may wait for a slow page before it gets no more for the moment. */
const BACKLOG_MAX = 8 << 20;
/** Pages send short questions only. */
const MESSAGE_MAX = 16 << 10;

export interface RunRequest {
  readonly seed?: string;
  readonly run?: number;
}

export interface ServeOptions {
  /** Makes the run that is shown; called once at the start and again when a page asks for another seed or run. */
  readonly runFactory: (request: RunRequest) => WatchedRun;
  /** Absent: 8480 or the next free one. Given: this one or an error. 0: any free one. */
  readonly port?: number;
  /** Address to listen on; default 127.0.0.1. */
  readonly host?: string;
  /** Folder of the built page. */
  readonly site?: string;
}

export interface Serving {
  /** Such as `http://127.0.0.1:8480/`. */
  readonly url: string;
  close(): Promise<void>;
}

/** - `portTaken` the port that was asked for is in use, `noPage` the page has not been built */
export type ServeErrorCode = "portTaken" | "noPage";

export class ServeError extends Error {
  readonly code: ServeErrorCode;
  constructor(code: ServeErrorCode, message: string) {
    super(message);
    this.name = "ServeError";
    this.code = code;
  }
}

interface Page {
  readonly socket: WebSocket;
  feed: Feed;
  attached: boolean;
}

/** Starts to serve and to compute. Throws a ServeError, or whatever `runFactory` throws. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const site = options.site ?? builtPage();
  if (site === undefined) throw new ServeError("noPage", "the page has not been built: run npm run build:web");
  const host = options.host ?? "127.0.0.1";
  const pages = new Set<Page>();
  let run = options.runFactory({});
  let outcome: Outcome | undefined;
  let turn: NodeJS.Immediate | NodeJS.Timeout | undefined;

  const send = (page: Page, message: HolderMessage) => page.socket.send(encodeFrame(message));
  const feed = (page: Page): boolean => {
    if (!page.attached || page.socket.readyState !== page.socket.OPEN) return false;
    if (page.socket.bufferedAmount > BACKLOG_MAX) return true;
    if (page.feed.ended) return false;
    for (const message of nextMessages(run, page.feed, outcome)) send(page, message);
    return !page.feed.ended;
  };
  const work = () => {
    turn = undefined;
    try {
      if (!run.done) run.step();
      if (run.done && outcome === undefined) outcome = run.outcome();
    } catch (error) {
      for (const page of pages) send(page, failure(error));
      return;
    }
    let waiting = false;
    for (const page of pages) waiting = feed(page) || waiting;
    if (outcome === undefined) turn = setImmediate(work);
    else if (waiting) turn = setTimeout(work, 20);
  };
  const wake = () => {
    turn ??= setImmediate(work);
  };
  const restart = (request: RunRequest) => {
    run = options.runFactory(request);
    outcome = undefined;
    for (const page of pages) page.feed = createFeed();
    wake();
  };

  const receive = (page: Page, text: string) => {
    const message = readPageMessage(text);
    if (message === undefined) return page.socket.close(1003, "not a message of this protocol");
    if (message.type === "dissect") return send(page, dissected(run, message.id, message.packet));
    if (message.action === "stop") page.attached = false;
    else {
      page.attached = true;
      page.feed = createFeed();
      if (message.action === "start") restart({ seed: message.seed, run: message.run });
      else wake();
    }
  };

  const server = createServer(handler(site));
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MESSAGE_MAX });
  server.on("upgrade", (request, socket, head) => {
    if (new URL(request.url ?? "/", "http://page").pathname !== "/stream" || !sameOrigin(request)) {
      socket.end("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n");
      return;
    }
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      const page: Page = { socket: accepted, feed: createFeed(), attached: false };
      pages.add(page);
      accepted.on("close", () => pages.delete(page));
      accepted.on("error", () => accepted.terminate());
      accepted.on("message", (data) => {
        try {
          receive(page, String(data));
        } catch (error) {
          send(page, failure(error));
        }
      });
      const scenarios = [{ path: run.scenario ?? run.head.scenario, title: run.head.scenario }];
      send(page, { type: "hello", version: PROTOCOL_VERSION, scenarios, attachable: true });
    });
  });

  await listen(server, host, options.port);
  wake();
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}/`,
    close: () =>
      new Promise((resolve) => {
        if (turn !== undefined) {
          clearImmediate(turn as NodeJS.Immediate);
          clearTimeout(turn as NodeJS.Timeout);
        }
        for (const page of pages) page.socket.terminate();
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Beside the bundled command line, or in `dist` of the repository. */
function builtPage(): string | undefined {
  const candidates = ["../web/", "../../dist/web/"].map((path) => fileURLToPath(new URL(path, import.meta.url)));
  return candidates.find((folder) => existsSync(join(folder, "index.html")) && existsSync(join(folder, "assets")));
}

/** Static files; the page itself learns from its meta element that the run comes from here. */
function handler(site: string): (request: IncomingMessage, response: ServerResponse) => void {
  const files = sirv(site, { etag: true });
  const html = readFileSync(join(site, "index.html"), "utf8").replace(
    '<meta name="getvpn-source" content="worker"',
    '<meta name="getvpn-source" content="socket"',
  );
  return (request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://page");
    if (pathname === "/" || pathname === "/index.html") {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" });
      response.end(request.method === "HEAD" ? undefined : html);
      return;
    }
    files(request, response, () => {
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" });
      response.end("not found\n");
    });
  };
}

/** A page of another site must not read a run through the viewer's browser. Tools that send no origin may connect. */
function sameOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  if (origin === undefined) return true;
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}

async function listen(server: Server, host: string, wanted: number | undefined): Promise<void> {
  const ports = wanted === undefined ? Array.from({ length: PORTS_TRIED }, (_, i) => DEFAULT_PORT + i) : [wanted];
  for (const port of ports) if (await tryPort(server, host, port)) return;
  throw new ServeError("portTaken", `port ${ports[0]} on ${host} is in use`);
}

/** False where the port is in use; other errors are thrown. */
function tryPort(server: Server, host: string, port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else reject(error);
    };
    server.once("error", failed);
    server.listen(port, host, () => {
      server.off("error", failed);
      resolve(true);
    });
  });
}

function failure(error: unknown): HolderMessage {
  const problems = error instanceof ConfigError ? error.problems : [];
  const message = error instanceof Error ? error.message : String(error);
  return { type: "error", code: error instanceof ConfigError ? "config" : "internal", message, problems };
}
