import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ndjsonLines } from "../../../sim/core/ndjson.ts";
import { describeTool } from "../../tools.ts";
import { syntheticTrace } from "../syntheticTrace.ts";
import {
  type Browser,
  type BuiltPage,
  buildPage,
  freshFolder,
  type StaticSite,
  servePage,
  startBrowser,
} from "./chromium.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

describeTool("chromium", "apt-get install -y chromium", "the page with a trace file", () => {
  const folder = freshFolder();
  const file = join(folder, "trace.ndjson");
  const { head, trace } = syntheticTrace(12);
  let built: BuiltPage;
  let site: StaticSite;
  let browser: Browser;

  beforeAll(async () => {
    const end = {
      fingerprint: trace.fingerprint(),
      events: trace.events,
      packets: trace.packets,
      virtualMicros: trace.lastTime,
    };
    writeFileSync(file, [...ndjsonLines(head, trace, end)].join(""));
    built = await buildPage();
    [site, browser] = await Promise.all([servePage(built.folder), startBrowser()]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await site?.close();
    built?.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  /** A page that shows the trace; what went wrong in it is thrown when the page is closed. */
  async function open(fragment = "", path = file): Promise<{ readonly page: Page; close(): Promise<void> }> {
    const page = await browser.context.newPage();
    const errors: Error[] = [];
    page.on("pageerror", (error) => errors.push(error));
    await page.goto(`${site.url}${fragment}`);
    await page.setInputFiles("input[type=file]", path);
    await page.getByText(/^(complete|stopped).*, trace file$/).waitFor();
    return {
      page,
      async close() {
        await page.close();
        expect(errors).toEqual([]);
      },
    };
  }

  const clock = (page: Page) => page.locator("output.clock").textContent();
  const seconds = async (page: Page) =>
    Number(await page.getByRole("slider", { name: "Time" }).getAttribute("aria-valuenow"));

  it("shows all devices and events, and the fingerprint of the file", async () => {
    const { page, close } = await open();
    expect(await page.getByTestId("topology-twin").getByRole("option").count()).toBe(head.devices.length);
    expect(await page.getByTestId("events").getAttribute("aria-rowcount")).toBe(String(trace.events + 1));
    expect(await page.locator("[data-fingerprint]").getAttribute("data-fingerprint")).toBe(trace.fingerprint());
    await close();
  });

  it("plays and pauses", async () => {
    const { page, close } = await open("#t=1.02");
    await page.getByRole("button", { name: "Play" }).click();
    await page.waitForFunction(
      () => Number(document.querySelector("[role=slider]")?.getAttribute("aria-valuenow")) > 1.03,
    );
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: "Play" }).waitFor();
    const paused = await clock(page);
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    expect(await clock(page)).toBe(paused);
    await close();
  });

  it("scrubs backwards: the members lose the keys that they did not have yet", async () => {
    const { page, close } = await open();
    const twin = page.getByTestId("topology-twin");
    await page.keyboard.press("End");
    await twin.getByText("gm1: registered, TEK 3").waitFor({ state: "attached" });
    const track = (await page.locator(".track").boundingBox())!;
    await page.mouse.move(track.x + track.width - 5, track.y + track.height - 10);
    await page.mouse.down();
    await page.mouse.move(track.x + track.width / 2, track.y + track.height - 10, { steps: 4 });
    await twin.getByText("gm1: registered, TEK 1").waitFor({ state: "attached" });
    await page.mouse.move(track.x + 2, track.y + track.height - 10, { steps: 4 });
    await page.mouse.up();
    await twin.getByText("gm1: unregistered").waitFor({ state: "attached" });
    expect(await seconds(page)).toBeLessThan(1);
    await close();
  });

  it("steps event by event with the keyboard and marks the row", async () => {
    const { page, close } = await open();
    for (let i = 0; i < 5; i++) await page.keyboard.press(".");
    await page.getByText("event 5 of").waitFor();
    await page.keyboard.press(",");
    await page.locator(".rows [aria-selected=true][aria-rowindex='5']").waitFor();
    await close();
  });

  it("filters by typing, says what is hidden, and offers a way out of an empty result", async () => {
    const { page, close } = await open();
    await page.keyboard.press("/");
    await page.keyboard.type("type:rekey gm:5");
    await page.getByText("hidden by filter").waitFor();
    const rows = Number(await page.getByTestId("events").getAttribute("aria-rowcount")) - 1;
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBeLessThan(10);
    await page.keyboard.type(" gm:6");
    await page.getByText("No event passes the filter").waitFor();
    await page.getByRole("button", { name: "Remove gm:6" }).click();
    await page.getByText("hidden by filter").waitFor();
    await page.getByRole("searchbox").fill("colour:red");
    await page.getByText("unknown key colour").first().waitFor();
    await close();
  });

  it("links fields and octets of a packet in both directions", async () => {
    const { page, close } = await open("#sel=event:1");
    const fields = page.getByTestId("fields");
    await fields.getByRole("treeitem").nth(3).waitFor({ state: "attached" });
    // Octet 18 of the IKE header behind 28 octets of IP and UDP holds the exchange type; the one after it the flags.
    await page.locator(".hex-octets [data-at='0:46']").click();
    await fields.getByRole("treeitem").filter({ hasText: "IKE_SA_INIT (34)" }).click();
    const chosen = page.locator(".hex-octets .chosen");
    expect((await chosen.allTextContents()).join("")).toBe("22");
    await page.locator(".hex-octets [data-at='0:47']").click();
    expect(await fields.locator("[aria-selected=true]").textContent()).toMatch(/flags/i);
    await fields.focus();
    await page.keyboard.press("ArrowUp");
    expect((await chosen.allTextContents()).join("")).toBe("22");
    await close();
  });

  it("leads from an event to its cause", async () => {
    const { page, close } = await open("#sel=event:1");
    await page.getByRole("heading", { name: "Sends IKE_SA_INIT request" }).waitFor();
    await page.locator(".chain").first().getByRole("button").first().click();
    await page.getByRole("heading", { name: "gm.registering" }).waitFor();
    await close();
  });

  it("keeps the view in the link", async () => {
    const { page, close } = await open("#t=1.05&f=type:registration&m=linear&th=dark&sel=gm3");
    await page.waitForFunction(() => location.hash.includes("t=1.05"));
    expect(await seconds(page)).toBe(1.05);
    const hash = await page.evaluate(() => location.hash);
    for (const part of ["f=type:registration", "m=linear", "th=dark", "sel=gm3"]) expect(hash).toContain(part);
    await close();
  });

  it("shows captions in presenter mode and goes from note to note", async () => {
    const { page, close } = await open();
    await page.keyboard.press("Shift+P");
    const caption = page.getByRole("region", { name: "Caption" });
    await caption.getByText("Nobody holds a key yet.").waitFor();
    await page.keyboard.press("ArrowRight");
    await caption.getByText("The members register one after another.").waitFor();
    await page.keyboard.press("PageDown");
    await caption.getByText("The key server sends new keys by multicast.").waitFor();
    await page.keyboard.press("Escape");
    await caption.waitFor({ state: "hidden" });
    await close();
  });

  it("reaches every region with F6 and every device with the arrows", async () => {
    const { page, close } = await open();
    const regions = new Set<string>();
    for (let i = 0; i < 7; i++) {
      await page.keyboard.press("F6");
      regions.add(
        await page.evaluate(
          () => document.activeElement?.closest<HTMLElement>("[data-region]")?.dataset.region ?? "none",
        ),
      );
    }
    expect([...regions].sort()).toEqual(["canvas", "dock", "inspector", "rail", "time", "top"]);
    await page.getByTestId("topology-twin").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    expect(await page.getByTestId("topology-twin").locator("[aria-selected=true]").textContent()).toContain("ks1");
    await close();
  });

  it("says so where a file is cut off, changed, of a later version or no trace at all", async () => {
    const lines = readFileSync(file, "utf8").split("\n");
    const cut = join(folder, "cut.ndjson");
    writeFileSync(cut, lines.slice(0, 100).join("\n"));
    const truncated = await open("", cut);
    await truncated.page.getByText("cut off before its end").waitFor();
    await truncated.close();

    const changed = join(folder, "changed.ndjson");
    writeFileSync(changed, lines.map((line) => line.replace('"octets":"4500', '"octets":"4510')).join("\n"));
    const mismatch = await open("", changed);
    await mismatch.page.getByText("The fingerprint does not match").waitFor();
    await mismatch.close();

    const newer = join(folder, "newer.ndjson");
    const [first, ...rest] = lines;
    writeFileSync(newer, [first, '{"type":"checkpoint","n":1}', ...rest].join("\n"));
    const unknown = await open("", newer);
    await unknown.page.getByText("Parts of this file are unknown here").waitFor();
    await unknown.page.getByText("unknownType").waitFor();
    await unknown.page.getByRole("button", { name: "Close" }).click();
    expect(await unknown.page.getByTestId("events").getAttribute("aria-rowcount")).toBe(String(trace.events + 1));
    await unknown.close();

    const other = join(folder, "other.ndjson");
    writeFileSync(other, "hello\n");
    const refused = await open("", other);
    await refused.page.getByText("This file cannot be read as a trace").waitFor();
    await refused.close();
  });

  it("has drawn arrows in the place of moving dots where motion is unwanted", async () => {
    const { page, close } = await open("#t=1.03");
    const dots = await page.locator("canvas.layer").nth(2).screenshot();
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.keyboard.press(".");
    await page.keyboard.press(",");
    expect(Buffer.compare(dots, await page.locator("canvas.layer").nth(2).screenshot())).not.toBe(0);
    await close();
  });

  it.each(["light", "dark"])("has no accessibility violation in the %s theme", async (theme) => {
    const { page, close } = await open(`#t=1.05&th=${theme}&sel=event:1`);
    await page.getByTestId("fields").getByRole("treeitem").nth(3).waitFor({ state: "attached" });
    await page.evaluate(AXE);
    const check = () =>
      page.evaluate(() => (globalThis as unknown as { axe: { run(): Promise<AxeResult> } }).axe.run());
    for (const prepare of ["", "?", "Escape", "Shift+P"]) {
      if (prepare !== "") await page.keyboard.press(prepare);
      const { violations } = await check();
      const told = violations.map((found) => `${found.id}: ${found.nodes.map((node) => node.html).join(" | ")}`);
      expect(told, `after ${prepare || "loading"}`).toEqual([]);
    }
    await close();
  });
});

interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string }[] }[];
}
