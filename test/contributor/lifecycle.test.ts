/** Agreements that end badly, all at once or near their deadlines: none keeps another from being settled. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { loadServedAdapter } from "../../runner/contributor/adapters.ts";
import { endServing } from "../../runner/contributor/endServing.ts";
import { Lifecycle } from "../../runner/contributor/lifecycle.ts";
import { keptProvers, PINNED_KEYS } from "../../runner/contributor/loadAdapters.ts";
import { repeat } from "../../runner/contributor/loops.ts";
import { registerPeftAdapter } from "../../runner/contributor/register.ts";
import { Settlement } from "../../runner/contributor/settlement.ts";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import type { TestBuyer } from "./buyer.ts";
import { randomAdapter, type Served, served, until } from "./setting.ts";

after(async () => (await loadCurve()).terminate());

const unixNow = (): bigint => BigInt(Math.floor(Date.now() / 1000));

const record = ({ data }: Served, { agreementId }: TestBuyer) =>
  new AgreementStore(data.database).get(agreementId);

const isSettled = (contributor: Served, buyer: TestBuyer) => (): boolean =>
  record(contributor, buyer).phase === "settled";

/** A buyer who has paid for one pass. */
async function paidPass(contributor: Served, deadline = unixNow() + 3600n): Promise<TestBuyer> {
  const buyer = await contributor.buyer({ deadline });
  await buyer.open();
  await buyer.pass(2);
  await buyer.pay();
  return buyer;
}

function lifecycleOf({ service, events }: Served, retryMs = 1): Lifecycle {
  return new Lifecycle({
    sessions: service.sessions,
    settlement: service.settlement,
    isServed: () => true,
    receiptGrace: 0n,
    retryMs,
    onEvent: (event) => events.push(event),
  });
}

/** Which agreements are sent to the chain, in order. */
function watchSent({ chain }: Served): Hex[] {
  const sent: Hex[] = [];
  const settle = chain.settle.bind(chain);
  chain.settle = (request) => {
    sent.push(request.agreementId);
    return settle(request);
  };
  return sent;
}

test("a deadline stored by an earlier version, and a row that cannot be read, harm only themselves", async (context) => {
  const before = await served(context);
  const far = await paidPass(before);
  const broken = await paidPass(before);
  const honest = await paidPass(before);
  await before.service.close();
  const { database } = before.data;
  const update = (column: string, value: bigint | string, { agreementId }: TestBuyer) =>
    database.prepare(`UPDATE agreement SET ${column} = ? WHERE agreement_id = ?`).run(value, agreementId);
  update("deadline", 2n ** 60n, far);
  before.chain.agreements.get(far.agreementId)!.deadline = 2n ** 60n;
  update("price", "ten", broken);
  before.chain.agreements.get(honest.agreementId)!.status = "closing";

  const contributor = await served(context, { by: before, serve: { settle: true } });
  await until(isSettled(contributor, honest), "the honest settlement");
  await until(isSettled(contributor, far), "the settlement of the one with the far deadline");
  const failed = contributor.events.flatMap((event) => (event.type === "failed" ? [event.agreementId] : []));
  assert.deepEqual([...new Set(failed)], [broken.agreementId]);
});

test("a buyer who leaves without a word is settled when asked to; one who goes on, or has signed nothing, is served", async (context) => {
  const contributor = await served(context, { serve: { settle: true, idleSeconds: 1.5 } });
  const unsigned = await contributor.buyer();
  await unsigned.open();
  await unsigned.pass(2);
  const gone = await paidPass(contributor);
  const active = await paidPass(contributor);
  for (let passes = 0; !isSettled(contributor, gone)(); passes++) {
    assert.ok(passes < 60, "the one who left is not settled");
    await active.pass(1);
    await active.pay();
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  assert.match(record(contributor, gone).reason!, /asked for nothing/);
  assert.equal(record(contributor, active).phase, "serving");
  assert.equal(record(contributor, unsigned).phase, "serving");
});

test("a buyer in the middle of a pass that takes long has not left", async (context) => {
  const contributor = await served(context, { serve: { idleSeconds: 1.5 } });
  const slow = await paidPass(contributor);
  const { passSalt } = slow.request([0], 1);
  for (const module of [0, 1, 2]) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal((await slow.send(2, slow.request([module], 1, passSalt).body)).status, 200, `${module}`);
  }
});

test("a loop goes on after a failure, and says so", async () => {
  const errors: unknown[] = [];
  let runs = 0;
  const loop = repeat(
    async () => {
      runs++;
      throw new Error("the disk is full");
    },
    1,
    (error) => errors.push(error),
  );
  await until(() => runs > 2, "the third run");
  await loop.stop();
  assert.equal(errors.length, runs);
});

