/** The registered adapter and the session, from the inputs of their vectors and `second.ts` alone. */
import type { Plain } from "./book.ts";
import { text, vectorsByName } from "./read.ts";
import type { Recompute } from "./recomputeEncodings.ts";
import {
  bytes,
  cat,
  combine,
  doubles,
  encodePoint,
  type G1,
  hex,
  int16,
  int64,
  integers,
  le,
  modulo,
  points,
  sha,
  sha256,
  tag,
  u32,
  wide,
  xof,
} from "./second.ts";

const { vector } = vectorsByName();

/** Bases of the key of the vectors. */
export interface Bases {
  ic0: G1;
  I: G1;
  H: G1[];
  S: G1[];
  Z: G1;
}

/** A module of the vectors' adapter with its openings. */
export interface Module {
  dIn: number;
  dOut: number;
  r: number;
  group: number;
  slot: number;
  Aq: bigint[];
  Bq: bigint[];
  u: bigint[];
  v: bigint[];
}

type Side = "A" | "B";

export function bases(): Bases {
  const { inputs } = vector("key/vk-hash");
  const of = (name: string): G1[] => points(bytes(text(inputs, "bases", name)));
  return {
    ic0: points(bytes(text(inputs, "ic0")))[0]!,
    I: of("I")[0]!,
    H: of("H"),
    S: of("S"),
    Z: of("Z")[0]!,
  };
}

