/**
 * One's own onnxruntime-node program with a paid adapter (docs/library.md). The agreement was opened before:
 *
 *   deltapay open --contributor URL --model model.onnx --amount 0.01eth --data buyer
 *   node main.ts model.onnx buyer 33,263,313 [RPC_URL DEPLOYMENT_FILE]
 */
import { AdaptedModel, RemoteAdapter } from "deltapay";
import { Tensor } from "onnxruntime-node";

const [modelPath, data, ids, rpcUrl, deploymentFile] = process.argv.slice(2) as [
  string,
  string,
  string,
  string?,
  string?,
];
const adapter = await RemoteAdapter.open({ modelPath, data, rpcUrl, deploymentFile });
const model = await AdaptedModel.create({ modelPath, adapters: [adapter] });
const input = BigInt64Array.from(ids.split(","), BigInt);
const { logits } = await model.run({ input_ids: new Tensor("int64", input, [1, input.length]) });
await adapter.signReceipt();
const vocabulary = logits!.dims[2]!;
console.log(
  JSON.stringify({ ...adapter.progress, last: Array.from(logits!.data.slice(-vocabulary), Number) }),
);
await model.close();
await adapter.close();
