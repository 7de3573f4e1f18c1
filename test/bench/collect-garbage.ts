/** Preloaded into the servers: memory per client is compared without what only waits to be freed. */
const { gc } = globalThis;
if (gc === undefined) throw new Error('collect-garbage.ts needs --expose-gc');

process.on('SIGUSR2', () => {
  // Twice, because finalizers of the first round make garbage for the second.
  gc();
  setImmediate(() => gc());
});