/** The modules in manifest order. */
export function modules(): Module[] {
  return [0, 1, 2].map((m) => {
    const { inputs } = vector(`commitment/${m}`);
    const [dIn, dOut, r, group, slot] = ["dIn", "dOut", "r", "group", "slot"].map((name) =>
      Number(text(inputs, name)),
    );
    const [Aq, Bq, u, v] = ["Aq", "Bq", "u", "v"].map((name) => integers(text(inputs, name)));
    return { dIn: dIn!, dOut: dOut!, r: r!, group: group!, slot: slot!, Aq: Aq!, Bq: Bq!, u: u!, v: v! };
  });
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const output = (name: string, ...path: (string | number)[]): string =>
  text({ out: vector(name).output }, "out", ...path);

/** k-th coordinate of what the i-th commitment of a side opens to; the last one is its blind. */
function opening({ dIn, r, Aq, Bq, u, v }: Module, side: Side, k: number, i: number): bigint {
  if (k === r) return (side === "A" ? u : v)[i]!;
  return side === "A" ? Aq[k * dIn + i]! : Bq[i * r + k]!;
}

function slotBases({ slot, r }: Module, side: Side): G1[] {
  const { H, S, Z } = bases();
  return [...(side === "A" ? H : S).slice(slot, slot + r), Z];
}

function commitment(_: Plain, rest: string): Plain {
  const module = modules()[Number(rest)]!;
  const of = (side: Side, count: number): string => {
    const own = slotBases(module, side);
    const commit = (i: number): Buffer =>
      encodePoint(
        combine(
          own,
          range(module.r + 1).map((k) => opening(module, side, k, i)),
        ),
      );
    return hex(cat(...range(count).map(commit)));
  };
  return { CA: of("A", module.dIn), CB: of("B", module.dOut) };
}

function commitBlinds(inputs: Plain): Plain {
  const [seed, vkHash, adapterSalt] = ["seed", "vkHash", "adapterSalt"].map((name) =>
    bytes(text(inputs, name)),
  );
  const [side, m, count] = ["side", "m", "count"].map((name) => Number(text(inputs, name)));
  return range(count!)
    .map((i) => wide("commit-blind", seed!, vkHash!, adapterSalt!, u32(side!), u32(m!), u32(i)))
    .join(" ");
}

function nonces(inputs: Plain): Plain {
  return modules().map((module, m) => {
    const of = (side: Side): string =>
      hex(encodePoint(combine(slotBases(module, side), integers(text(inputs, "tau", m, side)))));
    return { A: of("A"), B: of("B") };
  });
}

/** The bytes the challenge is drawn from, and the challenge. */
export function challenge(): bigint[] {
  const { inputs } = vector("knowledge/challenge");
  const all = modules();
  const seed = sha(
    "knowledge",
    le(BigInt(text(inputs, "chainId")), 32),
    ...["registry", "vkHash", "contributor", "adapterSalt"].map((name) => bytes(text(inputs, name))),
    u32(all.length),
    ...all.flatMap(({ dIn, dOut, r, group, slot }) => [dIn, dOut, r, group, slot].map(u32)),
    ...all.flatMap((_, m) => ["CA", "CB"].map((side) => bytes(output(`commitment/${m}`, side)))),
    ...all.flatMap((_, m) => ["A", "B"].map((side) => bytes(output("knowledge/nonce", m, side)))),
  );
  return xof(
    seed,
    all.reduce((sum, { dIn, dOut }) => sum + dIn + dOut, 0),
  );
}

/** The challenge's part of each module's sides. */
export function challengeParts(): Record<Side, bigint[]>[] {
  const stream = challenge();
  return modules().map(({ dIn, dOut }) => ({ A: stream.splice(0, dIn), B: stream.splice(0, dOut) }));
}

function responses(inputs: Plain): Plain {
  const parts = challengeParts();
  return modules().map((module, m) => {
    const of = (side: Side): string =>
      integers(text(inputs, "tau", m, side))
        .map((tau, k) =>
          modulo(parts[m]![side].reduce((sum, e, i) => sum + e * opening(module, side, k, i), tau)),
        )
        .join(" ");
    return { A: of("A"), B: of("B") };
  });
}

function commitmentsFile(): Plain {
  const parts: { part: string; bytes: Buffer }[] = [];
  const add = (part: string, encoded: Buffer): number => parts.push({ part, bytes: encoded });
  add("magic", tag("deltapay/1/commitments"));
  add("modules", u32(modules().length));
  for (const m of modules().keys())
    for (const side of ["CA", "CB"]) add(`${side} ${m}`, bytes(output(`commitment/${m}`, side)));
  for (const m of modules().keys())
    for (const side of ["A", "B"]) {
      add(`T_${side} ${m}`, bytes(output("knowledge/nonce", m, side)));
      add(`z_${side} ${m}`, cat(...integers(output("knowledge/responses", m, side)).map((z) => le(z, 32))));
    }
  let at = 0;
  const layout = parts.map(({ part, bytes: { length } }) => {
    at += length;
    return { part, offset: at - length, bytes: length };
  });
  return { bytes: hex(cat(...parts.map((part) => part.bytes))), layout };
}

const MANIFEST = [
  "protocol",
  "chainId",
  "registry",
  "contributor",
  "vkHash",
  "keySize",
  "groups",
  "adapterSalt",
  "baseModel",
  "modules",
  "commitments",
];
const NESTED: Record<string, string[]> = {
  baseModel: ["name", "sha256"],
  modules: ["name", "shape", "group", "scalesHash"],
  commitments: ["sha256", "bytes"],
};

/** Canonical JSON: the fields in the documented order, whatever order they come in. */
function canonical(value: Plain, fields: string[]): string {
  const object = value as Record<string, Plain>;
  const spell = (name: string): string => {
    const item = object[name]!;
    const inner = NESTED[name];
    if (inner === undefined || item === null) return JSON.stringify(item);
    return Array.isArray(item)
      ? `[${item.map((entry) => canonical(entry, inner)).join(",")}]`
      : canonical(item, inner);
  };
  return `{${fields.map((name) => `"${name}":${spell(name)}`).join(",")}}`;
}

function ioHash(inputs: Plain): Plain {
  const [m, tokens] = ["m", "tokens"].map((name) => u32(BigInt(text(inputs, name))));
  const [X, Y] = ["X", "Y"].map((name) => integers(text(inputs, name)));
  return hex(sha("io", bytes(text(inputs, "passSalt")), m!, tokens!, int16(X!), int64(Y!)));
}

function head(inputs: Plain, rest: string): Plain {
  if (rest === "0") return hex(sha("transcript", bytes(text(inputs, "agreementId"))));
  const { ioHashes } = inputs as { ioHashes: string[] };
  return hex(sha("head", bytes(text(inputs, "head")), ...ioHashes.map(bytes)));
}

/** sum_t rho_t row_t over both passes. */
function fold(_: Plain, rest: string): Plain {
  const module = modules()[Number(rest)]!;
  const folded = (matrix: "X" | "Y", width: number): string =>
    range(width)
      .map((column) =>
        [1, 2].reduce((sum, p) => {
          const rho = integers(output(`fold-weights/${p}/${rest}`));
          const values = integers(text(vector(`io-hash/${p}/${rest}`).inputs, matrix));
          return rho.reduce((inner, weight, t) => inner + weight * values[t * width + column]!, sum);
        }, 0n),
      )
      .join(" ");
  return { xBar: folded("X", module.dIn), yBar: folded("Y", module.dOut) };
}

/** Every module of a group with its folded input, folded output and part of delta. */
function groupParts(group: number) {
  const delta = integers(output("delta"));
  const all = modules().map((module, m) => ({
    module,
    m,
    xBar: integers(output(`fold/${m}`, "xBar")),
    yBar: integers(output(`fold/${m}`, "yBar")),
    delta: delta.splice(0, module.dOut),
  }));
  return all.filter(({ module }) => module.group === group);
}

const dot = (a: readonly bigint[], b: readonly bigint[]): bigint =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0n);

