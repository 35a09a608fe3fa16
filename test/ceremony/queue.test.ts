/** Whose turn it is, by a clock in the test's hands. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Queue } from "../../runner/ceremony/coordinator/queue.ts";

const LIMITS = { turnSeconds: 100, silenceSeconds: 10, maxWaiting: 4, maxPerAddress: 2 };

function setting(): { queue: Queue; pass: (seconds: number) => void } {
  let now = 0;
  return {
    queue: new Queue(LIMITS, () => now),
    pass: (seconds) => {
      now += 1000 * seconds;
    },
  };
}

test("turns come in the order of the queue", async () => {
  const { queue, pass } = setting();
  const [ada, bob] = [queue.join("Ada", "1"), queue.join("Bob", "2")];
  assert.deepEqual(queue.place(ada), { position: 0, secondsLeft: 100 });
  assert.deepEqual(queue.place(bob), { position: 1, secondsLeft: null });
  assert.equal(queue.turn(ada), "Ada");
  assert.throws(() => queue.turn(bob), { code: "ceremony/not-your-turn" });
  pass(5);
  assert.equal(queue.place(ada).secondsLeft, 95);
  assert.equal(await queue.finish(ada, async (name) => `${name}'s`), "Ada's");
  assert.throws(() => queue.place(ada), { code: "ceremony/unknown-ticket" });
  assert.deepEqual(queue.place(bob), { position: 0, secondsLeft: 100 });
});

test("who says nothing, or takes too long, loses the turn to the next", () => {
  const { queue, pass } = setting();
  const [silent, slow, patient] = [queue.join("Silent", "1"), queue.join("Slow", "2"), queue.join("P", "3")];
  const keepAlive = (seconds: number): void => {
    for (let i = 0; i < seconds; i += 5) {
      pass(5);
      for (const ticket of [slow, patient]) {
        try {
          queue.place(ticket);
        } catch {}
      }
    }
  };
  keepAlive(15);
  assert.throws(() => queue.turn(silent), { code: "ceremony/turn-lost" });
  assert.equal(queue.turn(slow), "Slow");
  keepAlive(105);
  assert.throws(() => queue.turn(slow), { code: "ceremony/turn-lost" });
  assert.equal(queue.turn(patient), "P");
});

test("nobody loses a turn to the coordinator's own slowness, and nothing is checked twice at once", async () => {
  const { queue, pass } = setting();
  const [ada, bob] = [queue.join("Ada", "1"), queue.join("Bob", "2")];
  const finished = queue.finish(ada, async () => {
    pass(1000);
    assert.equal(queue.place(ada).position, 0);
    await assert.rejects(
      queue.finish(ada, async () => {}),
      { code: "ceremony/checking" },
    );
    queue.leave(ada);
    assert.equal(queue.place(ada).position, 0);
    return "done";
  });
  assert.equal(await finished, "done");
  assert.throws(() => queue.place(bob), { code: "ceremony/turn-lost" });
});

test("a contribution that is refused costs the turn", async () => {
  const { queue } = setting();
  const [ada, bob] = [queue.join("Ada", "1"), queue.join("Bob", "2")];
  await assert.rejects(
    queue.finish(ada, async () => {
      throw new Error("not right");
    }),
    /not right/,
  );
  assert.throws(() => queue.place(ada), { code: "ceremony/turn-lost" });
  assert.equal(queue.turn(bob), "Bob");
});

test("the queue is bounded, in all and by address, and tickets cannot be guessed", () => {
  const { queue } = setting();
  const tickets = [queue.join("a", "1"), queue.join("b", "1")];
  assert.throws(() => queue.join("c", "1"), { code: "ceremony/queue-full" });
  tickets.push(queue.join("c", "2"), queue.join("d", "3"));
  assert.throws(() => queue.join("e", "4"), { code: "ceremony/queue-full" });
  assert.equal(new Set(tickets).size, 4);
  for (const ticket of tickets) assert.match(ticket, /^[0-9a-f]{64}$/);
  assert.throws(() => queue.place("0".repeat(64)), { code: "ceremony/unknown-ticket" });
  queue.leave(tickets[3]!);
  queue.join("e", "4");
});
