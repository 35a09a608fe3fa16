import "../noEval.ts";
import { RELEASE_KEYS } from "virtual:deltapay-release";
import { answerOnce } from "./answerOnce.ts";
import { parseBundle } from "./bundleFile.ts";
import { type BundleVerdict, checkBundle, type OnGroup } from "./checkBundle.ts";
import type { VerifyRequest } from "./verifyBundle.ts";

answerOnce<VerifyRequest, BundleVerdict, Parameters<OnGroup>>(async ({ bundle, context }, progress) =>
  checkBundle(
    typeof bundle === "string" ? parseBundle(bundle) : bundle,
    context,
    RELEASE_KEYS,
    (...verdict) => progress(verdict),
  ),
);
