/** A module that changes nothing is never paid for in silence. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ForwardPass } from "../../runner/buyer/model/forwardPass.ts";
import { checkScales } from "../../runner/buyer/session/scales.ts";
import { toHex } from "../../runner/protocol/bytes.ts";
import { layoutModules } from "../../runner/protocol/layout.ts";
import { encodeScales, type Manifest, scalesHash } from "../../runner/protocol/manifest.ts";
import { failsWith } from "./serve.ts";

const layout = layoutModules([{ name: "layer.q", dIn: 2, dOut: 3, r: 1, group: 0 }], 14);

function passAnswering(...Y: number[]): ForwardPass {
  return new ForwardPass([
    {
      layout,
      scales: () => Float64Array.of(1, 1, 1),
      beginPass: async () => {},
      answer: async () => [Float64Array.from(Y)],
      finishPass: async () => {},
    },
  ]);
}

const request = (...x: number[]) => [{ x: Float32Array.from(x), tokens: 1, dIn: 2, targets: ["0:0"] }];

test("zeros for every token are refused by the module's name", async () => {
  await assert.rejects(
    passAnswering(0, 0, 0).answer(request(1, 2)),
    failsWith("session/zero-answers", "layer.q"),
  );
  assert.equal((await passAnswering(0, 5, 0).answer(request(1, 2))).size, 1);
  assert.equal((await passAnswering(0, 0, 0).answer(request(0, 0))).size, 1);
});

test("scales that are all zero are refused before the first pass", () => {
  const salt = new Uint8Array(32).fill(7);
  const scales = [Float64Array.of(0, 0.5), Float64Array.of(0, 0)];
  const manifest = {
    modules: scales.map((b, m) => ({
      name: `layer.${m}`,
      shape: [2, 2, 1],
      scalesHash: toHex(scalesHash(salt, m, b)),
    })),
  } as unknown as Manifest;
  const bytes = new Uint8Array(Buffer.concat([salt, ...scales.map(encodeScales)]));
  assert.throws(() => checkScales(manifest, bytes), failsWith("scales/zero-module", "layer.1.b"));
});
