import { once } from 'node:events';

import { type Clients, Hub, HubError, type HubMethods, type Sends } from '@trunkline/sdk';

import type { About, Destination } from './contract.ts';
import { Notes } from './notes.ts';

/** What the hub calls on its clients. */
export interface MainClient {
  message(...args: unknown[]): void;
  welcome(connectionId: string): void;
  confirm(question: string): unknown;
}

class InvalidOperationException extends Error {}

const notes = new Notes(process.env['NOTES_URL']);

/** Finds the selector's proxy on `clients`, inside a hub or outside. */
export function select(
  clients: Clients<MainClient>,
  [selector, ...names]: Destination,
): Sends<MainClient> {
  const member: unknown = Reflect.get(clients, selector);
  const selected: unknown =
    typeof member === 'function' ? Reflect.apply(member, clients, names) : member;
  return selected as Sends<MainClient>;
}

/** The hub behind every path. The query of a connection chooses what happens as it connects. */
export class Main extends Hub<MainClient> {
  static readonly methods = {
    echo: {},
    echoLater: {},
    nothing: {},
    add: {},
    refuse: {},
    fail: {},
    failLater: {},
    connectionId: {},
    about: {},
    keep: {},
    kept: {},
    count: {},
    relay: {},
    join: {},
    leave: {},
    visit: {},
    abort: {},
    journal: {},
    pass: {},
    open: {},
    ask: {},
    countdown: {},
    untilCancelled: {},
    refuseAfterOne: {},
    sum: { uploads: 1 },
    both: { uploads: 2 },
    first: { uploads: 1 },
    lastWords: { uploads: 1 },
    doubled: { uploads: 1 },
  } as const satisfies HubMethods<Main>;

  override async onConnected(): Promise<void> {
    const { query, connectionId } = this.context;
    this.#note('connecting');
    await this.clients.caller.welcome(connectionId);
    const gate = query.get('gate');
    if (gate !== null) await notes.pass(gate);
    const refusal = query.get('refusal');
    if (refusal !== null) throw new HubError(refusal);
    this.#note('connected');
  }

  override onDisconnected(error?: Error): void {
    this.#note(error === undefined ? 'disconnected' : `disconnected: ${error.message}`);
  }

  echo(value: unknown): unknown {
    return value;
  }

  async echoLater(value: unknown): Promise<unknown> {
    await new Promise(setImmediate);
    return value;
  }

  nothing(): void {}

  add(a: number, b: number): number {
    return a + b;
  }

  refuse(why: string): never {
    throw new HubError(why);
  }

  fail(): never {
    throw new InvalidOperationException('a secret');
  }

  async failLater(): Promise<never> {
    await new Promise(setImmediate);
    throw new InvalidOperationException('a secret');
  }

  connectionId(): string {
    return this.context.connectionId;
  }

  about(): About {
    const { connectionId, userIdentifier = null, claims, headers, query } = this.context;
    return {
      connectionId,
      userIdentifier,
      claims: { ...claims } as About['claims'],
      headers: { ...headers },
      query: [...query],
    };
  }

  /** Keeps a number with the connection. */
  keep(value: number): void {
    this.#kept().push(value);
  }

  kept(): number[] {
    return this.#kept();
  }

  /** Sends `message` with 0, 1, 2 … to the caller. */
  async count(to: number): Promise<void> {
    for (let n = 0; n < to; n++) await this.clients.caller.message(n);
  }

  async relay(to: Destination, args: readonly unknown[]): Promise<void> {
    await select(this.clients, to).message(...args);
  }

  async join(group: string): Promise<void> {
    await this.groups.add(this.context.connectionId, group);
  }

  async leave(group: string): Promise<void> {
    await this.groups.remove(this.context.connectionId, group);
  }

  /** Sends the group 1, joins it, sends 2, leaves it, sends 3: the caller should hear 2 alone. */
  async visit(group: string): Promise<void> {
    await this.clients.group(group).message(1);
    await this.join(group);
    await this.clients.group(group).message(2);
    await this.leave(group);
    await this.clients.group(group).message(3);
  }

  abort(): void {
    this.context.abort();
  }

  async journal(tag: string): Promise<string[]> {
    return notes.read(tag);
  }

  async pass(gate: string): Promise<void> {
    await notes.pass(gate);
  }

  async open(gate: string): Promise<void> {
    await notes.open(gate);
  }

  async ask(connectionId: string, question: string, timeout: number): Promise<unknown> {
    return this.clients.client(connectionId).invoke({ timeout }).confirm(question);
  }

  async *countdown(from: number): AsyncGenerator<number> {
    for (let n = from; n > 0; n--) yield n;
  }

  /** One item, then nothing until the client cancels; then an entry in the journal. */
  async *untilCancelled(tag: string): AsyncGenerator<string> {
    yield 'first';
    if (!this.signal.aborted) await once(this.signal, 'abort');
    notes.add(tag, 'cancelled');
  }

  async *refuseAfterOne(why: string): AsyncGenerator<number> {
    yield 1;
    throw new HubError(why);
  }

  async sum(numbers: AsyncIterable<number>): Promise<number> {
    let sum = 0;
    for await (const number of numbers) sum += number;
    return sum;
  }

  /** Joins two uploads to one text, the first one first. */
  async both(prefix: string, a: AsyncIterable<number>, b: AsyncIterable<number>): Promise<string> {
    let text = prefix;
    for await (const part of a) text += part;
    for await (const part of b) text += part;
    return text;
  }

  async first(items: AsyncIterable<unknown>): Promise<unknown> {
    for await (const item of items) return item;
    return null;
  }

  /** How an upload that the client ends with an error looks here. */
  async lastWords(items: AsyncIterable<unknown>): Promise<string> {
    try {
      for await (const _item of items);
      return 'no error';
    } catch (error) {
      return error instanceof HubError ? error.message : 'an error of some other kind';
    }
  }

  async *doubled(numbers: AsyncIterable<number>): AsyncGenerator<number> {
    for await (const number of numbers) yield number * 2;
  }

  /** What happened to connections that gave this tag in their query, in order. */
  #note(what: string): void {
    const tag = this.context.query.get('tag');
    if (tag !== null) notes.add(tag, what);
  }

  #kept(): number[] {
    const { items } = this.context;
    if (!items.has('kept')) items.set('kept', []);
    return items.get('kept') as number[];
  }
}
