import type { BlockList } from 'node:net';
import type { Dispatcher } from 'undici';
import type {
  AbortCall,
  UpstreamHttp,
  UpstreamOutcome,
  UpstreamRequest,
} from '../ports/upstream-http.ts';
import { AddressGuard, AddressRefused } from './address-guard.ts';

/** How upstreams are reached. */
export interface UpstreamHttpOptions {
  /** Addresses that may be called whatever they are. */
  readonly allow: BlockList;
  /** Connections to one upstream. */
  readonly connections: number;
  /** PEM text of authorities, in place of the system's. */
  readonly ca: string | undefined;
  /** Who the edge is to upstreams that ask: PEM texts. */
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** A forward proxy, which then looks names up itself. */
  readonly proxy: string | undefined;
}

/**
 * Calls upstreams by undici, on connections that are kept alive. It is loaded with the first call: most
 * edges make none, and loading it is a third of an edge's start.
 */
export class UndiciHttp implements UpstreamHttp {
  readonly #options: UpstreamHttpOptions;
  readonly #guard: AddressGuard;
  #dispatcher: Promise<Dispatcher> | undefined;

  constructor(options: UpstreamHttpOptions) {
    this.#options = options;
    this.#guard = new AddressGuard(options.allow);
  }

  post(
    request: UpstreamRequest,
    room: ((bytes: number) => boolean) | undefined,
    done: (outcome: UpstreamOutcome) => void,
  ): AbortCall {
    const abort = new AbortController();
    void this.#call(request, room, abort.signal).then(done);
    return () => abort.abort();
  }

  /** Cuts what is under way. */
  async close(): Promise<void> {
    // Without undici there is no call to cut.
    const dispatcher = await this.#dispatcher?.catch(() => undefined);
    await dispatcher?.destroy();
  }

  /** What fails, for want of files to open as a rule, is forgotten, so that the next call tries again. */
  async #load(): Promise<Dispatcher> {
    try {
      const { dispatcherFor } = await import('./dispatcher.ts');
      return dispatcherFor(this.#options, this.#guard.lookup);
    } catch (error) {
      this.#dispatcher = undefined;
      throw error;
    }
  }

  async #call(
    { origin, path, headers, body }: UpstreamRequest,
    room: ((bytes: number) => boolean) | undefined,
    signal: AbortSignal,
  ): Promise<UpstreamOutcome> {
    let response: Dispatcher.ResponseData;
    try {
      this.#guard.checkLiteral(new URL(origin).hostname);
      this.#dispatcher ??= this.#load();
      const dispatcher = await this.#dispatcher;
      // Who calls has a deadline, so there is none here. Nothing follows redirects.
      response = await dispatcher.request({
        origin,
        path,
        method: 'POST',
        headers,
        body,
        signal,
        headersTimeout: 0,
        bodyTimeout: 0,
      });
    } catch (error) {
      if (signal.aborted) return { kind: 'aborted', answering: false };
      const refused = error instanceof AddressRefused;
      return { kind: 'unreachable', refused, message: messageOf(error) };
    }
    return readAnswer(response, room, signal);
  }
}

async function readAnswer(
  { statusCode: status, body }: Dispatcher.ResponseData,
  room: ((bytes: number) => boolean) | undefined,
  signal: AbortSignal,
): Promise<UpstreamOutcome> {
  const chunks: Uint8Array[] = [];
  try {
    if (room === undefined) await body.dump({ limit: 128 * 1024, signal });
    else {
      for await (const chunk of body as AsyncIterable<Uint8Array>) {
        // Leaving the loop cuts the connection.
        if (!room(chunk.length)) return { kind: 'too_large' };
        chunks.push(chunk);
      }
    }
  } catch (error) {
    if (signal.aborted) return { kind: 'aborted', answering: true };
    return { kind: 'broken', message: messageOf(error) };
  }
  return { kind: 'answer', status, body: Buffer.concat(chunks) };
}

/** One line; that of an error with several causes is the first of theirs. */
function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}
