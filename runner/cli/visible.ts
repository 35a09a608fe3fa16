/** Text that others had a hand in, fit for a terminal. */

/** Controls and marks of direction, but for ends of lines and tabs. */
const UNSEEN = /(?![\n\t])[\p{Cc}\p{Cf}]/gu;

/** The text with what would steer a terminal, or hide in it, shown as U+FFFD. */
export function visible(text: string): string {
  return text.replace(UNSEEN, "\uFFFD");
}
