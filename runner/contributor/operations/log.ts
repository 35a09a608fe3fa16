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

/** A library's error may quote what it was given: of one that is logged as such only the kind is written. */
function kindOnly(given: unknown): unknown {
  if (given instanceof Error) return { err: given.name };
  const err: unknown = typeof given === "object" && given !== null && "err" in given ? given.err : undefined;
  return err instanceof Error ? { ...(given as object), err: err.name } : given;
}

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
      hooks: {
        logMethod(given, method) {
          method.apply(this, given.map(kindOnly) as typeof given);
        },
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

/** A text without addresses: those of nodes carry access keys. Their hosts stay. */
export function withoutAddresses(text: string): string {
  return text.replace(/\b(?:https?|wss?):\/\/[^\s"'<>]+/gi, (address) =>
    URL.canParse(address) ? new URL(address).host : "[address]",
  );
}

/** Writes an event; its fields are the line's, amounts decimal text. */
export function logEvent(log: ServiceLog, event: ContributorEvent): void {
  const fields = JSON.parse(stringifyMessage(event), (name, value: unknown) =>
    name === "message" || name === "hint" ? withoutAddresses(String(value)) : value,
  ) as object;
  log[LEVELS[event.type] ?? "info"](fields);
}
