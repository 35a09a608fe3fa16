/** One small adapter that every target's inputs are about. */
import { layoutModules } from "../../../runner/protocol/layout.ts";
import type { Manifest } from "../../../runner/protocol/manifest.ts";

const SHAPES = [
  { name: "layer.q", dIn: 6, dOut: 5, r: 3, group: 0 },
  { name: "layer.k", dIn: 6, dOut: 4, r: 2, group: 0 },
  { name: "layer.v", dIn: 7, dOut: 3, r: 2, group: 1 },
];

export const LAYOUT = layoutModules(SHAPES, 14);

const hash = (digit: string) => `0x${digit.repeat(64)}` as const;
const address = (digit: string) => `0x${digit.repeat(40)}` as const;

export const MANIFEST: Manifest = {
  protocol: 1,
  chainId: 31337,
  registry: address("1"),
  contributor: address("2"),
  vkHash: hash("3"),
  keySize: 14,
  groups: LAYOUT.groups,
  adapterSalt: hash("4"),
  baseModel: { name: "model.onnx", sha256: hash("5") },
  modules: SHAPES.map(({ name, dIn, dOut, r, group }) => ({
    ...{ name, group, scalesHash: hash("6") },
    shape: [dIn, dOut, r],
  })),
  commitments: { sha256: hash("7"), bytes: 4096 },
};
