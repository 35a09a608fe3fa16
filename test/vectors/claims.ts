/**
 * The proofs of the session's statements. Groth16 proofs are random, so those in the file stay as long as they verify;
 * all other vectors follow from the inputs.
 */
import { loadProvingKey } from "../../runner/keys/load.ts";
import { Prover, verifyProof } from "../../runner/prover/prove.ts";
import type { Claim } from "../../runner/wire/messages.ts";
import { type Book, plain, type Vector } from "./book.ts";
import { KEY_SIZE } from "./inputs.ts";
import type { VectorSession } from "./session.ts";

interface PlainClaim {
  group: number;
  a: string;
  b: string;
  c: string;
}

const words = (text: string): bigint[] => text.split(" ").map(BigInt);

function toClaim({ group, a, b, c }: PlainClaim): Claim {
  return { group, a: words(a) as Claim["a"], b: words(b) as Claim["b"], c: words(c) as Claim["c"] };
}

/** The claims of an earlier file, if they are there. */
function stored(vectors: readonly Vector[]): Claim[] {
  const vector = vectors.find(({ name }) => name === "claims");
  return vector === undefined ? [] : (vector.output as unknown as PlainClaim[]).map(toClaim);
}

/** Adds the claims, one a group: those of `earlier` that verify, new ones otherwise. */
export async function addClaims(
  book: Book,
  session: VectorSession,
  earlier: readonly Vector[],
): Promise<Claim[]> {
  const key = await loadProvingKey(KEY_SIZE);
  const prover = new Prover(key);
  const old = stored(earlier);
  const claims: Claim[] = [];
  for (const [group, V] of session.V.entries()) {
    const known = old.find((claim) => claim.group === group);
    const keep = known !== undefined && (await verifyProof(key.commitKey, V, known));
    claims.push(keep ? known : { group, ...(await prover.prove(session.witnesses[group]!, V)) });
  }
  book.add("claims", { key: "key/vk-hash", V: session.V.map(plain), randomised: true }, claims);
  return claims;
}
