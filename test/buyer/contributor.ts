/**
 * A contributor for tests of the buyer alone: the protocol's own functions behind a real HTTP server, with a hook to
 * misbehave. It checks what it is sent as strictly as the protocol asks.
 */
import { equalBytes, fromHex, type Hex, toHex } from "../../runner/protocol/bytes.ts";
import type { KeyPoints } from "../../runner/protocol/commitment.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { DeltapayError } from "../../runner/protocol/errors.ts";
import { addPass, initialState, type SessionState } from "../../runner/protocol/fold.ts";
import { encodeScales, manifestLayout } from "../../runner/protocol/manifest.ts";
import { answer } from "../../runner/protocol/quantise.ts";
import { registrationBlinds } from "../../runner/protocol/registration.ts";
import { groupWitness, witnessStatement } from "../../runner/protocol/statement.ts";
import { checkSignature, type Receipt, statementsHash } from "../../runner/protocol/typedData.ts";
import {
  challengeRequestSchema,
  parseMessage,
  receiptRequestSchema,
  type SessionView,
  sessionRequestSchema,
} from "../../runner/wire/messages.ts";
import { decodePassRequest, encodePassAnswer } from "../../runner/wire/passRequest.ts";
import { type Answer, type Request, serve } from "./serve.ts";
import { type Adapter, DOMAIN } from "./setting.ts";

interface AnsweredModule {
  X: Int16Array;
  Y: Float64Array;
}

interface ServedPass {
  number: number;
  salt: Uint8Array;
  tokens: number;
  modules: Map<number, AnsweredModule>;
}

export interface TestContributor {
  url: string;
  requests: Request[];
  state: SessionState;
  receipts: Receipt[];
  phase: SessionView["phase"];
  /** Replaces an answer about to be sent; the contributor's memory has already changed. */
  tamper: (path: string, answer: Answer) => Answer;
  /** Ends all tokens. */
  expireTokens: () => void;
}

const TOKEN = "token-";

/** Serves one agreement. */
export async function serveAgreement(
  test: { after(work: () => void): void },
  adapter: Adapter,
  key: KeyPoints,
  agreement: { agreementId: Hex; signer: Hex },
): Promise<TestContributor> {
  const { input, registration } = adapter;
  const layout = manifestLayout(registration.manifest);
  const blinds = registrationBlinds(input);
  const curve = await loadCurve();
  let pass: ServedPass | undefined;
  let tokenNumber = 0;

  const view = (): SessionView => {
    const { passes, tokens, head } = self.state;
    const last = self.receipts.at(-1);
    const open = pass !== undefined && pass.number > passes;
    return {
      agreementId: agreement.agreementId,
      passes,
      tokens,
      head: toHex(head),
      receipt: { passes: Number(last?.passes ?? 0), tokens: Number(last?.tokens ?? 0) },
      openPass: open
        ? { pass: pass!.number, tokens: pass!.tokens, modules: [...pass!.modules.keys()] }
        : null,
      phase: self.phase,
      settlement: null,
    };
  };

  const answerPass = (number: number, body: Uint8Array): Uint8Array => {
    const { modules, passSalt, tokens, X } = decodePassRequest(layout, body);
    if (number === self.state.passes + 1 && pass?.number !== number)
      pass = { number, salt: passSalt, tokens, modules: new Map() };
    const current = pass;
    if (current?.number !== number || current.tokens !== tokens || !equalBytes(current.salt, passSalt))
      throw new DeltapayError("session/changed-repeat", "another pass, salt or T");
    const answers = modules.map((m) => {
      const known = current.modules.get(m);
      if (known?.X.some((x, i) => x !== X[i]))
        throw new DeltapayError("session/changed-repeat", "other activations");
      const { Aq, Bq, dIn, dOut, r } = input.modules[m]!;
      const Y = known?.Y ?? answer(Aq, Bq, X, tokens, dIn, dOut, r);
      current.modules.set(m, { X, Y });
      return Y;
    });
    if (current.modules.size === layout.modules.length && self.state.passes < number) {
      const parts = layout.modules.map((_, m) => current.modules.get(m)!);
      self.state = addPass(layout, self.state, {
        passSalt: current.salt,
        tokens,
        X: parts.map((part) => part.X),
        Y: parts.map((part) => part.Y),
      });
    }
    return encodePassAnswer(answers);
  };

  const acceptReceipt = async (json: unknown): Promise<SessionView> => {
    const { receipt, signature } = parseMessage(receiptRequestSchema, json, "receipt");
    await checkSignature(DOMAIN, "Receipt", receipt, signature, agreement.signer);
    const { passes, tokens, head } = self.state;
    const V: Uint8Array[] = [];
    for (let g = 0; g < layout.groups; g++)
      V.push(await witnessStatement(curve, key, groupWitness(layout, input.modules, blinds, self.state, g)));
    const right =
      receipt.passes === BigInt(passes) &&
      receipt.tokens === BigInt(tokens) &&
      receipt.head === toHex(head) &&
      receipt.statementsHash === statementsHash(V);
    if (!right) throw new DeltapayError("receipt/wrong", "not the receipt of this state");
    if (self.receipts.at(-1)?.passes !== receipt.passes) self.receipts.push(receipt);
    return view();
  };

  const route = async ({ path, headers, body }: Request): Promise<unknown> => {
    const json = (): unknown => JSON.parse(new TextDecoder().decode(body));
    if (path === "/v1/sessions/challenge") {
      parseMessage(challengeRequestSchema, json(), "challenge");
      return { serverNonce: toHex(new Uint8Array(32).fill(++tokenNumber)) };
    }
    if (path === "/v1/sessions") {
      const { signature, ...proof } = parseMessage(sessionRequestSchema, json(), "session");
      await checkSignature(DOMAIN, "Session", proof, signature, agreement.signer);
      return { token: TOKEN + tokenNumber, expiresAt: 0, session: view() };
    }
    if (headers.authorization !== `Bearer ${TOKEN}${tokenNumber}`)
      throw new DeltapayError("session/unauthorised", "no such token");
    if (path === "/v1/session") return view();
    if (path === "/v1/session/scales")
      return new Uint8Array(
        Buffer.concat([
          input.scaleSalt,
          ...registration.manifest.modules.map((_, m) => encodeScales(input.modules[m]!.b)),
        ]),
      );
    if (path === "/v1/session/receipts") return acceptReceipt(json());
    if (path === "/v1/session/end") {
      self.phase = "ended";
      return view();
    }
    return answerPass(Number(path.split("/").at(-1)), body);
  };

  const handle = async (request: Request): Promise<Answer> => {
    try {
      return self.tamper(request.path, { body: await route(request) });
    } catch (error) {
      if (!(error instanceof DeltapayError)) throw error;
      return { status: error.code === "session/unauthorised" ? 401 : 409, body: { error: error.toJSON() } };
    }
  };

  const { url, requests } = await serve(test, handle);
  const self: TestContributor = {
    url,
    requests,
    state: initialState(layout, fromHex(agreement.agreementId, 32)),
    receipts: [],
    phase: "serving",
    tamper: (_, sent) => sent,
    expireTokens: () => {
      tokenNumber += 100;
    },
  };
  return self;
}
