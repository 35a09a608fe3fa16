/** Finding a contributor: its service description, the record it signed for this place, and proof that its key is live. */
import { type Hex, toHex } from "../../protocol/bytes.ts";
import { DeltapayError, ensure } from "../../protocol/errors.ts";
import { type Address, checkSignature, type Domain, type ServiceRecord } from "../../protocol/typedData.ts";
import type { Service, SignedOffer } from "../../wire/messages.ts";
import { unixNow } from "../clock.ts";
import { ContributorClient } from "./contributorClient.ts";
import { HttpClient, type HttpClientOptions } from "./httpClient.ts";
import { onlyCertificate, parseServiceUrl, sameOrigin } from "./pinnedConnection.ts";

/** What the registry holds of an adapter; all that the escrow settles by. */
export interface RegistryEntry {
  contributor: Address;
  verifier: Address;
  verifierCodeHash: Hex;
  manifestHash: Hex;
  groups: number;
}

export interface DiscoverOptions extends Omit<HttpClientOptions, "accepts"> {
  /** Where the contributor is said to be. */
  url: string;
  /** The deployment the buyer uses; also the EIP-712 domain. */
  domain: Domain;
  registry: Address;
  /** Which adapter; may be left out when the service has one. */
  adapterId?: Hex;
  /** The registry's entry at the final block; undefined when there is none. */
  readAdapter: (adapterId: Hex) => Promise<RegistryEntry | undefined>;
  /** Unix seconds. Default: the clock. */
  now?: bigint;
}

/** An adapter's service, its record checked; `client` talks to the recorded certificate only. */
export interface Discovered {
  client: ContributorClient;
  adapterId: Hex;
  entry: RegistryEntry;
  record: ServiceRecord;
  /** Not yet checked: see `checkOffer`. */
  offers: SignedOffer[];
  chainId: bigint;
}

type ServedAdapter = Service["adapters"][number];

const NO_CERTIFICATE: Hex = `0x${"0".repeat(64)}`;
/** Most that two honest clocks may differ, seconds. */
const CLOCK_SKEW = 300n;

/**
 * Fetches and checks a contributor's service.
 *
 * The very first request goes over TLS to a certificate not known yet and carries nothing but its path. Its answer counts
 * only if it holds a record, signed by the adapter's contributor, that names the certificate just seen.
 * @throws DeltapayError `service/...`, `adapter/not-registered`, `signature/...`, `http/...`
 */
export async function discover(options: DiscoverOptions): Promise<Discovered> {
  const url = parseServiceUrl(options.url);
  const { service, certificate } = await firstContact(url, options);
  checkDeployment(service, options);
  const served = chooseAdapter(service, options.adapterId);
  const entry = await options.readAdapter(served.adapterId);
  ensure(entry !== undefined, "adapter/not-registered", `${served.adapterId} is not in the registry`, {
    field: "adapterId",
    hint: "wait until its registration is final, or ask the contributor which chain it is on",
  });
  ensure(
    served.manifestHash === entry.manifestHash.toLowerCase(),
    "manifest/hash",
    "the service names another manifest than the registry",
    {
      field: "manifestHash",
    },
  );
  await checkRecord(served, entry.contributor, url, certificate, options);
  return {
    client: new ContributorClient(connect(url, served.record.tlsCertificate, options)),
    adapterId: served.adapterId,
    entry,
    record: served.record,
    offers: served.offers,
    chainId: service.chainId,
  };
}

/**
 * A client for a record checked earlier, as stored with an agreement.
 * @throws DeltapayError `http/...`
 */
export function connectRecorded(record: ServiceRecord, options: HttpClientOptions = {}): ContributorClient {
  return new ContributorClient(connect(parseServiceUrl(record.url), record.tlsCertificate, options));
}

function connect(url: URL, certificate: Hex, options: HttpClientOptions): HttpClient {
  return new HttpClient(url.href, { ...options, accepts: onlyCertificate(certificate) });
}

