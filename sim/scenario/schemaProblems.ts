/**
 * What zod finds wrong with a scenario, as problems with a place in the file.
 *
 * - `unknownKey` a key that the schema does not have; with the nearest one that it has
 * - `missing` a key that has to be there
 * - `wrongType` a value of another type
 * - `badValue` none of the words that are allowed here
 * - `outOfRange` a number or a length beyond its bounds
 * - `badDuration`, `badOdds`, `badRate`, `badSize`, `badName`, `badEndpoint`, `badAddress` a text that is not of its form
 */
import { z } from "zod";
import type { ConfigProblem } from "../../src/base/errors.ts";
import type { Path, SourceDocument } from "./document.ts";
import { QUANTITIES, type Quantity } from "./schema.ts";
import { suggest } from "./suggest.ts";

type Issue = z.core.$ZodIssue;

/** All problems that `schema` has with the document's value, in the order of their places. */
export function schemaProblems(schema: z.ZodType, document: SourceDocument): readonly ConfigProblem[] {
  const result = schema.safeParse(document.value);
  if (result.success) return [];
  return result.error.issues.flatMap((issue) => describeIssue(issue, [], schema, document));
}

function describeIssue(issue: Issue, prefix: Path, schema: z.ZodType, document: SourceDocument): ConfigProblem[] {
  const path = [...prefix, ...issue.path.map((step) => (typeof step === "number" ? step : String(step)))];
  const found = valueAt(document.value, path);
  const make = (code: string, message: string, expected?: string, of: "key" | "value" = "value"): ConfigProblem => ({
    code,
    file: document.file,
    ...document.position(path, of),
    path: formatPath(path),
    message,
    ...(expected === undefined ? {} : { expected }),
    ...(code === "missing" ? {} : { found: describeValue(found) }),
  });
  const quantity = Object.hasOwn(QUANTITIES, issue.message) ? QUANTITIES[issue.message as Quantity] : undefined;
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.filter((key) => key !== "__proto__").map((key) => unknownKey(key, path, schema, document));
    case "invalid_type":
      if (found === undefined) return [make("missing", `${lastName(path)} is missing`, quantity?.expected)];
      if (quantity !== undefined) return [make(quantity.code, `this is no ${shortForm(quantity)}`, quantity.expected)];
      return [make("wrongType", "a value of the wrong type", issue.expected === "record" ? "map" : issue.expected)];
    case "invalid_value": {
      if (found === undefined) return [make("missing", `${lastName(path)} is missing`, issue.values.join(", "))];
      return [
        make("badValue", hint("this word is not known here", found, issue.values.map(String)), issue.values.join(", ")),
      ];
    }
    case "invalid_format":
      return [make(quantity?.code ?? "badValue", `this is no ${shortForm(quantity)}`, quantity?.expected)];
    case "invalid_key": {
      const name = issue.issues[0]?.message as Quantity;
      return [{ ...make("badName", "not a usable name", QUANTITIES[name]?.expected, "key"), found: lastName(path) }];
    }
    case "too_small":
      return [make("outOfRange", "too small or too short", `at least ${issue.minimum}`)];
    case "too_big":
      return [make("outOfRange", "too large or too long", `at most ${issue.maximum}`)];
    case "invalid_union":
      return describeUnion(issue, path, schema, document, make);
    default:
      return [make("badValue", issue.message)];
  }
}

function describeUnion(
  issue: Extract<Issue, { code: "invalid_union" }>,
  path: Path,
  schema: z.ZodType,
  document: SourceDocument,
  make: (code: string, message: string, expected?: string) => ConfigProblem,
): ConfigProblem[] {
  const options = (issue as { options?: readonly unknown[] }).options?.map(String);
  const found = valueAt(document.value, path);
  if (options !== undefined) {
    const expected = options.join(", ");
    if (found === undefined) return [make("missing", `${lastName(path)} is missing`, expected)];
    return [make("badValue", hint("this word is not known here", found, options), expected)];
  }
  // The branch that was meant is the one whose outermost type fits.
  const isType = (inner: Issue) => inner.path.length === 0 && inner.code === "invalid_type";
  const meant = issue.errors.find((branch) => !branch.some(isType));
  if (meant !== undefined) return meant.flatMap((inner) => describeIssue(inner, path, schema, document));
  if (found === undefined) return [make("missing", `${lastName(path)} is missing`)];
  const expected = issue.errors.flat().flatMap((inner) => {
    if (Object.hasOwn(QUANTITIES, inner.message)) return [QUANTITIES[inner.message as Quantity].expected];
    return inner.code === "invalid_type" ? [inner.expected] : [];
  });
  return [make("wrongType", "a value of the wrong type", [...new Set(expected)].join(", or "))];
}

