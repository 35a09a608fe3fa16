/** Comparing decoded values field by field. */

function text(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => (typeof part === "bigint" ? part.toString() : part));
}

/** The first field of `expected` that `found` has otherwise, with both values; undefined when there is none. */
export function difference(expected: object, found: object): string | undefined {
  for (const [name, value] of Object.entries(expected)) {
    const other = (found as Record<string, unknown>)[name];
    if (text(value) !== text(other))
      return `${name} is ${text(value)} in the first, ${text(other)} in the second`;
  }
  return undefined;
}
