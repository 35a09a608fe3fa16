/** The gateway as OpenAI's own client uses it: a real service, chain, model and adapter. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import * as http from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import OpenAI, { APIError } from "openai";
import { type LocalNode, startLocalNode } from "../../runner/chain/localNode.ts";
import { type RunningCommand, runCommand, startCommand } from "../../runner/demo/commands.ts";
import { FIXTURES } from "../../runner/demo/fixtures.ts";

const PRICE = 1000n;
/** Tokens that one run may buy. */
const BUDGET = 400;
const ADAPTED = "base-adapted";
const reference = JSON.parse(readFileSync(FIXTURES.reference, "utf8")) as {
  prompt: string;
  prompt_ids: number[];
  cases: Record<string, { greedy: string }>;
};
const greedy = reference.cases["kjv-attn"]!.greedy;
const folder = mkdtempSync(join(tmpdir(), "deltapay-gateway-"));

interface Ready {
  url: string;
  models: { id: string; paid: boolean }[];
}
interface Money {
  deltapay: { agreements: { tokensPaid: number; spent: string; owed: string }[]; budgetLeft: string };
}
interface Status {
  agreements: { chain: { paid: string }; receipt: { tokens: string } | null }[];
}

let node: LocalNode;
let service: RunningCommand<{ url: string }>;
let gateway: RunningCommand<Ready>;
let buyer: string[];
let client: OpenAI;

before(async () => {
  node = await startLocalNode();
  const chain = ["--rpc", node.rpcUrl, "--deployment", join(folder, "deployment.json")];
  const contributor = [...chain, "--account", "1", "--data", join(folder, "contributor")];
  buyer = [...chain, "--data", join(folder, "buyer")];
  await runCommand(["deploy", ...chain]);
  const model = ["--model", FIXTURES.model];
  await runCommand(["adapter", "register", FIXTURES.adapters["kjv-attn"], ...model, ...contributor]);
  const terms = ["--price", `${PRICE}wei`, "--fee", "0", "--max-unpaid", "128", "--cap", "2000"];
  await runCommand(["offer", "make", ...terms, ...contributor]);
  service = await startCommand(["serve", "--port", "0", ...contributor]);
  const amount = ["--amount", `${PRICE * 2000n}wei`, "--account", "2"];
  await runCommand(["open", "--contributor", service.result.url, ...amount, ...model, ...buyer]);
  const budget = ["--budget", `${PRICE * BigInt(BUDGET)}wei`];
  gateway = await startCommand(["gateway", "--port", "0", "--end", ...budget, ...model, ...buyer]);
  client = new OpenAI({ baseURL: gateway.result.url, apiKey: "none needed", maxRetries: 0 });
});

