/**
 * A trace as NDJSON: one object a line, in the format that `traceTypes.ts` lays down. The reader takes text in pieces of
 * any size, keeps all that it understands and tells what it does not.
 */
import { type Bytes, fromHex, toHex } from "../../src/base/bytes.ts";
import type { EventData, Scalar } from "../../src/base/machine.ts";
import { NONE, Trace, type TraceOptions } from "./trace.ts";
import {
  TRACE_VERSION,
  type TraceDevice,
  type TraceEnd,
  type TraceHead,
  type TraceLink,
  type TraceNote,
} from "./traceTypes.ts";

/**
 * The lines of a trace, each with its line feed. Packets stand in the order of their numbers, each before the first event
 * that names it. `end` is absent for a run that has not ended.
 */
export function* ndjsonLines(head: TraceHead, trace: Trace, end?: TraceEnd): Generator<string> {
  yield line({ type: "head", ...head });
  let packets = 0;
  for (const event of trace.range()) {
    for (; packets <= event.packet; packets++) {
      yield line({ type: "packet", n: packets, octets: toHex(trace.packet(packets)) });
    }
    yield line({
      type: "event",
      n: event.number,
      t: event.time,
      device: head.devices[event.device]?.name ?? String(event.device),
      kind: event.kind,
      cause: event.cause,
      packet: event.packet,
      data: event.data,
    });
  }
  if (end !== undefined) yield line({ type: "end", ...end });
}

function line(value: object): string {
  return `${JSON.stringify(value)}\n`;
}

/**
 * - `badJson` the line is no JSON object
 * - `badLine` a field is missing or of the wrong type, or a number does not follow the one before it
 * - `noHead` the first line is no head
 * - `newerVersion` written by a later version; what is known was read
 * - `unknownType` a type of line that this version does not know; told once for each type
 * - `unknownField` a field that this version does not know; told once for each field
 * - `truncated` no end line: the file is cut off, or its run had not ended
 */
export type NdjsonCode =
  | "badJson"
  | "badLine"
  | "noHead"
  | "newerVersion"
  | "unknownType"
  | "unknownField"
  | "truncated";

export interface NdjsonProblem {
  readonly code: NdjsonCode;
  /** From 1; for `truncated` the number of lines read. */
  readonly line: number;
  readonly message: string;
}

export interface NdjsonResult {
  /** Undefined where the first line is no head: then nothing was read. */
  readonly head: TraceHead | undefined;
  readonly trace: Trace;
  readonly end: TraceEnd | undefined;
  readonly problems: readonly NdjsonProblem[];
}

/** Longest line that is looked at; a longer one is a `badJson`, so that a file without line feeds cannot fill memory. */
const LINE_MAX = 1 << 24;
const PROBLEMS_MAX = 100;

type Json = Readonly<Record<string, unknown>>;

/** Fails one line; caught by the reader, which notes the problem and goes on. */
class LineError extends Error {
  readonly code: NdjsonCode;

  constructor(code: NdjsonCode, message: string) {
    super(message);
    this.code = code;
  }
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  head: ["type", "version", "scenario", "description", "seed", "run", "devices", "links", "notes"],
  packet: ["type", "n", "octets"],
  event: ["type", "n", "t", "device", "kind", "cause", "packet", "data"],
  end: ["type", "fingerprint", "events", "packets", "virtualMicros"],
};

export class NdjsonReader {
  private readonly problems: NdjsonProblem[] = [];
  private readonly told = new Set<string>();
  private readonly trace: Trace;
  private readonly packets: Bytes[] = [];
  private readonly deviceNumbers = new Map<string, number>();
  private head: TraceHead | undefined;
  private end: TraceEnd | undefined;
  private rest = "";
  private lines = 0;

  /** `options`: such as `fingerprint: false`, where nobody will compare the fingerprint of what was read. */
  constructor(options: TraceOptions = {}) {
    this.trace = new Trace({ ...options, level: "full" });
  }

