/**
 * Creates what is missing on a chain; a second run does nothing.
 *
 *   DELTAPAY_RPC=URL DELTAPAY_PRIVATE_KEY=0x... npx hardhat --config ignition/hardhat.config.ts \
 *     ignition deploy ignition/modules/Release.ts --network chain
 */
import { network } from "hardhat";
import { releaseContracts } from "../../runner/chain/releaseContracts.ts";
import { releaseModule } from "../releaseModule.ts";

const { provider } = await network.create();
const missing = new Set<string>();
for (const { name, address } of releaseContracts())
  if ((await provider.request({ method: "eth_getCode", params: [address, "latest"] })) === "0x")
    missing.add(name);

export default releaseModule(({ name }) => missing.has(name));
