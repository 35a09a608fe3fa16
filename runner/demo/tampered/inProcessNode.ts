/** A Hardhat node inside this process: ready sooner than one in a process of its own, for chains that live for one audit. */
import { fileURLToPath } from "node:url";
import { createHardhatRuntimeEnvironment } from "hardhat/hre";
import type { LocalNode } from "../../chain/localNode.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const HOST = "127.0.0.1";

/** @param chainId default: that of local chains */
export async function startInProcessNode(chainId = 31337): Promise<Pick<LocalNode, "rpcUrl" | "stop">> {
  const { network } = await createHardhatRuntimeEnvironment(
    // reading the project's build information takes longer than all else
    {
      networks: { chain: { type: "edr-simulated", chainId } },
      paths: { artifacts: `${ROOT}/artifacts/none` },
    },
    {},
    ROOT,
  );
  const server = await network.createServer("chain", HOST, 0);
  const { port } = await server.listen();
  return { rpcUrl: `http://${HOST}:${port}`, stop: () => server.close() };
}
