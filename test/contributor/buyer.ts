/** The other party of a session, on plain fetch and the protocol library: honest unless told. */
import { randomBytes } from "node:crypto";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { concatBytes, fromHex, type Hex, toHex } from "../../runner/protocol/bytes.ts";
import type { KeyPoints, ModuleCommitments } from "../../runner/protocol/commitment.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { addPass, initialState, type SessionState } from "../../runner/protocol/fold.ts";
import type { AdapterLayout } from "../../runner/protocol/layout.ts";
import { buyerStatements, columnSums } from "../../runner/protocol/statement.ts";
import { type Domain, type Receipt, statementsHash, typedData } from "../../runner/protocol/typedData.ts";
import { stringifyMessage } from "../../runner/wire/messages.ts";
import { decodePassAnswer, encodePassRequest } from "../../runner/wire/passRequest.ts";
import { fillPath, PATHS } from "../../runner/wire/paths.ts";

/** An HTTP answer, read. */
export interface Answer {
  status: number;
  bytes: Uint8Array;
  headers: Headers;
  /** The body as JSON. */
  json: Record<string, unknown>;
  /** Code of a typed error. */
  code: string | undefined;
}

export async function ask(url: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(20_000), ...init });
  const bytes = new Uint8Array(await response.arrayBuffer());
  let json: Record<string, unknown> = {};
  if (response.headers.get("content-type")?.startsWith("application/json"))
    json = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  const code = (json["error"] as { code?: string } | undefined)?.code;
  return { status: response.status, bytes, headers: response.headers, json, code };
}

export function post(url: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
  return ask(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: stringifyMessage(body),
  });
}

export interface BuyerSetting {
  url: string;
  domain: Domain;
  layout: AdapterLayout;
  key: KeyPoints;
  commitments: readonly ModuleCommitments[];
}

export class TestBuyer {
  readonly signer = privateKeyToAccount(generatePrivateKey());
  readonly setting: BuyerSetting;
  readonly agreementId: Hex;
  token = "";
  state: SessionState;

  constructor(setting: BuyerSetting, agreementId: Hex, signer?: Hex) {
    this.setting = setting;
    this.agreementId = agreementId;
    if (signer !== undefined) this.signer = privateKeyToAccount(signer);
    this.state = initialState(setting.layout, fromHex(agreementId));
  }

  async challenge(clientNonce: Hex = toHex(randomBytes(32))) {
    const { agreementId, setting } = this;
    const answer = await post(setting.url + PATHS.challenge, { agreementId, clientNonce });
    return { agreementId, clientNonce, serverNonce: answer.json["serverNonce"] as Hex };
  }

  async sign(
    proof: { agreementId: Hex; clientNonce: Hex; serverNonce: Hex },
    by = this.signer,
  ): Promise<Answer> {
    const signature = await by.signTypedData(typedData(this.setting.domain, "Session", proof));
    return post(this.setting.url + PATHS.sessions, { ...proof, signature });
  }

  async open(): Promise<Answer> {
    const answer = await this.sign(await this.challenge());
    if (answer.status === 201) this.token = answer.json["token"] as string;
    return answer;
  }

  get authorization(): Record<string, string> {
    return { authorization: `Bearer ${this.token}` };
  }

  get(path: string): Promise<Answer> {
    return ask(this.setting.url + path, { headers: this.authorization });
  }

  /** Sends a body to a pass. */
  send(pass: number | string, body: Uint8Array, headers: Record<string, string> = {}): Promise<Answer> {
    return ask(this.setting.url + fillPath(PATHS.pass, { pass }), {
      method: "POST",
      headers: { "content-type": "application/octet-stream", ...this.authorization, ...headers },
      body: Buffer.from(body),
    });
  }

  /** Random activations of some modules of a pass. */
  request(modules: number[], tokens: number, passSalt: Uint8Array = randomBytes(32)) {
    const dIn = this.setting.layout.modules[modules[0]!]!.dIn;
    const X = Int16Array.from({ length: tokens * dIn }, () => Math.floor(Math.random() * 65535) - 32767);
    const request = { modules, passSalt: new Uint8Array(passSalt), tokens, X };
    return { ...request, body: encodePassRequest(request) };
  }

  /** A whole pass: one request for each run of modules that read the same X. */
  async pass(tokens: number): Promise<void> {
    const { layout } = this.setting;
    const number = this.state.passes + 1;
    const salt = randomBytes(32);
    const X: Int16Array[] = [];
    const Y: Float64Array[] = [];
    for (const modules of [[0, 1], [2]]) {
      const request = this.request(modules, tokens, salt);
      const answer = await this.send(number, request.body);
      if (answer.status !== 200) throw new Error(`pass ${number}: ${answer.status} ${answer.code}`);
      for (const [i, y] of decodePassAnswer(layout, request, answer.bytes).entries()) {
        X[modules[i]!] = request.X;
        Y[modules[i]!] = y;
      }
    }
    this.state = addPass(layout, this.state, { passSalt: new Uint8Array(salt), tokens, X, Y });
  }

  /** The receipt this buyer owes, from commitments alone. */
  async receipt(change: Partial<Receipt> = {}): Promise<Receipt> {
    const { layout, key, commitments } = this.setting;
    const curve = await loadCurve();
    const sums = await columnSums(curve, commitments);
    const V = await buyerStatements(curve, key, layout, commitments, sums, this.state);
    return {
      agreementId: this.agreementId,
      passes: BigInt(this.state.passes),
      tokens: BigInt(this.state.tokens),
      head: toHex(this.state.head),
      statementsHash: statementsHash(V),
      ...change,
    };
  }

  async sendReceipt(receipt: Receipt, by = this.signer): Promise<Answer> {
    const signature = await by.signTypedData(typedData(this.setting.domain, "Receipt", receipt));
    return post(this.setting.url + PATHS.receipts, { receipt, signature }, this.authorization);
  }

  /** Signs and sends the receipt due. */
  async pay(): Promise<Answer> {
    return this.sendReceipt(await this.receipt());
  }

  end(): Promise<Answer> {
    return post(this.setting.url + PATHS.end, {}, this.authorization);
  }
}

/** A byte string with one bit turned. */
export function flip(bytes: Uint8Array, at: number): Uint8Array {
  const out = concatBytes(bytes);
  out[at]! ^= 1;
  return out;
}
