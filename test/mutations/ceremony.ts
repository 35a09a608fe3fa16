/** The checks of a ceremony: each with what succeeds without it. */
import type { Mutation } from "./list.ts";

const ATTACKS = "test/ceremony/attacks.test.ts";
const FOLDER = "test/ceremony/folder.test.ts";
const ONLINE = "test/ceremony/coordinator.test.ts";
const QUEUE = "test/ceremony/queue.test.ts";

type Check = Pick<Mutation, "name" | "attack" | "find" | "pattern"> & { replace?: string };

const inFile = (file: string, test: string, checks: readonly Check[]): Mutation[] =>
  checks.map(({ replace = "true,", ...check }) => ({ ...check, replace, file, test }));

export const CEREMONY_MUTATIONS: readonly Mutation[] = [
  ...inFile("runner/ceremony/checkContributions.ts", ATTACKS, [
    {
      name: "ceremony-transcript",
      attack: "a contribution's proof taken from another transcript, or made before the move",
      find: "equalBytes(transcript, expected),",
      pattern: "made for another transcript",
    },
    {
      name: "ceremony-replayed",
      attack: "a contribution given a second time",
      find: "twin === -1,",
      pattern: "given a second time",
    },
    {
      name: "ceremony-delta-unchanged",
      attack: "a contribution that leaves delta as it was",
      find: "!curve.G1.eq(before, deltaAfter) && !curve.G1.eq(g1s, g1sx),",
      pattern: "left unchanged",
    },
    {
      name: "ceremony-proof",
      attack: "a contribution whose maker does not show the factor",
      find: "await sameRatio(curve, g1s, g1sx, point, g2spx),",
      pattern: "a proof of another factor",
    },
    {
      name: "ceremony-delta-follows",
      attack: "a delta that is not the proven one",
      find: "await sameRatio(curve, before, deltaAfter, point, g2spx),",
      pattern: "a proof of another factor",
    },
    {
      name: "ceremony-g1-points",
      attack: "points at infinity or off the curve in a contribution",
      find: "checkFinite(curve.G1, contribution[name],",
      replace: "String(contribution[name],",
      pattern: "points at infinity",
    },
    {
      name: "ceremony-g2-point",
      attack: "a point of another group in a contribution",
      find: "checkInG2(curve, contribution.g2spx,",
      replace: "String(contribution.g2spx,",
      pattern: "points at infinity",
    },
    {
      name: "ceremony-canonical",
      attack: "a second encoding of a point, x + q",
      find: "readUintLE(point, at, 32) < Q,",
      pattern: "points at infinity",
    },
    {
      name: "ceremony-beacon",
      attack: "a secret passed off as a beacon",
      find: "curve.G1.eq(expected, g1s) && curve.G1.eq(curve.G1.timesFr(expected, secret), g1sx),",
      pattern: "a beacon that is not",
    },
    {
      name: "ceremony-beacon-last",
      attack: "contributions after the beacon that ended the ceremony",
      find: "contribution.beacon === null || i === contributions.length - 1,",
      pattern: "a beacon that is not",
    },
  ]),
  ...inFile("runner/ceremony/checkReceived.ts", ATTACKS, [
    {
      name: "ceremony-circuit",
      attack: "a contribution before the move under the old circuit hash, or a key of another circuit",
      find: "equalBytes(key.circuitHash, initial.circuitHash),",
      pattern: "before the move",
    },
    {
      name: "ceremony-bases",
      attack: "exchanged bases",
      find: '  [3, "bases (IC)"],\n',
      replace: "",
      pattern: "exchanged bases",
    },
    {
      name: "ceremony-header",
      attack: "alpha, beta or gamma replaced",
      find: 'for (const name of ["alpha1", "beta1", "beta2", "gamma2"] as const)',
      replace: "for (const name of [] as const)",
      pattern: "exchanged bases",
    },
    {
      name: "ceremony-delta-1",
      attack: "a delta in the key that no contribution made: phase 2 skipped",
      find: "equalBytes(key.delta1, delta),",
      pattern: "phase 2 skipped",
    },
    {
      name: "ceremony-delta-2",
      attack: "delta_2 that is the generator: phase 2 skipped",
      find: "await sameRatio(curve, G1.gAffine, key.delta1.slice(), G2.gAffine, key.delta2.slice()),",
      pattern: "phase 2 skipped",
    },
    {
      name: "ceremony-c-divided",
      attack: "points C that were not divided by delta",
      find: '  await checkDivided(curve, "c", start, key);\n',
      replace: "",
      pattern: "not divided by delta",
    },
    {
      name: "ceremony-h-divided",
      attack: "points H that were not divided by delta",
      find: '  await checkDivided(curve, "h", start, key);\n',
      replace: "",
      pattern: "one point of H",
    },
    {
      name: "ceremony-nothing-added",
      attack: "the key as it was, handed on as a contribution",
      find: "after.contributions > before.contributions ||\n      !equalBytes(after.contributionRecords, before.contributionRecords),",
      pattern: "given a second time",
    },
    {
      name: "ceremony-continuation",
      attack: "a key that drops the contributions before it",
      find: "after.contributions === before.contributions + 1 && equalBytes(kept, before.contributionRecords),",
      pattern: "drops those before",
    },
  ]),
  ...inFile("runner/ceremony/checkCeremony.ts", ATTACKS, [
    {
      name: "ceremony-check-first",
      attack: "a participant who does not check the keys received",
      find: "await checkTwice(curve, initial, zkey, ptau, field);",
      replace: '[{ name: "Ada", beacon: null }];',
      pattern: "the check comes first",
    },
  ]),
  ...inFile("runner/ceremony/ptau.ts", FOLDER, [
    {
      name: "ceremony-unknown-ptau",
      attack: "powers of tau whose maker knows tau",
      find: "    acceptUnpinned,\n",
      replace: "    true,\n",
      pattern: "those nobody vouches for",
    },
    {
      name: "ceremony-ptau-sections",
      attack: "powers of tau that are cut",
      find: "  exact(13, (2 * count - 1) * G2);\n",
      replace: "",
      pattern: "are cut, damaged",
    },
    {
      name: "ceremony-ptau-follows",
      attack: "powers of tau whose prepared points do not follow from the powers",
      find: "  if (!follows)\n",
      replace: "  if (false)\n",
      pattern: "do not fit are refused",
    },
  ]),
  ...inFile("runner/ceremony/checkCeremony.ts", FOLDER, [
    {
      name: "ceremony-wrong-ptau",
      attack: "other powers of tau than the ceremony is about",
      find: "ptau.blake2b === blake2b && ptau.name === name && ptau.power === power,",
      pattern: "of another ceremony",
    },
    {
      name: "ceremony-uneven",
      attack: "a key that some contributions left out",
      find: "key.contributions.length === round && kinds(key) === kinds(keys[0]),",
      pattern: "missed a round",
    },
  ]),
  ...inFile("runner/ceremony/finalize.ts", FOLDER, [
    {
      name: "ceremony-nobody",
      attack: "keys nobody contributed to, released as a ceremony's",
      find: "ensure(contributions > 0,",
      replace: "ensure(true,",
      pattern: "nobody put a secret",
    },
  ]),
  ...inFile("runner/ceremony/coordinator/coordinator.ts", ONLINE, [
    {
      name: "coordinator-continuation",
      attack: "a contribution that forgets the others, sent to the coordinator",
      find: "      checkOneMore(key.zkey, zkey);\n",
      replace: "",
      pattern: "is refused by name",
    },
    {
      name: "coordinator-all-checks",
      attack: "a contribution that only those who come after refuse: none of them can go on",
      find: "await checkTwice(this.#curve, key.initial, zkey, this.#ptau, field);",
      replace: "readContributions(readZkey(zkey));",
      pattern: "who come after would refuse",
    },
    {
      name: "coordinator-name",
      attack: "a contribution in another's name",
      find: "contributions.every(({ beacon }) => beacon === null) && (last === undefined || last.name === expected),",
      pattern: "is refused by name",
    },
  ]),
  ...inFile("runner/ceremony/coordinator/uploads.ts", ONLINE, [
    {
      name: "coordinator-offset",
      attack: "pieces of an upload out of order",
      find: "offset === received,",
      pattern: "goes on where it ended",
    },
    {
      name: "coordinator-limit",
      attack: "a coordinator's disk filled by one upload",
      find: "received + bytes.length <= limit,",
      pattern: "goes on where it ended",
    },
    {
      name: "coordinator-leftovers",
      attack: "a coordinator's disk filled by joining, uploading and leaving again and again",
      find: "    fs.rmSync(path.dirname(this.#directory), { recursive: true, force: true });\n",
      replace: "",
      pattern: "those who left",
    },
  ]),
  ...inFile("runner/ceremony/coordinator/server.ts", ONLINE, [
    {
      name: "coordinator-piece-unasked",
      attack: "anybody fills the coordinator's memory with pieces that are refused only once they are read",
      find: "    coordinator.uploads(ticketOf(request));\n    ensure(pieces",
      replace: "    ensure(pieces",
      pattern: "refused before it is read",
    },
    {
      name: "coordinator-pieces",
      attack: "who has the turn fills the coordinator's memory with pieces at once",
      find: "pieces < MAX_PIECES,",
      pattern: "refused before it is read",
    },
    {
      name: "coordinator-forwarded",
      attack: "one client fills the queue under addresses it invents for the proxy to pass on",
      find: "trustProxy: trustProxy && ((_: string, hop: number) => hop === 0),",
      replace: "trustProxy,",
      pattern: "behind a proxy",
    },
    {
      name: "coordinator-network",
      attack: "one client fills the queue from the addresses of its IPv6 network",
      find: "clientOf(request.ip)",
      replace: 'String(clientOf) === "" ? "" : request.ip',
      pattern: "behind a proxy",
    },
  ]),
  ...inFile("runner/ceremony/coordinator/queue.ts", QUEUE, [
    {
      name: "coordinator-stalled",
      attack: "a participant who keeps the turn and says nothing",
      find: "now - seenAt > 1000 * silenceSeconds ||",
      replace: "",
      pattern: "loses the turn to the next",
    },
    {
      name: "coordinator-slow",
      attack: "a participant who keeps the turn for ever",
      find: "now - since > 1000 * turnSeconds",
      replace: "false",
      pattern: "loses the turn to the next",
    },
    {
      name: "coordinator-turn",
      attack: "a contribution by somebody whose turn it is not",
      find: "position === 0,",
      pattern: "in the order of the queue",
    },
  ]),
  ...inFile("runner/ceremony/verify.ts", FOLDER, [
    {
      name: "ceremony-claimed-key",
      attack: "a release that says a key nobody contributed to is of a ceremony",
      find: "claimed === undefined,",
      pattern: "pass off a key of another size",
    },
    {
      name: "ceremony-release-twice",
      attack: "a release with a second key of a size, which is never looked at",
      find: "release.findIndex((key) => key.size === size) === i,",
      pattern: "pass off a key of another size",
    },
    {
      name: "ceremony-release-in-part",
      attack: "a release that pins another witness generator or other bases beside the right vkHash",
      find: "said[name] !== value",
      replace: "name === 'vkHash' && said[name] !== value",
      pattern: "pass off a key of another size",
    },
  ]),
  ...inFile("runner/ceremony/finalize.ts", FOLDER, [
    {
      name: "ceremony-release-by-half",
      attack: "half a release left lying about when it could not be finished",
      find: "    fs.rmSync(staged, { recursive: true, force: true });\n",
      replace: "",
      pattern: "whole or not at all",
    },
  ]),
  ...inFile("runner/ceremony/parameters.ts", ONLINE, [
    {
      name: "ceremony-ptau-power",
      attack: "a coordinator that fills the disks of those who join",
      find: ".min(1).max(16),",
      replace: ".min(1).max(28),",
      pattern: "larger than any that are taken",
    },
  ]),
  ...inFile("runner/ceremony/join.ts", ONLINE, [
    {
      name: "join-damaged-ptau",
      attack: "powers of tau that arrived damaged, kept for good",
      find: "toHex(blake2b(bytes, { dkLen: 64 })) === parameters.ptau.blake2b,",
      pattern: "a download that was cut",
    },
  ]),
];
