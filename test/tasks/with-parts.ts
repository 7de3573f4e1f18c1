/** Takes a part that has started, or is starting, to dispose of it at the end. */
export type Own = <Part extends AsyncDisposable>(part: Part | Promise<Part>) => Promise<Part>;

/**
 * `await using` for Node 22, which runs these files as they are: after `use`, disposes of the parts
 * that it owns, the last one first.
 */
export async function withParts<Result>(use: (own: Own) => Promise<Result>): Promise<Result> {
  const parts: AsyncDisposable[] = [];
  try {
    return await use(async (starting) => {
      const part = await starting;
      parts.push(part);
      return part;
    });
  } finally {
    for (const part of parts.toReversed()) await part[Symbol.asyncDispose]();
  }
}
