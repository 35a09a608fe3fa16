/** Clients of a gateway who leave, or do not read: nothing more is bought or kept for them. */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { GatewayError } from "./errors.ts";

/** Bytes of an answer that may wait to be read; whoever is further behind has gone for all we know. */
export const MAX_UNREAD = 2 ** 20;
/** Milliseconds in which something of a finished answer is read. */
const UNREAD_TIMEOUT = 30_000;

const left = new WeakMap<Socket, AbortSignal>();

/**
 * Aborts when a connection is closed. Requests that wait in its pipeline need this: their answers never hear of the close,
 * and would be generated for nobody.
 */
export function whenGone(socket: Socket): AbortSignal {
  const known = left.get(socket);
  if (known !== undefined) return known;
  const controller = new AbortController();
  const end = (): void => controller.abort(new GatewayError(499, "gone", "the client went away"));
  if (socket.destroyed) end();
  else socket.once("close", end);
  left.set(socket, controller.signal);
  return controller.signal;
}

/** Writes a piece of an answer, and breaks the connection off when too much of it is unread. */
export function writePiece(answer: ServerResponse, piece: string): void {
  answer.write(piece);
  if (answer.writableLength > MAX_UNREAD) answer.destroy();
}

/** Of an answer that is complete: whoever reads nothing of it any more is not waited for. */
export function awaitRead(answer: ServerResponse): void {
  answer.setTimeout(UNREAD_TIMEOUT);
}
