import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { FromEdge } from './messages.ts';

/** How an edge's process has ended. */
export interface End {
  readonly how: string;
  /** What it said that somebody has to change, if it did. */
  readonly refused: string | undefined;
  readonly hasListened: boolean;
  readonly ranMs: number;
}

/** One edge in a process of its own, from its start to its end. */
export class EdgeProcess {
  /** Resolves when the process has ended, and all that it has said is heard. */
  readonly ended: Promise<End>;
  readonly #child: ChildProcess;
  #adminUrl: string | undefined;
  #refused: string | undefined;
  /** It is to read its settings again once it listens: before that the signal would end it. */
  #isChanged = false;

  /** `listens`: called when it does. */
  constructor(child: ChildProcess, listens: () => void) {
    this.#child = child;
    child.on('message', (message: FromEdge) => {
      if ('refused' in message) this.#refused = message.refused;
      else {
        this.#adminUrl = message.listening;
        if (this.#isChanged) child.kill('SIGHUP');
        listens();
      }
    });
    this.ended = this.#watch(performance.now());
  }

  /** Where its admin port is, once it listens. */
  get adminUrl(): string | undefined {
    return this.#adminUrl;
  }

  signal(name: NodeJS.Signals): void {
    if (name === 'SIGHUP' && this.#adminUrl === undefined) this.#isChanged = true;
    else this.#child.kill(name);
  }

  async #watch(startedAt: number): Promise<End> {
    const how = await endOf(this.#child);
    const hasListened = this.#adminUrl !== undefined;
    return { how, refused: this.#refused, hasListened, ranMs: performance.now() - startedAt };
  }
}

async function endOf(child: ChildProcess): Promise<string> {
  // What it has said last may come behind the news of its end.
  const silent = once(child, 'disconnect');
  silent.catch(() => {});
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (child.connected) await silent;
    return signal ?? `code ${code}`;
  } catch (error) {
    return `not started: ${(error as Error).message}`;
  }
}
