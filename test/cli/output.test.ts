import assert from "node:assert/strict";
import { test } from "node:test";
import { printError } from "../../runner/cli/failure.ts";
import { Output } from "../../runner/cli/output.ts";
import { DeltapayError } from "../../runner/protocol/errors.ts";
import { parseMessage, serviceSchema } from "../../runner/wire/messages.ts";

/** What `work` writes on stderr, or on another stream. */
function written(work: () => void, stream: NodeJS.WriteStream = process.stderr): string {
  const { write } = stream;
  let text = "";
  stream.write = (piece: string | Uint8Array): boolean => {
    text += piece;
    return true;
  };
  try {
    work();
  } finally {
    stream.write = write;
  }
  return text;
}

const CLEAR = "\u001b[2J\u009b1m\u202e";

test("a contributor's URL, names and fields cannot steer the terminal of who reads of them", () => {
  assert.equal(
    written(() => new Output({}).warn(`it serves at http://127.0.0.1/${CLEAR}\n\tnow`)),
    "warning: it serves at http://127.0.0.1/\ufffd[2J\ufffd1m\ufffd\n\tnow\n",
  );
  let refusal: unknown;
  try {
    parseMessage(serviceSchema.pick({ chainId: true }), { chainId: "1", [CLEAR]: 1 }, "service");
  } catch (error) {
    refusal = error;
  }
  assert.ok(refusal instanceof DeltapayError && refusal.message.includes(CLEAR));
  const shown = written(() => printError(refusal, false));
  assert.match(
    shown,
    /^error: .*\ufffd\[2J\ufffd1m\ufffd.*\n {2}field: service\n {2}code: wire\/malformed\n$/,
  );
});

test("a result cannot steer a terminal either, and is left as it is for a file", () => {
  const { stdout } = process;
  const { isTTY } = stdout;
  const shown = (terminal: boolean): string => {
    stdout.isTTY = terminal;
    return written(() => new Output({}).result({}, () => [`${CLEAR} 3 TOKEN`]), stdout);
  };
  try {
    assert.equal(shown(true), "\ufffd[2J\ufffd1m\ufffd 3 TOKEN\n");
    assert.equal(shown(false), `${CLEAR} 3 TOKEN\n`);
  } finally {
    stdout.isTTY = isTTY;
  }
});
