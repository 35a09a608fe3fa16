/** A dev key, whose secrets are public, on a chain where money has value. */
import { join } from "node:path";
import { loadPeftAdapter } from "../../adapter/peft.ts";
import { buyerChain } from "../../buyer/chainView.ts";
import { discover } from "../../buyer/discover.ts";
import { targetsOfModel } from "../../buyer/modelTargets.ts";
import { verifyAdapter } from "../../buyer/verifyAdapter.ts";
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

/** The contributor's side on that chain, as its own tools do it when told to. @returns the service's URL */
async function serveElsewhere(world: World, ctx: ChainContext): Promise<string> {
  const data = await openContributorData(join(world.directory, "elsewhere"));
  world.onClose(() => data.close());
  const { account } = world.contributor;
  const chain = contributorChain(ctx);
  const adapter = await loadPeftAdapter(FIXTURES.adapters["kjv-proj"]);
  await registerPeftAdapter({ data, chain, contributor: account.address, adapter });
  const service = await serve({ data, chain, account, settle: false });
  world.onClose(() => service.close());
  return service.url;
}

export const devKeyElsewhere: Attack = {
  name: "dev-key-elsewhere",
  expected:
    "an adapter under a key whose secrets are public, off a local chain: neither deployed nor bought without the flag that names the danger",
  async run(world) {
    const node = await startLocalNode({ chainId: MAINNET });
    world.onClose(() => node.stop());
    const { rpcUrl } = node;
    const { account } = world.contributor;
    const deploymentFile = join(world.directory, "elsewhere.json");
    const chain = withAccount(await connectChain({ rpcUrl }), account);
    const deploying = await refused("the deployment", "chain/dev-keys", () =>
      deploy(chain, { file: deploymentFile }),
    );
    await deploy(chain, { file: deploymentFile, acceptForgeableDevKeys: true });
    const ctx = await connect({ rpcUrl, account, deploymentFile });
    const url = await serveElsewhere(world, ctx);
    const { registry } = ctx.deployment;
    const found = await discover({
      url,
      domain: domainOf(ctx),
      registry,
      readAdapter: buyerChain(ctx).readAdapter,
    });
    world.onClose(() => found.client.http.close());
    const buying = await refused("the adapter", "adapter/dev-key", async () =>
      verifyAdapter({
        ...found,
        curve: await loadCurve(),
        registry,
        release: world.release,
        cache: await world.adapterCache(),
        findTargets: targetsOfModel(FIXTURES.model),
      }),
    );
    return { how: `deploying: ${deploying.message}; buying: ${buying.message}`, gained: 0n };
  },
};
