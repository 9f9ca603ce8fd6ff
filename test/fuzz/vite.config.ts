import { defineConfig } from "vite";

/** The campaign as a program of its own, so that a million cases run without a test runner around them. */
export default defineConfig({
  build: { ssr: "test/fuzz/main.ts", outDir: "dist/fuzz", target: "node20", emptyOutDir: true },
});