test("the earliest deadline is settled first, also when a close brought it forward", async (context) => {
  const contributor = await served(context);
  const now = unixNow();
  const buyers: TestBuyer[] = [];
  for (const seconds of [3000n, 2000n, 4000n]) buyers.push(await paidPass(contributor, now + seconds));
  const [third, second, closing] = buyers;
  for (const buyer of buyers) await buyer.end();
  Object.assign(contributor.chain.agreements.get(closing!.agreementId)!, {
    status: "closing",
    deadline: now + 1000n,
  });
  const sent = watchSent(contributor);
  const lifecycle = lifecycleOf(contributor);
  await lifecycle.settleEnded();
  await lifecycle.idle();
  assert.deepEqual(
    sent,
    [closing, second, third].map((buyer) => buyer!.agreementId),
  );
});

test("a settlement that is not mined for long keeps no other from being sent", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const { chain } = contributor;
  const [slow, quick] = [await paidPass(contributor), await paidPass(contributor)];
  const settle = chain.settle.bind(chain);
  let release = (): void => {};
  const mined = new Promise<void>((resolve) => {
    release = resolve;
  });
  chain.settle = async (request) => {
    if (request.agreementId === slow.agreementId) await mined;
    return settle(request);
  };
  try {
    await slow.end();
    await until(() => record(contributor, slow).phase === "proving", "the slow one's proofs");
    await quick.end();
    await until(isSettled(contributor, quick), "the quick one's settlement");
    assert.equal(record(contributor, slow).phase, "proving");
  } finally {
    // The service waits for it to stop.
    release();
  }
  await until(isSettled(contributor, slow), "the slow one's settlement");
});

test("a proof that fails keeps its agreement's other proofs, and no other agreement waits for it", async (context) => {
  const contributor = await served(context);
  const { data, chain, adapterId, events } = contributor;
  const now = unixNow();
  const [failing, other] = [
    await paidPass(contributor, now + 2000n),
    await paidPass(contributor, now + 3000n),
  ];
  for (const buyer of [failing, other]) await buyer.end();
  const adapter = loadServedAdapter(data, adapterId);
  const provers = keptProvers(PINNED_KEYS);
  let isBroken = true;
  let made = 0;
  // The second proof of all is the second of the agreement whose turn it is: the one due first.
  const settlement = new Settlement({
    data,
    chain,
    adapter: () => adapter,
    prover: async (size) => ({
      prove: async (witness, V) => {
        if (++made === 2 && isBroken) throw new Error("out of memory");
        return (await provers(size)).prove(witness, V);
      },
    }),
    onEvent: (event) => events.push(event),
  });
  const lifecycle = new Lifecycle({
    sessions: contributor.service.sessions,
    settlement,
    isServed: () => true,
    receiptGrace: 0n,
    retryMs: 1,
    onEvent: (event) => events.push(event),
  });
  await lifecycle.settleEnded();
  await lifecycle.idle();
  assert.equal(record(contributor, other).phase, "settled");
  assert.deepEqual(
    events.flatMap((event) => (event.type === "failed" ? [event.agreementId] : [])),
    [failing.agreementId],
  );
  isBroken = false;
  await until(async () => {
    await lifecycle.settleEnded();
    await lifecycle.idle();
    return record(contributor, failing).phase === "settled";
  }, "the settlement of the one that failed");
  // Four proofs, and the one that failed: none was made twice.
  assert.equal(made, 5);
});

test("a machine whose clock is ahead gives nothing up: it settles", async (context) => {
  const contributor = await served(context);
  const buyer = await paidPass(contributor);
  await buyer.end();
  const right = await contributor.chain.time();
  contributor.chain.time = async () => right;
  const clock = Date.now;
  Date.now = () => clock() + 4_000_000;
  try {
    const lifecycle = lifecycleOf(contributor);
    await lifecycle.settleEnded();
    await lifecycle.idle();
  } finally {
    Date.now = clock;
  }
  assert.equal(record(contributor, buyer).phase, "settled");
});

test("what only blocks that are not final say is waited out: it settles when they are undone", async (context) => {
  const contributor = await served(context);
  const { chain } = contributor;
  const [late, refunded] = [await paidPass(contributor), await paidPass(contributor, unixNow() + 9000n)];
  for (const buyer of [late, refunded]) await buyer.end();
  const lifecycle = lifecycleOf(contributor);
  const settle = async (): Promise<unknown[]> => {
    await lifecycle.settleEnded();
    await lifecycle.idle();
    return [late, refunded].map((buyer) => record(contributor, buyer).phase);
  };
  chain.ahead = 4000n;
  chain.finalBehind = 4000n;
  const read = chain.readAgreement.bind(chain);
  chain.readAgreement = async (agreementId, at) => {
    const agreement = await read(agreementId, at);
    const isUndone = agreementId === refunded.agreementId && at === "newest";
    return agreement && (isUndone ? { ...agreement, status: "refunded" } : agreement);
  };
  assert.deepEqual(await settle(), ["ended", "ended"]);
  chain.ahead = 0n;
  chain.finalBehind = 0n;
  chain.readAgreement = read;
  assert.deepEqual(await settle(), ["settled", "settled"]);
});

