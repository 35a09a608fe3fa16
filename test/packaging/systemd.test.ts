/** The systemd unit: what systemd itself says of it, and what must stand in it whatever that says. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { temporaryDirectory } from "../storage/temporary.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const unit = fs.readFileSync(path.join(ROOT, "packaging", "deltapay.service"), "utf8");

/** Values of each directive, lines that go on joined. */
const directives = Map.groupBy(
  [...unit.replace(/\\\n\s*/g, "").matchAll(/^([A-Z]\w*)=(.*)$/gm)],
  ([, name]) => name!,
);
const values = (name: string): string[] => (directives.get(name) ?? []).map(([, , value]) => value!);

test("the service has a user of its own, few rights, bounded memory, and comes back", () => {
  const expected: Record<string, string[]> = {
    User: ["deltapay"],
    NoNewPrivileges: ["yes"],
    ProtectSystem: ["strict"],
    ProtectHome: ["yes"],
    PrivateTmp: ["yes"],
    PrivateDevices: ["yes"],
    CapabilityBoundingSet: [""],
    StateDirectory: ["deltapay"],
    StateDirectoryMode: ["0700"],
    UMask: ["0077"],
    LimitCORE: ["0"],
    MemoryMax: ["2G"],
    Restart: ["on-failure"],
  };
  assert.deepEqual(Object.fromEntries(Object.keys(expected).map((name) => [name, values(name)])), expected);
  // The service stops by itself within 20 s.
  assert.ok(Number(values("TimeoutStopSec")[0]) > 30);
});

test("secrets come as credentials, never on the command line or in the environment", () => {
  const [command] = values("ExecStart");
  const credentials = values("LoadCredential").map((value) => value.split(":")[0]!);
  const used = [...command!.matchAll(/\$\{CREDENTIALS_DIRECTORY\}\/([\w-]+)/g)].map(([, name]) => name!);
  assert.deepEqual(used.sort(), credentials.sort());
  assert.ok(credentials.includes("passphrase") && credentials.includes("keystore"));
  for (const value of [...values("Environment"), command!])
    assert.doesNotMatch(value, /DELTAPAY_(PASSPHRASE|PRIVATE_KEY)/);
});

const isHere = spawnSync("systemd-analyze", ["--version"]).status === 0;

test("systemd finds nothing wrong with it and little to attack", {
  skip: isHere ? false : "systemd-analyze is not here",
}, (context) => {
  const file = path.join(temporaryDirectory(context), "deltapay.service");
  fs.writeFileSync(file, unit.replaceAll("/opt/deltapay/", ROOT));
  const verified = spawnSync("systemd-analyze", ["verify", file], { encoding: "utf8" });
  assert.deepEqual([verified.status, verified.stderr], [0, ""]);
  // In tenths: 9.6 is a service without any of this.
  const security = spawnSync("systemd-analyze", ["security", "--offline=true", "--threshold=20", file], {
    encoding: "utf8",
  });
  assert.equal(security.status, 0, security.stdout + security.stderr);
});
