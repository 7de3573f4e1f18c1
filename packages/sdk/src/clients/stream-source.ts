/** What a streaming hub method may answer with, as something to pull from. */
export interface StreamSource {
  next(): IteratorResult<unknown> | Promise<IteratorResult<unknown>>;
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

/** Items after which others get a turn, for a source that never waits. */
const ITEMS_PER_TURN = 64;

/**
 * The source behind a method's result: an async iterable (readable streams are), or what a generator
 * function answered. Undefined for any other value, arrays and texts included.
 */
export function streamSource(value: unknown): StreamSource | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (Symbol.asyncIterator in value)
    return (value as AsyncIterable<unknown>)[Symbol.asyncIterator]();
  const generator = value as Iterator<unknown>;
  return Symbol.iterator in value && typeof generator.next === 'function' ? generator : undefined;
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

/** Tells a source that nobody wants more. Whatever it makes of that is its own matter. */
export function abandon(source: StreamSource): void {
  void (async () => {
    await source.return?.();
  })().catch(() => {});
}
