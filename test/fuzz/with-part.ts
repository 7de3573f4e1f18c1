/** `await using` for Node 22, which runs this file as it is: disposes of the part after its use. */
export async function withPart<Part extends AsyncDisposable, Result>(
  started: Promise<Part>,
  use: (part: Part) => Promise<Result>,
): Promise<Result> {
  const part = await started;
  try {
    return await use(part);
  } finally {
    await part[Symbol.asyncDispose]();
  }
}
