/** Every attack by name, in the order they are shown. */
import type { Attack } from "./attack.ts";
import { badActivations } from "./badActivations.ts";
import { badAnswers, wrongScales } from "./badAnswers.ts";
import { contributionBeforeMove, keyOfInfinities } from "./ceremony.ts";
import { cancellingProofs, claimTwice } from "./claims.ts";
import { refundEarly, settleLate } from "./deadlines.ts";
import { devKeyElsewhere } from "./devKey.ts";
import { contributorMismatch, groupsMismatch, keyMismatch } from "./disagreement.ts";
import { refundTwice, releaseThenSettle, settleTwice } from "./endings.ts";
import { foreignSlots, hiddenDelta } from "./forgedCommitments.ts";
import { forgedReceipt, inflatedTokens, otherHead } from "./forgedReceipts.ts";
import { guessedActivations } from "./guessedActivations.ts";
import { malformedPoints } from "./malformedPoints.ts";
import { neverServes } from "./neverServes.ts";
import { resignedOffer, termsChanged } from "./offerTerms.ts";
import { oldReceipt, twoReceipts } from "./oldReceipts.ts";
import { otherAdaptersProof, replayedProof, weightsSwapped } from "./otherProofs.ts";
import { revertingReceiver, strangerSettles } from "./payouts.ts";
import { ownKeyVerifier, proxyVerifier, trueVerifier } from "./rogueVerifiers.ts";
import { foreignRecord, manifestSwapped } from "./serviceLies.ts";
import { stolenSession } from "./stolenSession.ts";
import { droppedPass, receiptsDenied, repeatedPass } from "./unpaidPasses.ts";
import { cancelledOffer, exhaustedOffer } from "./usedUpOffers.ts";
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
  hiddenDelta,
  foreignSlots,
  keyOfInfinities,
  contributionBeforeMove,
  trueVerifier,
  proxyVerifier,
  ownKeyVerifier,
  groupsMismatch,
  keyMismatch,
  contributorMismatch,
  manifestSwapped,
  foreignRecord,
  devKeyElsewhere,
  termsChanged,
  resignedOffer,
  cancelledOffer,
  exhaustedOffer,
  claimTwice,
  cancellingProofs,
  malformedPoints,
  settleLate,
  settleTwice,
  releaseThenSettle,
  refundEarly,
  refundTwice,
  revertingReceiver,
  strangerSettles,
];
