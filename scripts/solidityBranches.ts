/**
 * Makes the branches of a Solidity source visible to statement coverage.
 *
 * Hardhat counts statements only. So every condition c (of an `if`, a loop, `?:`, `require`, and both sides of `&&` and `||`)
 * becomes `branch(c)`, a function of its own at the end of the file whose two `return` statements are the two outcomes.
 * Lines of the source stay where they are. Conditions in assembly are not seen: `conditionsInAssembly` counts them.
 */
import solc from "solc";

interface Node {
  nodeType: string;
  src: string;
  [key: string]: unknown;
}

export interface Branch {
  /** Text of the condition, and its line in the source. */
  condition: string;
  line: number;
  /** Lines of the instrumented source that run when the condition holds, and when it does not. */
  whenTrue: number;
  whenFalse: number;
}

export interface Instrumented {
  source: string;
  branches: Branch[];
  /** Lines of the original; those after it are the branches' functions. */
  lines: number;
  /** `if`, `switch` and `for` in assembly. */
  conditionsInAssembly: number;
}

function parse(source: string): Node {
  const input = {
    language: "Solidity",
    sources: { source: { content: source } },
    settings: { stopAfter: "parsing", outputSelection: { "*": { "": ["ast"] } } },
  };
  const output = JSON.parse(solc.compile(JSON.stringify(input)));
  const ast = output.sources?.source?.ast;
  if (ast === undefined) throw new Error(`does not parse: ${JSON.stringify(output.errors)}`);
  return ast;
}

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "nodeType" in value;

function* walk(node: Node): Generator<Node> {
  yield node;
  for (const value of Object.values(node))
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) yield* walk(child);
}

const CONDITIONAL = ["IfStatement", "Conditional", "ForStatement", "WhileStatement", "DoWhileStatement"];

/** Expressions in this node whose value decides what runs next. */
function conditionsOf(node: Node): Node[] {
  if (CONDITIONAL.includes(node.nodeType)) return isNode(node.condition) ? [node.condition] : [];
  if (node.nodeType === "BinaryOperation" && (node.operator === "&&" || node.operator === "||"))
    return [node.leftExpression as Node, node.rightExpression as Node];
  if (node.nodeType !== "FunctionCall") return [];
  const name = (node.expression as Node).name;
  return name === "require" || name === "assert" ? [(node.arguments as Node[])[0]!] : [];
}

function range({ src }: Node): { start: number; end: number } {
  const [start, length] = src.split(":").map(Number);
  return { start: start!, end: start! + length! };
}

const lineAt = (text: Buffer, offset: number): number =>
  text.subarray(0, offset).toString().split("\n").length;

/** @param name what the added functions' names begin with; another for every file */
export function instrumentBranches(source: string, name: string): Instrumented {
  const ast = parse(source);
  const nodes = [...walk(ast)];
  const text = Buffer.from(source);
  const ranges = nodes.flatMap(conditionsOf).map(range);
  const functions: string[] = [];
  const branches: Branch[] = [];
  const lines = source.trimEnd().split("\n").length;
  const insertions: { offset: number; order: number; text: string }[] = [];
  ranges.forEach(({ start, end }, index) => {
    const first = lines + 1 + 6 * index;
    const condition = text.subarray(start, end).toString().replace(/\s+/g, " ");
    branches.push({ condition, line: lineAt(text, start), whenTrue: first + 2, whenFalse: first + 4 });
    functions.push(
      `function ${name}${index}(bool holds) pure returns (bool) {`,
      "    if (holds) {",
      "        return true;",
      "    }",
      "    return false;",
      "}",
    );
    // Of conditions that begin or end at one place the longest is outermost.
    insertions.push({ offset: start, order: start - end, text: `${name}${index}(` });
    insertions.push({ offset: end, order: end - start, text: ")" });
  });
  return {
    source: `${insert(text, insertions).trimEnd()}\n${functions.join("\n")}\n`,
    branches,
    lines,
    conditionsInAssembly: nodes.filter(({ nodeType }) => /^Yul(If|Switch|ForLoop)$/.test(nodeType)).length,
  };
}

function insert(text: Buffer, insertions: { offset: number; order: number; text: string }[]): string {
  let result = "";
  let done = 0;
  for (const each of insertions.sort((a, b) => a.offset - b.offset || a.order - b.order)) {
    result += text.subarray(done, each.offset).toString() + each.text;
    done = each.offset;
  }
  return result + text.subarray(done).toString();
}