  /** Takes the next piece of the text; a line may be spread over any number of pieces. */
  push(text: string): void {
    let from = 0;
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", from)) {
      this.take(this.rest + text.slice(from, at));
      this.rest = "";
      from = at + 1;
    }
    if (this.rest.length <= LINE_MAX) this.rest += text.slice(from);
  }

  /** What was read. Called once, behind the last piece. */
  finish(): NdjsonResult {
    if (this.rest.trim() !== "") this.take(this.rest);
    this.rest = "";
    if (this.head === undefined) this.tell("noHead", "the file does not begin with a trace head");
    else if (this.end === undefined)
      this.tell("truncated", "no end line: the file is cut off or the run had not ended");
    return { head: this.head, trace: this.trace, end: this.end, problems: this.problems };
  }

  private take(text: string): void {
    this.lines++;
    if (text.trim() === "") return;
    try {
      const value = parseObject(text);
      const type = value.type;
      if (this.head === undefined && type !== "head") throw new LineError("noHead", "a line before the trace head");
      if (type === "head") this.takeHead(value);
      else if (type === "packet") this.takePacket(value);
      else if (type === "event") this.takeEvent(value);
      else if (type === "end") this.takeEnd(value);
      else this.tellOnce("unknownType", `line of type ${JSON.stringify(type)?.slice(0, 40)}`);
      if (typeof type === "string") this.lookForUnknown(type, value);
    } catch (error) {
      if (!(error instanceof LineError)) throw error;
      this.tell(error.code, error.message);
    }
  }

  private takeHead(value: Json): void {
    if (this.head !== undefined) throw new LineError("badLine", "a second head");
    const version = whole(value, "version");
    const devices = list(value, "devices").map(device);
    if (version > TRACE_VERSION) this.tell("newerVersion", `version ${version}; this program knows ${TRACE_VERSION}`);
    devices.forEach(({ name }, index) => {
      this.deviceNumbers.set(name, index);
    });
    this.head = {
      version,
      scenario: text(value, "scenario"),
      description: optional(value, "description", text),
      seed: text(value, "seed"),
      run: whole(value, "run"),
      devices,
      links: list(value, "links").map((item) => link(item, devices.length)),
      notes: list(value, "notes").map(note),
    };
  }

  private takePacket(value: Json): void {
    const number = whole(value, "n");
    if (number !== this.packets.length) {
      throw new LineError("badLine", `packet ${number} where ${this.packets.length} was expected`);
    }
    this.packets.push(hexadecimal(value, "octets"));
  }

  private takeEvent(value: Json): void {
    const number = whole(value, "n");
    if (number !== this.trace.events) {
      throw new LineError("badLine", `event ${number} where ${this.trace.events} was expected`);
    }
    const name = text(value, "device");
    const device = this.deviceNumbers.get(name);
    if (device === undefined) throw new LineError("badLine", `device ${name} is not in the head`);
    const kind = text(value, "kind");
    if (kind === "" || kind.length > 80) throw new LineError("badLine", "kind of 1 to 80 characters expected");
    const time = whole(value, "t");
    if (time < this.trace.lastTime) throw new LineError("badLine", `time ${time} is before that of the last event`);
    const cause = whole(value, "cause", NONE);
    if (cause >= number) throw new LineError("badLine", `cause ${cause} is not before event ${number}`);
    const packet = whole(value, "packet", NONE);
    const octets = packet === NONE ? undefined : this.packets[packet];
    if (packet !== NONE && octets === undefined) throw new LineError("badLine", `packet ${packet} has no line yet`);
    this.trace.append(time, device, kind, cause, octets, eventData(value.data));
  }

  private takeEnd(value: Json): void {
    this.end = {
      fingerprint: text(value, "fingerprint"),
      events: whole(value, "events"),
      packets: whole(value, "packets"),
      virtualMicros: whole(value, "virtualMicros"),
    };
  }

  private lookForUnknown(type: string, value: Json): void {
    const known = Object.hasOwn(FIELDS, type) ? FIELDS[type] : undefined;
    if (known === undefined) return;
    for (const field of Object.keys(value)) {
      if (!known.includes(field)) this.tellOnce("unknownField", `field ${field.slice(0, 40)} of a ${type} line`);
    }
  }

  private tellOnce(code: NdjsonCode, message: string): void {
    const key = `${code} ${message}`;
    if (this.told.has(key) || this.told.size >= PROBLEMS_MAX) return;
    this.told.add(key);
    this.tell(code, message);
  }

  /** The first hundred problems say enough; the loss at the end of the file is told in any case. */
  private tell(code: NdjsonCode, message: string): void {
    if (this.problems.length >= PROBLEMS_MAX && code !== "truncated" && code !== "noHead") return;
    if (code === "noHead" && this.problems.some((problem) => problem.code === "noHead")) return;
    this.problems.push({ code, line: this.lines, message });
  }
}

