import { Readable } from 'node:stream';

import { Hub, HubError } from '@trunkline/sdk';
import type { HubFilter, HubMethods, HubUser } from '@trunkline/sdk';

/** What the hub asks of its clients. */
export interface DeskClient {
  confirm(question: string): boolean;
}

/** A schema as Standard Schema describes them; undefined is what does not fit. */
function schema<Value>(read: (value: unknown) => Value | undefined) {
  const validate = (given: unknown) => {
    const value = read(given);
    return value === undefined ? { issues: [{ message: 'does not fit' }] } : { value };
  };
  return { '~standard': { version: 1, vendor: 'desk', validate } } as const;
}

const number = schema((value) => (typeof value === 'number' ? value : undefined));
const numeric = schema(Number);

/** A hub with all that a method can have. */
export class Desk extends Hub<DeskClient> {
  static readonly methods = {
    add: { name: 'Sum', aliases: ['Plus'], parameters: [number, numeric] },
    close: { authorize: ({ claims }) => claims['role'] === 'admin' },
    total: { parameters: [], uploads: [number] },
    items: {},
    file: { streams: true },
    web: { streams: true },
    ask: {},
    untilTold: {},
    timesTold: {},
    never: {},
    whereAmI: {},
  } as const satisfies HubMethods<Desk>;

  static #told = 0;

  add(a: number, b: number): number {
    return a + b;
  }

  close(): string {
    return 'closed';
  }

  async total(numbers: AsyncIterable<number>): Promise<number> {
    let sum = 0;
    for await (const number of numbers) sum += number;
    return sum;
  }

  async *items(count: number): AsyncGenerator<{ n: number }> {
    for (let n = 0; n < count; n++) yield { n };
  }

  file(): Readable {
    return Readable.from([Buffer.from('hello '), Buffer.from('world')]);
  }

  web(): ReadableStream<string> {
    return new Blob(['hello']).stream().pipeThrough(new TextDecoderStream());
  }

  ask(connectionId: string, question: string): Promise<boolean> {
    return this.clients.client(connectionId).invoke({ timeout: 5000 }).confirm(question);
  }

  async *untilTold(): AsyncGenerator<string> {
    yield 'waiting';
    const { signal } = this;
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    Desk.#told++;
  }

  timesTold(): number {
    return Desk.#told;
  }

  never(): Promise<never> {
    return new Promise(() => {});
  }

  whereAmI(): { server: number; connectionId: string } {
    return { server: process.pid, connectionId: this.context.connectionId };
  }
}

export const signedIn = ({ userIdentifier }: HubUser): boolean => userIdentifier !== undefined;

/** Refuses to add for who is rude. */
export const politeness: HubFilter = {
  invoke({ method, context }, next) {
    if (method === 'add' && context.query.has('rude')) throw new HubError('Say please.');
    return next();
  },
};
