import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { HttpClient, type HttpClientOptions, ServiceError } from "../../runner/buyer/client/httpClient.ts";
import { isLoopback, onlyCertificate, parseServiceUrl } from "../../runner/buyer/client/pinnedConnection.ts";
import { type Answer, certificateHash, failsWith, serve } from "./serve.ts";

function client(
  test: { after(work: () => Promise<void>): void },
  url: string,
  options: HttpClientOptions = {},
) {
  const http = new HttpClient(url, { backoffMs: 5, ...options });
  test.after(() => http.close());
  return http;
}

test("plain HTTP is for loopback only, and URLs carry nothing but a place", () => {
  for (const url of ["http://127.0.0.1:1", "http://localhost:1/x", "http://[::1]:1", "https://example.org"])
    assert.ok(parseServiceUrl(url), url);
  for (const url of [
    "http://example.org",
    "http://127.0.0.1.example.org",
    "http://10.0.0.1",
    "http://0.0.0.0",
  ])
    assert.throws(() => parseServiceUrl(url), failsWith("http/insecure-url"), url);
  for (const url of [
    "ftp://127.0.0.1",
    "nonsense",
    "https://me:secret@example.org",
    "https://example.org/?a=1",
  ])
    assert.throws(() => parseServiceUrl(url), failsWith("http/bad-url"), url);
  assert.equal(isLoopback("128.0.0.1"), false);
  assert.throws(() => new HttpClient("https://example.org"), failsWith("http/no-certificate"));
});

test("TLS goes to exactly the pinned certificate", async (t) => {
  const { url, requests } = await serve(t, () => ({ body: { ok: true } }), "contributor");
  const right = client(t, url, { accepts: onlyCertificate(certificateHash("contributor")) });
  assert.equal(new TextDecoder().decode(await right.request({ method: "GET", path: "/a" })), '{"ok":true}');
  assert.equal(requests.length, 1);
});

test("with another certificate not one byte of a request is sent", async (t) => {
  const { url, requests, connections } = await serve(t, () => ({}), "other");
  const wrong = client(t, url, { accepts: onlyCertificate(certificateHash("contributor")) });
  const request = { method: "POST", path: "/secret", bytes: new Uint8Array(8) } as const;
  await assert.rejects(wrong.request(request), failsWith("http/certificate"));
  await delay(50);
  assert.equal(requests.length, 0);
  assert.equal(connections(), 1);
});

test("one connection is reused", async (t) => {
  for (const certificate of [undefined, "contributor"] as const) {
    const { url, connections } = await serve(t, () => ({}), certificate);
    const http = client(t, url, { accepts: onlyCertificate(certificateHash("contributor")) });
    for (let i = 0; i < 4; i++) await http.request({ method: "GET", path: `/${i}` });
    assert.equal(connections(), 1);
  }
});

test("an answer larger than expected is cut off, whether it says its size or not", async (t) => {
  const big = new Uint8Array(1000);
  const { url } = await serve(t, ({ path }) => ({
    body: big,
    headers: path === "/declared" ? { "content-length": "1000" } : {},
  }));
  const http = client(t, url);
  for (const path of ["/declared", "/chunked"]) {
    await assert.rejects(http.request({ method: "GET", path, maxBytes: 999 }), failsWith("http/too-large"));
    assert.equal((await http.request({ method: "GET", path, maxBytes: 1000 })).length, 1000);
  }
});

test("a service's error keeps its code, field and hint, made fit for a terminal", async (t) => {
  const error = {
    code: "session/ended",
    message: "over\u001b[31m\nnow\u202e",
    field: "phase",
    hint: "open another",
  };
  const { url } = await serve(t, () => ({ status: 409, body: { error } }));
  await assert.rejects(client(t, url).request({ method: "GET", path: "/" }), (thrown) => {
    assert.ok(thrown instanceof ServiceError);
    assert.deepEqual(
      [thrown.status, thrown.code, thrown.message, thrown.field, thrown.hint],
      [409, "session/ended", "over [31m now ", "phase", "open another"],
    );
    return true;
  });
});

