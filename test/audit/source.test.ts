/** Manifest and commitments from a contributor's service: what a stranger's server can send an auditor. */
import assert from "node:assert/strict";
import * as fs from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import * as path from "node:path";
import { describe, type TestContext, test } from "node:test";
import { publicFiles } from "../../runner/audit/source.ts";
import { temporaryDirectory } from "../storage/temporary.ts";

const ID = `0x${"ab".repeat(32)}`;
const CERTIFICATES = new URL("../buyer/certificates/", import.meta.url);

async function serve(context: TestContext, answer: RequestListener, tls = false): Promise<string> {
  const server = tls ? createTlsServer(certificate(), answer) : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return `${tls ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function certificate(): { cert: Buffer; key: Buffer } {
  const read = (end: string): Buffer => {
    const name = fs.readdirSync(CERTIFICATES).find((file) => file.endsWith(end))!;
    return fs.readFileSync(new URL(name, CERTIFICATES));
  };
  return { cert: read(".crt"), key: read(".key") };
}

const missing = (says: RegExp) => ({ name: "Missing", message: says });

describe("a service", () => {
  test("is asked by the published paths, a certificate of its own making or not", async (context) => {
    for (const tls of [false, true]) {
      const url = await serve(context, ({ url: asked }, response) => response.end(asked), tls);
      const files = publicFiles(undefined, `${url}/`, ID);
      assert.equal(Buffer.from(await files.manifest()).toString(), `/v1/adapters/${ID}/manifest`);
      assert.equal(Buffer.from(await files.commitments(1000)).toString(), `/v1/adapters/${ID}/commitments`);
    }
  });

  test("sends no more than the manifest says, and nothing from elsewhere", async (context) => {
    const long = await serve(context, (_, response) => response.end("x".repeat(101)));
    await assert.rejects(publicFiles(undefined, long, ID).commitments(100), missing(/longer than 100 bytes/));
    const elsewhere = await serve(context, (_, response) => {
      response.writeHead(302, { location: long });
      response.end();
    });
    await assert.rejects(publicFiles(undefined, elsewhere, ID).manifest(), missing(/nobody answers/));
    const gone = await serve(context, (_, response) => {
      response.writeHead(404);
      response.end();
    });
    await assert.rejects(publicFiles(undefined, gone, ID).manifest(), missing(/the answer is 404/));
  });

  test("that is none is named", async () => {
    assert.throws(() => publicFiles(undefined, "file:///etc/passwd", ID), missing(/which is no address/));
    assert.throws(() => publicFiles(undefined, "", ID), missing(/which is no address/));
  });
});

test("files of a folder, or the manifest with its commitments beside it", async (context) => {
  const folder = temporaryDirectory(context);
  for (const name of ["manifest.json", "commitments.bin"]) fs.writeFileSync(path.join(folder, name), name);
  for (const given of [folder, path.join(folder, "manifest.json")]) {
    const files = publicFiles(given, "http://127.0.0.1:1", ID);
    assert.equal(Buffer.from(await files.manifest()).toString(), "manifest.json");
    assert.equal(Buffer.from(await files.commitments(1)).toString(), "commitments.bin");
  }
  await assert.rejects(publicFiles(path.join(folder, "no"), "", ID).manifest(), missing(/is not there/));
});
