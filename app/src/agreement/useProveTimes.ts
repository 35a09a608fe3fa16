/** How long each proof took to make: known to the contributor's own service alone. */
import { useQuery } from "@tanstack/react-query";
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { storedToken } from "../service/token.ts";
import { useServices } from "../service/useServices.ts";

/** Milliseconds by group; empty where no service of the reader's knows. */
export function useProveTimes(agreementId: Hex): ReadonlyMap<number, number> {
  const services = useServices();
  const times = useQuery({
    queryKey: ["prove-times", agreementId],
    enabled: services.length > 0 && storedToken() !== undefined,
    retry: false,
    queryFn: async () => {
      const answers = await Promise.allSettled(services.map((service) => service.sessions()));
      const sessions = answers.flatMap((answer) =>
        answer.status === "fulfilled" ? answer.value.sessions : [],
      );
      const mine = sessions.find((session) => session.agreementId === agreementId);
      return new Map(mine?.proofs.map(({ group, proveMs }) => [group, proveMs]));
    },
  });
  return times.data ?? new Map();
}
