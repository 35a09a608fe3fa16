/** Text of others in a page: names of modules and models are whatever a contributor registered. */

const ENTITIES: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Characters that change how a line reads without being seen: controls, and marks of direction. */
const UNSEEN = /[\p{Cc}\p{Cf}]/gu;

/** Markup of any text, safe within elements and quoted attributes. */
export function escaped(text: unknown): string {
  return String(text)
    .replace(UNSEEN, "\uFFFD")
    .replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** A text cut to `most` characters. */
export function short(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join("")}…`;
}
