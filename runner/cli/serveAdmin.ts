/** `serve --admin`: the API that the contributor's own page talks to. */
import { type Command, InvalidArgumentError } from "commander";
import type { ChainContext } from "../chain/connect.ts";
import { domainOf } from "../chain/connect.ts";
import { type Admin, startAdmin } from "../contributor/admin/server.ts";
import type { ContributorData } from "../contributor/dataFolder.ts";
import type { ContributorService } from "../contributor/service.ts";
import type { Address } from "../protocol/typedData.ts";
import { DEFAULT_ADMIN_PORT, DEFAULT_APP_ORIGINS } from "../wire/admin.ts";
import { several, wholeNumber } from "./parsers.ts";

export interface AdminFlags {
  /** True: the default port. */
  admin?: number | true;
  adminOrigin?: string[];
}

function webOrigin(text: string): string {
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol) || new URL(text).origin !== text)
    throw new InvalidArgumentError("Expected an origin like http://127.0.0.1:7430.");
  return text;
}

/** Adds --admin and --admin-origin. */
export function withAdmin(command: Command): Command {
  return command
    .option(
      "--admin [port]",
      `let your own page see and submit (loopback only; default port ${DEFAULT_ADMIN_PORT}, 0 for any)`,
      wholeNumber(0, 65_535),
    )
    .option(
      "--admin-origin <origin>",
      `where that page is served, repeatable (default: ${DEFAULT_APP_ORIGINS.join(", ")})`,
      several(webOrigin),
    );
}

/** The admin API when asked for. */
export async function openAdmin(
  { admin, adminOrigin }: AdminFlags,
  running: {
    data: ContributorData;
    ctx: ChainContext & { account: { address: Address } };
    service: ContributorService;
    settles: boolean;
    onError: (error: unknown) => void;
  },
): Promise<Admin | undefined> {
  if (admin === undefined) return undefined;
  const { data, ctx, service, settles, onError } = running;
  return startAdmin({
    ...{ data, service, settles, onError },
    domain: domainOf(ctx),
    registry: ctx.deployment.registry,
    contributor: ctx.account.address,
    port: admin === true ? DEFAULT_ADMIN_PORT : admin,
    origins: adminOrigin ?? DEFAULT_APP_ORIGINS,
  });
}

/** What to start to see it, as a line for a person. */
export function pageLine({ url }: Admin, { rpc, data }: { rpc: string; data?: string | undefined }): string {
  const from = data === undefined ? "" : ` --data ${data}`;
  return `your page: deltapay app --rpc ${rpc} --admin ${url}${from}`;
}
