/** What the contributor's services say, asked again and again. */
import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import type { AdminAdapters } from "../../../runner/wire/admin.ts";
import { usePageConfig } from "../chain/ChainProvider.tsx";
import { ServiceClient } from "./client.ts";
import { storedToken } from "./token.ts";

/** Clients of the configured services; none for a tab that was opened without their token. */
export function useServices(): ServiceClient[] {
  const { services } = usePageConfig();
  const token = storedToken();
  return useMemo(
    () => (token === undefined ? [] : services.map(({ adminUrl }) => new ServiceClient(adminUrl, token))),
    [services, token],
  );
}

/** What one service offers and knows of its adapters. */
export function useServiceAdapters(service: ServiceClient) {
  return useQuery({
    queryKey: ["service", service.adminUrl, "adapters"],
    queryFn: () => service.adapters(),
    refetchInterval: 5000,
  });
}

/** Its sessions, live. */
export function useServiceSessions(service: ServiceClient) {
  return useQuery({
    queryKey: ["service", service.adminUrl, "sessions"],
    queryFn: () => service.sessions(),
    refetchInterval: 2000,
  });
}

/** Adapters of all services that answer, each with its service. */
export function useOwnAdapters(): { service: ServiceClient; said: AdminAdapters }[] {
  const services = useServices();
  const answers = useQueries({
    queries: services.map((service) => ({
      queryKey: ["service", service.adminUrl, "adapters"],
      queryFn: () => service.adapters(),
    })),
  });
  return services.flatMap((service, at) => {
    const said = answers[at]?.data;
    return said === undefined ? [] : [{ service, said }];
  });
}
