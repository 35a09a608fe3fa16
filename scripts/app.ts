/** `npm run app`: the command `deltapay app`. */
process.argv.splice(2, 0, "app");
await import("../runner/cli/main.ts");
