/** The frame around every page: where one is, on which chain, with which account. */
import { lazy, Suspense, useEffect, useRef } from "react";
import { isLocalChain } from "../../runner/chain/localChain.ts";
import { usePageConfig } from "./chain/ChainProvider.tsx";
import { ChainState } from "./chain/ChainState.tsx";
import { ErrorBoundary } from "./layout/ErrorBoundary.tsx";
import { useNoStrayDrop } from "./layout/useNoStrayDrop.ts";
import { type Route, routeHash } from "./routes.ts";
import { useRoute } from "./useRoute.ts";
import { WalletBar } from "./wallet/WalletBar.tsx";

// Each page is loaded when it is first shown.
const AdaptersPage = lazy(async () => ({
  default: (await import("./adapters/AdaptersPage.tsx")).AdaptersPage,
}));
const AgreementPage = lazy(async () => ({
  default: (await import("./agreement/AgreementPage.tsx")).AgreementPage,
}));
const BuyerPage = lazy(async () => ({ default: (await import("./buyer/BuyerPage.tsx")).BuyerPage }));
const ContributorPage = lazy(async () => ({
  default: (await import("./contributor/ContributorPage.tsx")).ContributorPage,
}));

const PAGES = [
  { page: "adapters", title: "Adapters" },
  { page: "buyer", title: "Buyer" },
  { page: "contributor", title: "Contributor" },
  { page: "agreement", title: "Certificate" },
] as const;

function titleOf(route: Route): string {
  return PAGES.find(({ page }) => page === route.page)?.title ?? "No such page";
}

function Page({ route }: { route: Route }) {
  if (route.page === "adapters") return <AdaptersPage />;
  if (route.page === "buyer") return <BuyerPage />;
  if (route.page === "contributor") return <ContributorPage />;
  if (route.page === "agreement")
    return route.agreementId === undefined ? (
      <AgreementPage />
    ) : (
      <AgreementPage key={route.agreementId} agreementId={route.agreementId} />
    );
  return (
    <p>
      There is no such page. <a href={routeHash({ page: "adapters" })}>Go to the adapters</a>.
    </p>
  );
}

export function App() {
  const route = useRoute();
  useNoStrayDrop();
  const main = useRef<HTMLElement>(null);
  const title = titleOf(route);
  const shown = useRef(route.page);
  useEffect(() => {
    document.title = `${title} – deltapay`;
    // A reader of the screen hears where a link led, but is not moved when the page first loads.
    if (shown.current !== route.page) main.current?.focus();
    shown.current = route.page;
  }, [title, route.page]);
  return (
    <>
      <button type="button" className="skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <header>
        <div className="top">
          <span className="brand">deltapay</span>
          <nav aria-label="Pages">
            {PAGES.map(({ page, title: name }) => (
              <a
                key={page}
                href={routeHash({ page })}
                aria-current={route.page === page ? "page" : undefined}
              >
                {name}
              </a>
            ))}
          </nav>
          <WalletBar />
        </div>
        <LocalChainNote />
      </header>
      <main id="main" ref={main} tabIndex={-1}>
        <h1>{title}</h1>
        <ChainState />
        <ErrorBoundary key={route.page}>
          <Suspense fallback={<p role="status">Loading…</p>}>
            <Page route={route} />
          </Suspense>
        </ErrorBoundary>
      </main>
    </>
  );
}

function LocalChainNote() {
  const { chainId } = usePageConfig();
  if (!isLocalChain(chainId)) return null;
  return <p className="chain-note">Local chain {chainId}: money here is worth nothing.</p>;
}
