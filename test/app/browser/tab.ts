/** A page in a real Chromium: what is asked of it, and everything it did that it must not do. */
import assert from "node:assert/strict";
import axe from "axe-core";
import type { BrowserContext, Page } from "playwright-core";

/** What keeps a headless Chromium quiet: no update, no telemetry, no sandbox where it runs as root. */
export const ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Milliseconds to wait for what the page shows. */
export const PATIENCE = 45_000;

/** An open page and what it did wrong so far. */
export class Tab {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly problems: string[] = [];
  /** Console errors that a test expects. */
  readonly expected: RegExp[] = [];

  constructor(page: Page, context: BrowserContext, allowed: ReadonlySet<string>) {
    this.page = page;
    this.context = context;
    page.on("pageerror", (error) => this.#problem(`error: ${error.message}`));
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning")
        this.#problem(`${message.type()}: ${message.text()}`);
    });
    page.on("request", (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol !== "data:" && protocol !== "blob:" && !allowed.has(origin))
        this.#problem(`request to ${request.url()}`);
    });
  }

  #problem(text: string): void {
    this.problems.push(text);
  }

  /** No error, no warning, no violation of the policy, no request to anywhere else. */
  assertQuiet(): void {
    const wrong = this.problems.filter((text) => !this.expected.some((pattern) => pattern.test(text)));
    assert.deepEqual(wrong, []);
  }

  /** Nothing that a rule of accessibility forbids, and nothing wider than the window. */
  async assertAccessible(): Promise<void> {
    // Not by a script element: the policy allows none, and must not be loosened for the test.
    await this.page.evaluate(axe.source);
    const violations = await this.page.evaluate(async () => {
      const { violations: found } = await (window as unknown as { axe: typeof axe }).axe.run(document, {
        resultTypes: ["violations"],
      });
      return found.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html).join(" ")}`);
    });
    assert.deepEqual(violations, []);
    const [wide, window_] = await this.page.evaluate(() => [
      document.documentElement.scrollWidth,
      document.documentElement.clientWidth,
    ]);
    assert.ok(wide! <= window_!, `the page is ${wide} px wide in a window of ${window_}`);
  }

  /** Connects the wallet. */
  async connect(): Promise<void> {
    await this.page.getByRole("button", { name: /^Connect / }).click();
  }

  /** Waits until the page shows a text somewhere a person can see it. */
  async shows(text: string | RegExp, timeout = PATIENCE): Promise<void> {
    await this.page.getByText(text).filter({ visible: true }).first().waitFor({ timeout });
  }
}
