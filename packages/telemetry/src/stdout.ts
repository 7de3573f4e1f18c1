import type { DestinationStream } from 'pino';

/** What may wait for a reader that is slow or stuck, in characters; lines beyond it are lost. */
const QUEUE_LIMIT = 4 * 1024 * 1024;

/**
 * Standard output for logs: loses lines rather than the process, or its time, when the disk is full
 * or the reader has gone or does not read. Each line is tried anew. Node writes to pipes and sockets
 * in the background and does not wait for them at the exit, as a thread in `fs.write` would.
 */
export function stdout(): DestinationStream {
  const stream = process.stdout;
  stream.on('error', () => {
    // There is nowhere left to report it.
  });
  return {
    write: (line) => {
      if (stream.writableLength < QUEUE_LIMIT) stream.write(line);
    },
  };
}
