/**
 * Builds a field tree while a declaration reads. Octets are noted as leaves in order, so every octet is covered exactly
 * once; where reading fails, the innermost node gets the problem and the rest of its span becomes one raw leaf.
 */
import type { Bytes, Reader } from "../base/bytes.ts";
import { WireError } from "../base/errors.ts";
import type { Field } from "./field.ts";

interface Building {
  label: string;
  offset: number;
  length: number;
  text: string;
  rfc?: string;
  problem?: string;
  plain?: Bytes;
  children: Building[];
}

export class Tree {
  private readonly root: Building;
  private readonly open: Building[] = [];
  /** First octet that no leaf covers yet. */
  private covered = 0;

  constructor(title: string, length: number) {
    this.root = { label: title, offset: 0, length, text: "", children: [] };
    this.open.push(this.root);
  }

  private get top(): Building {
    return this.open[this.open.length - 1]!;
  }

  enter(label: string, offset: number, rfc?: string): void {
    const node: Building = { label, offset, length: 0, text: "", children: [] };
    if (rfc !== undefined && rfc !== "") node.rfc = rfc;
    this.top.children.push(node);
    this.open.push(node);
  }

  leave(end: number, text: string): void {
    const node = this.open.pop()!;
    node.length = end - node.offset;
    if (node.text === "") node.text = text;
  }

  leaf(label: string, start: number, end: number, text: string, rfc?: string): void {
    if (end === start) return;
    const node: Building = { label, offset: start, length: end - start, text, children: [] };
    if (rfc !== undefined) node.rfc = rfc;
    this.top.children.push(node);
    this.covered = end;
  }

  /** Says what the open node holds and where that is defined. */
  describe(text: string, rfc: string): void {
    this.top.text = text;
    if (rfc !== "") this.top.rfc = rfc;
  }

  /** Marks the last leaf, or the open node where it has none yet. */
  problem(text: string): void {
    const children = this.top.children;
    const node = children.length > 0 ? children[children.length - 1]! : this.top;
    node.problem ??= text;
  }

  /** Puts a finished tree of decrypted octets below the leaf that was noted last. */
  attach(plain: Bytes, children: readonly Field[]): void {
    const node = this.top.children[this.top.children.length - 1]!;
    node.plain = plain;
    node.children = children as Building[];
  }

  /** Puts a finished subtree in, moved to `offset`. */
  graft(field: Field, offset: number): void {
    this.top.children.push(shifted(field, offset));
    this.covered = offset + field.length;
  }

  /**
   * Runs `read`; a WireError closes what it left open, is noted at the innermost node, and the octets up to `end` become
   * a raw leaf. Reading goes on at `end`. Returns whether all went well.
   */
  attempt(r: Reader, end: number, read: () => void): boolean {
    const depth = this.open.length;
    const outerEnd = r.end;
    this.covered = r.at;
    try {
      read();
      this.raw(r.at, end, "Octets left over");
      r.at = end;
      r.end = outerEnd;
      return r.at === end;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.top.problem = `${error.code}: ${error.message}`;
      this.raw(this.covered, end, "Undecoded octets");
      while (this.open.length > depth) this.leave(end, "");
      r.at = end;
      r.end = outerEnd;
      return false;
    }
  }

  private raw(start: number, end: number, label: string): void {
    if (end <= start) return;
    this.leaf(label, start, end, `${end - start} octets`);
    const children = this.top.children;
    if (label === "Octets left over") children[children.length - 1]!.problem = "trailing: octets after the last field";
  }

  finish(end: number): Field {
    while (this.open.length > 1) this.leave(end, "");
    // A root that only wraps one node of the same span says nothing new.
    const only = this.root.children[0];
    if (this.root.children.length === 1 && only !== undefined && only.length === this.root.length) return only;
    return this.root;
  }
}

function shifted(field: Field, by: number): Building {
  const children = field.plain === undefined ? field.children.map((child) => shifted(child, by)) : field.children;
  return { ...field, offset: field.offset + by, children: children as Building[] };
}