test("what final blocks say is over is closed", async (context) => {
  const contributor = await served(context);
  const { chain } = contributor;
  const [late, refunded] = [await paidPass(contributor), await paidPass(contributor, unixNow() + 9000n)];
  for (const buyer of [late, refunded]) await buyer.end();
  chain.ahead = 4000n;
  chain.agreements.get(refunded.agreementId)!.status = "refunded";
  await lifecycleOf(contributor).settleEnded();
  assert.deepEqual(
    [late, refunded].map((buyer) => record(contributor, buyer).reason),
    ["the deadline passed before settlement", "the agreement was refunded"],
  );
});

test("the last receipt of a buyer who closed is waited for, not for ever", async (context) => {
  const contributor = await served(context, { serve: { settle: true } });
  const { chain } = contributor;
  const [pays, silent] = [await paidPass(contributor), await paidPass(contributor)];
  for (const buyer of [pays, silent]) {
    await buyer.pass(3);
    chain.agreements.get(buyer.agreementId)!.status = "closing";
  }
  await until(() => record(contributor, pays).phase === "ended", "the end of serving");
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.equal((await pays.pay()).status, 200);
  for (const buyer of [pays, silent]) await until(isSettled(contributor, buyer), "the settlement");
  const paid = [pays, silent].map(({ agreementId }) => chain.agreements.get(agreementId)!.paid);
  assert.deepEqual(paid, [50n, 20n]);
});

test("near the deadline the last receipt is not waited for", async (context) => {
  const contributor = await served(context, { serve: { marginSeconds: 90, pollMs: 60_000 } });
  const buyer = await paidPass(contributor);
  await buyer.pass(3);
  await buyer.end();
  const { service, chain } = contributor;
  const lifecycle = new Lifecycle({
    sessions: service.sessions,
    settlement: service.settlement,
    isServed: () => true,
    receiptGrace: 1000n,
  });
  const settledAt = async (beforeDeadline: bigint): Promise<unknown> => {
    const { deadline } = chain.agreements.get(buyer.agreementId)!;
    chain.ahead = deadline - beforeDeadline - unixNow();
    await lifecycle.settleEnded();
    await lifecycle.idle();
    return record(contributor, buyer).phase;
  };
  // a third of the margin is for the receipt, two for proofs and inclusion
  assert.equal(await settledAt(64n), "ended");
  assert.equal(await settledAt(60n), "settled");
});

test("with the service gone, an agreement is ended and its receipt proven", async (context) => {
  const contributor = await served(context);
  const buyer = await paidPass(contributor);
  const { data, service } = contributor;
  await service.close();
  await assert.rejects(service.settlement.proveAgreement(buyer.agreementId), {
    code: "session/still-serving",
  });
  assert.equal(endServing(data, buyer.agreementId), true);
  assert.equal(endServing(data, buyer.agreementId), false);
  assert.equal((await service.settlement.proveAgreement(buyer.agreementId)).claims.length, 2);
  assert.throws(() => endServing(data, `0x${"07".repeat(32)}`), { code: "session/unknown-agreement" });
});

test("a running service answers no more once an agreement was ended from outside", async (context) => {
  const contributor = await served(context, { serve: { pollMs: 60_000 } });
  const buyer = await paidPass(contributor);
  const request = buyer.request([0], 1);
  assert.equal((await buyer.send(2, request.body)).status, 200);
  endServing(contributor.data, buyer.agreementId);
  assert.equal((await buyer.send(2, buyer.request([2], 1, request.passSalt).body)).code, "session/ended");
});

test("a service that does not serve an agreement's adapter says that it will not settle it", async (context) => {
  const before = await served(context);
  const [owed, idle, over] = [await paidPass(before), await before.buyer(), await paidPass(before)];
  await idle.open();
  before.data.database
    .prepare("UPDATE agreement SET deadline = 1 WHERE agreement_id = ?")
    .run(over.agreementId);
  await before.service.close();
  const { data, chain, account } = before;
  const { adapterId } = await registerPeftAdapter({
    data,
    chain,
    contributor: account.address,
    adapter: randomAdapter(),
    modulesPerProof: 2,
  });
  const other = { ...before, adapterId };
  const told = ({ events }: Served) => events.filter(({ type }) => type === "not-settled-here");
  const alone = await served(context, { by: other, serve: { settle: true, adapters: [adapterId] } });
  assert.deepEqual(told(alone), [{ type: "not-settled-here", agreementIds: [owed.agreementId] }]);
  await alone.service.close();
  const both = await served(context, { by: other, serve: { settle: true } });
  assert.deepEqual(told(both), []);
});
