import { expect } from 'vitest';

import type { Scenario } from '../scenario.ts';

const threw = (method: string): string =>
  `An unexpected error occurred invoking '${method}' on the server.`;
const notBound = (method: string): string =>
  `Failed to invoke '${method}' due to an error on the server.`;
const unknown = (method: string): string =>
  `${notBound(method)} HubException: Method does not exist.`;

const NOT_METHODS = [
  'missing',
  'constructor',
  'toString',
  'valueOf',
  '__proto__',
  'hasOwnProperty',
  '__defineGetter__',
  'onConnected',
  'onDisconnected',
  'clients',
  'context',
  '#note',
  '',
];

/** What each failing call is answered with: the method, its arguments, the text, more of it. */
const FAILURES: readonly [method: string, args: unknown[], plain: string, details: string][] = [
  ['refuse', ['not now'], `${threw('refuse')} HubException: not now`, ''],
  ['fail', [], threw('fail'), ' InvalidOperationException: a secret'],
  ['failLater', [], threw('failLater'), ' InvalidOperationException: a secret'],
  [
    'add',
    [1],
    notBound('add'),
    ' InvalidDataException: Invocation provides 1 argument(s) but target expects 2.',
  ],
];

/** Calls, and the error texts of client protocols reference, section 6.4. */
export const calls: readonly Scenario[] = [
  {
    name: 'finds methods ignoring case',
    async run(context) {
      const client = await context.connect();
      for (const name of ['add', 'Add', 'ADD', 'aDd']) {
        expect(await client.invoke(name, 40, 2)).toBe(42);
      }
    },
  },
  {
    name: 'says of what is no method that it does not exist',
    async run(context) {
      const client = await context.connect();
      for (const name of NOT_METHODS) expect(await client.failure(name)).toContain(unknown(name));
      expect(await client.invoke('add', 1, 2)).toBe(3);
    },
  },
  {
    name: 'answers failures with the text for clients alone',
    async run(context) {
      const client = await context.connect();
      for (const [method, args, plain] of FAILURES) {
        expect(await client.failure(method, ...args)).toBe(plain);
      }
      expect(await client.invoke('echo', 'still here')).toBe('still here');
    },
  },
  {
    name: 'adds details where the hub is set to',
    async run(context) {
      const client = await context.connect({ hub: 'detailed' });
      for (const [method, args, plain, details] of FAILURES) {
        expect(await client.failure(method, ...args)).toBe(plain + details);
      }
    },
  },
  {
    name: 'refuses calls and streams of the wrong kind',
    async run(context) {
      const client = await context.connect();
      expect(await client.failure('countdown', 3)).toContain(
        "The client attempted to invoke the streaming 'countdown' method with a non-streaming invocation.",
      );
      await expect(client.stream('nothing')).rejects.toThrow(
        "The client attempted to invoke the non-streaming 'nothing' method with a streaming invocation.",
      );
    },
  },
  {
    name: 'gives every concurrent call its own answer',
    async run(context) {
      const client = await context.connect();
      const numbers = Array.from({ length: 300 }, (_, n) => n);
      const answers = numbers.map((n) => client.invoke(n % 2 === 0 ? 'echo' : 'echoLater', n));
      expect(await Promise.all(answers)).toEqual(numbers);
    },
  },
  {
    name: 'answers the calls of a client one after another',
    several: true,
    async run(context) {
      const [client, other] = [await context.connect(), await context.connect()];
      const gate = context.unique('gate');
      const answered: string[] = [];
      // Once it is posted: version 1 posts the next call beside it, and either might come first.
      await client.connection.send('pass', gate);
      const second = client.invoke('nothing').then(() => answered.push('second'));
      // Time enough to answer the second, for a hub that does not wait.
      expect(await other.invoke('echo', 'past them')).toBe('past them');
      expect(answered).toEqual([]);
      await other.invoke('open', gate);
      await second;
    },
  },
  {
    name: 'keeps one client out of the way of another',
    several: true,
    async run(context) {
      const [slow, quick] = [await context.connect(), await context.connect()];
      const gate = context.unique('gate');
      const waiting = slow.invoke('pass', gate);
      const behind = slow.invoke('echo', 'behind it');
      expect(await quick.invoke('echo', 'past it')).toBe('past it');
      await quick.invoke('open', gate);
      expect(await waiting).toBeNull();
      expect(await behind).toBe('behind it');
    },
  },
  {
    name: 'takes sends of every outcome without a word',
    async run(context) {
      const client = await context.connect();
      await client.connection.send('nothing');
      await client.connection.send('fail');
      await client.connection.send('missing');
      await client.connection.send('add', 1);
      await client.connection.send('keep', 7);
      expect(await client.invoke('kept')).toEqual([7]);
      expect(client.events.all).toEqual([]);
    },
  },
];
