/** Where on the chain: with links where there is an explorer, else to copy. */
import type { Hex } from "../../../runner/protocol/bytes.ts";
import { usePageConfig } from "../chain/ChainProvider.tsx";
import { HashText } from "../layout/AddressText.tsx";
import { TransactionLink } from "../transactions/ActionView.tsx";
import type { Place } from "./facts.ts";

/** A block by number, its hash to copy. */
export function BlockText({ number, hash }: { number: bigint; hash: Hex }) {
  const { explorerUrl } = usePageConfig();
  if (explorerUrl === undefined)
    return (
      <>
        {number.toString()} <HashText value={hash} label={`hash of block ${number}`} />
      </>
    );
  return (
    <a href={new URL(`block/${number}`, `${explorerUrl}/`).href} target="_blank" rel="noreferrer">
      {number.toString()}
    </a>
  );
}

/** Transaction and block. */
export function PlaceText({ at }: { at: Place }) {
  return (
    <span className="row">
      <TransactionLink hash={at.txHash} />
      <span className="fine">
        block <BlockText number={at.blockNumber} hash={at.blockHash} />
      </span>
    </span>
  );
}
