import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { RemoteAdapter } from "../../runner/library/index.ts";
import { failsWith } from "../buyer/serve.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

test("a folder that is not there is named, and not made", async (t) => {
  const data = path.join(temporaryDirectory(t), "mistyped");
  await assert.rejects(
    RemoteAdapter.open({ data, modelPath: "model.onnx" }),
    failsWith("storage/no-data", "data"),
  );
  assert.equal(fs.existsSync(data), false);
});
