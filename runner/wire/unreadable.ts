/** What a server says to bytes that are no HTTP request, or not in time: a typed error, and the end of the connection. */
import type { Socket } from "node:net";
import { DeltapayError } from "../protocol/errors.ts";

const ANSWERS: Record<string, [status: string, code: string, message: string]> = {
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "wire/too-slow", "the request did not come in time"],
  HPE_HEADER_OVERFLOW: ["431 Request Header Fields Too Large", "wire/too-large", "the headers are too large"],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ["413 Payload Too Large", "wire/too-large", "the chunks are too large"],
};
const NOT_HTTP = /^HPE_|^ERR_HTTP_/;
const MALFORMED = ["400 Bad Request", "wire/bad-request", "this is no HTTP/1.1 request"] as const;

/** Listener of a server's `clientError`: answers where HTTP has begun, and closes without waiting for anything. */
export function refuseUnreadable({ code = "" }: { code?: string }, socket: Socket): void {
  // A handshake of TLS that failed or did not end: what is written would never be sent.
  if (!NOT_HTTP.test(code) || !socket.writable) return void socket.destroy();
  const [status, errorCode, message] = ANSWERS[code] ?? MALFORMED;
  const error = new DeltapayError(errorCode, message, { field: "request" });
  const body = JSON.stringify({ error });
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}`;
  socket.write(`${head}\r\nConnection: close\r\n\r\n${body}`);
  socket.destroy();
}
