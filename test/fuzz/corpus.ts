import { readFileSync } from 'node:fs';

/**
 * A request. `{hub}`, `{id}`, `{token}` and `{length}` in its head stand for what each replay has of
 * its own: hub, connection token, access token, length of the body. Bytes are Latin-1 text.
 */
export interface RequestStep {
  readonly socket: number;
  readonly head: string;
  readonly body: string;
}

/** A WebSocket frame, without its mask; in it `CONNECTION_ID` stands for a client's connection id. */
export interface FrameStep {
  readonly socket: number;
  readonly opcode: number;
  readonly payload: string;
}

export type Step = RequestStep | FrameStep;

/** Who speaks to what: a client or an app server to the edge, a client to the negotiate service. */
export type Speaker = 'client' | 'server' | 'negotiate';

/** What one peer has said, over one TCP connection or several, in the order in which it came. */
export interface Conversation {
  readonly name: string;
  readonly speaker: Speaker;
  readonly steps: readonly Step[];
}

/** As long as a real one, so that no length prefix changes with it. */
export const CONNECTION_ID = 'CONNECTION-ID-000000';

export const CORPUS_FILE = new URL('./corpus.json', import.meta.url);

/** @throws Error when it has not been recorded */
export function readCorpus(): readonly Conversation[] {
  return JSON.parse(readFileSync(CORPUS_FILE, 'utf8')) as Conversation[];
}
