/** What page and worker say to each other. */

export interface Start {
  url: string;
  name: string;
  entropy: string;
  /** The person vouches for powers of tau that are not public ones. */
  vouched: boolean;
}

export type Told =
  | { kind: "progress"; step: string; done: number; total: number }
  | { kind: "waiting"; before: number }
  | { kind: "done"; round: number; attestation: string }
  | { kind: "failed"; code: string; message: string; hint: string | null };
