/** Checks that keep a contributor's service safe from its buyers, its clock and its own disk. */
import type { Mutation } from "./list.ts";

const ADMISSION = "runner/contributor/admission.ts";
const AGREEMENTS = "runner/contributor/store/agreements.ts";
const LIFECYCLE = "runner/contributor/lifecycle.ts";
const OFFERS = "runner/contributor/offers.ts";

const tried =
  (test: string) =>
  (pattern: string, mutation: Omit<Mutation, "test" | "pattern">): Mutation => ({
    ...mutation,
    test,
    pattern,
  });
const onAdmission = tried("test/contributor/admission.test.ts");
const onLifecycle = tried("test/contributor/lifecycle.test.ts");
const onReceipts = tried("test/contributor/receipts.test.ts");

const EDGES = "up to every limit";

const IDLE = "a buyer who leaves without a word";

const LIMITS: readonly Mutation[] = [
  onLifecycle(IDLE, {
    name: "active-buyer-ended",
    attack: "an owner's wish for idle agreements to end ends those in use",
    file: "runner/contributor/idleWatch.ts",
    find: "if (found?.tokens === tokens && found.covered === covered && found.answered === answered)",
    replace: "if (found !== undefined)",
  }),
  onLifecycle("in the middle of a pass", {
    name: "slow-buyer-ended",
    attack: "an owner's wish for idle agreements to end ends one whose pass takes long",
    file: "runner/contributor/idleWatch.ts",
    find: " && found.answered === answered",
    replace: "",
  }),
  onLifecycle(IDLE, {
    name: "unsigned-tokens-ended",
    attack: "tokens served are given up although their receipt may still come",
    file: "runner/contributor/idleWatch.ts",
    find: "covered > 0n && ",
    replace: "",
  }),
  onAdmission(EDGES, {
    name: "deadline-too-near",
    attack: "passes up to the last second, so that nothing can be settled in time",
    file: ADMISSION,
    find: "return deadline - margin;",
    replace: "return deadline - margin + 1n;",
  }),
  onAdmission(EDGES, {
    name: "token-cap-unlimited",
    attack: "more tokens than an agreement sells, to reconstruct the adapter",
    file: ADMISSION,
    find: "if (tokens + passTokens > offer.tokenCap)",
    replace: "if (false)",
  }),
  onAdmission(EDGES, {
    name: "deposit-unlimited",
    attack: "more tokens than the deposit pays for",
    file: ADMISSION,
    find: "if ((tokens + passTokens) * agreement.pricePerToken > agreement.amount)",
    replace: "if (false)",
  }),
  onAdmission(EDGES, {
    name: "closing-served",
    attack: "a buyer closes and goes on asking",
    file: ADMISSION,
    find: 'if (agreement.status !== "open" || agreement.deadline !== request.openedDeadline)',
    replace: "if (false)",
  }),
  onAdmission("what ended without a receipt", {
    name: "late-receipts-uncounted",
    attack:
      "sessions ended unpaid, whose receipts all come when a dearer agreement of the same party is due a little later: that one is settled too late, and refunded",
    file: AGREEMENTS,
    find: "OR (wrong_receipt = 0 AND EXISTS",
    replace: "OR (false AND EXISTS",
  }),
  onAdmission("not for ever", {
    name: "long-over-counted",
    attack: "agreements that a wallet settles: after some hundred of them no pass is served any more",
    file: AGREEMENTS,
    find: "agreement_id <> ? AND deadline >= ? AND (",
    replace: "agreement_id <> ? AND ? > 0 AND (",
  }),
  onAdmission("a proof that took an hour", {
    name: "one-slow-proof-counts",
    attack: "a process stopped while it proves: no pass is served and no offer made from then on",
    file: "runner/contributor/store/proofs.ts",
    find: " OFFSET (SELECT count(*) > 1 FROM last)",
    replace: "",
  }),
  onAdmission("older data folder does not serve again", {
    name: "older-folder-serves",
    attack: "receipts that the chain has paid already, taken by a restored folder",
    file: ADMISSION,
    find: "if (agreement.paid > worth(request))",
    replace: "if (false)",
  }),
  onAdmission("no pass begins", {
    name: "close-window-unchecked",
    attack: "served, signed, closed and refunded before anything is proven",
    file: ADMISSION,
    find: "if (offer.closeWindow < request.closeMargin)",
    replace: "if (false)",
  }),
  onAdmission("an offer leaves time", {
    name: "offer-without-window",
    attack: "an offer with closeWindow 0: served, signed, closed, refunded a block later",
    file: OFFERS,
    find: "if (offer[field] < least)",
    replace: "if (false)",
  }),
  onAdmission("grows with what is settled before", {
    name: "margin-for-one",
    attack: "many agreements with one deadline, more than can be settled before it",
    file: "runner/contributor/session/settlingTime.ts",
    find: "{ agreements: before.length, groups }",
    replace: "{ agreements: 0, groups: 0 }",
  }),
  onAdmission("refused before anything is stored", {
    name: "deadline-unbounded",
    attack: "a deadline of 2^60 stops the service for good",
    file: "runner/contributor/session/openSession.ts",
    find: "if (agreement.deadline > LATEST_DEADLINE)",
    replace: "if (false)",
  }),
  {
    name: "open-before-final",
    attack: "an agreement that is undone after it was served",
    file: "runner/chain/agreements.ts",
    find: 'isLocalChain(ctx.chainId) ? "latest" : "finalized"',
    replace: '"latest"',
    test: "test/contributor/strangers.test.ts",
    pattern: "only a final one tells",
  },
];

