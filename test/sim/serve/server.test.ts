import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { Trace } from "../../../sim/core/trace.ts";
import { decodeFrame } from "../../../sim/serve/frame.ts";
import type { WatchedRun } from "../../../sim/serve/liveRun.ts";
import type { HolderMessage } from "../../../sim/serve/protocol.ts";
import { type RunRequest, type Serving, serve } from "../../../sim/serve/server.ts";
import { ConfigError } from "../../../src/base/errors.ts";
import { syntheticTrace } from "../../web/syntheticTrace.ts";

const site = mkdtempSync(join(tmpdir(), "getvpn-site-"));
mkdirSync(join(site, "assets"));
writeFileSync(join(site, "index.html"), '<meta name="getvpn-source" content="worker" /><p>page</p>');
writeFileSync(join(site, "assets", "main.js"), "void 0;");
afterAll(() => rmSync(site, { recursive: true, force: true }));

const { head, trace } = syntheticTrace(6);

/** Gives the synthetic trace away in slices of some events, as a run that is computed does. */
function slowRun(request: RunRequest = {}): WatchedRun {
  const own = new Trace();
  const packets = Array.from({ length: trace.packets }, (_, number) => trace.packet(number));
  let next = 0;
  return {
    head: { ...head, seed: request.seed ?? head.seed },
    trace: own,
    untilMicros: trace.lastTime,
    decrypts: false,
    get now() {
      return own.lastTime;
    },
    get done() {
      return next === trace.events;
    },
    step() {
      for (let i = 0; i < 40 && next < trace.events; i++, next++) {
        const { time, device, kind, cause, packet, data } = trace.event(next);
        own.append(time, device, kind, cause, packets[packet], data);
      }
    },
    outcome: () => ({
      end: { fingerprint: own.fingerprint(), events: own.events, packets: own.packets, virtualMicros: own.lastTime },
      verdicts: [],
    }),
    dissect: (octets) => ({ label: "Packet", offset: 0, length: octets.length, text: "", children: [] }),
  };
}

let serving: Serving | undefined;
const sockets: WebSocket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.terminate();
  await serving?.close();
  serving = undefined;
});

async function start(options: Partial<Parameters<typeof serve>[0]> = {}): Promise<Serving> {
  serving = await serve({ runFactory: slowRun, port: 0, site, ...options });
  return serving;
}

/** A page: collects messages, and waits for one of a type. */
function connect(url: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(url.replace("http", "ws").concat("stream"), { headers });
  sockets.push(socket);
  const messages: HolderMessage[] = [];
  const waiting: { readonly type: string; readonly resolve: (message: HolderMessage) => void }[] = [];
  socket.on("message", (data: Buffer) => {
    const message = decodeFrame(new Uint8Array(data));
    messages.push(message);
    for (const waiter of waiting.splice(0)) {
      if (waiter.type === message.type) waiter.resolve(message);
      else waiting.push(waiter);
    }
  });
  return {
    socket,
    messages,
    send: (message: unknown) => socket.send(JSON.stringify(message)),
    next: <T extends HolderMessage["type"]>(type: T) =>
      new Promise<Extract<HolderMessage, { type: T }>>((resolve) => {
        waiting.push({ type, resolve: (message) => resolve(message as Extract<HolderMessage, { type: T }>) });
      }),
    closed: new Promise<number>((resolve) => socket.on("close", resolve)),
  };
}

function gathered(messages: readonly HolderMessage[]): Trace {
  const copy = new Trace();
  for (const message of messages) if (message.type === "events") copy.appendChunk(message.chunk);
  return copy;
}

