/** Domain separation tags of the key setup (protocol 8). UTF-8, zero-padded to 32 bytes. */
export const KEY_TAGS = {
  /** blake2b-512(tag, circuit hash before the move, number of moved points as u32 LE): the moved key's circuit hash. */
  movedKey: "deltapay/1/moved-key",
  /** SHAKE256(tag, seed, L as u32 LE): what a dev key is made from. */
  devTau: "deltapay/1/dev-tau",
  devAlpha: "deltapay/1/dev-alpha",
  devBeta: "deltapay/1/dev-beta",
  devBeacon: "deltapay/1/dev-beacon",
} as const;
