/** The key that signs an agreement's receipts: fresh for each, kept in the vault, never a wallet's. */
import { generatePrivateKey, type LocalAccount, privateKeyToAccount } from "viem/accounts";
import { fromHex, type Hex, toHex } from "../../protocol/bytes.ts";
import type { Address } from "../../protocol/typedData.ts";
import type { Vault } from "../../storage/vault.ts";

const secretName = (signer: Address): string => `signer-${signer.toLowerCase()}`;

/** Makes a key and stores it, durable on return. */
export function newSigner(vault: Vault): Address {
  const key = generatePrivateKey();
  const signer = privateKeyToAccount(key).address.toLowerCase() as Hex;
  vault.write(secretName(signer), fromHex(key, 32));
  return signer;
}

/**
 * The stored key of a signer.
 * @throws DeltapayError `vault/missing`, `vault/corrupt`
 */
export function loadSigner(vault: Vault, signer: Address): LocalAccount {
  return privateKeyToAccount(toHex(vault.read(secretName(signer))));
}
