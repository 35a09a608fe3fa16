/** Element types of tensors: ONNX's numbers, and ONNX Runtime's names for them. */
import { TensorProto_DataType } from "onnx-buf";
import type { GraphIndex } from "./graph.ts";
import type { TensorInfo } from "./session.ts";

/** ONNX element type by tensor, filled as far as known. */
export type ElementTypes = Map<string, number>;

/** Types of the graph's inputs. */
export function inputTypes(index: GraphIndex): ElementTypes {
  const types: ElementTypes = new Map();
  for (const [name, { type }] of index.inputs)
    if (type?.value.case === "tensorType") types.set(name, type.value.value.elemType);
  return types;
}

const RUNTIME_NAMES: Record<string, string> = { FLOAT: "float32", DOUBLE: "float64", FLOAT16: "float32" };

/** ONNX Runtime's name of an element type, as it is at a border: float16 is exchanged as float32. */
function runtimeType(elementType: number): string {
  const name = TensorProto_DataType[elementType] ?? "UNDEFINED";
  return RUNTIME_NAMES[name] ?? name.toLowerCase();
}

/** ONNX's number for ONNX Runtime's name of a type. */
export function elementTypeOf(runtimeName: string): number {
  const known: Record<string, number> = {
    float32: TensorProto_DataType.FLOAT,
    float64: TensorProto_DataType.DOUBLE,
  };
  const name = runtimeName.toUpperCase() as keyof typeof TensorProto_DataType;
  return known[runtimeName] ?? TensorProto_DataType[name];
}

/** The graph's inputs as a caller feeds them. */
export function declaredInputs(index: GraphIndex, types: ElementTypes): TensorInfo[] {
  return [...index.inputs].map(([name, { type }]) => {
    const dims = type?.value.case === "tensorType" ? (type.value.value.shape?.dim ?? []) : [];
    const shape = dims.map(({ value }) =>
      value.case === "dimValue" ? Number(value.value) : (value.value ?? ""),
    );
    return { name, type: runtimeType(types.get(name) ?? 0), shape };
  });
}
