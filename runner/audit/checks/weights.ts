/** The registered weights: manifest, commitments and the proofs that their openings are known. */
import { type CommittedModule, checkKnowledge, readCommitments } from "../formats/commitments.ts";
import { type Manifest, readManifest } from "../formats/manifest.ts";
import { sha256Hex } from "../primitives/hashes.ts";
import { demand } from "../problem.ts";
import { type PublicFiles, publicFiles } from "../source.ts";
import type { Subject } from "../subject.ts";
import { once } from "../verdict.ts";
import { difference } from "./compare.ts";

type OnModule = (done: number, total: number) => void;

/** Manifest and commitments of the adapter under audit, each fetched and parsed once. */
export class Weights {
  readonly #subject: Subject;
  readonly #given: string | undefined;

  /** @param given `--manifest` */
  constructor(subject: Subject, given: string | undefined) {
    this.#subject = subject;
    this.#given = given;
  }

  readonly #files = once(async (): Promise<PublicFiles> => {
    const { uri, adapterId } = await this.#subject.registered();
    return publicFiles(this.#given, uri, adapterId);
  });

  readonly manifest = once(async (): Promise<Manifest> => {
    const bytes = await (await this.#files()).manifest();
    const { manifestHash, groups, vkHash, contributor } = await this.#subject.registered();
    const hash = sha256Hex(bytes);
    demand(hash === manifestHash, `the manifest has the hash ${hash}, registered is ${manifestHash}`);
    const manifest = readManifest(bytes);
    const { registry } = this.#subject.history.addresses;
    const { chainId } = this.#subject.node;
    const registered = { chainId, registry, contributor, vkHash, groups: Number(groups) };
    const different = difference(registered, manifest);
    demand(different === undefined, `registration and manifest differ: ${different}`);
    const { size } = await this.#subject.pinned();
    demand(
      manifest.keySize === size,
      `the manifest is for a key of ${manifest.keySize} slots, the verifier's has ${size}`,
    );
    return manifest;
  });

  readonly committed = once(async (): Promise<CommittedModule[]> => {
    const { commitments, modules } = await this.manifest();
    const bytes = await (await this.#files()).commitments(commitments.bytes);
    const hash = sha256Hex(bytes);
    demand(
      hash === commitments.sha256 && bytes.length === commitments.bytes,
      `the commitments file has the hash ${hash} and ${bytes.length} bytes, the manifest names ${commitments.sha256} and ${commitments.bytes}`,
    );
    return readCommitments(bytes, modules, (done) => this.onPoints(done, modules.length));
  });

  /** Told of each module whose points are decoded. */
  onPoints: OnModule = () => {};

  async checkManifest(): Promise<string> {
    const { modules, groups } = await this.manifest();
    return `hash as registered; ${modules.length} modules in ${groups} groups: ${modules.map(({ name }) => name).join(", ")}`;
  }

  async checkCommitments(): Promise<string> {
    const committed = await this.committed();
    const count = committed.reduce((sum, { A, B }) => sum + A.points.length + B.points.length, 0);
    return `hash as the manifest names it; ${count} commitments are points of the curve`;
  }

  async checkKnowledge(onModule: OnModule): Promise<string> {
    const manifest = await this.manifest();
    const committed = await this.committed();
    const key = await this.#subject.key();
    checkKnowledge(key, manifest, committed, (done) => onModule(done, manifest.modules.length));
    return `${manifest.modules.length} modules: openings of A and B are known over the module's own slots`;
  }
}
