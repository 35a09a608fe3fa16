import "./noEval.ts";
import "./styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Start } from "./Start.tsx";
import { withoutToken } from "./useRoute.ts";

// Before anything is fetched or shown, and also when the page cannot start.
withoutToken();

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Start />
  </StrictMode>,
);
