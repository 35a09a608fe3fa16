/** The token of the contributor's own service: kept for the life of the tab, never in an address or on disk. */

const KEY = "deltapay:admin-token";

export function keepToken(token: string): void {
  window.sessionStorage.setItem(KEY, token);
}

/** The token this tab was opened with. */
export function storedToken(): string | undefined {
  return window.sessionStorage.getItem(KEY) ?? undefined;
}
