/** A Hardhat node as a child process: a chain for trying things out, gone when it stops. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DeltapayError } from "../protocol/errors.ts";
import { connectChain } from "./connect.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const HARDHAT = fileURLToPath(new URL("../../node_modules/hardhat/dist/src/cli.js", import.meta.url));
const END_WITH_PARENT = new URL("endWithParent.ts", import.meta.url).href;
const HOST = "127.0.0.1";
/** Milliseconds a start may take, on a machine that is busy. */
const START_TIMEOUT = 60_000;

export interface LocalNode {
  rpcUrl: string;
  port: number;
  pid: number;
  /** Resolves when the node ends, however it does. */
  ended: Promise<void>;
  /** Ends the node; safe to repeat. */
  stop(): Promise<void>;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, HOST, resolve);
    });
    return true;
  } catch {
    return false;
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
}

/** Systems give out ports of their own choice from 32768 (Linux) or 49152 (RFC 6335): none of them comes in between. */
const OWN_PORTS = { from: 20_000, to: 32_768 };

/** A port nobody listens on now, nor gets by chance before it is used. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(OWN_PORTS.from, OWN_PORTS.to);
    if (await isFree(port)) return port;
  }
}

async function requireFree(port: number): Promise<void> {
  if (await isFree(port)) return;
  throw new DeltapayError("chain/port-taken", `port ${port} is in use`, {
    field: "port",
    hint: "a chain may be running already; or choose another --port",
  });
}

/** Last words of a child, kept for the error when it does not start. */
function keepTail(child: ChildProcess): () => string {
  let tail = "";
  child.stderr?.on("data", (bytes: Buffer) => {
    tail = (tail + bytes.toString()).slice(-2000);
  });
  return () => tail.trim();
}

async function untilReady(rpcUrl: string, child: ChildProcess, lastWords: () => string): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT;
  while (child.exitCode === null && child.signalCode === null && Date.now() < deadline) {
    try {
      await connectChain({ rpcUrl });
      return;
    } catch {
      await sleep(50);
    }
  }
  throw new DeltapayError("chain/node-failed", "the local chain did not start", {
    hint: lastWords() || "see that node_modules is complete: npm start installs what is missing",
  });
}

/**
 * Starts a Hardhat node on the loopback address. It ends with this process.
 * @param options.port default: a free one
 * @param options.chainId default: that of local chains; another makes a chain that is not treated as one
 * @param options.outlive the node goes on when this process ends
 * @throws DeltapayError `chain/port-taken`, `chain/node-failed`
 */
export async function startLocalNode(
  options: { port?: number; chainId?: number; outlive?: boolean } = {},
): Promise<LocalNode> {
  const { outlive = false } = options;
  const port = options.port ?? (await freePort());
  await requireFree(port);
  const ending = outlive ? [] : ["--import", END_WITH_PARENT];
  const words = [...ending, HARDHAT, "node", "--hostname", HOST, "--port", String(port)];
  if (options.chainId !== undefined) words.push("--chain-id", String(options.chainId));
  const child = spawn(process.execPath, words, {
    cwd: ROOT,
    // Its log of every request goes nowhere: it grows without end. The channel tells it that this process lives.
    stdio: outlive ? "ignore" : ["ignore", "ignore", "pipe", "ipc"],
    detached: outlive,
  });
  child.channel?.unref();
  if (outlive) child.unref();
  const lastWords = keepTail(child);
  const ended = new Promise<void>((resolve) => {
    child.once("exit", () => resolve());
    child.once("error", () => resolve());
  });
  const stop = async (): Promise<void> => {
    // One that outlives this process is not waited for, but now it is.
    child.ref();
    child.kill();
    await ended;
  };
  const rpcUrl = `http://${HOST}:${port}`;
  try {
    await untilReady(rpcUrl, child, lastWords);
  } catch (error) {
    await stop();
    throw error;
  }
  return { rpcUrl, port, pid: child.pid!, ended, stop };
}