const ENDINGS: readonly Mutation[] = [
  onLifecycle("harm only themselves", {
    name: "stored-deadline-unbounded",
    attack: "a deadline of 2^60 stored by an earlier version",
    file: AGREEMENTS,
    find: "  min(deadline, ",
    replace: "  max(deadline, ",
  }),
  onLifecycle("goes on after a failure", {
    name: "loop-ends",
    attack: "one failure ends settling for good",
    file: "runner/contributor/loops.ts",
    find: "await work().catch(onError);",
    replace: "await work().catch((error) => {\n        onError(error);\n        stopped = true;\n      });",
  }),
  onLifecycle("earliest deadline is settled first", {
    name: "settled-in-any-order",
    attack: "agreements with time left keep those without it waiting",
    file: LIFECYCLE,
    find: "    ended.sort((a, b) => Number(a.seen.agreement.deadline - b.seen.agreement.deadline));\n",
    replace: "",
  }),
  onLifecycle("keeps no other from being sent", {
    name: "settled-one-by-one",
    attack: "one transaction that is not mined keeps all others unsettled",
    file: LIFECYCLE,
    find: "    this.#sending.set(agreementId, sent);\n",
    replace: "    this.#sending.set(agreementId, sent);\n    await sent;\n",
  }),
  onLifecycle("clock is ahead", {
    name: "closed-by-machine-clock",
    attack: "a wrong clock gives a receipted agreement up for good",
    file: LIFECYCLE,
    find: "const reason = agreement && whyOver(agreement, time);",
    replace: "const reason = agreement && whyOver(agreement, seen.now);",
  }),
  onLifecycle("is waited out", {
    name: "closed-before-final",
    attack: "a block that is undone gives a receipted agreement up for good",
    file: LIFECYCLE,
    find: "await sessions.watch.final(agreementId);",
    replace: "{ agreement: seen.agreement, time: seen.chainTime };",
  }),
  onLifecycle("last receipt of a buyer who closed", {
    name: "last-receipt-unawaited",
    attack: "tokens served whose receipt comes a moment after proving began",
    file: LIFECYCLE,
    find: "return this.#awaitsReceipt(record, seen);",
    replace: "return false;",
  }),
  onLifecycle("near the deadline", {
    name: "receipt-awaited-too-long",
    attack: "a last receipt that never comes takes the time to prove",
    file: LIFECYCLE,
    find: "return inTime &&",
    replace: "return",
  }),
  onLifecycle("will not settle it", {
    name: "unserved-untold",
    attack: "receipts of adapters that are not served now lapse without a word",
    file: "runner/contributor/background.ts",
    find: "    await lifecycle.tellNotServed();\n",
    replace: "",
  }),
];

const RECEIPTS: readonly Mutation[] = [
  onReceipts("an answer that was wrong", {
    name: "wrong-answer-receipted",
    attack: "a receipt over a wrong answer replaces the one that could be proven",
    file: "runner/contributor/receiptCheck.ts",
    find: "if (yhat !== expected)",
    replace: "if (false)",
  }),
  onReceipts("in one step", {
    name: "refused-in-two-steps",
    attack: "a crash between two writes: served on, and no receipt taken any more",
    file: "runner/contributor/session/acceptReceipts.ts",
    find: "const moved = transaction(this.#options.data.database, () => {",
    replace: "const moved = (<Result>(work: () => Result) => work())(() => {",
  }),
];

