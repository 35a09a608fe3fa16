/** An adapter's id is the hash of what was registered: a node cannot tell another verifier or contributor for it. */
import type { ChainContext } from "../../../runner/chain/connect.ts";
import { findEvents } from "../../../runner/chain/events.ts";
import type { RegisteredAdapter } from "../../../runner/chain/registry.ts";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { ensure } from "../../../runner/protocol/errors.ts";
import { adapterId as hashOf } from "../../../runner/protocol/typedData.ts";

const ASK_ANOTHER = "do not rely on what this node says: ask another";

/** @throws DeltapayError `adapter/other-registration` */
export function checkRegistration(
  { chainId, deployment }: Pick<ChainContext, "chainId" | "deployment">,
  adapterId: Hex,
  told: RegisteredAdapter & { salt: Hex },
): void {
  const { registry } = deployment;
  ensure(
    hashOf({ chainId: BigInt(chainId), registry, ...told }) === adapterId.toLowerCase(),
    "adapter/other-registration",
    `what the node says of adapter ${adapterId} is not what was registered under this id`,
    { field: "adapterId", hint: ASK_ANOTHER },
  );
}

/**
 * Holds what the registry is said to store against the adapter's id.
 * @throws DeltapayError `adapter/other-registration`, `adapter/no-event`, `chain/...`
 */
export async function checkStored(
  ctx: ChainContext,
  adapterId: Hex,
  stored: RegisteredAdapter,
): Promise<void> {
  // The id's salt is in the event alone.
  const [event] = await findEvents(ctx, "registry", "AdapterRegistered", { adapterId }, { most: 1 });
  ensure(
    event !== undefined,
    "adapter/no-event",
    "the node has the adapter, but no event of its registration",
    {
      field: "adapterId",
      hint: "it forgot old blocks, or says what is not so: ask another",
    },
  );
  checkRegistration(ctx, adapterId, { ...stored, salt: event.args.salt });
}
