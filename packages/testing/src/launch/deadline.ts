/**
 * The promise's own outcome, or a rejection with `message` when it takes longer than `ms`
 * milliseconds. The work itself goes on: whoever waits must also know how to end it.
 */
export async function deadline<T>(work: Promise<T>, ms: number, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(message)), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
