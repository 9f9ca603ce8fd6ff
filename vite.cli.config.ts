import { defineConfig } from "vite";

/** The command line as one file for Node; packages stay imports. */
export default defineConfig({
  build: {
    ssr: "sim/cli/main.ts",
    outDir: "dist/cli",
    emptyOutDir: true,
    target: "node20",
    sourcemap: true,
    copyPublicDir: false,
    rolldownOptions: { output: { entryFileNames: "main.js", codeSplitting: false } },
  },
});