/** h = A x-bar, s = B^T delta over the key's slots, yhat from the answers, blind from the openings. */
function witness(_: Plain, rest: string): Plain {
  const group = Number(rest);
  const { inputs } = vector("key/vk-hash");
  const empty = (): bigint[] => Array.from({ length: Number(text(inputs, "size")) }, () => 0n);
  const [h, s] = [empty(), empty()];
  let yhat = 0n;
  let blind = BigInt(output(`statement-blind/${rest}`));
  for (const { module, xBar, yBar, delta } of groupParts(group)) {
    const { dIn, dOut, r, slot, u, v } = module;
    for (const k of range(r)) {
      h[slot + k] = modulo(
        dot(
          range(dIn).map((i) => opening(module, "A", k, i)),
          xBar,
        ),
      );
      s[slot + k] = modulo(
        dot(
          range(dOut).map((j) => opening(module, "B", k, j)),
          delta,
        ),
      );
    }
    yhat += dot(delta, yBar);
    blind += dot(xBar, u) + dot(delta, v);
  }
  return { yhat: modulo(yhat).toString(), h: h.join(" "), s: s.join(" "), blind: modulo(blind).toString() };
}

/** V as the buyer forms it: from the registered commitments. */
function statement(inputs: Plain, rest: string): Plain {
  const { ic0, I, Z } = bases();
  const ofCommitments = groupParts(Number(rest)).map(({ m, xBar, delta }) => {
    const [CA, CB] = ["CA", "CB"].map((side) => points(bytes(output(`commitment/${m}`, side))));
    return combine(CA!, xBar).add(combine(CB!, delta));
  });
  const own = combine([I, Z], [BigInt(text(inputs, "yhat")), BigInt(output(`statement-blind/${rest}`))]);
  return hex(encodePoint(ofCommitments.reduce((sum, part) => sum.add(part), ic0.add(own))));
}

