/** Every attack by name, in the order they are shown. */
import type { Attack } from "./attack.ts";
import { badActivations } from "./badActivations.ts";
import { badAnswers, wrongScales } from "./badAnswers.ts";
import { forgedReceipt, inflatedTokens, otherHead } from "./forgedReceipts.ts";
import { guessedActivations } from "./guessedActivations.ts";
import { neverServes } from "./neverServes.ts";
import { oldReceipt, twoReceipts } from "./oldReceipts.ts";
import { otherAdaptersProof, replayedProof, weightsSwapped } from "./otherProofs.ts";
import { stolenSession } from "./stolenSession.ts";
import { droppedPass, receiptsDenied, repeatedPass } from "./unpaidPasses.ts";
import { witnessInBundle } from "./witnessInBundle.ts";
import { cancellingErrors, wrongAnswer } from "./wrongAnswer.ts";

export const ATTACKS: readonly Attack[] = [
  wrongAnswer,
  cancellingErrors,
  weightsSwapped,
  otherAdaptersProof,
  replayedProof,
  forgedReceipt,
  inflatedTokens,
  otherHead,
  oldReceipt,
  twoReceipts,
  receiptsDenied,
  repeatedPass,
  droppedPass,
  neverServes,
  witnessInBundle,
  guessedActivations,
  badActivations,
  badAnswers,
  wrongScales,
  stolenSession,
];
