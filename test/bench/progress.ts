const startedAt = performance.now();

/** Says on stderr what is going on: stdout is for the table. */
export function progress(text: string): void {
  const seconds = (performance.now() - startedAt) / 1000;
  console.error(`${seconds.toFixed(1).padStart(6)} s  ${text}`);
}
