import type { Readable } from 'node:stream';

/** What a streaming hub method may answer with, as something to pull from. */
export interface StreamSource {
  next(): Result | Promise<Result>;
  /** Nobody wants more. May be called while a `next` is pending, and must not wait for it. */
  return?(): unknown;
}

/** Where the items go. */
export interface StreamSink {
  /** Nobody wants more. */
  readonly closed: boolean;
  item(value: unknown): void;
  /** Pending while no more should be sent. */
  room(): Promise<void> | undefined;
}

interface Result {
  readonly done?: boolean;
  readonly value?: unknown;
}

/** Items after which others get a turn, for a source that never waits. */
const ITEMS_PER_TURN = 64;

/**
 * The source behind a method's result: a readable stream, an async iterable, or what a generator
 * function answered. Undefined for any other value, arrays and texts included. Throws what a stream
 * throws that cannot be read, being locked for example.
 */
export function streamSource(value: unknown): StreamSource | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (value instanceof ReadableStream) return webSource(value);
  if (Symbol.asyncIterator in value) return iterableSource(value as AsyncIterable<unknown>);
  const generator = value as Iterator<unknown>;
  return Symbol.iterator in value && typeof generator.next === 'function' ? generator : undefined;
}

/** Not by its iterator, which would cancel it only behind a read that may never end. */
function webSource(stream: ReadableStream): StreamSource {
  const reader = stream.getReader();
  return { next: () => reader.read(), return: () => reader.cancel() };
}

/** A Node stream is destroyed, for the reason above; a generator gets to its `finally`. */
function iterableSource(iterable: AsyncIterable<unknown>): StreamSource {
  const iterator = iterable[Symbol.asyncIterator]();
  if (!isNodeStream(iterable)) return iterator;
  return {
    next: () => iterator.next(),
    return: () => {
      // Before it is first read nobody listens, and Node ends the process for an error without listeners.
      iterable.on('error', () => {});
      iterable.destroy();
    },
  };
}

/** Of Node itself, or of a library that does the same. */
function isNodeStream(iterable: object): iterable is Pick<Readable, 'on' | 'destroy'> {
  const { on, destroy } = iterable as Partial<Readable>;
  return typeof on === 'function' && typeof destroy === 'function';
}

/** Moves items until the source ends or nobody wants more. Rejects with what the source throws. */
export async function pump(source: StreamSource, sink: StreamSink): Promise<void> {
  for (let count = 1; !sink.closed; count++) {
    const { done, value } = await source.next();
    if (done === true || sink.closed) return;
    sink.item(value);
    await sink.room();
    if (count % ITEMS_PER_TURN === 0) await new Promise(setImmediate);
  }
}

/** Tells a source that nobody wants more, and resolves once it has taken note, in whatever way. */
export async function abandon(source: StreamSource): Promise<void> {
  try {
    await source.return?.();
  } catch {
    // What it makes of that is its own matter.
  }
}
