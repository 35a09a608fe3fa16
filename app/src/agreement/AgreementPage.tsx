import type { Hex } from "../../../runner/protocol/bytes.ts";

/** The certificate of one agreement, or the form that asks for its id. */
export function AgreementPage({ agreementId }: { agreementId?: Hex }) {
  return <p>{agreementId === undefined ? "Which agreement?" : `Agreement ${agreementId}`}</p>;
}
