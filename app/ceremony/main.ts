/** The page: what the ceremony is, one form, and what the worker tells. */
import "../src/noEval.ts";
import { CoordinatorClient, type CoordinatorView } from "../../runner/ceremony/coordinatorClient.ts";
import type { Start, Told } from "./messages.ts";

const element = <Kind extends HTMLElement>(id: string): Kind => document.getElementById(id) as Kind;
const form = element<HTMLFormElement>("form");
const name = element<HTMLInputElement>("name");
const entropy = element<HTMLTextAreaElement>("entropy");
const vouch = element<HTMLInputElement>("vouch");
const start = element<HTMLButtonElement>("start");
const bar = element<HTMLProgressElement>("progress");

const say = (text: string): void => {
  element("state").textContent = text;
};
const complain = (text: string): void => {
  element("error").textContent = text;
};

const url = location.origin;
element("command").textContent = `./deltapay ceremony join ${url} --name NAME`;

/** Asks before the page is left while there is something to lose. */
const hold = (event: BeforeUnloadEvent): void => event.preventDefault();

function showFacts({ parameters, round, waiting, closed }: CoordinatorView): void {
  const facts: [string, string][] = [
    ["Keys", parameters.keys.map(({ size }) => size).join(", ")],
    ["Contributions so far", String(round)],
    ["Waiting", String(waiting)],
    ["Powers of tau", parameters.ptau.name ?? `not public ones, ${parameters.ptau.blake2b}`],
    ["State", closed ? "ended by a beacon" : "open"],
  ];
  element("facts").replaceChildren(
    ...facts.flatMap(([term, text]) => {
      const dt = document.createElement("dt");
      const dd = document.createElement("dd");
      dt.textContent = term;
      dd.textContent = text;
      return [dt, dd];
    }),
  );
  element("vouch-row").hidden = parameters.ptau.name !== null;
  start.disabled = closed;
}

function finish({ round, attestation }: Extract<Told, { kind: "done" }>): void {
  say(`Taken as contribution ${round}. The secret is gone.`);
  element("attestation").textContent = attestation;
  const save = element<HTMLAnchorElement>("save");
  save.href = URL.createObjectURL(new Blob([attestation], { type: "text/plain" }));
  element("done").hidden = false;
}

function hear(told: Told): void {
  bar.hidden = told.kind !== "progress";
  if (told.kind === "waiting")
    say(told.before === 1 ? "One is before you." : `${told.before} are before you.`);
  else if (told.kind === "progress") {
    say(`${told.step}…`);
    bar.value = told.total === 0 ? 1 : told.done / told.total;
  } else if (told.kind === "done") finish(told);
  else {
    say("");
    complain(told.hint === null ? `${told.message}.` : `${told.message}. ${told.hint}.`);
  }
}

function takePart(request: Start): void {
  complain("");
  start.disabled = true;
  addEventListener("beforeunload", hold);
  const worker = new Worker(new URL("./contribute.worker.ts", import.meta.url), { type: "module" });
  const end = (): void => {
    // The worker is all that ever had the secret.
    worker.terminate();
    removeEventListener("beforeunload", hold);
  };
  worker.onmessage = ({ data }: MessageEvent<Told>) => {
    hear(data);
    if (data.kind === "done" || data.kind === "failed") end();
    if (data.kind === "failed") start.disabled = false;
  };
  worker.onerror = ({ message }) => {
    hear({
      kind: "failed",
      code: "internal/error",
      message: message || "the work ended",
      hint: "Reload the page",
    });
    end();
  };
  worker.postMessage(request);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  takePart({ url, name: name.value.trim(), entropy: entropy.value, vouched: vouch.checked });
  entropy.value = "";
});

new CoordinatorClient(url).view().then(showFacts, (error: Error) => complain(`${error.message}.`));
