/** Between the store and whoever holds the run: messages in, questions out. */

import { type Control, type HolderMessage, PROTOCOL_VERSION } from "../../sim/serve/protocol.ts";
import type { Field } from "../../src/wire/field.ts";
import { beginRun, growRun, type Store, setPace } from "../state/store.ts";
import { socketSource } from "./socketSource.ts";
import type { Source } from "./source.ts";
import { workerSource } from "./workerSource.ts";

export interface Connection {
  start(control: Extract<Control, { readonly action: "start" }>): void;
  openFiles(files: readonly File[]): void;
  /** Runs the last thing again that was asked for. */
  restart(): void;
  dissect(packet: number): Promise<Field | undefined>;
}

export interface ConnectionOptions {
  readonly kind: "worker" | "socket";
  /** What to start at once: the scenario, seed and run of a link. */
  readonly first: { readonly scenario?: string; readonly seed?: string; readonly run?: number };
  /** Called when the first events of a run are there: the place in time that a link asks for can be gone to. */
  readonly onRun: () => void;
}

export function connect(store: Store, options: ConnectionOptions): Connection {
  let source: Source;
  let last: Extract<Control, { readonly action: "start" }> | undefined;
  let nextId = 1;
  /** The viewer has opened a file: nothing else begins by itself. */
  let isFile = false;
  const questions = new Map<number, (field: Field | undefined) => void>();

  const receive = (message: HolderMessage): void => {
    switch (message.type) {
      case "hello":
        store.hello.value = message;
        if (message.version !== PROTOCOL_VERSION) fail("version", `it speaks version ${message.version}`);
        else if (message.attachable) source.send({ type: "control", action: "attach" });
        else if (last !== undefined) source.send(last);
        else if (!isFile) startFirst();
        return;
      case "head":
        beginRun(store, message);
        return;
      case "events":
        growRun(store, message.chunk);
        if (message.chunk.firstEvent === 0) {
          setPace(store);
          options.onRun();
        }
        return;
      case "progress":
        store.progress.value = message;
        return;
      case "end":
        store.end.value = message;
        store.phase.value = "done";
        store.follow.value = false;
        if (!store.playing.value) setPace(store);
        options.onRun();
        return;
      case "error":
        store.error.value = message;
        store.phase.value = "failed";
        return;
      case "dissected":
        questions.get(message.id)?.(message.field);
        questions.delete(message.id);
        return;
    }
  };
  const fail = (code: "internal" | "version", text: string) => {
    store.error.value = { type: "error", code, message: text, problems: [] };
    store.phase.value = "failed";
  };
  const open = (kind: "worker" | "socket"): Source => {
    const listener = {
      message: (message: HolderMessage) => {
        try {
          receive(message);
        } catch (error) {
          fail("internal", error instanceof Error ? error.message : String(error));
        }
      },
      gone: (reason: string) => {
        for (const answer of questions.values()) answer(undefined);
        questions.clear();
        if (store.phase.peek() !== "done") fail("internal", reason);
        else store.notice.value = `${reason[0]!.toUpperCase()}${reason.slice(1)}. The run stays on the screen.`;
      },
    };
    return kind === "worker" ? workerSource(listener) : socketSource(listener);
  };
  const startFirst = () => {
    const scenarios = store.hello.peek()?.scenarios ?? [];
    const entry =
      scenarios.find((found) => found.path === options.first.scenario) ?? scenarios.find(isDefault) ?? scenarios[0];
    if (entry === undefined) return;
    const own = entry.path === options.first.scenario;
    start({
      type: "control",
      action: "start",
      scenario: entry.path,
      seed: own ? options.first.seed : undefined,
      run: own ? options.first.run : undefined,
    });
  };
  const start: Connection["start"] = (control) => {
    last = control;
    isFile = false;
    store.source.value = source.kind;
    store.error.value = undefined;
    store.phase.value = "loading";
    source.send(control);
  };

  store.source.value = options.kind;
  source = open(options.kind);
  return {
    start,
    openFiles(files) {
      if (files.length === 0) return;
      store.error.value = undefined;
      // A server's run gives way to a file: only a worker can read one.
      if (source.kind === "socket") {
        source.close();
        source = open("worker");
      }
      store.source.value = "file";
      store.phase.value = "loading";
      last = undefined;
      isFile = true;
      source.open(files);
    },
    restart() {
      store.error.value = undefined;
      if (store.phase.peek() === "failed") {
        source.close();
        source = open(source.kind);
      } else if (last !== undefined) source.send(last);
    },
    dissect(packet) {
      const id = nextId++;
      source.send({ type: "dissect", id, packet });
      return new Promise((resolve) => questions.set(id, resolve));
    },
  };
}

/** The class-room lab comes first. */
function isDefault(entry: { readonly path: string }): boolean {
  return entry.path === "lab.yaml";
}
