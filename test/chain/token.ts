/** A plain ERC-20, compiled for the tests that pay in one. */
import * as fs from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Address, encodeFunctionData, type Hex, parseAbi } from "viem";
import type { ChainContext } from "../../runner/chain/connect.ts";
import { requireSender, transact, waitFor } from "../../runner/chain/transact.ts";

const SOURCE = "contracts/test/Tokens.sol";
const require = createRequire(import.meta.url);

interface Compiler {
  compile(input: string, callbacks: { import(path: string): { contents: string } }): string;
}
interface Output {
  contracts: Record<string, Record<string, { evm: { bytecode: { object: string } } }>>;
}

function read(path: string): string {
  return fs.readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), "utf8");
}

function tokenBytecode(): Hex {
  const solc = require("solc") as Compiler;
  const input = {
    language: "Solidity",
    sources: { [SOURCE]: { content: read(SOURCE) } },
    settings: { outputSelection: { [SOURCE]: { TestToken: ["evm.bytecode.object"] } } },
  };
  const contents = (path: string) => ({ contents: read(`node_modules/${path}`) });
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: contents })) as Output;
  return `0x${output.contracts[SOURCE]!["TestToken"]!.evm.bytecode.object}`;
}

/** Deploys the token and gives the sender some. */
export async function deployToken(ctx: ChainContext, amount: bigint): Promise<Address> {
  const { walletClient, account } = requireSender(ctx);
  const { contractAddress } = await waitFor(
    ctx,
    await walletClient.sendTransaction({ data: tokenBytecode() }),
  );
  const abi = parseAbi(["function mint(address to, uint256 amount)"]);
  const data = encodeFunctionData({ abi, functionName: "mint", args: [account.address, amount] });
  await transact(ctx, { to: contractAddress!, data });
  return contractAddress!;
}
