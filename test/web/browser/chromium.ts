/** Debian's Chromium with a fresh profile, and the built page served on loopback. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BrowserContext, chromium } from "playwright-core";
import sirv from "sirv";
import { build } from "vite";

export const CHROMIUM = "/usr/bin/chromium";

export function freshFolder(): string {
  return mkdtempSync(join(tmpdir(), "getvpn-web-"));
}

export interface Browser {
  readonly context: BrowserContext;
  close(): Promise<void>;
}

export async function startBrowser(
  options: { readonly width?: number; readonly height?: number } = {},
): Promise<Browser> {
  const profile = freshFolder();
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    viewport: { width: options.width ?? 1920, height: options.height ?? 1080 },
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  return {
    context,
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

export interface StaticSite {
  readonly url: string;
  close(): Promise<void>;
}

/** Any static server can hold the page. */
export async function servePage(folder: string): Promise<StaticSite> {
  const handler = sirv(folder, { dev: true });
  const server: Server = createServer((request, response) => handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export interface BuiltPage {
  readonly folder: string;
  remove(): void;
}

/** Builds the page into a folder of its own: what is tested is what the sources say now. */
export async function buildPage(): Promise<BuiltPage> {
  const folder = freshFolder();
  await build({
    configFile: fileURLToPath(new URL("../../../web/vite.config.ts", import.meta.url)),
    build: { outDir: folder },
    logLevel: "error",
  });
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
