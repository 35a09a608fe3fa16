/** What `import ... from "deltapay"` gives: a base model with paid adapters, for one's own programs. See docs/library.md. */
export { AdaptedModel, type AdaptedModelOptions } from "../buyer/model/adaptedModel.ts";
export { DeltapayError } from "../protocol/errors.ts";
export { type OpenOptions, RemoteAdapter } from "./remoteAdapter.ts";
