/** The .r1cs of a circuit over BN254: sections 1 header, 2 constraints, 3 wire labels. */
import { readUintLE } from "../protocol/bytes.ts";
import { DeltapayError } from "../protocol/errors.ts";
import { P } from "../protocol/field.ts";
import { readSections, sectionOf } from "./sections.ts";

/** One row of a matrix: the wires with a nonzero coefficient. */
export interface Row {
  wires: number[];
  /** In [1, p). */
  coefficients: bigint[];
}

export interface R1cs {
  wires: number;
  publicOutputs: number;
  publicInputs: number;
  privateInputs: number;
  /** Constraints <a, w> * <b, w> = <c, w>. */
  constraints: { a: Row; b: Row; c: Row }[];
}

const FIELD_BYTES = 32;
const HEADER = 4 + FIELD_BYTES + 4 * 4 + 8 + 4;

function malformed(what: string): DeltapayError {
  return new DeltapayError("key/malformed", `r1cs: ${what}`, { field: "r1cs" });
}

/** Reads section 2 front to back. */
class ConstraintReader {
  readonly #body: Uint8Array;
  readonly #wires: number;
  #at = 0;

  constructor(body: Uint8Array, wires: number) {
    this.#body = body;
    this.#wires = wires;
  }

  #take(length: number): bigint {
    if (this.#at + length > this.#body.length) throw malformed("constraints end early");
    const value = readUintLE(this.#body, this.#at, length);
    this.#at += length;
    return value;
  }

  row(): Row {
    const row: Row = { wires: [], coefficients: [] };
    for (let left = Number(this.#take(4)); left > 0; left--) {
      const wire = Number(this.#take(4));
      const coefficient = this.#take(FIELD_BYTES);
      if (wire >= this.#wires) throw malformed(`wire ${wire} does not exist`);
      if (coefficient >= P) throw malformed("a coefficient is not below p");
      if (row.wires.includes(wire)) throw malformed(`wire ${wire} is repeated in a row`);
      if (coefficient === 0n) continue;
      row.wires.push(wire);
      row.coefficients.push(coefficient);
    }
    return row;
  }

  end(): void {
    if (this.#at !== this.#body.length) throw malformed("bytes after the last constraint");
  }
}

/** @throws DeltapayError `key/malformed` */
export function readR1cs(bytes: Uint8Array): R1cs {
  const file = readSections(bytes, "r1cs", "r1cs");
  const header = sectionOf(file, 1, HEADER);
  const number = (at: number): number => Number(readUintLE(header, at, 4));
  if (number(0) !== FIELD_BYTES || readUintLE(header, 4, FIELD_BYTES) !== P)
    throw malformed("not over BN254");
  const wires = number(36);
  const reader = new ConstraintReader(sectionOf(file, 2), wires);
  const constraints = Array.from({ length: number(60) }, () => ({
    a: reader.row(),
    b: reader.row(),
    c: reader.row(),
  }));
  reader.end();
  return {
    wires,
    publicOutputs: number(40),
    publicInputs: number(44),
    privateInputs: number(48),
    constraints,
  };
}
