import "../noEval.ts";
import { RELEASE_KEYS } from "virtual:deltapay-release";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import { openSession } from "../../../runner/wire/sessionFile.ts";
import { answerOnce } from "./answerOnce.ts";
import type { ProveProgress, ProveRequest } from "./proveInWorker.ts";
import { proveSession } from "./proveSession.ts";
import { fetchProvingFiles } from "./provingFiles.ts";
import { requireReleaseKey } from "./releaseKey.ts";

answerOnce<ProveRequest, ProofBundle, ProveProgress>(async ({ text, passphrase, files }, progress) => {
  const session = await openSession(text, passphrase, (done) =>
    progress({ step: "unlocking", done, total: 1 }),
  );
  const total = session.V.length;
  progress({ step: "fetching", done: 0, total });
  const key = requireReleaseKey(RELEASE_KEYS, session.vkHash);
  const proving = files ?? (await fetchProvingFiles(key.size));
  progress({ step: "proving", done: 0, total });
  return proveSession(session, proving, RELEASE_KEYS, ({ modules, ms }, done) =>
    progress({ step: "proving", done, total, modules, ms }),
  );
});
