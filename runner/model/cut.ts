/**
 * Cuts a graph by level into segments that run one after the other, with a round trip to the contributors between.
 *
 * Level of a node = highest level of what it reads, graph inputs being 0; a target, which must wait for the answer to
 * its own x, is one level higher than its x. Segment = level, so targets that read the same x, or x's known at the
 * same time, share a round trip. Constants have no level: each segment gets its own copy of those it reads.
 */
import { DeltapayError } from "../protocol/errors.ts";
import { type GraphIndex, nodeLabel, tensorsMade } from "./graph.ts";

export interface Segment {
  /** Indices of the nodes to run, in graph order, copies of constant nodes included. */
  nodes: number[];
  /** Tensors made before the segment and read in it, graph inputs included. */
  inputs: string[];
  /** Tensors made in the segment that a later segment or the caller needs. */
  outputs: string[];
  /** What must be answered before the segment can run: each x with the target nodes that read it. */
  asks: { x: string; targets: number[] }[];
}

/**
 * Plans the segments, in the order they run.
 * @param targets indices of the nodes whose output gets a delta added; their x is their first input
 */
export function planCut(index: GraphIndex, targets: ReadonlySet<number>): Segment[] {
  const { nodeLevel, tensorLevel } = assignLevels(index, targets);
  const count = Math.max(0, ...nodeLevel.map((level) => (level ?? 0) + 1));
  const outputs = neededLater(index, nodeLevel, tensorLevel);
  const segments: Segment[] = Array.from({ length: count }, (_, level) => ({
    nodes: [],
    inputs: [],
    outputs: outputs.filter((name) => tensorLevel.get(name) === level && index.producer.has(name)),
    asks: [],
  }));
  for (const [n, level] of nodeLevel.entries()) if (level !== undefined) segments[level]!.nodes.push(n);
  for (const segment of segments)
    segment.asks = groupByInput(
      index,
      segment.nodes.filter((n) => targets.has(n)),
    );
  segments.at(-1)?.outputs.push(...constantOutputs(index));
  return segments.map((segment) => withInputs(index, segment));
}

interface Levels {
  /** Per node; undefined for constant nodes. */
  nodeLevel: (number | undefined)[];
  tensorLevel: Map<string, number>;
}

function assignLevels(index: GraphIndex, targets: ReadonlySet<number>): Levels {
  const tensorLevel = new Map<string, number>();
  for (const name of index.inputs.keys()) tensorLevel.set(name, 0);
  const nodeLevel = index.graph.node.map((node, n) => {
    const made = tensorsMade(node);
    if (made.every((name) => index.constants.has(name))) return undefined;
    const levels = index.reads[n]!.filter((name) => !index.constants.has(name)).map((name) => {
      const level = tensorLevel.get(name);
      if (level === undefined)
        throw new DeltapayError(
          "model/malformed",
          `node '${nodeLabel(node)}' reads '${name}' before it is made`,
          {
            field: nodeLabel(node),
          },
        );
      return level;
    });
    const waits = targets.has(n) ? tensorLevel.get(node.input[0]!)! + 1 : 0;
    const level = Math.max(0, waits, ...levels);
    for (const name of made) tensorLevel.set(name, level);
    return level;
  });
  return { nodeLevel, tensorLevel };
}

/** Graph outputs and every tensor read at a level above its own, each once. */
function neededLater(
  index: GraphIndex,
  nodeLevel: Levels["nodeLevel"],
  tensorLevel: Map<string, number>,
): string[] {
  const needed = new Set(index.graph.output.map(({ name }) => name));
  for (const [n, level] of nodeLevel.entries())
    if (level !== undefined)
      for (const name of index.reads[n]!) if ((tensorLevel.get(name) ?? level) < level) needed.add(name);
  return [...needed];
}

function groupByInput(index: GraphIndex, targets: number[]): Segment["asks"] {
  const groups = new Map<string, number[]>();
  for (const n of targets) {
    const x = index.graph.node[n]!.input[0]!;
    groups.set(x, [...(groups.get(x) ?? []), n]);
  }
  return [...groups].map(([x, members]) => ({ x, targets: members }));
}

/** Graph outputs that no input reaches: the last segment computes them. */
function constantOutputs(index: GraphIndex): string[] {
  return index.graph.output.map(({ name }) => name).filter((name) => index.constants.has(name));
}

/** Adds the constant nodes a segment needs, and lists what it reads from before. */
function withInputs(index: GraphIndex, segment: Segment): Segment {
  const own = new Set(segment.nodes);
  const inputs = new Set<string>();
  const visit = (name: string): void => {
    const maker = index.producer.get(name);
    if (maker !== undefined && own.has(maker)) return;
    if (!index.constants.has(name)) {
      inputs.add(name);
      return;
    }
    if (maker === undefined) return;
    own.add(maker);
    for (const read of index.reads[maker]!) visit(read);
  };
  for (const n of segment.nodes) for (const name of index.reads[n]!) visit(name);
  for (const name of segment.outputs) visit(name);
  return { ...segment, nodes: [...own].toSorted((a, b) => a - b), inputs: [...inputs] };
}
