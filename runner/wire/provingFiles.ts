/** The key files a page proves with, where its own server has them. */

export const PROVING_FILES = { zkey: "key.zkey", wasm: "lora_statement.wasm" } as const;

export const PROVING_FILE_PATH = "/keys/:size/:name";