async function firstContact(
  url: URL,
  options: HttpClientOptions,
): Promise<{ service: Service; certificate: Hex }> {
  let certificate = NO_CERTIFICATE;
  const accepts = (sha256: Hex): boolean => {
    certificate = sha256;
    return true;
  };
  const http = new HttpClient(url.href, { ...options, accepts });
  try {
    const service = await new ContributorClient(http).service();
    return { service, certificate };
  } finally {
    await http.close();
  }
}

function checkDeployment(service: Service, { domain, registry }: DiscoverOptions): void {
  const same = (name: string, found: string, expected: string): void =>
    ensure(
      found.toLowerCase() === expected.toLowerCase(),
      "service/other-deployment",
      `the service uses ${name} ${found}, this buyer ${expected}`,
      {
        field: name,
        hint: "use the same chain and contracts as the contributor (--rpc, deployments/)",
      },
    );
  same("chainId", service.chainId.toString(), domain.chainId.toString());
  same("registry", service.registry, registry);
  same("escrow", service.escrow, domain.escrow);
}

function chooseAdapter(service: Service, wanted: Hex | undefined): ServedAdapter {
  const ids = service.adapters.map(({ adapterId }) => adapterId);
  if (wanted === undefined && service.adapters.length === 1) return service.adapters[0]!;
  const found = service.adapters.find(({ adapterId }) => adapterId === wanted?.toLowerCase());
  if (found !== undefined) return found;
  throw new DeltapayError(
    wanted === undefined ? "service/which-adapter" : "service/unknown-adapter",
    wanted === undefined ? `the service has ${ids.length} adapters` : `the service does not have ${wanted}`,
    {
      field: "adapterId",
      hint: ids.length === 0 ? "it serves none at present" : `it serves ${ids.join(", ")}`,
    },
  );
}

async function checkRecord(
  served: ServedAdapter,
  contributor: Address,
  url: URL,
  certificate: Hex,
  { domain, now = unixNow() }: DiscoverOptions,
): Promise<void> {
  const { record, recordSignature } = served;
  await checkSignature(domain, "ServiceRecord", record, recordSignature, contributor);
  ensure(
    record.adapterId === served.adapterId,
    "service/other-record",
    "the service record is of another adapter",
    {
      field: "record.adapterId",
    },
  );
  ensure(record.expiry >= now, "service/record-expired", "the service record has expired", {
    field: "record.expiry",
    hint: "ask the contributor to sign a new one",
  });
  ensure(
    sameOrigin(url, parseServiceUrl(record.url)),
    "service/other-url",
    `the contributor signed for ${record.url}`,
    {
      field: "record.url",
      hint: "use that URL",
    },
  );
  ensure(
    record.tlsCertificate === certificate,
    "service/other-certificate",
    "the contributor signed for another TLS certificate than this service shows",
    {
      field: "record.tlsCertificate",
      hint: "someone may stand between you and the contributor",
    },
  );
}

/**
 * Asks for a fresh signed answer: the contributor's key is there and answers now.
 * @returns round trip, milliseconds
 * @throws DeltapayError `service/not-live`, `signature/...`
 */
export async function checkLiveness(
  { client, adapterId, entry }: Pick<Discovered, "client" | "adapterId" | "entry">,
  domain: Domain,
): Promise<number> {
  const nonce = toHex(crypto.getRandomValues(new Uint8Array(32)));
  const start = performance.now();
  const { liveness, signature } = await client.liveness(adapterId, nonce);
  const fresh = liveness.nonce === nonce && liveness.adapterId === adapterId;
  ensure(fresh, "service/not-live", "the answer is not to this question", { field: "liveness.nonce" });
  await checkSignature(domain, "Liveness", liveness, signature, entry.contributor);
  const skew = liveness.time - unixNow();
  ensure(
    skew <= CLOCK_SKEW && skew >= -CLOCK_SKEW,
    "service/clock",
    `the contributor's clock differs by ${skew} s`,
    {
      field: "liveness.time",
      hint: "set the clock; deadlines are judged by it",
    },
  );
  return performance.now() - start;
}
