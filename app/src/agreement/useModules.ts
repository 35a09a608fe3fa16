/** Names of an adapter's modules: from its manifest, which the chain knows by hash only. */
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { ensure } from "../../../runner/protocol/errors.ts";
import { decodeManifest, manifestHash, manifestLayout } from "../../../runner/protocol/manifest.ts";
import { storedToken } from "../service/token.ts";
import { useServices } from "../service/useServices.ts";
import type { Registration } from "./facts.ts";
import type { NamedModule } from "./receipts.ts";

/**
 * The modules a manifest names, seen to be the registered one.
 * @throws DeltapayError `manifest/...`, `layout/...`
 */
function modulesOfManifest(bytes: Uint8Array, registration: Pick<Registration, "manifestHash" | "groups">) {
  const hash = manifestHash(bytes);
  ensure(
    hash === registration.manifestHash,
    "manifest/other",
    `this file's hash is ${hash}, registered is ${registration.manifestHash}`,
    { field: "manifest", hint: "take the manifest from the adapter's own service: /v1/adapters/ID/manifest" },
  );
  const layout = manifestLayout(decodeManifest(bytes));
  ensure(
    layout.groups === registration.groups,
    "manifest/groups",
    "it has other groups than are registered",
    {
      field: "manifest.groups",
    },
  );
  return layout.modules.map(({ name, group }): NamedModule => ({ name, group }));
}

export interface Modules {
  /** Undefined until they are known. */
  modules: readonly NamedModule[] | undefined;
  /** The manifest is being looked for. */
  busy: boolean;
  error: unknown;
  /** Reads a manifest's file. */
  read(file: Promise<Uint8Array>): Promise<void>;
}

/** Modules of an adapter from the reader's own service when it has one, or from a file. */
export function useModules(registration: Registration | undefined): Modules {
  const services = useServices();
  const [given, setGiven] = useState<readonly NamedModule[]>();
  const [error, setError] = useState<unknown>();
  const adapterId: Hex | undefined = registration?.adapterId;
  const found = useQuery({
    queryKey: ["manifest", adapterId],
    enabled: registration !== undefined && services.length > 0 && storedToken() !== undefined,
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async (): Promise<readonly NamedModule[] | null> => {
      for (const service of services)
        try {
          return modulesOfManifest(await service.manifest(adapterId!), registration!);
        } catch {
          // Another service, or a file, may have it.
        }
      return null;
    },
  });
  return {
    modules: given ?? found.data ?? undefined,
    busy: found.isFetching,
    error,
    read: async (file) => {
      try {
        setGiven(modulesOfManifest(await file, registration!));
        setError(undefined);
      } catch (caught) {
        setError(caught);
      }
    },
  };
}
