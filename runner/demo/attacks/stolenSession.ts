/** Somebody else in the buyer's session: other keys, used nonces, other agreements' tokens, no token at all. */
import type { SQLOutputValue } from "node:sqlite";
import { request as httpRequest } from "undici";
import { fillPath, PATHS } from "../../wire/paths.ts";
import type { World } from "../world.ts";
import { type Attack, AttackSucceeded, gainOf, refused } from "./attack.ts";
import { WireBuyer } from "./wireBuyer.ts";

export const stolenSession: Attack = {
  name: "stolen-session",
  expected: "a session without the agreement's signer: refused, and nothing the contributor keeps is touched",
  async run(world) {
    const { adapterId } = await world.register("kjv-attn", "all");
    await world.makeOffer(adapterId);
    const { url } = await world.serve({ adapters: [adapterId] });
    const victim = await WireBuyer.open(world, url);
    const thief = await WireBuyer.open(world, url);
    await victim.pass(5);
    const signed = await victim.pay();
    const before = dump(world);

    const proof = await victim.challenge();
    const stranger = await refused("a challenge signed by another", "signature/wrong-signer", () =>
      victim.prove(proof, thief.signer),
    );
    await victim.prove(proof);
    const replayed = await refused("a nonce used again", "session/replayed-nonce", () => victim.prove(proof));
    const moved = await refused("a nonce of another agreement", "session/unknown-nonce", async () =>
      thief.prove({ ...(await victim.challenge()), agreementId: thief.agreementId }),
    );
    const nobody = await askWithout(url, victim.token);
    if (dump(world) !== before) throw new AttackSucceeded("what was refused changed the contributor's data");
    // the thief's own token reaches the thief's agreement, and ends it
    const foreign = await refused("another agreement's receipt", "receipt/wrong-agreement-id", () =>
      thief.send(signed),
    );
    const { phase, passes } = await victim.view();
    if (phase !== "serving" || passes !== 1)
      throw new AttackSucceeded("the victim's session was changed through another agreement's token");
    const how = [stranger, replayed, moved, foreign].map(({ message }) => message).join("; ");
    return { how: `${how}; without a token: ${nobody}`, gained: await gainOf(world, "contributor") };
  },
};

/** Every path of a session, with no token and with almost one. */
async function askWithout(url: string, token: string): Promise<string> {
  const paths = [PATHS.session, PATHS.scales, PATHS.bundle];
  const posts = [fillPath(PATHS.pass, { pass: 2 }), PATHS.receipts, PATHS.end];
  const other = token.endsWith("A") ? "B" : "A";
  let said = "";
  for (const authorization of ["", "Bearer ", `Bearer ${token.slice(0, -1)}${other}`, `Basic ${token}`])
    for (const path of [...paths, ...posts]) {
      const { statusCode, body } = await httpRequest(url + path, {
        method: posts.includes(path) ? "POST" : "GET",
        headers: { authorization, "content-type": "application/octet-stream" },
        ...(posts.includes(path) && { body: new Uint8Array(64) }),
      });
      const { error } = (await body.json()) as { error?: { code: string; message: string } };
      if (statusCode !== 401 || error?.code !== "session/unauthorised")
        throw new AttackSucceeded(`${path} answered ${statusCode} to someone without a session`);
      said = error.message;
    }
  return said;
}

/** All that the contributor keeps of agreements. */
function dump({ data }: World): string {
  const tables = ["agreement", "pass", "pass_input", "answer", "receipt", "refused_receipt", "proof"];
  const plain = (value: SQLOutputValue): unknown =>
    value instanceof Uint8Array ? Buffer.from(value).toString("hex") : String(value);
  return tables
    .flatMap((table) => data.database.prepare(`SELECT * FROM ${table} ORDER BY rowid`).all())
    .map((row) => Object.values(row).map(plain).join())
    .join("\n");
}
