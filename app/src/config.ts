/** Where this page finds its chain: /config.json, written by whatever serves the page. */
import { type Deployment, parseDeployment } from "../../runner/chain/deploymentFile.ts";
import { DeltapayError, ensure } from "../../runner/protocol/errors.ts";
import { type AppConfig, appConfigSchema } from "../../runner/wire/admin.ts";
import { parseMessage } from "../../runner/wire/messages.ts";

/** The configuration with its deployment file read. */
export interface PageConfig extends Omit<AppConfig, "deployment"> {
  deployment: Deployment;
}

const CONFIG_PATH = "/config.json";

/**
 * Checks a configuration.
 * @throws DeltapayError `wire/malformed`, `chain/bad-deployment`, `chain/wrong-chain`
 */
export function parseConfig(json: unknown): PageConfig {
  const { deployment: file, ...config } = parseMessage(appConfigSchema, json, CONFIG_PATH);
  const deployment = parseDeployment(JSON.stringify(file), CONFIG_PATH);
  ensure(
    deployment.chainId === config.chainId,
    "chain/wrong-chain",
    `the configuration is for chain ${config.chainId}, its deployment for ${deployment.chainId}`,
    { field: "deployment.chainId", hint: "serve the page with the deployment file of its chain" },
  );
  return { ...config, deployment };
}

/** Fetches the configuration. @throws DeltapayError `config/unavailable`, and as `parseConfig` */
export async function loadConfig(): Promise<PageConfig> {
  const unavailable = (message: string): DeltapayError =>
    new DeltapayError("config/unavailable", message, {
      field: CONFIG_PATH,
      hint: "serve the page with: npm run app",
    });
  let response: Response;
  try {
    response = await fetch(CONFIG_PATH, { cache: "no-store" });
  } catch {
    throw unavailable("the server of this page does not answer");
  }
  if (!response.ok) throw unavailable(`the server of this page has no configuration (${response.status})`);
  let json: unknown;
  try {
    json = await response.json();
  } catch {
    throw unavailable("the configuration is not JSON");
  }
  return parseConfig(json);
}
