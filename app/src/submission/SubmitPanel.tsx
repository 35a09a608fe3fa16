/** Submitting proofs: from a file, from the contributor's service, or the one a reload interrupted. */
import { type DragEvent, useId, useMemo, useState } from "react";
import type { ProofBundle } from "../../../runner/wire/messages.ts";
import { useChain } from "../chain/ChainProvider.tsx";
import { readText } from "../layout/chosenFile.ts";
import { Failure } from "../layout/Failure.tsx";
import { Panel } from "../layout/Panel.tsx";
import { useOwnAdapters } from "../service/useServices.ts";
import { parseBundle } from "../verification/bundleFile.ts";
import { ProveInBrowser } from "../verification/ProveInBrowser.tsx";
import { BundleSubmission } from "./BundleSubmission.tsx";
import { forgetBundle, keepBundle, keptBundle } from "./keptBundle.ts";

export interface ChosenBundle {
  bundle: ProofBundle | undefined;
  choose(bundle: ProofBundle): void;
  forget(): void;
}

/** The bundle being submitted, over reloads. */
export function useChosenBundle(): ChosenBundle {
  const { chainId, deployment } = useChain();
  const scope = `${chainId}:${deployment.escrow.toLowerCase()}`;
  const [bundle, setBundle] = useState(() => keptBundle(window.localStorage, scope));
  return {
    bundle,
    choose: (chosen) => {
      keepBundle(window.localStorage, scope, chosen);
      setBundle(chosen);
    },
    forget: () => {
      forgetBundle(window.localStorage, scope);
      setBundle(undefined);
    },
  };
}

/** Names of the modules of an adapter, from whichever service knows them. */
function useModules(agreementAdapter: string | undefined) {
  const own = useOwnAdapters();
  return useMemo(
    () =>
      own.flatMap(({ said }) => said.adapters).find(({ adapterId }) => adapterId === agreementAdapter)
        ?.modules ?? [],
    [own, agreementAdapter],
  );
}

export function SubmitPanel({
  chosen,
  adapterId,
}: {
  chosen: ChosenBundle;
  /** Adapter of the chosen bundle, where it is known. */
  adapterId: string | undefined;
}) {
  const modules = useModules(adapterId);
  const { bundle, choose, forget } = chosen;
  return (
    <Panel
      title="Submit proofs"
      end={
        bundle !== undefined && (
          <button type="button" className="quiet" onClick={forget}>
            Put this bundle away
          </button>
        )
      }
    >
      {bundle === undefined ? (
        <>
          <p className="fine">
            Load the proofs of a session above, or drop a bundle that <code>deltapay prove</code> wrote. Every
            proof is checked in this browser before your wallet is asked for anything.
          </p>
          <BundleFile onBundle={choose} />
          <details>
            <summary>Prove here from a session file</summary>
            <ProveInBrowser onBundle={choose} />
          </details>
        </>
      ) : (
        <BundleSubmission
          key={`${bundle.agreementId}-${bundle.receipt.passes}`}
          bundle={bundle}
          modules={modules}
        />
      )}
    </Panel>
  );
}

/** Most bytes of a bundle: 1,024 groups take about a megabyte. */
const MOST_BYTES = 16 * 1024 * 1024;

function BundleFile({ onBundle }: { onBundle: (bundle: ProofBundle) => void }) {
  const [error, setError] = useState<unknown>();
  const [over, setOver] = useState(false);
  const id = useId();
  const read = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return;
    setError(undefined);
    try {
      onBundle(parseBundle(await readText(file, MOST_BYTES)));
    } catch (failure) {
      setError(failure);
    }
  };
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    void read(event.dataTransfer.files[0]);
  };
  return (
    <>
      <section
        className={over ? "drop over" : "drop"}
        aria-label="Bundle file"
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <div className="field">
          <label htmlFor={id}>Proof bundle (JSON file), chosen or dropped here</label>
          <input
            id={id}
            type="file"
            accept=".json,application/json"
            onChange={(event) => void read(event.target.files?.[0])}
          />
        </div>
      </section>
      {error !== undefined && <Failure title="The file is not a proof bundle" error={error} />}
    </>
  );
}
