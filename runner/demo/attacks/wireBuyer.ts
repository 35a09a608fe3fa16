/**
 * A buyer that speaks the wire itself and sends what an attack tells it to, with no check of its own. It folds what it was
 * answered, so that it can also sign what is due.
 */
import type { LocalAccount } from "viem";
import type { ContributorClient } from "../../buyer/client/contributorClient.ts";
import { connectRecorded } from "../../buyer/client/discover.ts";
import { loadSigner } from "../../buyer/store/signerKey.ts";
import { type Hex, toHex } from "../../protocol/bytes.ts";
import { loadCurve } from "../../protocol/curve.ts";
import { addPass, initialState, type SessionState } from "../../protocol/fold.ts";
import type { AdapterLayout } from "../../protocol/layout.ts";
import { buyerStatements } from "../../protocol/statement.ts";
import { type Receipt, type SessionProof, statementsHash, typedData } from "../../protocol/typedData.ts";
import type { SessionView } from "../../wire/messages.ts";
import { decodePassAnswer, encodePassRequest, type PassRequest } from "../../wire/passRequest.ts";
import type { Purchase, World } from "../world.ts";

/** A receipt with all that settling it takes. */
export interface SignedReceipt {
  receipt: Receipt;
  signature: Hex;
  /** What it was computed from. */
  state: SessionState;
  V: Uint8Array[];
}

export class WireBuyer {
  readonly purchase: Purchase;
  readonly client: ContributorClient;
  readonly signer: LocalAccount;
  token = "";
  state: SessionState;
  readonly #world: World;

  private constructor(world: World, purchase: Purchase) {
    const { terms } = purchase.remote;
    this.#world = world;
    this.purchase = purchase;
    this.client = connectRecorded(terms.record);
    this.signer = loadSigner(purchase.vault, terms.signer);
    this.state = initialState(this.layout, Buffer.from(terms.agreementId.slice(2), "hex"));
  }

  /** Buys as an honest buyer does and opens a session. */
  static async open(world: World, url: string, tokens?: bigint): Promise<WireBuyer> {
    const buyer = new WireBuyer(world, await world.buy(url, tokens));
    world.onClose(() => buyer.client.http.close());
    await buyer.connect();
    return buyer;
  }

  get agreementId(): Hex {
    return this.purchase.agreementId;
  }

  get layout(): AdapterLayout {
    return this.purchase.verified.layout;
  }

  /** Paid in. */
  get amount(): bigint {
    return this.purchase.remote.terms.amount;
  }

  /** A challenge to be signed. */
  async challenge(): Promise<SessionProof> {
    const clientNonce = randomHex();
    const serverNonce = await this.client.challenge(this.agreementId, clientNonce);
    return { agreementId: this.agreementId, clientNonce, serverNonce };
  }

  /** @returns the session token */
  async prove(proof: SessionProof, by = this.signer): Promise<string> {
    const signature = await by.signTypedData(typedData(this.#world.domain, "Session", proof) as never);
    return (await this.client.startSession(proof, signature)).token;
  }

  async connect(): Promise<void> {
    this.token = await this.prove(await this.challenge());
  }

  /** A request for modules with random activations. */
  request(
    tokens: number,
    modules = this.layout.modules.map((_, m) => m),
    passSalt = random(32),
  ): PassRequest {
    const { dIn } = this.layout.modules[modules[0]!]!;
    const X = new Int16Array(random(2 * tokens * dIn).buffer).map((x) => Math.max(x, -32767));
    return { modules, passSalt, tokens, X };
  }

  async ask(pass: number, request: PassRequest): Promise<Float64Array[]> {
    return decodePassAnswer(this.layout, request, await this.askBytes(pass, encodePassRequest(request)));
  }

  /** Sends any body as a pass. @returns what was answered */
  askBytes(pass: number, body: Uint8Array): Promise<Uint8Array> {
    return this.client.pass(this.token, pass, body, 2 ** 28);
  }

  /** A whole pass in one request: all modules of the fixtures' adapters read equally wide activations. */
  async pass(tokens: number, request = this.request(tokens)): Promise<void> {
    this.fold(request, await this.ask(this.state.passes + 1, request));
  }

  /** Adds a pass in which every module read the same X. */
  fold({ passSalt, tokens, X }: PassRequest, Y: Float64Array[]): void {
    this.state = addPass(this.layout, this.state, { passSalt, tokens, X: Y.map(() => X), Y });
  }

  /** The receipt due for a state, some of it changed before it is signed. */
  async receipt(change: Partial<Receipt> = {}, by = this.signer, state = this.state): Promise<SignedReceipt> {
    const { key, commitments, sums } = this.purchase.verified;
    const V = await buyerStatements(await loadCurve(), key, this.layout, commitments, sums, state);
    const receipt: Receipt = {
      agreementId: this.agreementId,
      passes: BigInt(state.passes),
      tokens: BigInt(state.tokens),
      head: toHex(state.head),
      statementsHash: statementsHash(V),
      ...change,
    };
    const signature = await by.signTypedData(typedData(this.#world.domain, "Receipt", receipt) as never);
    return { receipt, signature, state, V };
  }

  send({ receipt, signature }: Pick<SignedReceipt, "receipt" | "signature">): Promise<SessionView> {
    return this.client.receipt(this.token, receipt, signature);
  }

  /** Signs and sends what is due. */
  async pay(): Promise<SignedReceipt> {
    const signed = await this.receipt();
    await this.send(signed);
    return signed;
  }

  /** The session as the contributor sees it. */
  view(): Promise<SessionView> {
    return this.client.session(this.token);
  }
}

function random(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

function randomHex(): Hex {
  return toHex(random(32));
}