describe("the server", () => {
  it("streams a run in chunks, to its end, with the fingerprint that the run has", async () => {
    const { url } = await start();
    const page = connect(url);
    expect(await page.next("hello")).toMatchObject({ version: 1, attachable: true });
    page.send({ type: "control", action: "attach" });
    const { end } = await page.next("end");
    expect(end.fingerprint).toBe(trace.fingerprint());
    expect(gathered(page.messages).fingerprint()).toBe(trace.fingerprint());
    expect(page.messages.filter((message) => message.type === "head")).toHaveLength(1);
  });

  it("gives a page that comes late the whole run", async () => {
    const { url } = await start();
    const first = connect(url);
    await first.next("hello");
    first.send({ type: "control", action: "attach" });
    await first.next("end");
    const second = connect(url);
    await second.next("hello");
    second.send({ type: "control", action: "attach" });
    await second.next("end");
    expect(gathered(second.messages).fingerprint()).toBe(trace.fingerprint());
  });

  it("runs again with another seed when a page asks, and all pages follow", async () => {
    const { url } = await start();
    const pages: ReturnType<typeof connect>[] = [];
    for (let i = 0; i < 2; i++) {
      const page = connect(url);
      pages.push(page);
      await page.next("hello");
      page.send({ type: "control", action: "attach" });
      await page.next("end");
    }
    const heads = pages.map((page) => page.next("head"));
    pages[0]!.send({ type: "control", action: "start", scenario: head.scenario, seed: "other" });
    for (const message of await Promise.all(heads)) expect(message.head.seed).toBe("other");
    await Promise.all(pages.map((page) => page.next("end")));
  });

  it("answers questions about packets, unknown ones too", async () => {
    const { url } = await start();
    const page = connect(url);
    await page.next("hello");
    page.send({ type: "control", action: "attach" });
    await page.next("end");
    page.send({ type: "dissect", id: 5, packet: 0 });
    expect(await page.next("dissected")).toMatchObject({ id: 5, field: { label: "Packet" } });
    page.send({ type: "dissect", id: 6, packet: 999_999 });
    expect(await page.next("dissected")).toEqual({ type: "dissected", id: 6 });
  });

  it.each(["no json", "{}", '{"type":"control","action":"erase"}', '{"type":"dissect","id":-1,"packet":0}', "[]"])(
    "ends a connection that sends %s",
    async (text) => {
      const { url } = await start();
      const page = connect(url);
      await page.next("hello");
      page.socket.send(text);
      expect(await page.closed).toBe(1003);
    },
  );

  it("does not let a page of another site read the run", async () => {
    const { url } = await start();
    const stranger = connect(url, { origin: "http://elsewhere.example" });
    stranger.socket.on("error", () => undefined);
    expect(await stranger.closed).toBe(1006);
    expect(stranger.messages).toEqual([]);
  });

  it("tells pages why a run cannot go on", async () => {
    const { url } = await start({
      runFactory: () => {
        const run = slowRun();
        return { ...run, trace: run.trace, done: false, step: () => expectFailure() };
      },
    });
    const page = connect(url);
    await page.next("hello");
    page.send({ type: "control", action: "attach" });
    expect(await page.next("error")).toMatchObject({ code: "internal", message: "broken at event 7" });
  });

  it("throws what is wrong with the scenario before it listens", async () => {
    const problem = { code: "unknownKey", file: "x.yaml", line: 1, column: 1, path: "", message: "m" };
    const failing = () => {
      throw new ConfigError([problem]);
    };
    await expect(start({ runFactory: failing })).rejects.toBeInstanceOf(ConfigError);
  });

  it("serves the page and tells it where the run comes from", async () => {
    const { url } = await start();
    const page = await fetch(url);
    expect(await page.text()).toContain('content="socket"');
    expect((await fetch(`${url}assets/main.js`)).status).toBe(200);
    for (const path of ["nothing", "..%2f..%2fetc/passwd", "assets/../../package.json"]) {
      expect((await fetch(url + path)).status).toBe(404);
    }
  });

  it("refuses a port that is taken, and goes on to the next one where none was asked for", async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { port } = other.address() as { port: number };
    await expect(start({ port })).rejects.toMatchObject({ code: "portTaken" });
    await new Promise((resolve) => other.close(resolve));
    const first = await start({ port: undefined });
    const second = await serve({ runFactory: slowRun, site });
    expect(second.url).not.toBe(first.url);
    await second.close();
  });
});

function expectFailure(): never {
  throw new Error("broken at event 7");
}
