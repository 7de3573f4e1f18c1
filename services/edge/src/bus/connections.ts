/** What connections to NATS and to Redis have in common. */

/** For a server to be reached and to say hello, in milliseconds. */
export const CONNECT_MS = 2_000;
/** Between two attempts to connect, and as much again at most, by chance. */
const RETRY_MS = 100;
/** For a server to take what was said before a close. */
const CLOSE_MS = 500;

/** Milliseconds until the next attempt to connect. */
export function retryDelay(): number {
  return RETRY_MS + Math.random() * RETRY_MS;
}

/** Waits until `done` resolves or rejects, but no longer than a connection that ends may stay. */
export async function beforeClose(done: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, CLOSE_MS);
  });
  await Promise.race([done.catch(ignore), late]);
  clearTimeout(timer);
}

/** For the failure of a promise whose cause is told by an event of the connection. */
export function ignore(): void {}
