#!/usr/bin/env node
// Starts the built command line. It is committed so that package managers can link it before anything is built; the first
// call in a fresh clone builds.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const built = new URL("../../dist/cli/main.js", import.meta.url);
const isBuilt = () => existsSync(fileURLToPath(built));

if (!isBuilt()) {
  process.stderr.write("getvpn: building once ...\n");
  const root = fileURLToPath(new URL("../..", import.meta.url));
  // What the build says goes to stderr too: stdout is for data.
  spawnSync("npm", ["run", "--silent", "build"], { cwd: root, stdio: ["ignore", 2, 2] });
}
if (isBuilt()) {
  await import(built.href);
} else {
  process.stderr.write("getvpn: could not be built. Run `npm ci && npm run build` in its folder first.\n");
  process.exitCode = 2;
}
