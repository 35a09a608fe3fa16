/** Preloaded into a child process: it ends when its parent is gone, however that came about. */
process.once("disconnect", () => process.exit(0));