test("an error that is not ours, and a redirect, are bad responses", async (t) => {
  const { url, requests } = await serve(t, ({ path }) =>
    path === "/moved"
      ? { status: 302, headers: { location: "/elsewhere" } }
      : { status: 500, body: { error: { code: "Oops\n", message: "x" } } },
  );
  const http = client(t, url);
  for (const path of ["/moved", "/broken"])
    await assert.rejects(http.request({ method: "GET", path }), failsWith("http/bad-response"));
  assert.deepEqual(
    requests.map(({ path }) => path),
    ["/moved", "/broken"],
  );
});

test("repeatable requests are repeated with the same bytes, others are not", async (t) => {
  let fails = 0;
  const { url, requests } = await serve(t, () => (fails-- > 0 ? { hangUp: true } : { body: { ok: 1 } }));
  const http = client(t, url);
  const bytes = Uint8Array.of(1, 2, 3);
  fails = 2;
  await http.request({ method: "POST", path: "/pass", bytes, repeatable: true });
  assert.equal(requests.length, 3);
  for (const { body } of requests) assert.deepEqual(body, bytes);
  fails = 1;
  await assert.rejects(http.request({ method: "POST", path: "/once", bytes }), failsWith("http/interrupted"));
  assert.equal(requests.length, 4);
});

test("a busy service is asked again after the time it names, a refusal is final", async (t) => {
  let status = 503;
  const { url, requests } = await serve(t, () => {
    const answer = {
      status,
      headers: { "retry-after": "1" },
      body: { error: { code: "service/busy", message: "busy" } },
    };
    status = 200;
    return answer;
  });
  const http = client(t, url);
  const start = performance.now();
  await http.request({ method: "GET", path: "/" });
  assert.ok(performance.now() - start >= 990);
  status = 400;
  await assert.rejects(http.request({ method: "GET", path: "/" }), failsWith("service/busy"));
  assert.equal(requests.length, 3);
});

test("after a lost connection the answer under way is waited for; somebody else's is not", async (t) => {
  const BUSY = { error: { code: "session/busy", message: "another request is being answered" } };
  let answers: Answer[] = [];
  const { url, requests } = await serve(t, () => answers.shift() ?? { body: { ok: 1 } });
  const http = client(t, url, { attempts: 2 });
  const pass = { method: "POST", path: "/pass", bytes: Uint8Array.of(1), repeatable: true } as const;
  const busy = { status: 409, body: BUSY };
  answers = [{ hangUp: true }, busy, busy, busy];
  await http.request(pass);
  assert.equal(requests.length, 5);
  answers = [busy];
  await assert.rejects(http.request(pass), failsWith("session/busy"));
  assert.equal(requests.length, 6);
  answers = [{ hangUp: true }, ...new Array<Answer>(100).fill(busy)];
  await assert.rejects(http.request({ ...pass, timeoutMs: 50 }), failsWith("session/busy"));
  assert.ok(requests.length < 30, "it is asked now and then, and not for ever");
});

test("silence and absence are told apart", async (t) => {
  const { url } = await serve(t, () => delay(2000, {}));
  const patient = client(t, url, { attempts: 1 });
  await assert.rejects(
    patient.request({ method: "GET", path: "/", timeoutMs: 100 }),
    failsWith("http/timeout"),
  );
  const hasty = client(t, url, { attempts: 1, timeoutMs: 100 });
  await assert.rejects(hasty.request({ method: "GET", path: "/" }), failsWith("http/timeout"));
  const gone = client(t, "http://127.0.0.1:1", { attempts: 2 });
  await assert.rejects(gone.request({ method: "GET", path: "/" }), failsWith("http/unreachable"));
});

test("JSON is parsed against a schema", async (t) => {
  const { url } = await serve(t, ({ path }) => ({
    body: path === "/text" ? Uint8Array.of(0x7b) : { n: "1" },
  }));
  const http = client(t, url);
  const ask = (path: string) =>
    http.requestJson(z.object({ n: z.number() }), "thing", { method: "GET", path });
  await assert.rejects(ask("/json"), failsWith("wire/malformed", "thing.n"));
  await assert.rejects(ask("/text"), failsWith("http/bad-response", "thing"));
});
