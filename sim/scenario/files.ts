/** Names of files within a set of files: relative, with slashes. Nothing here touches a disk. */
import { readDocument } from "./document.ts";

/**
 * `name` as seen from the folder of `from`, without `.` and `..`. Undefined for an absolute path, a drive, a backslash, a
 * NUL, and for a way that leads out of the set's root.
 */
export function resolvePath(from: string, name: string): string | undefined {
  if (name === "" || name.startsWith("/") || /[\\\0]|^[A-Za-z]:/.test(name)) return undefined;
  const parts = from.split("/").slice(0, -1);
  for (const part of name.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== ".." || parts.at(-1) === "..") parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  return parts.join("/");
}

/** `file` as seen from the folder of `from`: what `resolvePath` takes. Both are names within one set of files. */
export function relativePath(from: string, file: string): string {
  const folders = from.split("/").slice(0, -1);
  const parts = file.split("/");
  let common = 0;
  while (common < folders.length && common < parts.length - 1 && folders[common] === parts[common]) common++;
  return [...folders.slice(common).map(() => ".."), ...parts.slice(common)].join("/");
}

/**
 * Files that a scenario names, resolved against its own name, in order of appearance: what has to be in the set before
 * `loadScenario`. Empty for a text that is no scenario; the loader says what is wrong with it.
 */
export function referencedFiles(file: string, text: string): readonly string[] {
  const found = new Set<string>();
  const open: unknown[] = [readDocument(file, text).value];
  const seen = new Set<unknown>();
  while (open.length > 0) {
    const value = open.pop();
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    for (const [key, inner] of Object.entries(value)) {
      open.push(inner);
      const resolved = key === "startup-config" && typeof inner === "string" ? resolvePath(file, inner) : undefined;
      if (resolved !== undefined) found.add(resolved);
    }
  }
  return [...found].sort();
}