/** Salt, T, and X and Y of every module of a pass. */
function passTranscript(_: Plain, p: string): Plain {
  const ios = [0, 1, 2].map((m) => vector(`io-hash/${p}/${m}`).inputs);
  const [salt, tokens] = [bytes(text(ios[0]!, "passSalt")), u32(BigInt(text(ios[0]!, "tokens")))];
  const matrices = ios.flatMap((io) => [int16(integers(text(io, "X"))), int64(integers(text(io, "Y")))]);
  return hex(cat(tag("deltapay/1/pass-transcript"), salt, tokens, ...matrices));
}

function openingFile(): Plain {
  const receipt = (name: string): string => text(vector("eip712/Receipt").inputs, "message", name);
  const sums = (list: string): Buffer => cat(...integers(list).map((value) => le(value + (1n << 255n), 32)));
  const all = modules();
  const parts = all.flatMap(({ dIn, dOut }, m) => [
    u32(dIn),
    u32(dOut),
    sums(output(`fold/${m}`, "xBar")),
    sums(output(`fold/${m}`, "yBar")),
  ]);
  const header = [
    tag("deltapay/1/opening"),
    bytes(receipt("agreementId")),
    bytes(output("manifest/hash")),
    le(BigInt(receipt("passes")), 8),
    le(BigInt(receipt("tokens")), 8),
    bytes(receipt("head")),
    u32(2),
    u32(all.length),
  ];
  const t = [0, 1].map((g) => le(BigInt(output(`statement-blind/${g}`)), 32));
  return hex(cat(...header, ...t, ...parts));
}

/** Handlers by the beginning of the names they know. */
export const SESSION: Record<string, Recompute> = {
  "commit-blind/": commitBlinds,
  "commitment/": commitment,
  "knowledge/nonce": nonces,
  "knowledge/challenge": () => hex(cat(...challenge().map((e) => le(e, 16)))),
  "knowledge/responses": responses,
  "commitments-file": commitmentsFile,
  "scales-hash/": (inputs) =>
    hex(
      sha(
        "scales",
        bytes(text(inputs, "scaleSalt")),
        u32(BigInt(text(inputs, "m"))),
        doubles(text(inputs, "b").split(" ").map(Number)),
      ),
    ),
  "manifest/bytes": (inputs) => {
    const json = canonical((inputs as { manifest: Plain }).manifest, MANIFEST);
    return { text: json, bytes: hex(Buffer.from(json, "utf8")) };
  },
  "manifest/hash": () => hex(sha256(bytes(output("manifest/bytes", "bytes")))),
  "io-hash/": ioHash,
  "head/": head,
  "fold-weights/": (inputs) => {
    const seed = sha("fold", bytes(text(inputs, "head")), u32(BigInt(text(inputs, "m"))));
    return xof(seed, Number(text(inputs, "tokens"))).join(" ");
  },
  "fold/": fold,
  delta: (inputs) =>
    xof(sha("delta", bytes(text(inputs, "head"))), Number(text(inputs, "outputs"))).join(" "),
  "statement-blind/": (inputs) => {
    const [passSalt, at] = ["passSalt", "head"].map((name) => bytes(text(inputs, name)));
    return wide("statement-blind", passSalt!, at!, u32(BigInt(text(inputs, "group")))).toString();
  },
  "witness/": witness,
  "statement/": statement,
  "wire/pass-request/": (inputs) => {
    const { modules: indices } = inputs as { modules: number[] };
    const salt = bytes(text(inputs, "passSalt"));
    const tokens = u32(BigInt(text(inputs, "tokens")));
    return hex(
      cat(u32(indices.length), ...indices.map(u32), salt, tokens, int16(integers(text(inputs, "X")))),
    );
  },
  "file/pass-transcript/": passTranscript,
  "file/opening": openingFile,
  "wire/scales": (inputs) => {
    const b = (inputs as { b: string[] }).b.map((list) => doubles(list.split(" ").map(Number)));
    return hex(cat(bytes(text(inputs, "scaleSalt")), ...b));
  },
  "wire/pass-answer/": (inputs) =>
    hex(cat(...(inputs as { Y: string[] }).Y.map((values) => int64(integers(values))))),
};
