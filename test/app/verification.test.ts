import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { generatePrivateKey, privateKeyToAccount } from "viem/accounts";
import { releaseKeys } from "../../app/releaseKeys.ts";
import { parseBundle } from "../../app/src/verification/bundleFile.ts";
import {
  checkBundle,
  type GroupVerdict,
  type VerificationContext,
} from "../../app/src/verification/checkBundle.ts";
import { requireReleaseKey } from "../../app/src/verification/releaseKey.ts";
import { wordsBytes } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { Q } from "../../runner/protocol/field.ts";
import { statementsHash, typedData } from "../../runner/protocol/typedData.ts";
import { type ProofBundle, stringifyMessage } from "../../runner/wire/messages.ts";
import { type MadeBundle, madeBundle } from "./bundle.ts";

const release = releaseKeys();
const signer = privateKeyToAccount(generatePrivateKey());
let made: MadeBundle;
let context: VerificationContext;
before(async () => {
  made = await madeBundle(signer, 3);
  context = made.context;
});
after(async () => (await loadCurve()).terminate());

const changed = (change: (bundle: ProofBundle) => void): ProofBundle => {
  const copy = structuredClone(made.bundle);
  change(copy);
  return copy;
};

/** Signed again by the agreement's signer: the statements are what is wrong. */
async function signedAgain(bundle: ProofBundle): Promise<ProofBundle> {
  const signature = await signer.signTypedData(typedData(context.domain, "Receipt", bundle.receipt));
  return { ...bundle, signature };
}

const refused = (bundle: ProofBundle, code: string, field: string): Promise<void> =>
  assert.rejects(checkBundle(bundle, context, release), { code, field });

/** On B's curve y^2 = x^3 + 3/(9+u), at x = 1, which is not of order p. In EIP-197 order. */
const OUTSIDE_SUBGROUP = [
  0n,
  1n,
  0xd1271953ed9ea0836846e70a1934187998c7f790cb4d7511b7f8da82de048a4n,
  0x2869111d5381f072f8e2728fdb825a51aadd70e52c9830e9ab4b871c0531f1bbn,
] as const;

const states = (groups: readonly GroupVerdict[]): string[] => groups.map(({ status }) => status);

test("every proof of a bundle is checked by itself, and its modules are named as it is done", async () => {
  const heard: [string[], number, number][] = [];
  const verdict = await checkBundle(made.bundle, context, release, ({ modules }, done, total) =>
    heard.push([modules, done, total]),
  );
  assert.deepEqual(states(verdict.groups), ["proven", "proven", "proven"]);
  assert.equal(verdict.complete, true);
  assert.deepEqual(heard, [
    [["layer.q", "layer.k"], 1, 3],
    [["layer.v"], 2, 3],
    [["layer.o"], 3, 3],
  ]);
});

test("a bundle read from its file is the bundle", async () => {
  const read = parseBundle(stringifyMessage(made.bundle, 2));
  assert.deepEqual(read, made.bundle);
  assert.equal((await checkBundle(read, context, release)).complete, true);
});

