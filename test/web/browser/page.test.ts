import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { ndjsonLines } from "../../../sim/core/ndjson.ts";
import { describeTool } from "../../tools.ts";
import { syntheticTrace } from "../syntheticTrace.ts";
import { type Browser, buildPage, type StaticSite, servePage, startBrowser } from "./chromium.ts";
