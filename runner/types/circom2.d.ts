/** The part of circom2 (the circom compiler as WASM) this project uses. */
declare module "circom2" {
  export interface Bindings {
    fs: unknown;
    path: unknown;
    exit(code: number): never;
    kill(signal: string): never;
  }
  export const bindings: Bindings;
  export class CircomRunner {
    constructor(options: {
      args: string[];
      env: Record<string, string | undefined>;
      preopens: Record<string, string>;
      bindings: Bindings;
    });
    execute(wasm: Uint8Array): Promise<WebAssembly.Instance>;
  }
}
