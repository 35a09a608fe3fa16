import "../noEval.ts";
import { RELEASE_KEYS } from "virtual:deltapay-release";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import { openSession } from "../../../runner/wire/sessionFile.ts";
import { answerOnce } from "./answerOnce.ts";
import type { ProveProgress, ProveRequest } from "./proveInWorker.ts";
import { proveSession } from "./proveSession.ts";

answerOnce<ProveRequest, ProofBundle, ProveProgress>(async ({ text, passphrase, files }, progress) => {
  const session = await openSession(text, passphrase, (done) =>
    progress({ step: "unlocking", done, total: 1 }),
  );
  progress({ step: "proving", done: 0, total: session.V.length });
  return proveSession(session, files, RELEASE_KEYS, ({ modules, ms }, done, total) =>
    progress({ step: "proving", done, total, modules, ms }),
  );
});
