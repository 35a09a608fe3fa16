/**
 * A contributor whose service answers what it likes: it speaks the wire of `serve`, checks nothing, keeps every receipt.
 * It knows the registered weights and blinds, and can compute everything an honest one can.
 */
import fastify, { type FastifyInstance } from "fastify";
import { loadServedAdapter, type ServedAdapter } from "../../contributor/adapters.ts";
import { contributorChain } from "../../contributor/chainAdapter.ts";
import { openOffers } from "../../contributor/offers.ts";
import { loadCommitKey } from "../../keys/load.ts";
import { fromHex, type Hex, pointWords, toHex } from "../../protocol/bytes.ts";
import { decodeKeyPoints, type KeyPoints } from "../../protocol/commitment.ts";
import { decodeCommitmentsFile } from "../../protocol/commitmentsFile.ts";
import { type Curve, decodePoints, loadCurve } from "../../protocol/curve.ts";
import { addPass, initialState, type SessionState } from "../../protocol/fold.ts";
import { answer } from "../../protocol/quantise.ts";
import { buyerStatements, columnSums, type GroupWitness, groupWitness } from "../../protocol/statement.ts";
import { type Receipt, typedData } from "../../protocol/typedData.ts";
import { stringifyMessage } from "../../wire/messages.ts";
import { decodePassRequest, encodePassAnswer } from "../../wire/passRequest.ts";
import { PATHS } from "../../wire/paths.ts";
import type { World } from "../world.ts";

/** Changes honest answers as the attack likes. Y is T x dOut of one module. */
export type Tamper = (request: { pass: number; module: number; tokens: number }, Y: Float64Array) => void;

const ZERO_HASH: Hex = `0x${"00".repeat(32)}`;
const BINARY = "application/octet-stream";

export class EvilContributor {
  readonly adapter: ServedAdapter;
  /** Changes the bytes of an answer. */
  distort: (answer: Uint8Array) => Uint8Array = (answer) => answer;
  readonly receipts: { receipt: Receipt; signature: Hex; state: SessionState }[] = [];
  url = "";
  readonly #world: World;
  readonly #curve: Curve;
  readonly #key: KeyPoints;
  readonly #tamper: Tamper;
  readonly #app: FastifyInstance = fastify({ forceCloseConnections: true });
  #agreementId: Hex = ZERO_HASH;
  #state: SessionState | undefined;
  #pass:
    | { salt: Uint8Array; tokens: number; X: Map<number, Int16Array>; Y: Map<number, Float64Array> }
    | undefined;

  private constructor(world: World, adapter: ServedAdapter, curve: Curve, key: KeyPoints, tamper: Tamper) {
    this.#world = world;
    this.adapter = adapter;
    this.#curve = curve;
    this.#key = key;
    this.#tamper = tamper;
  }

