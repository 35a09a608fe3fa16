import assert from "node:assert/strict";
import * as fs from "node:fs";
import { after, test } from "node:test";
import { releaseKeys } from "../../app/releaseKeys.ts";
import { checkBundle } from "../../app/src/verification/checkBundle.ts";
import { type ProvingFiles, proveSession } from "../../app/src/verification/proveSession.ts";
import { loadServedAdapter } from "../../runner/contributor/adapters.ts";
import { exportSession } from "../../runner/contributor/exportSession.ts";
import { AgreementStore } from "../../runner/contributor/store/agreements.ts";
import { ensureKey } from "../../runner/keys/load.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";
import { loadCurve } from "../../runner/protocol/curve.ts";
import { stringifyMessage } from "../../runner/wire/messages.ts";
import { openSession, type ProvableSession, sealSession } from "../../runner/wire/sessionFile.ts";
import { DOMAIN } from "../contributor/memoryChain.ts";
import { type Served, served } from "../contributor/setting.ts";

after(async () => (await loadCurve()).terminate());

const PASSPHRASE = "correct horse battery";
const release = releaseKeys();

async function provingFiles(): Promise<ProvingFiles> {
  const { zkey, wasm } = await ensureKey(14);
  const read = (file: string): Uint8Array => new Uint8Array(fs.readFileSync(file));
  return { zkey: read(zkey), wasm: read(wasm) };
}

const exported = ({ data, adapterId }: Served, agreementId: Hex): ProvableSession =>
  exportSession(data, DOMAIN, loadServedAdapter(data, adapterId), agreementId);

/** Every scalar of the session's witnesses that is long enough to be found by its digits. */
const scalars = ({ witnesses }: ProvableSession): string[] =>
  witnesses
    .flatMap(({ yhat, h, s, blind }) => [yhat, ...h, ...s, blind])
    .map(String)
    .filter((text) => text.length > 10);

const contributor = await served({ after });
const buyer = await contributor.buyer();
await buyer.open();
await buyer.pass(3);
await buyer.pay();
assert.throws(() => exported(contributor, buyer.agreementId), { code: "session/still-serving" });
await buyer.end();
const session = exported(contributor, buyer.agreementId);
const text = await sealSession(session, PASSPHRASE);

test("a session is exported, proven elsewhere, and its bundle holds", async () => {
  assert.equal(new AgreementStore(contributor.data.database).get(buyer.agreementId).phase, "proving");
  assert.match(text, /"warning": "SECRET/);
  const opened = await openSession(text, PASSPHRASE);
  assert.deepEqual(opened, session);

  const heard: string[][] = [];
  const bundle = await proveSession(opened, await provingFiles(), release, ({ modules }) =>
    heard.push(modules),
  );
  assert.deepEqual(heard, [["layer.q", "layer.k"], ["layer.v"]]);
  const verdict = await checkBundle(
    bundle,
    {
      domain: DOMAIN,
      agreementId: buyer.agreementId,
      signer: buyer.signer.address,
      vkHash: session.vkHash,
      groups: 2,
      modules: session.modules,
    },
    release,
  );
  assert.equal(verdict.complete, true);

  const secret = scalars(session);
  assert.equal(secret.length, 2 * (7 + 2), "seven slots of two kinds, yhat and blind of two groups");
  const leaving = stringifyMessage(bundle);
  for (const scalar of secret) assert.ok(!text.includes(scalar) && !leaving.includes(scalar));
  assert.deepEqual(Object.keys(bundle).sort(), [
    "V",
    "agreementId",
    "chainId",
    "claims",
    "escrow",
    "protocol",
    "receipt",
    "signature",
    "vkHash",
  ]);
});

test("a file that was changed, cut or locked otherwise does not open", async () => {
  await assert.rejects(sealSession(session, "short"), { code: "session-file/short-passphrase" });
  await assert.rejects(openSession(text, `${PASSPHRASE} `), { code: "session-file/wrong-passphrase" });
  const json = JSON.parse(text) as Record<string, unknown> & { sealed: string; kdf: Record<string, unknown> };
  const flipped = json.sealed.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
  await assert.rejects(openSession(JSON.stringify({ ...json, sealed: flipped }), PASSPHRASE), {
    code: "session-file/wrong-passphrase",
  });
  const refused = (change: object, field: string): Promise<void> =>
    assert.rejects(openSession(JSON.stringify({ ...json, ...change }), PASSPHRASE), {
      code: "wire/malformed",
      field,
    });
  // A file must not choose how much memory unlocking it takes.
  await refused({ kdf: { ...json.kdf, N: 2 ** 30 } }, "session.kdf.N");
  await refused({ sealed: "0x" }, "session.sealed");
  for (const text of ["{", "{}", "null", JSON.stringify({ ...json, format: "deltapay/2/session" })])
    await assert.rejects(openSession(text, PASSPHRASE), { code: "session-file/malformed" });
});

test("witnesses that do not fit their statements make no proof", async () => {
  const files = await provingFiles();
  const swapped = { ...session, V: [...session.V].reverse() };
  await assert.rejects(proveSession(swapped, files, release), { code: "prover/other-statement" });
  const wrong = structuredClone(session);
  wrong.witnesses[0]!.yhat += 1n;
  await assert.rejects(proveSession(wrong, files, release), (error: Error & { code: string }) => {
    assert.equal(error.code, "prover/no-witness");
    for (const scalar of scalars(session))
      assert.ok(!`${error.stack}${String(error.cause)}`.includes(scalar));
    return true;
  });
  const missing = { ...session, witnesses: session.witnesses.slice(1) };
  const resealed = await sealSession(missing, PASSPHRASE);
  await assert.rejects(openSession(resealed, PASSPHRASE), { code: "session-file/malformed" });
});

test("a key that is not the release's proves nothing", async () => {
  const files = await provingFiles();
  const refused = (changed: Partial<ProvingFiles>, field: string): Promise<void> =>
    assert.rejects(proveSession(session, { ...files, ...changed }, release), {
      code: "key/not-pinned",
      field,
    });
  await refused({ zkey: files.zkey.with(files.zkey.length - 1, 0xff) }, "key.zkey");
  await refused({ wasm: files.wasm.with(100, files.wasm[100]! ^ 1) }, "lora_statement.wasm");
});
