/** How the agreements of an adapter went, told before one is opened. */
import type { ChainContext } from "../chain/connect.ts";
import { type AdapterRecord, adapterRecord } from "../chain/history.ts";
import type { Hex } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import type { Output } from "./output.ts";

/**
 * Looks it up and says it. It helps to decide and guards nothing: a node that keeps no old events does not stop who has decided.
 * @returns null where the node does not tell
 */
export async function tellRecord(
  out: Output,
  ctx: Pick<ChainContext, "publicClient" | "deployment" | "rpcUrl">,
  adapterId: Hex,
): Promise<AdapterRecord | null> {
  out.note("looking up how the adapter's agreements went");
  try {
    const record = await adapterRecord(ctx, adapterId);
    const { opened, settled, refunded, released } = record;
    out.note(`${opened} opened, ${settled} settled, ${refunded} refunded, ${released} released`);
    return record;
  } catch (error) {
    if (!(error instanceof DeltapayError)) throw error;
    out.warn(`how they went is not known: ${error.message}`);
    return null;
  }
}
