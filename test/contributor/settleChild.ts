/** Settles an agreement as a process of its own, to be killed: DATA RPC DEPLOYMENT AGREEMENT. */
import { testAccount } from "../../runner/chain/accounts.ts";
import { connect } from "../../runner/chain/connect.ts";
import { settlementOf } from "../../runner/cli/settlement.ts";
import { openContributorData } from "../../runner/contributor/dataFolder.ts";
import type { Hex } from "../../runner/protocol/bytes.ts";

const [folder, rpcUrl, deploymentFile, agreementId] = process.argv.slice(2) as [string, string, string, Hex];
const data = await openContributorData(folder);
const ctx = await connect({ rpcUrl, deploymentFile, account: testAccount(1) });
await settlementOf(data, ctx, agreementId).settlement.settleAgreement(agreementId);
