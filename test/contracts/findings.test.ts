import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { answered, compareFindings, findingsOf, type SlitherReport } from "../../scripts/slither/findings.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const answersFile = readFileSync(new URL("../../contracts/FINDINGS.md", import.meta.url), "utf8");

function runSlitherScript(...args: string[]): { status: number | null; stderr: string; stdout: string } {
  return spawnSync(process.execPath, ["scripts/slither.ts", ...args], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, SLITHER: "/nowhere/slither" },
  });
}

test("where Slither is not installed the script says so and succeeds, unless it is required", () => {
  const skipped = runSlitherScript("--json");
  assert.equal(skipped.status, 0);
  assert.match(skipped.stderr, /skipped.*pip install slither-analyzer/);
  assert.deepEqual(JSON.parse(skipped.stdout), { skipped: true });
  assert.equal(runSlitherScript("--require").status, 1);
});

const report = (name: string): SlitherReport => ({
  success: true,
  error: null,
  results: {
    detectors: [
      {
        check: "reentrancy-eth",
        description: "",
        elements: [
          {
            type: "function",
            name,
            type_specific_fields: {
              signature: `${name}(address)`,
              parent: { type: "contract", name: "LoraEscrow" },
            },
          },
        ],
      },
    ],
  },
});

test("a new finding and an answer to what is gone are both told", () => {
  const answers = answered(
    "slither",
    "## slither: `reentrancy-eth`\n\nWhy not.\n\n- `LoraEscrow.pay(address)`\n",
  );
  assert.deepEqual(compareFindings(findingsOf(report("pay")), answers), { unanswered: [], stale: [] });
  assert.deepEqual(compareFindings(findingsOf(report("send")), answers), {
    unanswered: ["reentrancy-eth: LoraEscrow.send(address)"],
    stale: ["reentrancy-eth: LoraEscrow.pay(address)"],
  });
  const ofOtherTool = answered("slither", "## solhint: `reentrancy-eth`\n\n- `LoraEscrow.pay(address)`\n");
  assert.deepEqual(ofOtherTool, []);
  const ofOtherPart = answered(
    "slither",
    "## slither: `timestamp`\n\n## Rules\n\n- `LoraEscrow.pay(address)`\n",
  );
  assert.deepEqual(ofOtherPart, []);
});

test("every finding of Slither that is listed has an answer in words", () => {
  const sections = answersFile.split(/^## slither: /m).slice(1);
  assert.ok(sections.length >= 5 && answered("slither").length >= 30);
  for (const section of sections) {
    const answer = section.split("\n## ")[0]!.split("\n- ")[0]!.split("\n").slice(1).join(" ").trim();
    assert.ok(answer.length > 40, `no answer: ${section.slice(0, 40)}`);
  }
});

test("every rule that solhint does without is answered", () => {
  const { rules } = JSON.parse(readFileSync(new URL("../../.solhint.json", import.meta.url), "utf8")) as {
    rules: Record<string, unknown>;
  };
  const off = Object.keys(rules).filter((rule) => rules[rule] === "off");
  const list = answersFile.split("## Rules solhint does without")[1]!;
  const listed = [...list.matchAll(/^- `([^`]+)`: .{20}/gm)].map(([, rule]) => rule);
  assert.deepEqual(listed, off.sort());
});
