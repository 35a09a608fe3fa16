import { PARTS } from "./parts.ts";
import { tryAttacks } from "./tryAttacks.ts";

tryAttacks(PARTS.chain);
