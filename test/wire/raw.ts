/** Bytes as an attacker writes them, over a plain connection. */
import * as net from "node:net";

export interface Raw {
  socket: net.Socket;
  /** What was answered so far. */
  answered(): string;
  /** Resolves with all that was answered once the connection is closed. */
  closed: Promise<string>;
}

/** Opens a connection and writes to it. */
export function rawConnection(url: string, bytes: string | Uint8Array = ""): Raw {
  const { hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname);
  let answer = "";
  socket.setEncoding("latin1");
  socket.on("error", () => {});
  socket.on("data", (part) => {
    answer += part;
  });
  const closed = new Promise<string>((resolve) => socket.once("close", () => resolve(answer)));
  socket.write(bytes);
  return { socket, answered: () => answer, closed };
}

/** Whether an answer is as long as it says. */
function isWhole(answer: string): boolean {
  const head = answer.indexOf("\r\n\r\n");
  const [, length] = /\r\ncontent-length: (\d+)\r\n/i.exec(answer) ?? [];
  if (head < 0) return false;
  return length === undefined ? answer.endsWith("0\r\n\r\n") : answer.length >= head + 4 + Number(length);
}

/** Status and code of the first answer, or "closed"; the connection is left. @param bytes a whole request, or what passes for one */
export async function rawAnswer(url: string, bytes: string | Uint8Array): Promise<string> {
  const connection = rawConnection(url, bytes);
  const until = performance.now() + 5000;
  while (!isWhole(connection.answered()) && !connection.socket.closed && performance.now() < until)
    await new Promise((resolve) => setTimeout(resolve, 5));
  const isClosed = connection.socket.closed;
  connection.socket.destroy();
  const [, status] = /^HTTP\/1\.1 (\d{3}) /.exec(connection.answered()) ?? [];
  if (status === undefined) return isClosed ? "closed" : "nothing";
  const [, code] = /"code":"([a-z/-]+)"/.exec(connection.answered()) ?? [];
  return code === undefined ? status : `${status} ${code}`;
}
