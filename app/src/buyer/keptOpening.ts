/** The opening a person is at, kept in the browser: with the same nonce it cannot be paid twice, whatever is reloaded. */
import { parseMessage, stringifyMessage } from "../../../runner/wire/messages.ts";
import { openingSchema, type PreparedOpening } from "../../../runner/wire/opening.ts";

const PREFIX = "deltapay:opening:";

type OpeningStorage = Pick<Storage, "getItem" | "setItem" | "removeItem">;

export function keepOpening(storage: OpeningStorage, scope: string, opening: PreparedOpening): void {
  storage.setItem(PREFIX + scope, stringifyMessage(opening));
}

/** Undefined when there is none, or none that can be read. */
export function keptOpening(storage: OpeningStorage, scope: string): PreparedOpening | undefined {
  try {
    return parseMessage(openingSchema, JSON.parse(storage.getItem(PREFIX + scope) ?? "null"), "opening");
  } catch {
    return undefined;
  }
}

export function forgetOpening(storage: OpeningStorage, scope: string): void {
  storage.removeItem(PREFIX + scope);
}

/** The opening in a page's address, `#/buyer?opening=…` with its JSON in base64url; undefined when there is none. */
export function openingText(hash: string): string | undefined {
  const encoded = new URLSearchParams(hash.split("?", 2)[1] ?? "").get("opening");
  if (encoded === null) return undefined;
  try {
    const bytes = Uint8Array.from(atob(encoded.replaceAll("-", "+").replaceAll("_", "/")), (character) =>
      character.charCodeAt(0),
    );
    return new TextDecoder().decode(bytes);
  } catch {
    return "";
  }
}
