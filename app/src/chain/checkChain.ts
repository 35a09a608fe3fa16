/** Whether the node is on the chain of this page, with the contracts it is about. */
import { keccak256 } from "viem";
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { onChain } from "../../../runner/chain/errors.ts";
import { ensure } from "../../../runner/protocol/errors.ts";
import type { Address } from "../../../runner/protocol/typedData.ts";

/**
 * @param release where this release puts registry and escrow on every chain
 * @throws DeltapayError `chain/unreachable`, `chain/wrong-chain`, `chain/not-deployed`, `chain/other-code`, `chain/other-release`
 */
export async function checkChain(
  ctx: ChainContext,
  release: Record<"registry" | "escrow", Address>,
): Promise<void> {
  const { deployment, publicClient } = ctx;
  const chainId = await onChain(ctx, () => publicClient.getChainId());
  ensure(
    chainId === ctx.chainId,
    "chain/wrong-chain",
    `the node is on chain ${chainId}, this page on ${ctx.chainId}`,
    {
      field: "rpcUrl",
      hint: "serve the page with the node of its chain",
    },
  );
  for (const name of ["registry", "escrow"] as const) {
    const code = await onChain(ctx, () => publicClient.getCode({ address: deployment[name] }));
    ensure(code !== undefined, "chain/not-deployed", `there is no ${name} at ${deployment[name]}`, {
      field: name,
      hint: "a local chain forgets everything when it stops: deltapay deploy",
    });
    ensure(
      keccak256(code) === deployment.codeHashes[name],
      "chain/other-code",
      `the ${name} has other code`,
      {
        field: name,
        hint: "do not sign or send anything on this page",
      },
    );
    ensure(
      release[name].toLowerCase() === deployment[name].toLowerCase(),
      "chain/other-release",
      `the ${name} at ${deployment[name]} is none of this release`,
      { field: name, hint: "use the release this deployment was made with" },
    );
  }
}
