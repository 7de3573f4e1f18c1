/** What is handed to it ends with whatever is being made. */
export type Own = <T extends AsyncDisposable>(resource: T) => T;

/**
 * What `make` makes, with an end: that of everything it owned, the last first. Where `make` fails, all
 * of that ends at once.
 */
export async function owning<T>(make: (own: Own) => Promise<T>): Promise<T & AsyncDisposable> {
  const owned: AsyncDisposable[] = [];
  const dispose = async (): Promise<void> => {
    for (const resource of owned.toReversed()) await resource[Symbol.asyncDispose]();
  };
  const own: Own = (resource) => {
    owned.push(resource);
    return resource;
  };
  try {
    return { ...(await make(own)), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}
