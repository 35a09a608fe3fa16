/**
 * The public powers of tau this project takes: those of the Hermez ceremony (54 contributors and a beacon, on top of
 * the perpetual powers of tau), prepared for phase 2 and truncated, as snarkjs's README lists them with their BLAKE2b-512.
 * A file serves every circuit up to its power, so that of power 13 serves all ten key sizes.
 */
import type { Hex } from "../protocol/bytes.ts";

export interface PublicPtau {
  name: string;
  blake2b: Hex;
}

const hez = (power: string, blake2b: string): PublicPtau => ({
  name: `powersOfTau28_hez_final_${power}.ptau`,
  blake2b: `0x${blake2b}`,
});

export const PUBLIC_PTAU: readonly PublicPtau[] = [
  hez(
    "08",
    "d6a8fb3a04feb600096c3b791f936a578c4e664d262e4aa24beed1b7a9a96aa5eb72864d628db247e9293384b74b36ffb52ca8d148d6e1b8b51e279fdf57b583",
  ),
  hez(
    "09",
    "94f108a80e81b5d932d8e8c9e8fd7f46cf32457e31462deeeef37af1b71c2c1b3c71fb0d9b59c654ec266b042735f50311f9fd1d4cadce47ab234ad163157cb5",
  ),
  hez(
    "10",
    "6cfeb8cda92453099d20120bdd0e8a5c4e7706c2da9a8f09ccc157ed2464d921fd0437fb70db42104769efd7d6f3c1f964bcf448c455eab6f6c7d863e88a5849",
  ),
  hez(
    "11",
    "47c282116b892e5ac92ca238578006e31a47e7c7e70f0baa8b687f0a5203e28ea07bbbec765a98dcd654bad618475d4661bfaec3bd9ad2ed12e7abc251d94d33",
  ),
  hez(
    "12",
    "ded2694169b7b08e898f736d5de95af87c3f1a64594013351b1a796dbee393bd825f88f9468c84505ddd11eb0b1465ac9b43b9064aa8ec97f2b73e04758b8a4a",
  ),
  hez(
    "13",
    "58efc8bf2834d04768a3d7ffcd8e1e23d461561729beaac4e3e7a47829a1c9066d5320241e124a1a8e8aa6c75be0ba66f65bc8239a0542ed38e11276f6fdb4d9",
  ),
  hez(
    "14",
    "eeefbcf7c3803b523c94112023c7ff89558f9b8e0cf5d6cdcba3ade60f168af4a181c9c21774b94fbae6c90411995f7d854d02ebd93fb66043dbb06f17a831c1",
  ),
  hez(
    "15",
    "982372c867d229c236091f767e703253249a9b432c1710b4f326306bfa2428a17b06240359606cfe4d580b10a5a1f63fbed499527069c18ae17060472969ae6e",
  ),
  hez(
    "16",
    "6a6277a2f74e1073601b4f9fed6e1e55226917efb0f0db8a07d98ab01df1ccf43eb0e8c3159432acd4960e2f29fe84a4198501fa54c8dad9e43297453efec125",
  ),
];
