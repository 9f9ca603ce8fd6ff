/** What a matched line carries: the values kept under the names that its pattern gives, each with its place. */
import { utf8 } from "../base/bytes.ts";
import { secret } from "../base/secret.ts";
import type { Place, Reference, TypedKey } from "./model.ts";
import type { Value } from "./values.ts";

export interface Captured {
  readonly name: string;
  readonly value: Value;
  readonly column: number;
}

export class Args {
  private readonly captured: readonly Captured[];
  private readonly file: string;
  private readonly line: number;
  /** Place of the first word of the command. */
  readonly at: Place;
  /** The line in canonical words: keywords in full, arguments as typed. */
  readonly words: readonly string[];

  constructor(captured: readonly Captured[], at: Place, words: readonly string[]) {
    this.captured = captured;
    this.file = at.file;
    this.line = at.line;
    this.at = at;
    this.words = words;
  }

  has(name: string): boolean {
    return this.captured.some((item) => item.name === name);
  }

  /** Text kept under `name`; the type parameter lists the keywords that the pattern allows there. */
  text<T extends string = string>(name: string): T | undefined {
    const found = this.captured.find((item) => item.name === name);
    return found === undefined ? undefined : (String(found.value) as T);
  }

  number(name: string): number | undefined {
    const found = this.captured.find((item) => item.name === name);
    return typeof found?.value === "number" ? found.value : undefined;
  }

  texts<T extends string = string>(name: string): T[] {
    return this.captured.filter((item) => item.name === name).map((item) => String(item.value) as T);
  }

  numbers(name: string): number[] {
    return this.captured.filter((item) => item.name === name).map((item) => Number(item.value));
  }

  /** Place of the first value kept under `name`, or of the command. */
  place(name: string): Place {
    const found = this.captured.find((item) => item.name === name);
    return found === undefined ? this.at : { file: this.file, line: this.line, column: found.column };
  }

  reference(name: string): Reference | undefined {
    return this.references(name)[0];
  }

  references(name: string): Reference[] {
    return this.captured
      .filter((item) => item.name === name)
      .map((item) => ({ name: String(item.value), at: { file: this.file, line: this.line, column: item.column } }));
  }

  /** A key with the encryption type that the pattern keeps under `encryption`. */
  key(name: string): TypedKey | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    return { encryption: this.text("encryption") === "6" ? 6 : 0, key: secret(utf8(text)), at: this.place(name) };
  }
}