after(async () => {
  await gateway?.kill();
  await service?.kill();
  await node?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const ask = { model: ADAPTED, prompt: reference.prompt, temperature: 0, max_tokens: 8 };

async function refused(body: object): Promise<{ status: number; param: string | null; code: string }> {
  const error = await client.completions.create({ ...ask, ...body } as never).then(
    () => assert.fail("it was answered"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof APIError, String(error));
  return { status: error.status!, param: error.param ?? null, code: String(error.code) };
}

test("models: the base model alone, and with its paid adapter", async () => {
  const { data } = await client.models.list();
  assert.deepEqual(
    data.map(({ id, owned_by }) => [id, owned_by]),
    [
      [ADAPTED, "deltapay"],
      ["base", "local"],
    ],
  );
  assert.equal((await client.models.retrieve(ADAPTED)).id, ADAPTED);
  assert.equal((await refused({ model: "gpt-9" })).status, 404);
});

test("the text is the reference's, and its tokens and money are told", async () => {
  const answer = await client.completions.create({ ...ask, echo: true });
  const [choice] = answer.choices;
  assert.ok(greedy.startsWith(choice!.text), `${choice!.text} | ${greedy}`);
  assert.ok(choice!.text.startsWith(reference.prompt));
  assert.equal(choice!.finish_reason, "length");
  const prompt = reference.prompt_ids.length;
  assert.deepEqual(answer.usage, {
    prompt_tokens: prompt,
    completion_tokens: 8,
    total_tokens: prompt + 8,
  });
  const { agreements, budgetLeft } = (answer as unknown as Money).deltapay;
  // every token but the last one added is paid for once
  assert.equal(agreements[0]!.tokensPaid, prompt + 7);
  assert.equal(BigInt(agreements[0]!.spent), BigInt(prompt + 7) * PRICE);
  assert.equal(BigInt(budgetLeft), BigInt(BUDGET - prompt - 7) * PRICE);
});

test("a stream is the same text in pieces, with its usage at the end", async () => {
  const whole = await client.completions.create(ask);
  const events = await client.completions.create({
    ...ask,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = "";
  let pieces = 0;
  let usage: unknown;
  for await (const event of events) {
    text += event.choices[0]?.text ?? "";
    if (event.choices[0]?.text) pieces += 1;
    usage = event.usage ?? usage;
  }
  assert.equal(text, whole.choices[0]!.text);
  assert.ok(pieces > 1, `${pieces} pieces`);
  assert.deepEqual(usage, whole.usage);
});

test("the base model alone is another text and costs nothing", async () => {
  const paid = async (): Promise<number> => {
    const answer = await client.completions.create({ ...ask, model: "base" });
    assert.notEqual(reference.prompt + answer.choices[0]!.text, greedy.slice(0, reference.prompt.length + 8));
    return (answer as unknown as Money).deltapay.agreements[0]!.tokensPaid;
  };
  assert.equal(await paid(), await paid());
});

test("what is not supported is refused by its name, before anything is paid", async () => {
  for (const [body, param] of [
    [{ n: 2 }, "n"],
    [{ logprobs: 5 }, "logprobs"],
    [{ best_of: 3 }, "best_of"],
    [{ suffix: "x" }, "suffix"],
    [{ presence_penalty: 1 }, "presence_penalty"],
    [{ logit_bias: { 5: 1 } }, "logit_bias"],
    [{ temperature: 3 }, "temperature"],
    [{ top_p: 0 }, "top_p"],
    [{ max_tokens: 0 }, "max_tokens"],
    [{ stop: ["a", "b", "c", "d", "e"] }, "stop"],
    [{ prompt: ["one", "two"] }, "prompt"],
    [{ prompt: [1, 2, 3] }, "prompt"],
    [{ prompt: "" }, "prompt"],
    [{ grammar: "x" }, "grammar"],
  ] as const)
    assert.deepEqual(await refused(body), { status: 400, param, code: "unsupported_value" }, param);
  assert.deepEqual(await refused({ max_tokens: 5000 }), {
    ...{ status: 400, param: "max_tokens", code: "context_length_exceeded" },
  });
  const chat = await client.chat.completions
    .create({ model: ADAPTED, messages: [{ role: "user", content: "hi" }] })
    .catch((error: unknown) => error);
  assert.ok(chat instanceof APIError && chat.status === 400 && /completions/.test(chat.message));
});

test("stop texts and sampling with a seed", async () => {
  const sampled = { ...ask, temperature: 1, top_p: 0.9, seed: 7, max_tokens: 6 };
  const [one, two] = [await client.completions.create(sampled), await client.completions.create(sampled)];
  assert.equal(one.choices[0]!.text, two.choices[0]!.text);
  const full = (await client.completions.create(ask)).choices[0]!.text;
  const stop = full.slice(3, 6);
  const stopped = await client.completions.create({ ...ask, stop });
  assert.equal(stopped.choices[0]!.finish_reason, "stop");
  assert.equal(stopped.choices[0]!.text, full.slice(0, full.indexOf(stop)));
});

test("a client that goes away stops the spending", async () => {
  const events = await client.completions.create({ ...ask, max_tokens: 100, stream: true });
  for await (const _ of events) break;
  const answer = await client.completions.create({ ...ask, max_tokens: 1 });
  const { tokensPaid } = (answer as unknown as Money).deltapay.agreements[0]!;
  assert.ok(tokensPaid < 250, `${tokensPaid} tokens are paid for`);
});

test("the budget of the run ends it before a pass that would exceed it", async () => {
  const money = async (): Promise<Money["deltapay"]> =>
    ((await client.completions.create({ ...ask, model: "base", max_tokens: 1 })) as unknown as Money)
      .deltapay;
  let answered = 0;
  const error = await (async () => {
    for (; answered < 20; answered++) await client.completions.create({ ...ask, max_tokens: 100 });
  })().catch((reason: unknown) => reason);
  assert.ok(error instanceof APIError, `${answered} were answered`);
  assert.deepEqual([error.status, error.code], [402, "budget_exceeded"]);
  assert.ok(answered > 0, "what the budget paid for before it ended was answered");
  const { agreements, budgetLeft } = await money();
  assert.ok(BigInt(budgetLeft) >= 0n && BigInt(agreements[0]!.spent) <= BigInt(BUDGET) * PRICE, budgetLeft);
});

/** A raw request with headers that a browser would send. */
function raw(headers: Record<string, string>): Promise<number> {
  return new Promise((resolve, reject) => {
    const url = new URL(`${gateway.result.url}/completions`);
    const body = JSON.stringify({ ...ask, model: "base", max_tokens: 1 });
    const request = http.request(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
    });
    request.on("response", (answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    });
    request.on("error", reject).end(body);
  });
}

test("web pages cannot spend: neither by their origin nor by a rebound name nor as a plain form", async () => {
  assert.equal(await raw({}), 200);
  assert.equal(await raw({ origin: "https://evil.example" }), 403);
  assert.equal(await raw({ host: "evil.example" }), 403);
  assert.equal(await raw({ "content-type": "text/plain" }), 415);
});

test("when it is stopped it signs for what was used, and the contributor is paid exactly that", async () => {
  const { deltapay } = (await client.completions.create({
    ...ask,
    model: "base",
    max_tokens: 1,
  })) as unknown as Money;
  const owed = deltapay.agreements[0]!.owed;
  await gateway.stop();
  for (let tries = 0; ; tries++) {
    const { agreements } = await runCommand<Status>(["status", ...buyer, "--role", "buyer"]);
    if (agreements[0]!.chain.paid === owed) break;
    assert.ok(tries < 60, `paid ${agreements[0]!.chain.paid} of ${owed}`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
});
