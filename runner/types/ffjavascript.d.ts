/** The part of ffjavascript this project uses. Points are affine (64 / 128 bytes) or Jacobian (96 / 192), little-endian Montgomery. */
declare module "ffjavascript" {
  /** A deterministic generator from eight words of seed. */
  export class ChaCha {
    constructor(seed: readonly number[]);
    nextU32(): number;
  }
  export interface Group {
    zero: Uint8Array;
    zeroAffine: Uint8Array;
    g: Uint8Array;
    gAffine: Uint8Array;
    add(a: Uint8Array, b: Uint8Array): Uint8Array;
    sub(a: Uint8Array, b: Uint8Array): Uint8Array;
    neg(a: Uint8Array): Uint8Array;
    double(a: Uint8Array): Uint8Array;
    eq(a: Uint8Array, b: Uint8Array): boolean;
    isZero(a: Uint8Array): boolean;
    isValid(a: Uint8Array): boolean;
    timesScalar(a: Uint8Array, scalar: bigint | Uint8Array): Uint8Array;
    timesFr(a: Uint8Array, scalar: Uint8Array): Uint8Array;
    toAffine(a: Uint8Array): Uint8Array;
    toJacobian(a: Uint8Array): Uint8Array;
    toObject(a: Uint8Array): bigint[];
    fromObject(a: unknown): Uint8Array;
    toRprUncompressed(out: Uint8Array, offset: number, a: Uint8Array): void;
    fromRprUncompressed(bytes: Uint8Array, offset: number): Uint8Array;
    toUncompressed(a: Uint8Array): Uint8Array;
    batchUtoLEM(points: Uint8Array): Promise<Uint8Array>;
    batchLEMtoU(points: Uint8Array): Promise<Uint8Array>;
    batchToAffine(points: Uint8Array): Promise<Uint8Array>;
    batchToJacobian(points: Uint8Array): Promise<Uint8Array>;
    multiExpAffine(bases: Uint8Array, scalars: Uint8Array): Promise<Uint8Array>;
    fromRng(rng: ChaCha): Uint8Array;
    batchApplyKey(points: Uint8Array, first: Uint8Array, increment: Uint8Array): Promise<Uint8Array>;
  }
  export interface PrimeField {
    p: bigint;
    n8: number;
    one: Uint8Array;
    zero: Uint8Array;
    s: number;
    w: Uint8Array[];
    shift: Uint8Array;
    e(value: bigint | number | string): Uint8Array;
    add(a: Uint8Array, b: Uint8Array): Uint8Array;
    sub(a: Uint8Array, b: Uint8Array): Uint8Array;
    mul(a: Uint8Array, b: Uint8Array): Uint8Array;
    neg(a: Uint8Array): Uint8Array;
    inv(a: Uint8Array): Uint8Array;
    square(a: Uint8Array): Uint8Array;
    eq(a: Uint8Array, b: Uint8Array): boolean;
    random(): Uint8Array;
    fromRng(rng: ChaCha): Uint8Array;
    toObject(a: Uint8Array): bigint;
    toRprLE(out: Uint8Array, offset: number, a: Uint8Array): void;
    fromRprLE(bytes: Uint8Array, offset: number): Uint8Array;
  }
  /** WASM memory of the calling thread: a bump allocator released by endSyncOp. */
  export interface ThreadManager {
    instance: {
      exports: Record<"g1m_addMixed" | "g1m_subMixed", (left: number, right: number, out: number) => void>;
    };
    startSyncOp(): void;
    endSyncOp(): void;
    alloc(length: number): number;
    setBuff(pointer: number, bytes: Uint8Array): void;
    getBuff(pointer: number, length: number): Uint8Array;
  }
  export interface Curve {
    tm: ThreadManager;
    name: string;
    q: bigint;
    r: bigint;
    Fr: PrimeField;
    G1: Group;
    G2: Group;
    pairingEq(...points: Uint8Array[]): Promise<boolean>;
    terminate(): Promise<void>;
  }
  export function getCurveFromName(name: string, options?: { singleThread?: boolean }): Promise<Curve>;
}