  /** Serves an adapter registered from the world's data folder, with its stored offers. */
  static async serve(world: World, adapterId: Hex, tamper: Tamper = () => {}): Promise<EvilContributor> {
    const adapter = loadServedAdapter(world.data, adapterId);
    const curve = await loadCurve();
    const key = await decodeKeyPoints(curve, await loadCommitKey(adapter.layout.keySize));
    const evil = new EvilContributor(world, adapter, curve, key, tamper);
    await evil.#listen();
    world.onClose(() => evil.#app.close());
    return evil;
  }

  /** The session's state as its own answers make it. */
  get state(): SessionState {
    return this.#state ?? initialState(this.adapter.layout, fromHex(this.#agreementId, 32));
  }

  /** What the buyer signs for a state: it needs nothing but the manifest. */
  async buyersStatements(state: SessionState): Promise<Uint8Array[]> {
    const { layout, commitments } = this.adapter;
    const points = [];
    for (const { CA, CB } of decodeCommitmentsFile(layout, commitments).encoded)
      points.push({
        CA: await decodePoints(this.#curve, CA, "CA"),
        CB: await decodePoints(this.#curve, CB, "CB"),
      });
    const sums = await columnSums(this.#curve, points);
    return buyerStatements(this.#curve, this.#key, layout, points, sums, state);
  }

  /** The witness that the registered weights give for a state. */
  witness(state: SessionState, group: number): GroupWitness {
    const { layout, weights, blinds } = this.adapter;
    return groupWitness(layout, weights, blinds, state, group);
  }

  async #listen(): Promise<void> {
    const app = this.#app;
    app.addContentTypeParser(BINARY, { parseAs: "buffer" }, (_request, body, done) => done(null, body));
    app.get(PATHS.service, async () => JSON.parse(await this.#service()));
    app.get(PATHS.manifest, () => JSON.parse(Buffer.from(this.adapter.manifestBytes).toString()));
    app.get(PATHS.commitments, (_request, reply) =>
      reply.type(BINARY).send(Buffer.from(this.adapter.commitments)),
    );
    app.post(PATHS.liveness, async (request) => {
      const { nonce } = request.body as { nonce: Hex };
      const time = BigInt(Math.floor(Date.now() / 1000));
      const liveness = { adapterId: this.adapter.record.adapterId, nonce, time };
      const signature = await this.#world.contributor.account.signTypedData(
        typedData(this.#world.domain, "Liveness", liveness) as never,
      );
      return { liveness: { ...liveness, time: time.toString() }, signature };
    });
    app.post(PATHS.challenge, () => ({ serverNonce: ZERO_HASH }));
    app.post(PATHS.sessions, (request, reply) => {
      this.#agreementId = (request.body as { agreementId: Hex }).agreementId;
      return reply.status(201).send({ token: "t", expiresAt: Date.now() + 3_600_000, session: this.#view() });
    });
    app.get(PATHS.session, () => this.#view());
    app.get(PATHS.scales, (_request, reply) => reply.type(BINARY).send(Buffer.from(this.adapter.scales)));
    app.post(PATHS.pass, (request, reply) => {
      const { pass } = request.params as { pass: string };
      return reply.type(BINARY).send(Buffer.from(this.#answer(Number(pass), request.body as Uint8Array)));
    });
    app.post(PATHS.receipts, (request) => this.#keepReceipt(request.body));
    app.post(PATHS.end, () => this.#view());
    await app.listen({ host: "127.0.0.1", port: 0 });
    this.url = `http://127.0.0.1:${(app.server.address() as { port: number }).port}`;
  }

  async #service(): Promise<string> {
    const { adapterId, manifestHash } = this.adapter.record;
    const record = { adapterId, url: this.url, tlsCertificate: ZERO_HASH, expiry: 4_000_000_000n };
    const { account, ctx } = this.#world.contributor;
    const chain = contributorChain(ctx);
    return stringifyMessage({
      protocol: 1,
      chainId: chain.chainId,
      registry: chain.registry,
      escrow: chain.escrow,
      adapters: [
        {
          adapterId,
          manifestHash,
          offers: openOffers(this.#world.data, adapterId),
          record,
          recordSignature: await account.signTypedData(
            typedData(this.#world.domain, "ServiceRecord", record) as never,
          ),
        },
      ],
    });
  }

  #view() {
    const last = this.receipts.at(-1)?.receipt;
    return {
      agreementId: this.#agreementId,
      passes: this.state.passes,
      tokens: this.state.tokens,
      head: toHex(this.state.head),
      receipt: { passes: Number(last?.passes ?? 0n), tokens: Number(last?.tokens ?? 0n) },
      openPass: null,
      phase: "serving",
      settlement: null,
    };
  }

  #answer(pass: number, body: Uint8Array): Uint8Array {
    const { layout, weights } = this.adapter;
    const { modules, passSalt, tokens, X } = decodePassRequest(layout, body);
    this.#pass ??= { salt: passSalt, tokens, X: new Map(), Y: new Map() };
    const answers = modules.map((m) => {
      const { dIn, dOut, r } = layout.modules[m]!;
      const { Aq, Bq } = weights[m]!;
      const Y = answer(Aq, Bq, X, tokens, dIn, dOut, r);
      this.#tamper({ pass, module: m, tokens }, Y);
      this.#pass!.X.set(m, X);
      this.#pass!.Y.set(m, Y);
      return Y;
    });
    if (this.#pass.Y.size === layout.modules.length) {
      const each = <T>(map: Map<number, T>): T[] => layout.modules.map((_, m) => map.get(m)!);
      const { salt, X: Xs, Y: Ys } = this.#pass;
      this.#state = addPass(layout, this.state, { passSalt: salt, tokens, X: each(Xs), Y: each(Ys) });
      this.#pass = undefined;
    }
    return this.distort(encodePassAnswer(answers));
  }

  #keepReceipt(body: unknown) {
    const { receipt, signature } = body as { receipt: Record<keyof Receipt, string>; signature: Hex };
    this.receipts.push({
      receipt: {
        agreementId: receipt.agreementId as Hex,
        passes: BigInt(receipt.passes),
        tokens: BigInt(receipt.tokens),
        head: receipt.head as Hex,
        statementsHash: receipt.statementsHash as Hex,
      },
      signature,
      state: this.state,
    });
    return this.#view();
  }
}

/** Statements as `settle` takes them. */
export function statementWords(statements: readonly Uint8Array[]): [bigint, bigint][] {
  return statements.map((V) => [...pointWords(V)]);
}
