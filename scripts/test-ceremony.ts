/**
 * The tests of ceremonies: attacks, the folder, the coordinator, a full disk, and three contributors as processes of
 * their own with the coordinator, from powers of tau made by snarkjs's multi-party commands to a proof that the
 * resulting Solidity verifier accepts.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const { status } = spawnSync(
  process.execPath,
  ["--test", "--test-timeout=300000", "test/ceremony/**/*.test.ts"],
  {
    cwd: fileURLToPath(new URL("..", import.meta.url)),
    stdio: "inherit",
  },
);
process.exitCode = status ?? 1;
