/** The secret files: statements recomputed from what they open to, and the transcript folded again. */
import { readFileSync } from "node:fs";
import type { SettleCall } from "../chain/model.ts";
import { type Opening, readOpening } from "../formats/openingFile.ts";
import { deltaWeights, foldedAnswers, statementOf } from "../formats/session.ts";
import type { Hex } from "../primitives/bytes.ts";
import { fromHex } from "../primitives/bytes.ts";
import { demand, Missing } from "../problem.ts";
import type { Subject } from "../subject.ts";
import { once } from "../verdict.ts";
import { type Folded, foldTranscript, type OnPass } from "./transcript.ts";
import type { Weights } from "./weights.ts";

type OnGroup = (done: number, total: number) => void;

export interface SessionFiles {
  opening: string | undefined;
  /** Folders; the first is audited, the others are compared with it where it differs from the chain. */
  transcripts: readonly string[];
}

/** The files of one audit, each read once. */
export class Session {
  readonly #subject: Subject;
  readonly #weights: Weights;
  readonly #files: SessionFiles;

  constructor(subject: Subject, weights: Weights, files: SessionFiles) {
    this.#subject = subject;
    this.#weights = weights;
    this.#files = files;
  }

  /** The settled receipt that an opening is of: two of as many passes differ in their heads. */
  async #settledBy({ passes, head }: Opening): Promise<SettleCall> {
    const calls = await this.#subject.settleCalls();
    const like = calls.filter(({ receipt }) => receipt.passes === passes);
    const found = like.find(({ receipt }) => receipt.head === head) ?? like[0];
    if (found !== undefined) return found;
    throw new Missing(`no receipt for ${passes} passes was settled`);
  }

  readonly #openingFile = once(async (): Promise<Opening> => {
    const { opening } = this.#files;
    if (opening === undefined) throw new Missing("the opening file of a settled receipt (--opening FILE)");
    const { modules, groups } = await this.#weights.manifest();
    return readOpening(readFile(opening), modules, groups);
  });

  readonly #folded = once(async (): Promise<Folded> => {
    const [folder, ...others] = this.#files.transcripts;
    if (folder === undefined) throw new Missing("the transcript of the session (--transcript DIR)");
    const { modules, groups } = await this.#weights.manifest();
    const { receipt } = await this.#subject.paidCall();
    const earlier = (await this.#subject.settleCalls()).map((call) => call.receipt);
    return foldTranscript({
      ...{ folder, others, modules, groups, receipt, earlier },
      agreementId: this.#subject.agreementId,
      onPass: this.onPass,
    });
  });

  /** Told while a transcript is folded. */
  onPass: OnPass = () => {};

  /** Heads, ranges, folding: the transcript gives the head that the buyer signed. */
  async checkTranscript(): Promise<string> {
    const { passes, tokens, head } = await this.#folded();
    return `${passes} passes, ${tokens} tokens, every value in its range; folded to the head ${head} of the receipt`;
  }

  /** The opening file is of a settled receipt, and of the transcript where there is one. */
  async checkOpening(): Promise<string> {
    const opening = await this.#openingFile();
    const { receipt } = await this.#settledBy(opening);
    const { manifestHash } = await this.#subject.registered();
    demand(
      opening.agreementId === this.#subject.agreementId,
      `the opening file is of agreement ${opening.agreementId}`,
    );
    demand(opening.manifestHash === manifestHash, `the opening file is for manifest ${opening.manifestHash}`);
    demand(
      opening.tokens === receipt.tokens,
      `the opening file covers ${opening.tokens} tokens, the receipt ${receipt.tokens}`,
    );
    demand(
      opening.head === receipt.head,
      `the opening file has the head ${opening.head}, the receipt ${receipt.head}`,
    );
    if (this.#files.transcripts.length > 0) await this.#compare(opening, await this.#folded());
    return `of the receipt for ${opening.passes} passes and ${opening.tokens} tokens`;
  }

  async #compare(opening: Opening, folded: Folded): Promise<void> {
    if (opening.passes !== BigInt(folded.passes)) return;
    const { modules } = await this.#weights.manifest();
    for (const [m, { name }] of modules.entries())
      for (const part of ["xBar", "yBar"] as const) {
        const at = opening[part][m]!.findIndex((sum, i) => sum !== folded.opening[part][m]![i]);
        demand(
          at < 0,
          `module ${name}: ${part}[${at}] of the opening file is not what the transcript folds to`,
        );
      }
    const g = opening.t.findIndex((t, group) => t !== folded.opening.t[group]);
    demand(g < 0, `t of group ${g} in the opening file is not the transcript's`);
  }

  /** V of every group from the registered commitments: the proofs are about the registered weights. */
  async checkStatements(onGroup: OnGroup): Promise<string> {
    const openings = await this.#openings();
    const shown = new Set<Hex>();
    const { modules, groups } = await this.#weights.manifest();
    const key = await this.#subject.key();
    const committed = await this.#weights.committed();
    for (const { from, opening } of openings) {
      const { V, receipt, receiptHash } = await this.#settledBy(opening);
      demand(
        opening.head === receipt.head,
        `${from} has the head ${opening.head}, the receipt ${receipt.head}`,
      );
      shown.add(receiptHash);
      const delta = deltaWeights(fromHex(receipt.head, 32), modules);
      const yHat = foldedAnswers(delta, opening, modules, groups);
      for (let group = 0; group < groups; group++) {
        const [x, y] = statementOf(group, { key, modules, committed, opening, delta, yHat });
        const names = modules.filter((module) => module.group === group).map(({ name }) => name);
        demand(
          x === V[group]?.[0] && y === V[group]?.[1],
          `the statement of group ${group} (${names.join(", ")}) does not follow from ${from} and the registered commitments`,
        );
        onGroup(group + 1, groups);
      }
    }
    const paid = await this.#subject.paidCall();
    if (!shown.has(paid.receiptHash)) {
      const { passes, tokens } = paid.receipt;
      throw new Missing(
        `what was paid rests on the receipt for ${passes} passes and ${tokens} tokens, and ${openings.map(({ from }) => from).join(" and ")} is of another`,
      );
    }
    return `V of ${groups} groups recomputed from the commitments and ${openings.map(({ from }) => from).join(" and ")}`;
  }

  async #openings(): Promise<{ from: string; opening: Opening }[]> {
    const found: { from: string; opening: Opening }[] = [];
    if (this.#files.opening !== undefined)
      found.push({ from: "the opening file", opening: await this.#openingFile() });
    if (this.#files.transcripts.length > 0) {
      const { manifestHash } = await this.#subject.registered();
      const { opening } = await this.#folded();
      found.push({ from: "the transcript", opening: { ...opening, manifestHash } });
    }
    if (found.length === 0)
      throw new Missing("the opening file or the transcript (--opening FILE, --transcript DIR)");
    return found;
  }
}

function readFile(file: Hex): Uint8Array {
  try {
    return readFileSync(file);
  } catch {
    throw new Missing(`${file} cannot be read`);
  }
}
