/** A service that shows other files or another record than the contributor registered and signed. */
import { encodeManifest, manifestHash } from "../../protocol/manifest.ts";
import { type Attack, refused } from "./attack.ts";
import { honestAdapter, inspect, registerForgery, renamed } from "./forgery.ts";
import { type Shown, serveRogue } from "./rogueService.ts";

export const manifestSwapped: Attack = {
  name: "manifest-swapped",
  expected: "another manifest or other commitments served than those registered: refused by their hashes",
  async run(world) {
    // not the adapter that other attacks let the buyer cache
    const { manifest, commitments } = await honestAdapter(world, "all", "kjv-proj");
    const other = encodeManifest(renamed(manifest, "shown instead"));
    const namedHash = manifestHash(encodeManifest(renamed(manifest, "registered 1")));
    const changed = Uint8Array.from(commitments);
    changed.set(commitments.subarray(36, 100), 100);
    const cases: [string, string, Partial<Shown>][] = [
      ["another manifest under its own hash", "manifest/hash", { manifest: other }],
      ["another manifest under the registered hash", "manifest/hash", { manifest: other, namedHash }],
      ["other commitments", "manifest/commitments", { commitments: changed }],
      ["fewer commitments", "manifest/commitments", { commitments: commitments.subarray(64) }],
    ];
    const refusals: string[] = [];
    for (const [what, code, shown] of cases) {
      // each under a new name, so that the buyer has none of it cached
      const registered = renamed(manifest, `registered ${refusals.length}`);
      const { url } = await registerForgery(world, { manifest: registered, commitments, shown });
      refusals.push((await refused(what, code, () => inspect(world, url))).message);
    }
    return { how: refusals.join("; "), gained: 0n };
  },
};

export const foreignRecord: Attack = {
  name: "stale-or-foreign-record",
  expected:
    "a service record signed by another, expired, for another adapter, URL or certificate: the service is not talked to",
  async run(world) {
    const { record, manifestBytes, commitments } = await honestAdapter(world);
    const served = { adapterId: record.adapterId, manifest: manifestBytes, commitments };
    const other = record.manifestHash;
    const cases: [string, string, Partial<Shown>][] = [
      ["a stranger's record", "signature/wrong-signer", { recordBy: world.stranger.account }],
      ["an expired record", "service/record-expired", { recordChange: { expiry: 1n } }],
      ["another adapter's record", "service/other-record", { recordChange: { adapterId: other } }],
      ["a record for another URL", "service/other-url", { recordChange: { url: "http://127.0.0.1:9" } }],
      [
        "a record for another certificate",
        "service/other-certificate",
        { recordChange: { tlsCertificate: other } },
      ],
    ];
    const refusals: string[] = [];
    for (const [what, code, shown] of cases) {
      const url = await serveRogue(world, { ...served, ...shown });
      refusals.push((await refused(what, code, () => inspect(world, url))).message);
    }
    return { how: refusals.join("; "), gained: 0n };
  },
};