const onPasses = tried("test/contributor/passes.test.ts");

const FAILED_PROOF = onLifecycle("a proof that fails keeps", {
  name: "proofs-kept-together",
  attack: "one proof that fails throws away all made before it, again and again",
  file: "runner/contributor/settlement.ts",
  find: "      if (proven.has(group)) continue;\n",
  replace: "",
});

const PROVEN_TWICE: Mutation = {
  name: "proven-by-two-breaks-off",
  attack: "a command that proves beside the running service: one of them breaks off",
  file: "runner/contributor/store/proofs.ts",
  find: "ON CONFLICT DO NOTHING",
  replace: "",
  test: "test/contributor/settlement.test.ts",
  pattern: "at the same time",
};

const onManyCloses = tried("test/contributor/manyCloses.test.ts");

const MEANWHILE: readonly Mutation[] = [
  onManyCloses("no pass begins", {
    name: "closes-counted-singly",
    attack: "one party closes more long agreements at once than can be settled within their closeWindow",
    file: "runner/contributor/session/settlingTime.ts",
    find: "adaptersDueBefore(agreementId, now + closeWindow, now)",
    replace: "adaptersDueBefore(agreementId, now + closeWindow)",
  }),
  onManyCloses("no pass begins", {
    name: "admitted-at-the-same-moment",
    attack: "passes of many agreements asked for at the same moment, each admitted as if it were alone",
    file: "runner/contributor/session/answerPasses.ts",
    find: "      admit();\n      if (begins)",
    replace: "      if (begins)",
  }),
  onPasses("another buyer is answered", {
    name: "long-pass-blocks-others",
    attack: "a buyer with long passes keeps all others waiting",
    file: "runner/contributor/slices.ts",
    find: "    await otherWork();\n",
    replace: "",
  }),
  onPasses("after the end nothing is computed", {
    name: "computed-after-its-end",
    attack:
      "a last pass asked anew once its answers are gone: the transcript of what was sold is overwritten",
    file: "runner/contributor/session/answerPasses.ts",
    find: "    if (missing.length > 0) this.#options.live.requireServing(agreementId);\n",
    replace: "",
  }),
  onPasses("is answered no more", {
    name: "answered-after-its-end",
    attack: "a pass begun just before the deadline's margin is served after it, and never paid",
    file: "runner/contributor/session/answerPasses.ts",
    find: "      sessions.requireServing(agreementId);\n",
    replace: "",
  }),
];

const onUndone = tried("test/contributor/undone.test.ts");

const UNDONE: readonly Mutation[] = [
  onUndone("is served no more", {
    name: "vanished-opening-served",
    attack: "an opening that is undone: served on, with nothing paid in",
    file: LIFECYCLE,
    find: "    if (times < MOST_ABSENT) return;\n",
    replace: "    if (times < Number.POSITIVE_INFINITY) return;\n",
  }),
  onUndone("is served no more", {
    name: "ended-by-one-look",
    attack: "one node that is behind ends every session",
    file: LIFECYCLE,
    find: "const MOST_ABSENT = 2;",
    replace: "const MOST_ABSENT = 1;",
  }),
  onUndone("shows no more is sent again", {
    name: "vanished-settlement-believed",
    attack: "a settlement that is undone counts as paid for ever",
    file: "runner/contributor/review.ts",
    find: 'sessions.agreements.ids(["settled", "closed"], nowSeconds())',
    replace: 'sessions.agreements.ids(["closed"], nowSeconds())',
  }),
  onUndone("one given up", {
    name: "given-up-for-good",
    attack: "one false word of a node, and a receipt is never settled",
    file: "runner/contributor/review.ts",
    find: 'sessions.agreements.ids(["settled", "closed"], nowSeconds())',
    replace: 'sessions.agreements.ids(["settled"], nowSeconds())',
  }),
  onUndone("older than a close could be", {
    name: "old-head-believed",
    attack: "a node that is behind hides a close until its window is over",
    file: "runner/contributor/session/answerPasses.ts",
    find: "BigInt(Math.ceil(maxAgeMs / 1000)) + headAge;",
    replace: "BigInt(Math.ceil(maxAgeMs / 1000)) + 0n * headAge;",
  }),
  onUndone("a time yet to come", {
    name: "future-believed",
    attack: "a node that claims a later time makes receipts lapse",
    file: "runner/contributor/agreementWatch.ts",
    find: "time: isOwn ? claimed : machineNow",
    replace: "time: claimed",
  }),
  onUndone("grow to a minute, and differ", {
    name: "retried-together",
    attack: "all that failed together comes back together, and fails again",
    file: "runner/contributor/retries.ts",
    find: "pauseMs * (0.5 + Math.random())",
    replace: "pauseMs",
  }),
];

