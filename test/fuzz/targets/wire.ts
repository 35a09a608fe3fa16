/** What comes over the network: bodies of passes, JSON messages, session files, requests to the gateway. */
import type { ZodType } from "zod";
import { parseCompletionRequest } from "../../../runner/gateway/completionRequest.ts";
import { GatewayError } from "../../../runner/gateway/errors.ts";
import { equalBytes } from "../../../runner/protocol/bytes.ts";
import { DeltapayError } from "../../../runner/protocol/errors.ts";
import * as admin from "../../../runner/wire/admin.ts";
import * as messages from "../../../runner/wire/messages.ts";
import { openingSchema } from "../../../runner/wire/opening.ts";
import {
  decodePassAnswer,
  decodePassRequest,
  encodePassAnswer,
  encodePassRequest,
} from "../../../runner/wire/passRequest.ts";
import { parseSession, readSealedSession, sealSession } from "../../../runner/wire/sessionFile.ts";
import { generateJson, mutateJson } from "../mutateJson.ts";
import { bytesOf, type FuzzTarget, promise, textOf } from "../target.ts";
import { LAYOUT } from "./layout.ts";
import { BUNDLE, MESSAGES } from "./messages.ts";

const REQUEST = {
  ...{ modules: [0, 1], passSalt: new Uint8Array(32).fill(5), tokens: 3 },
  X: Int16Array.from({ length: 18 }, (_, i) => 2000 * i - 18_000),
};

const SCHEMAS: Record<string, ZodType> = Object.fromEntries(
  Object.entries({ ...messages, ...admin, openingSchema }).filter(([name]) => name.endsWith("Schema")),
) as Record<string, ZodType>;

const SESSION = {
  ...{ ...BUNDLE, claims: undefined, keySize: 2 },
  modules: [{ name: "layer.q", group: 0 }],
  V: [["1", "2"]],
  witnesses: [{ group: 0, yhat: "5", h: ["1", "2"], s: ["3", "4"], blind: "6" }],
};

const COMPLETION = {
  ...{ model: "kjv", prompt: "In the beginning", max_tokens: 16, temperature: 0.5, top_p: 1, seed: 7 },
  ...{ stop: ["\n"], stream: true, stream_options: { include_usage: true }, echo: false, user: "me" },
};

const jsonBytes = (value: unknown): Uint8Array => bytesOf(JSON.stringify(value));

function parsed(input: Uint8Array): unknown {
  try {
    return JSON.parse(textOf(input));
  } catch {
    throw new DeltapayError("wire/malformed", "the body is not JSON", { field: "body" });
  }
}

/** Every schema on every input: what one refuses may be another's. What is accepted is written as what means the same. */
function readMessages(input: Uint8Array): void {
  const json = parsed(input);
  let refusal: unknown;
  let isMessage = false;
  for (const [name, schema] of Object.entries(SCHEMAS)) {
    try {
      const message = messages.parseMessage(schema, json, name);
      isMessage = true;
      const text = messages.stringifyMessage(message);
      const again = messages.stringifyMessage(messages.parseMessage(schema, JSON.parse(text), name));
      promise(again === text, `${name} is written as another message`);
    } catch (error) {
      if (!(error instanceof DeltapayError)) throw error;
      refusal = error;
    }
  }
  if (!isMessage) throw refusal;
}

export async function targets(): Promise<FuzzTarget[]> {
  const session = parseSession(JSON.stringify(SESSION));
  return [
    {
      name: "pass-request",
      seeds: [
        encodePassRequest(REQUEST),
        encodePassRequest({ ...REQUEST, modules: [2], X: new Int16Array(21) }),
      ],
      mutators: [],
      run: (input) =>
        promise(equalBytes(encodePassRequest(decodePassRequest(LAYOUT, input)), input), "read differently"),
    },
    {
      name: "pass-answer",
      seeds: [encodePassAnswer([new Float64Array(15).fill(-5e9), new Float64Array(12).fill(7)])],
      mutators: [],
      run: (input) => {
        const answer = decodePassAnswer(LAYOUT, REQUEST, input);
        promise(equalBytes(encodePassAnswer(answer), input), "read differently");
      },
    },
    {
      name: "wire-messages",
      seeds: Object.values(MESSAGES).map(jsonBytes),
      mutators: [mutateJson],
      generate: generateJson,
      run: readMessages,
    },
    {
      name: "session-file",
      seeds: [bytesOf(await sealSession(session, "a long passphrase")), jsonBytes(SESSION)],
      mutators: [mutateJson],
      // What seals it is checked by the cipher, what is inside by the second.
      run: (input) => {
        if (textOf(input).includes('"sealed"')) return readSealedSession(textOf(input));
        return parseSession(textOf(input));
      },
    },
    {
      name: "gateway-request",
      seeds: [jsonBytes(COMPLETION), jsonBytes({ model: "base", prompt: ["once"], stop: "." })],
      mutators: [mutateJson],
      generate: generateJson,
      refusals: [GatewayError, DeltapayError],
      run: (input) => parseCompletionRequest(parsed(input)),
    },
  ];
}