function unknownKey(key: string, path: Path, schema: z.ZodType, document: SourceDocument): ConfigProblem {
  const near = suggest(key, keysAt(schema, document.value, path));
  return {
    code: "unknownKey",
    file: document.file,
    ...document.position([...path, key], "key"),
    path: formatPath([...path, key]),
    message: near === undefined ? "this key is not known here" : `this key is not known here; did you mean ${near}?`,
  };
}

function hint(message: string, found: unknown, known: readonly string[]): string {
  const near = typeof found === "string" ? suggest(found, known) : undefined;
  return near === undefined ? message : `${message}; did you mean ${near}?`;
}

/** Keys that the schema knows at a path. */
function keysAt(root: z.ZodType, value: unknown, path: Path): readonly string[] {
  let schemas: readonly z.ZodType[] = branches(root, value);
  let at = value;
  for (const step of path) {
    at = valueAt(at, [step]);
    const inner = at;
    schemas = schemas.flatMap((schema) => {
      const next = childOf(schema, step);
      return next === undefined ? [] : branches(next, inner);
    });
  }
  return schemas.flatMap((schema) => (schema instanceof z.ZodObject ? Object.keys(schema.shape) : []));
}

function childOf(schema: z.ZodType, step: string | number): z.ZodType | undefined {
  if (schema instanceof z.ZodObject) return schema.shape[step] as z.ZodType | undefined;
  if (schema instanceof z.ZodArray) return schema.element as z.ZodType;
  return schema instanceof z.ZodRecord ? (schema.valueType as z.ZodType) : undefined;
}

/** The schema without `optional`, and of a union the options that may be meant: by the discriminator where it has one. */
function branches(schema: z.ZodType, value: unknown): readonly z.ZodType[] {
  if (schema instanceof z.ZodOptional) return branches(schema.unwrap() as z.ZodType, value);
  if (!(schema instanceof z.ZodUnion)) return [schema];
  const options = schema.options as readonly z.ZodType[];
  if (!(schema instanceof z.ZodDiscriminatedUnion)) return options.flatMap((option) => branches(option, value));
  const key = schema.def.discriminator;
  return options.filter((option) => {
    const literal = option instanceof z.ZodObject ? (option.shape[key] as z.ZodType) : undefined;
    return literal?.safeParse(valueAt(value, [key])).success === true;
  });
}

export function valueAt(value: unknown, path: Path): unknown {
  let at = value;
  for (const step of path) {
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, step)) return undefined;
    at = (at as Record<string | number, unknown>)[step];
  }
  return at;
}

/** `topology.nodes.gm1.kind`, `timeline[2].at`. */
export function formatPath(path: Path): string {
  return path.map((step, index) => (typeof step === "number" ? `[${step}]` : index === 0 ? step : `.${step}`)).join("");
}

function lastName(path: Path): string {
  const last = path.at(-1);
  return last === undefined ? "the scenario" : typeof last === "number" ? `entry ${last + 1}` : last;
}

function shortForm(quantity: { readonly expected: string } | undefined): string {
  return quantity === undefined
    ? "allowed value"
    : quantity.expected.replace(/^an? /, "").split(/ of | such | with |,/)[0]!;
}

/** The value in a few words; long texts are cut. */
export function describeValue(value: unknown): string {
  if (value === null) return "nothing";
  if (Array.isArray(value)) return `list of ${value.length}`;
  if (typeof value === "object") return "map";
  if (typeof value !== "string") return String(value);
  return value.length > 60 ? `${JSON.stringify(value.slice(0, 60))}...` : JSON.stringify(value);
}
