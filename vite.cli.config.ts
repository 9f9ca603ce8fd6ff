import { defineConfig } from "vite";

/** The command line and its threads for Node, with what they share; packages stay imports. */
export default defineConfig({
  build: {
    ssr: true,
    outDir: "dist/cli",
    emptyOutDir: true,
    target: "node20",
    sourcemap: true,
    copyPublicDir: false,
    rolldownOptions: {
      input: { main: "sim/cli/main.ts", keyWorker: "sim/cli/keyWorker.ts" },
      output: { entryFileNames: "[name].js", chunkFileNames: "[name].js" },
    },
  },
});