const onWithdrawals = tried("test/contributor/withdrawals.test.ts");

const DISK: readonly Mutation[] = [
  {
    name: "new-folder-not-synced",
    attack:
      "a power cut takes the data folder that was just made, with the key that signs for what was paid in",
    file: "runner/storage/files.ts",
    find: "    syncDirectory(path.dirname(made));\n",
    replace: "    void made;\n",
    test: "test/storage/files.test.ts",
    pattern: "does not vanish",
  },
  {
    name: "full-disk-kept-full",
    attack: "a disk that is full for an hour: every write that failed leaves what it got, and it stays full",
    file: "runner/storage/files.ts",
    find: "    // What a full disk took of it would keep the disk full.\n    fs.rmSync(staged, { force: true });\n",
    replace: "",
    test: "test/storage/files.test.ts",
    pattern: "a full disk refuses",
  },
];

const WITHDRAWALS: readonly Mutation[] = [
  onWithdrawals("not before", {
    name: "withdrawn-at-any-amount",
    attack: "dust credited again and again makes the contributor pay more gas than it earns",
    file: "runner/contributor/withdrawals.ts",
    find: "if (earlier === undefined && (await chain.credit(token)) < at) return;",
    replace: "if (earlier === undefined && (await chain.credit(token)) < 1n) return;",
  }),
  onWithdrawals("is replaced by one that pays more", {
    name: "stuck-withdrawal-left",
    attack: "a withdrawal nobody mines blocks every settlement behind it",
    file: "runner/chain/persist.ts",
    find: "if (!isNotMined || times >= MOST_SENT) throw error;",
    replace: "throw error;",
  }),
  onWithdrawals("found when it was mined", {
    name: "withdrawal-forgotten",
    attack: "a withdrawal mined after a crash is sent again",
    file: "runner/contributor/withdrawals.ts",
    find: "        ...(earlier && { earlier }),\n",
    replace: "",
  }),
];

const LIVE_SESSIONS = "runner/contributor/session/liveSessions.ts";
const onLongRunning = tried("test/contributor/longRunning.test.ts");

const LONG_RUNNING: readonly Mutation[] = [
  onLongRunning("only some are in memory", {
    name: "sessions-kept-for-ever",
    attack: "agreements opened and left, until the service has no memory",
    file: LIVE_SESSIONS,
    find: "if (this.#recent.size > MOST_KEPT)",
    replace: "if (false)",
  }),
  onLongRunning("only some are in memory", {
    name: "session-loaded-twice",
    attack: "an older state taken up beside the one a pass is being folded into",
    file: LIVE_SESSIONS,
    find: " ?? this.#inUse.get(agreementId)?.deref()",
    replace: "",
  }),
  onLongRunning("is not kept in memory", {
    name: "what-is-over-kept",
    attack: "settled agreements asked for again and again, until the service has no memory",
    file: LIVE_SESSIONS,
    find: "    if (isOver(record.phase)) return live;\n",
    replace: "",
  }),
  onLongRunning("without reading its sums", {
    name: "what-is-over-read-whole",
    attack:
      "a buyer looks at an agreement that is over, again and again: all others wait while its sums are read",
    file: LIVE_SESSIONS,
    find: "state: isOver(record.phase)",
    replace: "state: record.passes < 0",
  }),
  onLongRunning("cannot be written", {
    name: "log-failure-spreads",
    attack: "a full log partition keeps receipts from being settled",
    file: "runner/contributor/service.ts",
    find: "heardSafely(given.onEvent)",
    replace: "given.onEvent ?? (() => {})",
  }),
];

export const SERVICE_MUTATIONS: readonly Mutation[] = [
  ...LIMITS,
  ...ENDINGS,
  ...RECEIPTS,
  ...MEANWHILE,
  ...UNDONE,
  ...WITHDRAWALS,
  ...DISK,
  FAILED_PROOF,
  PROVEN_TWICE,
  ...LONG_RUNNING,
];
