/** Addresses and hashes: checksummed, shortened for the eye, whole for the clipboard and the screen reader. */
import { useState } from "react";
import { getAddress } from "viem";

function useCopy(text: string): { copied: boolean; copy: () => void } {
  const [copied, setCopied] = useState(false);
  return {
    copied,
    copy: () => {
      navigator.clipboard.writeText(text).then(
        () => {
          setCopied(true);
          setTimeout(() => setCopied(false), 1500);
        },
        () => setCopied(false),
      );
    },
  };
}

/** Beginning and end of an address or a hash. */
export function shortened(value: string): string {
  return value.length > 14 ? `${value.slice(0, 8)}…${value.slice(-6)}` : value;
}

/** A long hex text, shortened; a click copies all of it. */
export function HashText({ value, label }: { value: string; label?: string }) {
  const { copied, copy } = useCopy(value);
  const shown = copied ? "copied" : shortened(value);
  return (
    <button
      type="button"
      className="hash"
      title={`${value} – click to copy`}
      onClick={copy}
      // What is seen comes first: people who speak to their machine say that.
      aria-label={`${shown}, copy ${label === undefined ? "" : `${label} `}${value}`}
    >
      <span aria-hidden="true">{shown}</span>
      <span className="sr-only" role="status">
        {copied ? "copied" : ""}
      </span>
    </button>
  );
}

export function AddressText({ address, label }: { address: string; label?: string }) {
  return <HashText value={getAddress(address)} {...(label === undefined ? {} : { label })} />;
}
