/** The screen as a URL fragment: a link together with the trace restores what its sender saw. */
import { type Micros, SECOND } from "../../src/base/micros.ts";
import { MAPPINGS, type Mapping } from "../model/timeMap.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

export type Selection = { readonly event: number } | { readonly device: string } | undefined;

export interface ScreenState {
  readonly scenario?: string;
  readonly seed?: string;
  readonly run?: number;
  readonly time?: Micros;
  /** Events behind the cursor, where the instant alone does not say it. */
  readonly event?: number;
  readonly selection?: Selection;
  readonly filter?: string;
  readonly brush?: readonly [Micros, Micros];
  readonly mapping?: Mapping;
  readonly theme?: Theme;
  readonly presenter?: boolean;
  readonly decrypted?: boolean;
}

/** `v=topology&t=12.345678&sel=gm7&f=type:rekey&r=10..20&m=linear&th=dark`; what is at its default is left out. */
export function formatFragment(state: ScreenState): string {
  const parts: string[] = ["v=topology"];
  const add = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== "") parts.push(`${name}=${encode(value)}`);
  };
  add("s", state.scenario);
  add("seed", state.seed);
  add("run", state.run === undefined || state.run === 0 ? undefined : String(state.run));
  add("t", state.time === undefined || state.time === 0 ? undefined : decimalSeconds(state.time));
  add("e", state.event?.toString());
  const { selection } = state;
  if (selection !== undefined) add("sel", "event" in selection ? `event:${selection.event}` : selection.device);
  add("f", state.filter);
  if (state.brush !== undefined) add("r", state.brush.map(decimalSeconds).join(".."));
  add("m", state.mapping === "compressed" ? undefined : state.mapping);
  add("th", state.theme === "system" ? undefined : state.theme);
  add("p", state.presenter === true ? "1" : undefined);
  add("wire", state.decrypted === false ? "1" : undefined);
  return `#${parts.join("&")}`;
}

/** Reads a fragment; parts that make no sense are passed over. */
export function parseFragment(fragment: string): ScreenState {
  const values = new Map<string, string>();
  for (const part of fragment.replace(/^#/, "").split("&")) {
    const at = part.indexOf("=");
    if (at > 0) values.set(part.slice(0, at), decode(part.slice(at + 1)));
  }
  const brush = values.get("r")?.split("..").map(micros);
  return {
    scenario: values.get("s"),
    seed: values.get("seed"),
    run: count(values.get("run")),
    time: micros(values.get("t")),
    event: count(values.get("e")),
    selection: selectionOf(values.get("sel")),
    filter: values.get("f"),
    brush: brush?.[0] !== undefined && brush[1] !== undefined ? [brush[0], brush[1]] : undefined,
    mapping: MAPPINGS.find((mapping) => mapping === values.get("m")),
    theme: THEMES.find((theme) => theme === values.get("th")),
    presenter: values.get("p") === "1" ? true : undefined,
    decrypted: values.get("wire") === "1" ? false : undefined,
  };
}

function selectionOf(text: string | undefined): Selection {
  if (text === undefined || text === "") return undefined;
  const event = /^event:(\d{1,15})$/.exec(text);
  return event === null ? { device: text } : { event: Number(event[1]) };
}

function decimalSeconds(time: Micros): string {
  const text = `${Math.floor(time / SECOND)}.${String(Math.round(time % SECOND)).padStart(6, "0")}`;
  return text.replace(/\.?0+$/, "");
}

function micros(text: string | undefined): Micros | undefined {
  if (text === undefined || !/^\d{1,9}(?:\.\d{1,6})?$/.test(text)) return undefined;
  return Math.round(Number(text) * SECOND);
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

/** Only what would end a part or a fragment is escaped: a link stays readable. */
function encode(value: string): string {
  return encodeURIComponent(value).replaceAll("%3A", ":").replaceAll("%2C", ",").replaceAll("%2F", "/");
}

function decode(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
