import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";
import { HTML_POLICY } from "./csp.ts";
import { releasePlugin } from "./releasePlugin.ts";
import { sizePlugin } from "./sizePlugin.ts";

/** Writes the policy into the HTML of the production build; the development server needs inline scripts. */
function policyPlugin(): Plugin {
  return {
    name: "deltapay-policy",
    apply: "build",
    transformIndexHtml: () => [
      {
        tag: "meta",
        attrs: { "http-equiv": "Content-Security-Policy", content: HTML_POLICY },
        injectTo: "head-prepend",
      },
    ],
  };
}

/** Bytes, compressed: React, viem and wagmi are four fifths of it. */
const MOST_AT_FIRST = 300_000;

export default defineConfig({
  root: import.meta.dirname,
  base: "/",
  plugins: [react(), releasePlugin(), policyPlugin(), sizePlugin(MOST_AT_FIRST)],
  worker: { format: "es", plugins: () => [releasePlugin()] },
  build: {
    outDir: "../build/app",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
    chunkSizeWarningLimit: 1200,
  },
});
