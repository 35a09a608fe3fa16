import "./noEval.ts";
import "./styles.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Start } from "./Start.tsx";

createRoot(document.getElementById("root")!).render(
  <StrictMode>
    <Start />
  </StrictMode>,
);
