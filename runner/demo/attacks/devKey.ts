/** A dev key, whose secrets are public, on a chain where money has value. */
import { join } from "node:path";
import { loadPeftAdapter } from "../../adapter/peft.ts";
import { buyerChain } from "../../buyer/chainView.ts";
import { discover } from "../../buyer/client/discover.ts";
import { targetsOfModel } from "../../buyer/model/modelTargets.ts";
import { verifyAdapter } from "../../buyer/opening/verifyAdapter.ts";
import { type ChainContext, connect, connectChain, domainOf, withAccount } from "../../chain/connect.ts";
import { deploy } from "../../chain/deploy.ts";
import { startLocalNode } from "../../chain/localNode.ts";
import { contributorChain } from "../../contributor/chainAdapter.ts";
import { openContributorData } from "../../contributor/dataFolder.ts";
import { registerPeftAdapter } from "../../contributor/register.ts";
import { serve } from "../../contributor/service.ts";
import { loadCurve } from "../../protocol/curve.ts";
import { FIXTURES } from "../fixtures.ts";
import type { World } from "../world.ts";
import { type Attack, refused } from "./attack.ts";

const MAINNET = 1;

/** The contributor's side on that chain: its own tools refuse, and do it when told to. */
async function serveElsewhere(world: World, ctx: ChainContext): Promise<{ url: string; refusals: string[] }> {
  const data = await openContributorData(join(world.directory, "elsewhere"));
  world.onClose(() => data.close());
  const { account } = world.contributor;
  const chain = contributorChain(ctx);
  const adapter = await loadPeftAdapter(FIXTURES.adapters["kjv-proj"]);
  const registration = { data, chain, contributor: account.address, adapter };
  const registering = await refused("the registration", "key/dev-key", () =>
    registerPeftAdapter(registration),
  );
  await registerPeftAdapter({ ...registration, acceptForgeableDevKey: true });
  const serving = { data, chain, account, settle: false };
  const refusal = await refused("the service", "key/dev-key", () => serve(serving));
  const service = await serve({ ...serving, acceptForgeableDevKey: true });
  world.onClose(() => service.close());
  return { url: service.url, refusals: [registering.message, refusal.message] };
}

export const devKeyElsewhere: Attack = {
  name: "dev-key-elsewhere",
  expected:
    "an adapter under a key whose secrets are public, off a local chain: neither deployed, registered, served nor bought without the flag that names the danger",
  async run(world) {
    const node = await startLocalNode({ chainId: MAINNET });
    world.onClose(() => node.stop());
    const { rpcUrl } = node;
    const { account } = world.contributor;
    const deploymentFile = join(world.directory, "elsewhere.json");
    const chain = withAccount(await connectChain({ rpcUrl }), account);
    const deploying = await refused("the deployment", "key/dev-key", () =>
      deploy(chain, { file: deploymentFile }),
    );
    await deploy(chain, { file: deploymentFile, acceptForgeableDevKey: true });
    const ctx = await connect({ rpcUrl, account, deploymentFile });
    const { url, refusals } = await serveElsewhere(world, ctx);
    const { registry } = ctx.deployment;
    const found = await discover({
      url,
      domain: domainOf(ctx),
      registry,
      readAdapter: buyerChain(ctx).readAdapter,
    });
    world.onClose(() => found.client.http.close());
    const buying = await refused("the adapter", "key/dev-key", async () =>
      verifyAdapter({
        ...found,
        curve: await loadCurve(),
        registry,
        release: world.release,
        cache: await world.adapterCache(),
        findTargets: targetsOfModel(FIXTURES.model),
      }),
    );
    const [registering, serving] = refusals;
    return {
      how: `deploying: ${deploying.message}; registering: ${registering}; serving: ${serving}; buying: ${buying.message}`,
      gained: 0n,
    };
  },
};
