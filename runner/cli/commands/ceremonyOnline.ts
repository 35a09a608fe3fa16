/** `deltapay ceremony serve` and `join`: a ceremony over HTTP. */
import type { Command } from "commander";

export function registerCoordinator(_ceremony: Command): void {}
