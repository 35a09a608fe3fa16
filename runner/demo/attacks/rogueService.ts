/** A service that shows buyers what an attacker likes: any manifest, commitments, record and offers, over a real socket. */
import fastify from "fastify";
import type { LocalAccount } from "viem";
import type { Hex } from "../../protocol/bytes.ts";
import { manifestHash } from "../../protocol/manifest.ts";
import { type ServiceRecord, typedData } from "../../protocol/typedData.ts";
import { type SignedOffer, stringifyMessage } from "../../wire/messages.ts";
import { PATHS } from "../../wire/paths.ts";
import type { World } from "../world.ts";

export interface Shown {
  adapterId: Hex;
  manifest: Uint8Array;
  commitments: Uint8Array;
  /** What the service says the manifest hashes to; default: what it does. */
  namedHash?: Hex;
  offers?: readonly SignedOffer[];
  /** Of the record, before it is signed. */
  recordChange?: Partial<ServiceRecord>;
  /** Signs the record; default: the contributor. */
  recordBy?: LocalAccount;
}

const NO_CERTIFICATE: Hex = `0x${"0".repeat(64)}`;
const HOUR = 3600;

/** Starts the service. @returns its URL */
export async function serveRogue(world: World, shown: Shown): Promise<string> {
  const app = fastify({ forceCloseConnections: true });
  let url = "";
  const binary = (bytes: Uint8Array) => () => Buffer.from(bytes);
  app.get(PATHS.service, async () => JSON.parse(await describe(world, shown, url)));
  app.get(PATHS.manifest, binary(shown.manifest));
  app.get(PATHS.commitments, binary(shown.commitments));
  await app.listen({ host: "127.0.0.1", port: 0 });
  world.onClose(() => app.close());
  url = `http://127.0.0.1:${(app.server.address() as { port: number }).port}`;
  return url;
}

async function describe(world: World, shown: Shown, url: string): Promise<string> {
  const { adapterId, manifest, namedHash, offers = [], recordBy = world.contributor.account } = shown;
  const expiry = BigInt(Math.floor(Date.now() / 1000) + HOUR);
  const record = { adapterId, url, tlsCertificate: NO_CERTIFICATE, expiry, ...shown.recordChange };
  return stringifyMessage({
    protocol: 1,
    chainId: world.domain.chainId,
    registry: world.buyer.ctx.deployment.registry,
    escrow: world.domain.escrow,
    adapters: [
      {
        adapterId,
        manifestHash: namedHash ?? manifestHash(manifest),
        offers: offers.map(({ offer, signature }) => ({ offer, signature })),
        record,
        recordSignature: await recordBy.signTypedData(
          typedData(world.domain, "ServiceRecord", record) as never,
        ),
      },
    ],
  });
}
