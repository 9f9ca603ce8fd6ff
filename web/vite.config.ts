import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/** The visualizer as static files with relative addresses: any web server or folder can hold it. */
export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  worker: { format: "es" },
  build: {
    outDir: fileURLToPath(new URL("../dist/web", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
  },
});
