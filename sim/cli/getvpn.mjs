#!/usr/bin/env node
// Starts the built command line. It is committed so that package managers can link it before anything is built.
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const built = new URL("../../dist/cli/main.js", import.meta.url);
if (existsSync(fileURLToPath(built))) {
  await import(built.href);
} else {
  process.stderr.write("getvpn is not built yet. Run `npm ci && npm run build` in its folder first.\n");
  process.exitCode = 2;
}
