/** `npm run guides`: the app of docs/guides/next.md, installed and run against an edge. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import type { HubConnection } from '@microsoft/signalr';
import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type { StartedEdge } from '@trunkline/testing';
import { freePort, startEdge } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';

import { scrape } from '../edge/support/metrics.ts';
import { runTask } from '../tasks/run-task.ts';
import { withParts } from '../tasks/with-parts.ts';
import { NextApp } from './next-app.ts';

const USAGE = `Usage: npm run guides -- [options]

Installs the Next.js app of docs/guides/next.md in a temporary folder (about 350 MB, from npm), and
runs it against an edge: next dev with edits of the hub, next build without a connection string, next
start and its end by SIGTERM. Clients call the hub, and hear what the app sends from outside it. Ends
with 1 when the edge has other server connections than five, loses one that has not said goodbye, or
anything else is not as the guide says.

  --edits <n>  how often the hub is edited (10)
  --help       this text`;

const HUB = 'live_chat';
const SERVER_CONNECTIONS = 5;
const DEADLINE_MS = 60_000;

class Run {
  readonly #app: NextApp;
  readonly #edge: StartedEdge;
  readonly #port: number;
  readonly #signal: AbortSignal;

  constructor(app: NextApp, edge: StartedEdge, port: number, signal: AbortSignal) {
    this.#app = app;
    this.#edge = edge;
    this.#port = port;
    this.#signal = signal;
  }

  dev(edits: number): Promise<void> {
    return this.#during('dev', 'hello', async (heard) => {
      for (let n = 1; n <= edits; n++) {
        await this.#app.edit(`hello${n}`);
        await this.#greets(`hello${n}`);
        await this.#settles(`edit ${n}`);
      }
      await this.#announces(heard);
      await this.#settles('after all');
    });
  }

  async build(): Promise<void> {
    const { code, signal, output } = await this.#app.build();
    if (code !== 0) throw new Error(`next build ended with ${signal ?? code}\n${output}`);
    console.log('next build       ends by itself, without a connection string');
  }

  /** What was built greets with that word, and its server connections end well. */
  async start(word: string): Promise<void> {
    const before = await this.#closes('Normal');
    await this.#during('start', word, (heard) => this.#announces(heard));
    const ended = (await this.#closes('Normal')) - before;
    if (ended !== SERVER_CONNECTIONS) throw new Error(`${ended} server connections ended well`);
    console.log('                 at SIGTERM its server connections say goodbye');
  }

  async #closes(reason: string): Promise<number> {
    return (await scrape(this.#edge)).value('trunkline_server_closes_total', { reason });
  }

  /** Works while Next.js serves and a client listens; `heard` is what that has been told. */
  async #during(
    command: 'dev' | 'start',
    word: string,
    work: (heard: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const connectionString = formatConnectionString(this.#edge.url, DEVELOPMENT_ACCESS_KEY);
    const next = await this.#app.serve(command, this.#port, connectionString);
    try {
      await this.#greets(word);
      await this.#settles(`next ${command}`);
      const heard: string[] = [];
      await this.#withClient(async (listener) => {
        listener.on('said', (text: string) => void heard.push(text));
        await work(heard);
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${next.output()}`, { cause: error });
    } finally {
      await next.stop();
    }
  }

  /** Waits until the hub greets with that word, whichever server connection the client comes to. */
  async #greets(word: string): Promise<void> {
    await this.#until(`the hub greets with ${word}`, async () => {
      const greeting = await this.#withClient((client) => client.invoke<string>('greet', 'ada'));
      return greeting === `${word} ada`;
    });
  }

  /** Waits until the edge has the server connections of one server, and no others. */
  async #settles(when: string): Promise<void> {
    const seen: number[] = [];
    await this.#until(`${SERVER_CONNECTIONS} server connections after ${when}`, async () => {
      const metrics = await scrape(this.#edge);
      const count = metrics.value('trunkline_server_connections', { hub: HUB });
      if (seen.at(-1) !== count) seen.push(count);
      return count === SERVER_CONNECTIONS;
    });
    console.log(`${when.padEnd(16)} server connections at the edge: ${seen.join(', ')}`);
  }

  /** Has a route of the app send from outside the hub, until a client that was there before hears it. */
  async #announces(heard: readonly string[]): Promise<void> {
    await this.#until('a client hears what a route sends', async () => {
      const url = `http://localhost:${this.#port}/announce`;
      await fetch(url, { method: 'POST', body: 'dinner' });
      await pass(100);
      return heard.includes('dinner');
    });
    console.log('                 a client that stays connected hears what a route sends');
  }

  async #withClient<T>(work: (client: HubConnection) => Promise<T>): Promise<T> {
    const client = new HubConnectionBuilder()
      .withUrl(`http://localhost:${this.#port}/live/chat`)
      .withAutomaticReconnect()
      .configureLogging(LogLevel.None)
      .build();
    await client.start();
    try {
      return await work(client);
    } finally {
      await client.stop();
    }
  }

  /** Asks until the answer is yes; what it throws meanwhile counts only at the deadline. */
  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS;
    for (;;) {
      const outcome = await holds().catch((error: Error) => error);
      if (outcome === true) return;
      this.#signal.throwIfAborted();
      if (performance.now() > deadline) {
        throw new Error(`never came: ${what}`, { cause: outcome || undefined });
      }
      await pass(50);
    }
  }
}

async function main(signal: AbortSignal): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      edits: { type: 'string', default: '10' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return true;
  }
  const edits = Number(values.edits);
  if (!(Number.isInteger(edits) && edits > 0)) throw new Error('--edits takes a number above 0');
  const folder = await mkdtemp(join(tmpdir(), 'trunkline-next-'));
  try {
    console.log('next.md: installing the app ...');
    const app = await NextApp.install(folder, signal);
    await withParts(async (own) => {
      const run = new Run(app, await own(startEdge()), await freePort(), signal);
      await run.dev(edits);
      await run.build();
      await run.start(`hello${edits}`);
    });
    console.log('next.md: all as the guide says');
    return true;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await runTask('next.md', main);