for (const [what, change] of [
  ["a changed proof", (bundle: ProofBundle) => bundle.claims[1]!.c.reverse()],
  [
    "the proof of another group",
    (bundle: ProofBundle) => Object.assign(bundle.claims[1]!, { ...bundle.claims[0]!, group: 1 }),
  ],
  [
    "a coordinate one too large",
    (bundle: ProofBundle) => {
      bundle.claims[1]!.a[0] += 1n;
    },
  ],
  [
    "a coordinate written with q added",
    (bundle: ProofBundle) => {
      bundle.claims[1]!.a[0] += Q;
    },
  ],
  [
    "a point at infinity",
    (bundle: ProofBundle) => {
      bundle.claims[1]!.c = [0n, 0n];
    },
  ],
  [
    "a negated point",
    (bundle: ProofBundle) => {
      bundle.claims[1]!.a[1] = Q - bundle.claims[1]!.a[1];
    },
  ],
] as const)
  test(`${what} fails its group alone, with the reason`, async () => {
    const verdict = await checkBundle(changed(change as (bundle: ProofBundle) => void), context, release);
    assert.deepEqual(states(verdict.groups), ["proven", "failed", "proven"]);
    assert.deepEqual(verdict.groups[1]!.modules, ["layer.v"]);
    assert.match(verdict.groups[1]!.failure!.code, /^(proof|point)\//);
    assert.equal(verdict.complete, false);
  });

test("a point on B's curve that has another order is refused", async () => {
  const verdict = await checkBundle(
    changed(({ claims }) => Object.assign(claims[0]!, { b: OUTSIDE_SUBGROUP })),
    context,
    release,
  );
  assert.deepEqual(states(verdict.groups), ["failed", "proven", "proven"]);
  assert.deepEqual(
    [verdict.groups[0]!.failure!.code, verdict.groups[0]!.failure!.field],
    ["point/off-curve", "b"],
  );
});

test("a missing proof is said to be missing", async () => {
  const verdict = await checkBundle(
    changed(({ claims }) => claims.splice(1, 1)),
    context,
    release,
  );
  assert.deepEqual(states(verdict.groups), ["proven", "missing", "proven"]);
  assert.equal(verdict.complete, false);
});

test("a bundle of something else is refused by what is else", async () => {
  const other = `0x${"12".repeat(32)}` as const;
  await refused(
    changed((bundle) => {
      bundle.chainId = 1n;
    }),
    "bundle/other-chain",
    "bundle.chainId",
  );
  await refused(
    changed((bundle) => {
      bundle.escrow = `0x${"12".repeat(20)}`;
    }),
    "bundle/other-escrow",
    "bundle.escrow",
  );
  await refused(
    changed((bundle) => {
      bundle.agreementId = other;
    }),
    "bundle/other-agreement",
    "bundle.agreementId",
  );
  await refused(
    changed((bundle) => {
      bundle.receipt.agreementId = other;
    }),
    "bundle/other-agreement",
    "bundle.receipt.agreementId",
  );
  await refused(
    changed((bundle) => {
      bundle.vkHash = release[1]!.vkHash;
    }),
    "bundle/other-key",
    "bundle.vkHash",
  );
  await assert.rejects(
    checkBundle(
      changed((bundle) => {
        bundle.vkHash = other;
      }),
      { ...context, vkHash: other },
      release,
    ),
    { code: "key/not-of-release" },
  );
});

test("a receipt for more tokens than were signed is refused", async () => {
  await refused(
    changed(({ receipt }) => {
      receipt.tokens += 1n;
    }),
    "signature/wrong-signer",
    "signature",
  );
});

test("a receipt without a pass is refused, signed or not", async () => {
  await refused(
    await signedAgain(
      changed(({ receipt }) => {
        receipt.passes = 0n;
      }),
    ),
    "bundle/empty-receipt",
    "bundle.receipt.passes",
  );
});

test("a statement the buyer did not sign is refused", async () => {
  await refused(
    changed(({ V }) => {
      V[1] = V[0]!;
    }),
    "bundle/wrong-statements-hash",
    "bundle.V",
  );
  await refused(
    changed(({ V }) => V.pop()),
    "bundle/wrong-statement-count",
    "bundle.V",
  );
});

test("a statement that was signed but not proven fails its group", async () => {
  const bundle = changed(({ V, receipt }) => {
    V[1] = V[0]!;
    receipt.statementsHash = statementsHash(V.map(wordsBytes));
  });
  const verdict = await checkBundle(await signedAgain(bundle), context, release);
  assert.deepEqual(states(verdict.groups), ["proven", "failed", "proven"]);
});

test("groups twice, out of order or beyond the adapter are refused", async () => {
  await refused(
    changed(({ claims }) => claims.splice(1, 1, { ...claims[0]! })),
    "bundle/groups-not-increasing",
    "bundle.claims.1.group",
  );
  await refused(
    changed(({ claims }) => {
      claims[2]!.group = 3;
    }),
    "bundle/group-out-of-range",
    "bundle.claims.2.group",
  );
});

test("a file that was tampered with is refused by its field", () => {
  const tampered = (change: (json: Record<string, unknown>) => void, field: string): void => {
    const json = JSON.parse(stringifyMessage(made.bundle)) as Record<string, unknown>;
    change(json);
    assert.throws(() => parseBundle(JSON.stringify(json)), { code: "wire/malformed", field });
  };
  assert.throws(() => parseBundle("not json"), { code: "wire/malformed", field: "bundle" });
  tampered((json) => {
    json["note"] = "hello";
  }, "bundle");
  tampered((json) => {
    delete json["signature"];
  }, "bundle.signature");
  tampered((json) => {
    (json["receipt"] as Record<string, unknown>)["tokens"] = 5;
  }, "bundle.receipt.tokens");
  tampered((json) => {
    (json["claims"] as { a: string[] }[])[2]!.a[0] = "0x12";
  }, "bundle.claims.2.a.0");
  tampered((json) => {
    (json["V"] as string[][])[0]!.push("1");
  }, "bundle.V.0");
});

test("the page's keys are those that are pinned, and a damaged one is not used", () => {
  assert.equal(release.length, 10);
  for (const key of release) assert.equal(requireReleaseKey(release, key.vkHash).vk.size, key.size);
  const [first] = release;
  const damaged = { ...first!, points: { ...first!.points, delta2: first!.points.gamma2 } };
  assert.throws(() => requireReleaseKey([damaged], first!.vkHash), { code: "key/not-pinned" });
});