/** Reads a whole trace at once. */
export function readNdjson(text: string): NdjsonResult {
  const reader = new NdjsonReader();
  reader.push(text);
  return reader.finish();
}

function parseObject(line: string): Json {
  if (line.length > LINE_MAX) throw new LineError("badJson", `a line of more than ${LINE_MAX} characters`);
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new LineError("badJson", "no JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new LineError("badJson", "no JSON object");
  }
  return value as Json;
}

function own(value: Json, field: string): unknown {
  return Object.hasOwn(value, field) ? value[field] : undefined;
}

function text(value: Json, field: string): string {
  const found = own(value, field);
  if (typeof found !== "string") throw new LineError("badLine", `${field}: text expected`);
  return found;
}

function whole(value: Json, field: string, min = 0): number {
  const found = own(value, field);
  if (!Number.isSafeInteger(found) || (found as number) < min) {
    throw new LineError("badLine", `${field}: whole number of at least ${min} expected`);
  }
  return found as number;
}

function hexadecimal(value: Json, field: string): Bytes {
  const digits = text(value, field);
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) {
    throw new LineError("badLine", `${field}: hexadecimal digits expected`);
  }
  return fromHex(digits);
}

function optional<T>(value: Json, field: string, read: (value: Json, field: string) => T): T | undefined {
  return own(value, field) === undefined ? undefined : read(value, field);
}

function list(value: Json, field: string): readonly Json[] {
  const found = own(value, field);
  const isList = Array.isArray(found) && found.every((item) => typeof item === "object" && item !== null);
  if (!isList) throw new LineError("badLine", `${field}: list of objects expected`);
  return found as readonly Json[];
}

const ROLES = ["ks", "gm", "router", "host", "cloud"] as const;

function device(value: Json): TraceDevice {
  const addresses = own(value, "addresses");
  return {
    name: text(value, "name"),
    // A role of a later version is drawn as what every device is.
    role: ROLES.find((role) => role === value.role) ?? "router",
    site: optional(value, "site", text),
    addresses: Array.isArray(addresses) ? addresses.filter((item) => typeof item === "string") : [],
  };
}

function link(value: Json, devices: number): TraceLink {
  const end = (field: string) => {
    const number = whole(value, field);
    if (number >= devices) throw new LineError("badLine", `${field}: there is no device ${number}`);
    return number;
  };
  return {
    name: text(value, "name"),
    a: end("a"),
    aInterface: text(value, "aInterface"),
    b: end("b"),
    bInterface: text(value, "bInterface"),
    latencyMicros: whole(value, "latencyMicros"),
  };
}

function note(value: Json): TraceNote {
  const question = own(value, "question") === true;
  return { at: whole(value, "at"), text: text(value, "text"), ...(question ? { question } : {}) };
}

/** Keeps the scalars; whatever else a later version puts there has no meaning here. */
function eventData(value: unknown): EventData {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return {};
  const data: Record<string, Scalar> = {};
  for (const [key, item] of Object.entries(value)) {
    const isScalar = typeof item === "string" || typeof item === "number" || typeof item === "boolean";
    if (isScalar && key !== "__proto__") data[key] = item;
  }
  return data;
}
