/** An ERC-20 with EIP-2612 permits, compiled for the tests of paying in by signature. */
import * as fs from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { type Address, encodeFunctionData, type Hex, parseAbi } from "viem";
import type { ChainContext } from "../../runner/chain/connect.ts";
import { requireSender, transact, waitFor } from "../../runner/chain/transact.ts";

const SOURCE = `// SPDX-License-Identifier: GPL-3.0-or-later
pragma solidity ^0.8.37;
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";
contract PermitToken is ERC20, ERC20Permit {
    constructor() ERC20("Permitted", "PMT") ERC20Permit("Permitted") {}
    function mint(address to, uint256 amount) external { _mint(to, amount); }
}
contract OldPermitToken is PermitToken {
    function PERMIT_TYPEHASH() external pure returns (bytes32) {
        return keccak256("Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)");
    }
}`;

const require = createRequire(import.meta.url);

interface Compiler {
  compile(input: string, callbacks: { import(path: string): { contents: string } }): string;
}
interface Output {
  contracts: Record<string, Record<string, { evm: { bytecode: { object: string } } }>>;
}

type Name = "PermitToken" | "OldPermitToken";

function bytecode(name: Name): Hex {
  const solc = require("solc") as Compiler;
  const input = {
    language: "Solidity",
    sources: { "PermitToken.sol": { content: SOURCE } },
    settings: {
      evmVersion: "prague",
      outputSelection: { "PermitToken.sol": { [name]: ["evm.bytecode.object"] } },
    },
  };
  const contents = (path: string) => ({
    contents: fs.readFileSync(fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url)), "utf8"),
  });
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: contents })) as Output;
  return `0x${output.contracts["PermitToken.sol"]![name]!.evm.bytecode.object}`;
}

/** Deploys the token and gives the sender some. @param name `OldPermitToken`: its permits have the fields of DAI's */
export async function deployPermitToken(
  ctx: ChainContext,
  amount: bigint,
  name: Name = "PermitToken",
): Promise<Address> {
  const { walletClient, account } = requireSender(ctx);
  const { contractAddress } = await waitFor(
    ctx,
    await walletClient.sendTransaction({ data: bytecode(name) }),
  );
  const abi = parseAbi(["function mint(address to, uint256 amount)"]);
  const data = encodeFunctionData({ abi, functionName: "mint", args: [account.address, amount] });
  await transact(ctx, { to: contractAddress!, data });
  return contractAddress!;
}
