/** A real HTTP server that describes itself as a contributor's service does. */
import type { Hex } from "../../runner/protocol/bytes.ts";
import { type Liveness, type ServiceRecord, typedData } from "../../runner/protocol/typedData.ts";
import { stringifyMessage } from "../../runner/wire/messages.ts";
import { type Answer, certificateHash, type Request, serve } from "./serve.ts";
import {
  ADAPTER,
  contributor,
  DOMAIN,
  makeOffer,
  NO_CERTIFICATE,
  NOW,
  REGISTRY,
  signOffer,
  signRecord,
  VERIFIER,
} from "./setting.ts";

export const MANIFEST: Hex = `0x${"ab".repeat(32)}`;
export const ENTRY = {
  contributor: contributor.address,
  verifier: VERIFIER,
  verifierCodeHash: MANIFEST,
  manifestHash: MANIFEST,
  groups: 1,
} as const;

export interface Change {
  record?: Partial<ServiceRecord>;
  recordAccount?: typeof contributor;
  service?: Record<string, unknown>;
  liveness?: Partial<Liveness>;
  livenessAccount?: typeof contributor;
  certificate?: "contributor" | "other";
}

/** A service whose description is right but for `change`. */
export async function contributorService(t: { after(work: () => void): void }, change: Change = {}) {
  let url = "";
  const record = (): ServiceRecord => ({
    adapterId: ADAPTER,
    url,
    tlsCertificate: change.certificate === undefined ? NO_CERTIFICATE : certificateHash(change.certificate),
    expiry: NOW + 1000n,
    ...change.record,
  });
  const describe = async () => ({
    protocol: 1,
    chainId: DOMAIN.chainId,
    registry: REGISTRY,
    escrow: DOMAIN.escrow,
    adapters: [
      {
        adapterId: ADAPTER,
        manifestHash: MANIFEST,
        offers: [await signOffer(makeOffer())],
        record: record(),
        recordSignature: await signRecord(record(), change.recordAccount),
      },
    ],
    ...change.service,
  });
  const live = async (request: Request) => {
    const { nonce } = JSON.parse(new TextDecoder().decode(request.body)) as { nonce: Hex };
    const liveness: Liveness = { adapterId: ADAPTER, nonce, time: NOW, ...change.liveness };
    const account = change.livenessAccount ?? contributor;
    return { liveness, signature: await account.signTypedData(typedData(DOMAIN, "Liveness", liveness)) };
  };
  const handle = async (request: Request): Promise<Answer> => ({
    body: new TextEncoder().encode(
      stringifyMessage(request.path === "/v1/service" ? await describe() : await live(request)),
    ),
  });
  const served = await serve(t, handle, change.certificate);
  url = served.url;
  return served;
}
