import { defineConfig } from "vite";

/** The page of a ceremony's coordinator: `runner/ceremony/coordinator/page.ts` builds and serves it. */
export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  worker: { format: "es" },
  build: { target: "es2022", modulePreload: { polyfill: false }, chunkSizeWarningLimit: 1200 },
});
