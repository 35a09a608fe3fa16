/** The service's log: one JSON object a line, made of typed events that hold no secret; names of secrets are blanked besides. */
import { type DestinationStream, type Level, type Logger, pino } from "pino";
import { stringifyMessage } from "../../wire/messages.ts";
import type { ContributorEvent } from "../events.ts";

/** Fields that must never be written, wherever a mistake would put them. */
const SECRET_NAMES = [
  "authorization",
  "Authorization",
  "blinds",
  "key",
  "passphrase",
  "passSalt",
  "password",
  "privateKey",
  "salt",
  "scales",
  "scaleSalt",
  "secret",
  "seed",
  "sessionToken",
  "weights",
  "witness",
  "Aq",
  "Bq",
  "X",
  "Y",
];

export type ServiceLog = Logger;

/** A log that writes to `destination`, from `level` on. */
export function serviceLog(destination: DestinationStream, level: Level = "info"): ServiceLog {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`, `*.*.*.${name}`]),
        censor: "[secret]",
      },
      // A library's error may quote what it was given; ours never does.
      serializers: {
        err: (error: unknown) => ({ name: error instanceof Error ? error.name : typeof error }),
      },
    },
    destination,
  );
}

const LEVELS: Partial<Record<ContributorEvent["type"], Level>> = {
  failed: "error",
  "not-settled-here": "error",
  "receipt-refused": "warn",
  reopened: "warn",
  leakage: "warn",
};

/** Writes an event; its fields are the line's, amounts decimal text. */
export function logEvent(log: ServiceLog, event: ContributorEvent): void {
  const fields = JSON.parse(stringifyMessage(event)) as object;
  log[LEVELS[event.type] ?? "info"](fields);
}
