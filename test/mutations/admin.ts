/** Checks of the API that a contributor's own page talks to, and of the server of that page. */
import type { Mutation } from "./list.ts";

const GUARD = "runner/contributor/admin/guard.ts";
const TOKEN = "runner/contributor/admin/token.ts";

const onAdmin = (pattern: string, mutation: Omit<Mutation, "test" | "pattern">): Mutation => ({
  ...mutation,
  test: "test/contributor/admin.test.ts",
  pattern,
});

const onPage = (pattern: string, mutation: Omit<Mutation, "test" | "pattern" | "file">): Mutation => ({
  ...mutation,
  file: "runner/web/server.ts",
  test: "test/web/server.test.ts",
  pattern,
});

export const ADMIN_MUTATIONS: readonly Mutation[] = [
  onAdmin("without the token", {
    name: "admin-token-unchecked",
    attack: "any process of the machine reads sessions and ends them",
    file: GUARD,
    find: "if (!carriesToken(request.headers.authorization, token))",
    replace: "if (request.headers.authorization === undefined)",
  }),
  onAdmin("of another origin", {
    name: "admin-any-origin",
    attack: "a page of another site that got hold of the token calls from the owner's browser",
    file: GUARD,
    find: "origins.includes(origin)",
    replace: "true",
  }),
  onAdmin("a name rebound", {
    name: "admin-any-host",
    attack: "a site whose name is rebound to 127.0.0.1 is of one origin with the API",
    file: GUARD,
    find: 'LOOPBACK_NAMES.has(host.slice(0, at)) && host.slice(at + 1) === String(port),\n    "admin/other-host"',
    replace: 'host !== "",\n    "admin/other-host"',
  }),
  onAdmin("the token is random", {
    name: "admin-token-exposed",
    attack: "a token file that other users of the machine can read",
    file: TOKEN,
    find: "(fs.statSync(file).mode & 0o077) !== 0",
    replace: "false",
  }),
  onAdmin("nobody else's is", {
    name: "admin-offer-unsigned",
    attack: "an offer of other terms, signed by somebody else, shown as the contributor's",
    file: "runner/contributor/offers.ts",
    find: '  await checkSignature(domain, "Offer", offer, signature, contributor);\n',
    replace: "",
  }),
  onAdmin("no answer holds a seed", {
    name: "admin-answers-state",
    attack: "the fold of a session, from about d_in of which the adapter follows, in an answer",
    file: "runner/contributor/admin/content.ts",
    find: "    settlement: status.settlement,\n",
    replace:
      '    settlement: status.settlement,\n    ...{ state: Buffer.from(all<{ state: Uint8Array }>(data.database, "SELECT state FROM receipt WHERE state IS NOT NULL")[0]!.state).toString("hex") },\n',
  }),
  onPage("rebound", {
    name: "page-any-host",
    attack: "a site whose name is rebound to 127.0.0.1 is of one origin with the page",
    find: "    checkHost(request);\n",
    replace: "",
  }),
  onPage("its policy", {
    name: "page-without-policy",
    attack: "a script smuggled into the page sends what it sees anywhere",
    find: '...HEADERS, "content-security-policy": policy',
    replace: "...HEADERS",
  }),
  onPage("only when asked for", {
    name: "page-with-demo-wallet",
    attack: "the wallet of public test accounts in a page of real money",
    find: "if (options.demoWallet === true) withDemoWallet(files);",
    replace: "withDemoWallet(files);",
  }),
  {
    name: "demo-wallet-anywhere",
    attack: "a page of real money whose wallet is made of accounts everybody has the keys of",
    file: "runner/cli/commands/app.ts",
    find: "flags.demoWallet !== true || isLocalChain(chainId)",
    replace: "true",
    test: "test/web/app.test.ts",
    pattern: "where money has value",
  },
];
