/** Activations that are none: the buyer's side sends no such thing, and a service that gets it answers nothing. */
import { connect } from "node:net";
import { request as httpRequest } from "undici";
import { ForwardPass } from "../../buyer/model/forwardPass.ts";
import { u32 } from "../../protocol/bytes.ts";
import type { DeltapayError } from "../../protocol/errors.ts";
import { encodePassRequest } from "../../wire/passRequest.ts";
import { fillPath, PATHS } from "../../wire/paths.ts";
import { type Attack, AttackSucceeded, gainOf, refused } from "./attack.ts";
import { WireBuyer } from "./wireBuyer.ts";

const PASS_1 = fillPath(PATHS.pass, { pass: 1 });

export const badActivations: Attack = {
  name: "bad-activations",
  expected:
    "x that is not finite never leaves the buyer; malformed, oversized and truncated bodies are refused by the service",
  async run(world) {
    const { adapterId } = await world.register("kjv-attn", "all");
    await world.makeOffer(adapterId);
    const { url } = await world.serve({ adapters: [adapterId] });
    const buyer = await WireBuyer.open(world, url);
    const words = [
      ...(await refuseOwn(buyer)),
      ...(await refuseMalformed(buyer)),
      await refuseOversized(buyer, url),
    ];
    await truncate(buyer, url);
    const { passes, openPass } = await buyer.view();
    if (passes > 0 || openPass !== null) throw new AttackSucceeded("something malformed was answered");
    words.push(await changeTokens(buyer));
    return {
      how: [...new Set(words.map(({ message }) => message))].join("; "),
      gained: await gainOf(world, "buyer"),
    };
  },
};

/** NaN and infinities out of the base model: the buyer's own code refuses them before a request. */
async function refuseOwn({ purchase, layout }: WireBuyer): Promise<DeltapayError[]> {
  const { dIn } = layout.modules[0]!;
  const errors: DeltapayError[] = [];
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    const x = new Float32Array(2 * dIn).fill(1);
    x[dIn + 3] = bad;
    const run = new ForwardPass([purchase.remote]).answer([{ x, tokens: 2, dIn, targets: ["0:0"] }]);
    errors.push(await refused(`an activation of ${bad}`, "quantise/not-finite", () => run));
  }
  return errors;
}

async function refuseMalformed(buyer: WireBuyer): Promise<DeltapayError[]> {
  const asked = buyer.request(2, [0, 1]);
  const good = encodePassRequest(asked);
  const minimum = good.slice();
  minimum.set([0x00, 0x80], good.length - 2);
  const modules = (...indices: number[]) => encodePassRequest({ ...asked, modules: indices });
  const cases: [what: string, code: string, body: Uint8Array][] = [
    ["-32768", "encoding/out-of-range", minimum],
    ["no tokens", "wire/bad-request", encodePassRequest({ ...asked, tokens: 0, X: new Int16Array(0) })],
    ["4294967295 tokens", "wire/bad-request", encodePassRequest({ ...asked, tokens: 2 ** 32 - 1 })],
    ["fewer activations than tokens", "encoding/bad-length", encodePassRequest({ ...asked, tokens: 3 })],
    ["half an activation", "encoding/bad-length", good.subarray(0, -1)],
    ["a module that is not there", "wire/bad-request", modules(0, 4)],
    ["a module twice", "wire/bad-request", modules(1, 1)],
    ["no module", "wire/bad-request", modules()],
    ["more modules than follow", "wire/bad-request", u32(4)],
    ["4294967295 modules", "wire/bad-request", u32(2 ** 32 - 1)],
    ["nothing", "wire/bad-request", new Uint8Array(0)],
  ];
  const errors: DeltapayError[] = [];
  for (const [what, code, body] of cases)
    errors.push(await refused(what, code, () => buyer.askBytes(1, body)));
  return errors;
}

/** More bytes than the offer's tokens can have: refused by their number, unread. */
async function refuseOversized(buyer: WireBuyer, url: string): Promise<{ message: string }> {
  const { statusCode, body } = await httpRequest(url + PASS_1, {
    method: "POST",
    headers: { "content-type": "application/octet-stream", authorization: `Bearer ${buyer.token}` },
    body: new Uint8Array(2 ** 21),
  });
  const { error } = (await body.json()) as { error: { code: string; message: string } };
  if (statusCode !== 413 || error.code !== "wire/too-large")
    throw new AttackSucceeded(`2 MiB were not refused as too large but with ${statusCode} ${error.code}`);
  return error;
}

/** Announces a whole request, sends half of it and goes. */
async function truncate(buyer: WireBuyer, url: string): Promise<void> {
  const body = encodePassRequest(buyer.request(2));
  const { hostname, port } = new URL(url);
  const head = [
    `POST ${PASS_1} HTTP/1.1`,
    `host: ${hostname}`,
    `authorization: Bearer ${buyer.token}`,
    "content-type: application/octet-stream",
    `content-length: ${body.length}`,
  ];
  const socket = connect(Number(port), hostname);
  socket.write(`${head.join("\r\n")}\r\n\r\n`);
  socket.end(body.subarray(0, body.length / 2));
  // whatever is answered is not of interest: the session's state is
  await new Promise((resolve) => socket.on("error", resolve).on("close", resolve).resume());
}

/** T belongs to the pass: a later request cannot change it. */
async function changeTokens(buyer: WireBuyer): Promise<DeltapayError> {
  const begun = buyer.request(2, [0]);
  const answers = await buyer.ask(1, begun);
  const more = { ...buyer.request(3, [1]), passSalt: begun.passSalt };
  const error = await refused("another T within a pass", "session/changed-tokens", () => buyer.ask(1, more));
  buyer.fold(begun, [...answers, ...(await buyer.ask(1, { ...begun, modules: [1, 2, 3] }))]);
  await buyer.pay();
  return error;
}
