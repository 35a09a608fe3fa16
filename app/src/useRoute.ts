/** The page the address names, kept up to date. */
import { useEffect, useState, useSyncExternalStore } from "react";
import { takeToken } from "../../runner/wire/admin.ts";
import { parseRoute, type Route } from "./routes.ts";
import { keepToken } from "./service/token.ts";

function subscribe(onChange: () => void): () => void {
  window.addEventListener("hashchange", onChange);
  return () => window.removeEventListener("hashchange", onChange);
}

/** Takes a service's token out of the address. */
export function withoutToken(): string {
  const { token, fragment } = takeToken(window.location.hash);
  if (token === undefined) return window.location.hash;
  keepToken(token);
  window.history.replaceState(null, "", fragment);
  return fragment;
}

export function useRoute(): Route {
  // Once before the first look, and again for an address pasted into an open page.
  const [first] = useState(withoutToken);
  useEffect(() => subscribe(() => void withoutToken()), []);
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return parseRoute(hash === "" ? first : hash);
}
