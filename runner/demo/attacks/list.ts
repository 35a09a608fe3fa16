/** Every attack by name, in the order they are shown. */
import type { Attack } from "./attack.ts";
import { cancellingErrors, wrongAnswer } from "./wrongAnswer.ts";

export const ATTACKS: readonly Attack[] = [wrongAnswer, cancellingErrors];
