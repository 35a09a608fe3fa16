/**
 * The admin API of a contributor's service: what its owner's page shows and does. On loopback only, for the holder of a
 * token only. Nothing in an answer is secret but to competitors: no seed, weight, scale, activation or witness.
 *
 * `Authorization: Bearer TOKEN` with every request; a page may call it from an origin the service was told of. Errors are
 * those of the service: `{error: {code, message, field?, hint?}}`, here with the codes `admin/unauthorised` (401),
 * `admin/other-host` and `admin/other-origin` (403). Amounts and other large integers are decimal strings.
 */
import { z } from "zod";
import { bundleSchema, count, hex, signedOfferSchema, uint } from "./messages.ts";

export const ADMIN_PATHS = {
  /** GET: adapters with modules, key, leakage and offers. */
  adapters: "/admin/v1/adapters",
  /** GET: the manifest's exact bytes. */
  manifest: "/admin/v1/adapters/:adapterId/manifest",
  /** POST a signed offer, made by the contributor's wallet: the service shows it from now on. */
  offers: "/admin/v1/offers",
  /** POST {}: a cancelled offer is no longer shown; cancel it on chain first. */
  cancelOffer: "/admin/v1/offers/:offerHash/cancel",
  /** GET: every agreement served here, oldest first. Ask again for changes. */
  sessions: "/admin/v1/sessions",
  /** GET: one of them. */
  agreement: "/admin/v1/agreements/:agreementId",
  /** GET: its proof bundle, once every group is proven. */
  bundle: "/admin/v1/agreements/:agreementId/bundle",
  /** POST {}: ends the session when it is still served; nothing more is answered. */
  end: "/admin/v1/agreements/:agreementId/end",
  /** POST {}: proves what the newest receipt covers; answers the bundle when all is proven. */
  prove: "/admin/v1/agreements/:agreementId/prove",
} as const;

/** Where the admin API listens unless told otherwise. */
export const DEFAULT_ADMIN_PORT = 7421;
/** Where the page is served unless told otherwise. */
export const DEFAULT_APP_PORT = 7430;
export const DEFAULT_APP_ORIGINS: readonly string[] = ["127.0.0.1", "localhost"].map(
  (host) => `http://${host}:${DEFAULT_APP_PORT}`,
);

const address = hex(20);
const hash = hex(32);

export const adminOfferSchema = signedOfferSchema.extend({ offerHash: hash, cancelled: z.boolean() });

export const adminAdapterSchema = z.strictObject({
  adapterId: hash,
  /** Name of the PEFT folder. */
  name: z.string(),
  uri: z.string(),
  manifestHash: hash,
  verifier: address,
  verifierCodeHash: hash,
  /** Seen on chain. */
  registered: z.boolean(),
  /** Answered for by this process. */
  served: z.boolean(),
  baseModel: z.strictObject({ name: z.string(), sha256: hash }).nullable(),
  /** Key the weights are committed with. `state` is this release's word on its ceremony: `dev` is for local chains. */
  key: z.strictObject({ size: count, vkHash: hash, state: z.string() }),
  groups: count,
  /** In manifest order; `shape` is [d_in, d_out, r]. */
  modules: z.array(z.strictObject({ name: z.string(), shape: z.tuple([count, count, count]), group: count })),
  /** `ratio` 1: as many tokens as a buyer who chooses them needs to recover the most exposed module. */
  leakage: z.strictObject({ tokensSold: count, dInHalf: z.number(), ratio: z.number() }),
  offers: z.array(adminOfferSchema),
});

export const adminAdaptersSchema = z.strictObject({
  contributor: address,
  chainId: uint(64),
  registry: address,
  escrow: address,
  /** Of the service for buyers. */
  serviceUrl: z.string(),
  /** Whether the service proves and settles by itself. */
  settles: z.boolean(),
  adapters: z.array(adminAdapterSchema),
});

export const adminSessionSchema = z.strictObject({
  agreementId: hash,
  adapterId: hash,
  offerHash: hash,
  buyer: address,
  signer: address,
  pricePerToken: uint(128),
  /** Paid in for inference, without the opening fee. */
  amount: uint(256),
  phase: z.enum(["serving", "ended", "proving", "settled", "closed"]),
  /** Why it is no longer served. */
  reason: z.string().nullable(),
  /** Finished passes and their tokens. */
  passes: count,
  tokens: count,
  /** Tokens served without a receipt. */
  unpaidTokens: count,
  /** What the newest receipt covers. */
  receipt: z.strictObject({ passes: count, tokens: count }).nullable(),
  /** What the newest receipt is worth, never above `amount`. */
  owed: uint(256),
  /** Unix seconds, as of opening; the chain's own is in `chain`. */
  deadline: count,
  /** The escrow's newest word; null when the agreement is over here or the chain cannot be reached. */
  chain: z
    .strictObject({
      status: z.enum(["open", "closing", "refunded", "released"]),
      deadline: uint(64),
      paid: uint(256),
    })
    .nullable(),
  /** Proofs of the newest receipt. */
  groups: count,
  proofs: z.array(z.strictObject({ group: count, proveMs: z.number() })),
  /** Settlement transactions sent from here, and the one that completed it. */
  transactions: z.array(hash),
  settlement: hash.nullable(),
  /** Wrong receipts, why they were refused, unix seconds. */
  refusedReceipts: z.array(z.strictObject({ code: z.string(), refusedAt: count })),
});

export const adminSessionsSchema = z.strictObject({
  /** Unix seconds of the service's machine. */
  now: count,
  sessions: z.array(adminSessionSchema),
});

export const adminBundleSchema = bundleSchema;
export const adminOfferRequestSchema = signedOfferSchema;

export type AdminAdapter = z.output<typeof adminAdapterSchema>;
export type AdminAdapters = z.output<typeof adminAdaptersSchema>;
export type AdminOffer = z.output<typeof adminOfferSchema>;
export type AdminSession = z.output<typeof adminSessionSchema>;
export type AdminSessions = z.output<typeof adminSessionsSchema>;

/**
 * Where the page server and the page meet: GET /config.json of the page's own origin.
 * A service's token is not in it: the page is opened at `#ROUTE?token=TOKEN`, keeps the token for the tab's life
 * (sessionStorage) and takes it out of the address.
 */
export const appConfigSchema = z.object({
  chainId: z.number().int().positive(),
  rpcUrl: z.url({ protocol: /^https?$/ }),
  /** The deployment file, as `deploy` writes it. */
  deployment: z.record(z.string(), z.unknown()),
  /** The contributor's own services; none for a buyer or an auditor. */
  services: z.array(z.object({ adminUrl: z.url({ protocol: /^https?$/ }) })),
  /** Block explorer, when there is one. */
  explorerUrl: z.url({ protocol: /^https?$/ }).optional(),
});

export type AppConfig = z.output<typeof appConfigSchema>;

/** The token a page was opened with, and the fragment without it: `#/contributor?token=ab…` gives `#/contributor`. */
export function takeToken(fragment: string): { token: string | undefined; fragment: string } {
  const [route = "", query = ""] = fragment.split("?", 2);
  const parameters = new URLSearchParams(query);
  const token = parameters.get("token") ?? undefined;
  parameters.delete("token");
  const rest = parameters.toString();
  return {
    token: token !== undefined && /^[0-9a-f]{64}$/.test(token) ? token : undefined,
    fragment: rest === "" ? route : `${route}?${rest}`,
  };
}
