/**
 * Writes the test vectors of docs/protocol.md: test/vectors/protocol.json and contracts/test/ProtocolVectors.sol.
 *
 * `node scripts/generate-vectors.ts` writes them, `--check` fails when that would change anything.
 */
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { loadCurve } from "../runner/protocol/curve.ts";
import { format, type Plain } from "../test/vectors/book.ts";
import { buildVectors } from "../test/vectors/build.ts";
import { readVectors, VECTORS } from "../test/vectors/read.ts";
import { solidityConstants } from "../test/vectors/solidity.ts";

const SOLIDITY = new URL("../contracts/test/ProtocolVectors.sol", import.meta.url);

async function main(check: boolean): Promise<void> {
  const curve = await loadCurve();
  const file = await buildVectors(curve, readVectors()?.vectors ?? []);
  const files: [URL, string][] = [
    [VECTORS, `${format(file as unknown as Plain)}\n`],
    [SOLIDITY, solidityConstants(file)],
  ];
  for (const [url, text] of files) {
    if ((await readFile(url, "utf8").catch(() => "")) === text) continue;
    if (check) {
      console.error(
        `${fileURLToPath(url)} is out of date: run node scripts/generate-vectors.ts and commit it`,
      );
      process.exitCode = 1;
    } else {
      await writeFile(url, text);
      console.error(`wrote ${fileURLToPath(url)}`);
    }
  }
  await curve.terminate();
}

await main(process.argv.includes("--check"));
