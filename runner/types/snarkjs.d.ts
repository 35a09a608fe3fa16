/** The part of snarkjs this project uses. Every file argument is a path or a file in memory. */
declare module "snarkjs" {
  /** A file in memory: `data` is read, or set by the call that writes it. */
  export interface MemFile {
    type: "mem";
    data?: Uint8Array;
  }
  export type File = string | Uint8Array | MemFile;

  export interface Logger {
    debug(message: string): void;
    info(message: string): void;
    warn(message: string): void;
    error(message: string): void;
  }

  /** Coordinates are decimal strings; G2 coordinates are [real, imaginary], the reverse of EIP-197. */
  export interface Groth16Proof {
    pi_a: string[];
    pi_b: string[][];
    pi_c: string[];
    protocol: string;
    curve: string;
  }

  export interface VerificationKey {
    protocol: string;
    curve: string;
    nPublic: number;
    vk_alpha_1: string[];
    vk_beta_2: string[][];
    vk_gamma_2: string[][];
    vk_delta_2: string[][];
    IC: string[][];
  }

  /** Values of the circuit's inputs; arrays for array signals. */
  export type CircuitInputs = Record<string, bigint | string | (bigint | string)[]>;

  export const zKey: {
    /** The circuit's hash, or -1 when the circuit does not fit the powers of tau. */
    newZKey(r1cs: File, ptau: File, zkey: File, logger?: Logger): Promise<Uint8Array | -1>;
    beacon(
      from: File,
      to: File,
      name: string,
      beaconHash: string,
      iterationsExp: number,
      logger?: Logger,
    ): Promise<Uint8Array | false>;
    contribute(from: File, to: File, name: string, entropy: string, logger?: Logger): Promise<Uint8Array>;
    verifyFromInit(initial: File, ptau: File, zkey: File, logger?: Logger): Promise<boolean>;
    exportVerificationKey(zkey: File, logger?: Logger): Promise<VerificationKey>;
  };

  export const powersOfTau: {
    newAccumulator(curve: unknown, power: number, ptau: File, logger?: Logger): Promise<Uint8Array>;
    contribute(from: File, to: File, name: string, entropy: string, logger?: Logger): Promise<Uint8Array>;
    beacon(
      from: File,
      to: File,
      name: string,
      beaconHash: string,
      iterationsExp: number,
      logger?: Logger,
    ): Promise<Uint8Array>;
    preparePhase2(from: File, to: File, logger?: Logger): Promise<void>;
    verify(ptau: File, logger?: Logger): Promise<boolean>;
  };

  export const wtns: {
    calculate(inputs: CircuitInputs, wasm: File, wtns: File): Promise<void>;
    check(r1cs: File, wtns: File, logger: Logger): Promise<boolean>;
  };

  export const groth16: {
    /** Of a moved key the public signals are the secret openings: drop them (protocol 3). */
    prove(zkey: File, wtns: File, logger?: Logger): Promise<{ proof: Groth16Proof; publicSignals: string[] }>;
    verify(
      key: VerificationKey,
      publicSignals: string[],
      proof: Groth16Proof,
      logger?: Logger,
    ): Promise<boolean>;
  };
}
