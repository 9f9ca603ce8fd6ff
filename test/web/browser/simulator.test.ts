import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadScenario } from "../../../sim/scenario/loader.ts";
import { createRun } from "../../../sim/scenario/runner.ts";
import type { Scenario } from "../../../sim/scenario/scenario.ts";
import { type Serving, serve } from "../../../sim/serve/server.ts";
import { simulatedRun } from "../../../sim/serve/simulatedRun.ts";
import { native } from "../../../src/crypto/native.ts";
import { describeTool } from "../../tools.ts";
import { type Browser, type BuiltPage, buildPage, type StaticSite, servePage, startBrowser } from "./chromium.ts";

const FOLDER = fileURLToPath(new URL("../../../scenarios/", import.meta.url));
const SCENARIOS = readdirSync(FOLDER).filter((name) => name.endsWith(".yaml"));
const LONG = 300_000;

function scenario(name: string): Scenario {
  const files = new Map<string, string>();
  for (const path of readdirSync(FOLDER, { recursive: true, encoding: "utf8" })) {
    if (/\.(yaml|cfg)$/.test(path)) files.set(path, readFileSync(join(FOLDER, path), "utf8"));
  }
  return loadScenario(files, name);
}

function fingerprintInNode(name: string): string {
  const run = createRun(scenario(name), { crypto: native });
  run.step();
  return run.end().fingerprint;
}

const complete = (page: Page) => page.getByText(/^complete, /).waitFor({ timeout: LONG });
const fingerprint = (page: Page) => page.locator("[data-fingerprint]").getAttribute("data-fingerprint");

/** Selects the first event that passes `filter` and shows its packet. */
async function selectFirst(page: Page, filter: string): Promise<void> {
  await page.getByRole("searchbox").fill(filter);
  await page.getByText("hidden by filter").waitFor();
  await page.locator(".rows .row").first().click();
  await page.getByTestId("fields").getByRole("treeitem").nth(3).waitFor({ state: "attached" });
}

describeTool("chromium", "apt-get install -y chromium", "the simulator in the page", () => {
  let browser: Browser;
  let built: BuiltPage;
  let site: StaticSite;

  beforeAll(async () => {
    built = await buildPage();
    [site, browser] = await Promise.all([servePage(built.folder), startBrowser()]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    built?.remove();
  });

  it.each(SCENARIOS)(
    "leaves the fingerprint of %s that Node leaves",
    async (name) => {
      const page = await browser.context.newPage();
      await page.goto(`${site.url}#s=${name}`);
      await complete(page);
      expect(await fingerprint(page)).toBe(fingerprintInNode(name));
      await page.close();
    },
    LONG,
  );

  it(
    "opens a GSA_AUTH with the keys of the run, and closes it again on the wire",
    async () => {
      const page = await browser.context.newPage();
      await page.goto(`${site.url}#s=lab.yaml`);
      await complete(page);
      await selectFirst(page, '"GSA_AUTH response" kind:packet.sent');
      const fields = page.getByTestId("fields");
      const rows = await fields.getByRole("treeitem").count();
      for (const payload of ["IDr payload", "AUTH payload", "GSA payload", "KD payload"]) {
        await fields.getByText(payload).first().waitFor();
      }
      expect(await page.getByRole("button", { name: "Decrypted" }).getAttribute("aria-pressed")).toBe("true");
      await page.getByRole("button", { name: "Wire" }).click();
      expect(await fields.getByRole("treeitem").count()).toBeLessThan(rows);
      await page.close();
    },
    LONG,
  );

  it(
    "runs again with another seed and leaves another fingerprint",
    async () => {
      const page = await browser.context.newPage();
      await page.goto(`${site.url}#s=lab.yaml`);
      await complete(page);
      const first = await fingerprint(page);
      await page.getByLabel("Seed").fill("another");
      await page.getByRole("button", { name: "Run", exact: true }).click();
      await page.waitForFunction(
        (before) => {
          const now = document.querySelector<HTMLElement>("[data-fingerprint]")?.dataset.fingerprint;
          return now !== before && now !== "";
        },
        first,
        { timeout: LONG },
      );
      await page.waitForFunction(() => location.hash.includes("seed=another"));
      await page.close();
    },
    LONG,
  );

  describe("streamed by the server", () => {
    let serving: Serving;
    beforeAll(async () => {
      const lab = scenario("lab.yaml");
      serving = await serve({
        port: 0,
        site: built.folder,
        runFactory: (request) =>
          simulatedRun(createRun(lab, { ...request, crypto: native }), {
            untilMicros: lab.duration,
            crypto: native,
            sliceMillis: 5,
          }),
      });
    });
    afterAll(() => serving?.close());

    it(
      "arrives live, with the same fingerprint, and the server opens its packets",
      async () => {
        const page = await browser.context.newPage();
        await page.goto(serving.url);
        await page.getByText(/^complete, streamed by the server/).waitFor({ timeout: LONG });
        expect(await fingerprint(page)).toBe(fingerprintInNode("lab.yaml"));
        await selectFirst(page, "type:data kind:packet.sent");
        await page.getByTestId("fields").getByText("ICMP").first().waitFor({ state: "attached" });
        await page.close();
      },
      LONG,
    );

    it(
      "leaves the server alone where the link asks for the worker",
      async () => {
        const page = await browser.context.newPage();
        await page.goto(`${serving.url}?source=worker#s=lab.yaml`);
        await page.getByText(/^complete, simulated in this page/).waitFor({ timeout: LONG });
        await page.close();
      },
      LONG,
    );
  });
});
