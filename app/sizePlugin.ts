/** Reports what the page weighs when it is built: compressed bytes loaded at first, and in all. */
import { gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** Kilobytes of a count of bytes. */
const kilobytes = (bytes: number): string => `${Math.round(bytes / 1000)} kB`;

/** @param most compressed bytes the page may load before it shows anything; more ends the build */
export function sizePlugin(most: number): Plugin {
  return {
    name: "deltapay-size",
    apply: "build",
    generateBundle(_, bundle) {
      let [first, all] = [0, 0];
      const files = Object.values(bundle);
      const early = new Set<string>();
      const load = (name: string): void => {
        const chunk = bundle[name];
        if (chunk?.type !== "chunk" || early.has(name)) return;
        early.add(name);
        chunk.imports.forEach(load);
      };
      for (const file of files) if (file.type === "chunk" && file.isEntry) load(file.fileName);
      for (const file of files) {
        const size = gzipSync(file.type === "chunk" ? file.code : file.source).length;
        all += size;
        if (early.has(file.fileName) || file.fileName.endsWith(".css")) first += size;
      }
      const words = `the page: ${kilobytes(first)} compressed at first, ${kilobytes(all)} in all`;
      if (first > most) this.error(`${words}; at first it may be ${kilobytes(most)}`);
      console.error(words);
    },
  };
}
