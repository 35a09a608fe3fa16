/** Checks that stop attacks before `open` and on keys. What the contracts check is mostly in test/contracts/mutations.ts. */
import type { Mutation } from "./list.ts";

type Taken = Omit<Mutation, "file" | "test" | "pattern"> & { stops: string };

/** Mutations of a file, each noticed by the attack it lets through. */
const inFile = (file: string, mutations: readonly Taken[]): Mutation[] =>
  mutations.map(({ stops, ...mutation }) => ({
    ...mutation,
    file,
    test: "test/demo/attacks.chain.test.ts",
    pattern: `'${stops}'`,
  }));

const KNOWLEDGE = "if (!curve.G1.eq(left, curve.G1.add(right, T)))";
const RELEASED = "releasedVerifier(release, entry, chainId, options.acceptForgeableDevKey ?? false);";
const ANY_VERIFIER = "release.verifiers.find(({ size }) => size === 30)!;";

export const CHAIN_MUTATIONS: readonly Mutation[] = [
  ...inFile("runner/protocol/knowledge.ts", [
    {
      name: "hidden-delta-unchecked",
      attack: "Delta * I hidden in a weight commitment",
      find: KNOWLEDGE,
      replace: "if (false)",
      stops: "hidden-delta",
    },
    {
      name: "foreign-slots-unchecked",
      attack: "a commitment on another module's slots",
      find: KNOWLEDGE,
      replace: "if (false)",
      stops: "foreign-slots",
    },
  ]),
  ...inFile("runner/keys/checkKey.ts", [
    {
      name: "key-infinity-unchecked",
      attack: "a key of infinities",
      find: 'ensure(!group.isZero(point), "key/infinity"',
      replace: 'ensure(true, "key/infinity"',
      stops: "key-of-infinities",
    },
  ]),
  ...inFile("runner/keys/zkeyFile.ts", [
    {
      name: "move-unbound",
      attack: "a contribution made before the committed points were moved",
      find: "return blake2b(concatBytes(tag(KEY_TAGS.movedKey), circuitHash, u32(count)), { dkLen: CIRCUIT_HASH });",
      replace: "return circuitHash;",
      stops: "contribution-before-move",
    },
  ]),
  ...inFile("runner/buyer/opening/verifyAdapter.ts", [
    ...["true-verifier", "proxy-verifier", "own-key-verifier"].map((stops) => ({
      name: `${stops}-unchecked`,
      attack: `a verifier of the contributor's own making: ${stops}`,
      find: RELEASED,
      replace: ANY_VERIFIER,
      stops,
    })),
    {
      name: "manifest-groups-unchecked",
      attack: "several groups in the manifest, one in the registry",
      find: '  same("groups", "groups", entry.groups);\n',
      replace: "",
      stops: "groups-mismatch",
    },
    {
      name: "manifest-key-unchecked",
      attack: "commitments under another key than the verifier's",
      find: '  same("key", "vkHash", verifier.vkHash);\n',
      replace: "",
      stops: "key-mismatch",
    },
    {
      name: "manifest-contributor-unchecked",
      attack: "another's manifest registered as one's own",
      find: '  same("contributor", "contributor", entry.contributor);\n',
      replace: "",
      stops: "contributor-mismatch",
    },
    {
      name: "manifest-hash-unchecked",
      attack: "another manifest served than the registered one",
      find: "ensure(toHex(sha256(bytes)) === hash,",
      replace: "ensure(true,",
      stops: "manifest-swapped",
    },
  ]),
  ...inFile("runner/buyer/client/discover.ts", [
    {
      name: "record-unsigned",
      attack: "a service record signed by a stranger",
      find: '  await checkSignature(domain, "ServiceRecord", record, recordSignature, contributor);\n',
      replace: "",
      stops: "stale-or-foreign-record",
    },
    {
      name: "record-stale",
      attack: "a service record that has expired",
      find: "ensure(record.expiry >= now,",
      replace: "ensure(true,",
      stops: "stale-or-foreign-record",
    },
    {
      name: "record-of-another-url",
      attack: "a service record for another place",
      find: "sameOrigin(url, parseServiceUrl(record.url)),",
      replace: "true,",
      stops: "stale-or-foreign-record",
    },
    {
      name: "record-of-another-certificate",
      attack: "a service record for another certificate",
      find: "record.tlsCertificate === certificate,",
      replace: "true,",
      stops: "stale-or-foreign-record",
    },
  ]),
  ...inFile("runner/buyer/opening/release.ts", [
    {
      name: "dev-key-bought",
      attack: "an adapter under a forgeable key where money has value",
      find: "  refuseDevKey(found, chainId, acceptForgeableDevKey);\n",
      replace: "",
      stops: "dev-key-elsewhere",
    },
  ]),
  ...inFile("runner/chain/deploy.ts", [
    {
      name: "dev-key-deployed",
      attack: "forgeable keys deployed where money has value",
      find: "  for (const key of releaseVerifiers()) refuseDevKey(key, chain.chainId, acceptForgeableDevKey);\n",
      replace: "",
      stops: "dev-key-elsewhere",
    },
  ]),
  ...inFile("runner/buyer/opening/offer.ts", [
    ...["terms-changed", "resigned-offer"].map((stops) => ({
      name: `${stops}-unchecked`,
      attack: `an offer the contributor did not sign: ${stops}`,
      find: '  await checkSignature(domain, "Offer", offer, signature, contributor);\n',
      replace: "",
      stops,
    })),
  ]),
  ...inFile("runner/protocol/curve.ts", [
    {
      name: "point-at-infinity",
      attack: "a commitment at infinity",
      find: "if (bytes.subarray(at, at + POINT_BYTES).every((byte) => byte === 0))",
      replace: "if (false)",
      stops: "malformed-points",
    },
    {
      name: "coordinate-beyond-q",
      attack: "a commitment spelled in two ways",
      find: "if (!coordinateIsCanonical(view, at) || !coordinateIsCanonical(view, at + 32))",
      replace: "if (false)",
      stops: "malformed-points",
    },
  ]),
  ...inFile("runner/protocol/commitmentsFile.ts", [
    {
      name: "scalar-beyond-p",
      attack: "a proof of knowledge spelled in two ways",
      find: "if (z >= P) fail(",
      replace: "if (false) fail(",
      stops: "malformed-points",
    },
  ]),
  {
    name: "pay-pushed",
    attack: "a payout contract that reverts and so blocks settling",
    file: "contracts/LoraEscrow.sol",
    find: "credits[agreement.token][agreement.payout] += credited;",
    replace: "_push(agreement.token, agreement.payout, credited);",
    test: "contracts/LoraEscrowMoney.t.sol",
    pattern: "test_aReceiverThatRevertsBlocksNobody",
  },
];
