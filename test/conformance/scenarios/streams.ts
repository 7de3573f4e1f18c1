import type { Subject } from '@microsoft/signalr';
import { expect } from 'vitest';

import { deadline } from '@trunkline/testing';

import { DEADLINE_MS, failureOf } from '../client.ts';
import { NEEDS, type Scenario } from '../scenario.ts';

/** 1 to 50: more than the 10 that wait for a method. Each may take a post of its own. */
const MANY = Array.from({ length: 50 }, (_, n) => n + 1);

export const streams: readonly Scenario[] = [
  {
    name: 'streams every item in order, and its end',
    async run(context) {
      const client = await context.connect();
      expect(await client.stream('countdown', 3)).toEqual([3, 2, 1]);
      expect(await client.stream('countdown', 0)).toEqual([]);
      const many = await client.stream<number>('countdown', 2000);
      expect(many).toEqual(Array.from({ length: 2000 }, (_, n) => 2000 - n));
    },
  },
  {
    name: 'ends a stream with an error after its items',
    async run(context) {
      const client = await context.connect();
      const { items, ended } = client.follow('refuseAfterOne', 'no more');
      const failure = await failureOf(ended);
      expect(failure).toBe(
        'An error occurred on the server while streaming results. HubException: no more',
      );
      expect(items.all).toEqual([1]);
    },
  },
  {
    name: 'tells the method that its stream was cancelled',
    needs: [NEEDS.cancellation],
    async run(context) {
      const client = await context.connect();
      const tag = context.unique('tag');
      const { items, cancel } = client.follow('untilCancelled', tag);
      await items.first((item) => item === 'first', 'the first item', DEADLINE_MS);
      expect(await client.invoke('journal', tag)).toEqual([]);
      cancel();
      await context.eventually(async () => {
        expect(await client.invoke('journal', tag)).toEqual(['cancelled']);
      });
    },
  },
  {
    name: 'tells the method that the client of its stream is gone',
    several: true,
    async run(context) {
      const [client, witness] = [await context.connect(), await context.connect()];
      const tag = context.unique('tag');
      const { items } = client.follow('untilCancelled', tag);
      await items.first((item) => item === 'first', 'the first item', DEADLINE_MS);
      await client.connection.stop();
      await context.eventually(async () => {
        expect(await witness.invoke('journal', tag)).toEqual(['cancelled']);
      });
    },
  },
  {
    name: 'reads uploads, one or two, beside arguments',
    needs: [NEEDS.uploads],
    async run(context) {
      const client = await context.connect();
      const [one, a, b] = [
        context.subject<number>(),
        context.subject<number>(),
        context.subject<number>(),
      ];
      const sum = client.invoke('sum', one);
      // Not side by side: this client takes only every other one of neighbouring streams for one.
      const both = client.invoke('both', a, '>', b);
      feed(b, [4, 5, 6]);
      feed(a, [1, 2, 3]);
      feed(one, MANY);
      expect(await both).toBe('>123456');
      expect(await sum).toBe(1275);
    },
  },
  {
    name: 'streams both ways at once',
    needs: [NEEDS.uploads],
    async run(context) {
      const client = await context.connect();
      const subject = context.subject<number>();
      const { items, ended } = client.follow('doubled', subject);
      for (const number of [1, 2, 3]) {
        subject.next(number);
        await items.first((item) => item === 2 * number, `twice ${number}`, DEADLINE_MS);
      }
      subject.complete();
      await ended;
      expect(items.all).toEqual([2, 4, 6]);
    },
  },
  {
    name: 'gives the reader the error that an upload ends with',
    needs: [NEEDS.uploads],
    async run(context) {
      const client = await context.connect();
      const subject = context.subject<number>();
      const words = client.invoke('lastWords', subject);
      subject.next(1);
      subject.error(new Error('out of numbers'));
      expect(await words).toBe('out of numbers');
    },
  },
  {
    name: 'drops what is uploaded to a method that has returned',
    needs: [NEEDS.uploads],
    async run(context) {
      const client = await context.connect();
      const [late, next] = [context.subject<number>(), context.subject<number>()];
      const first = client.invoke('first', late);
      late.next(7);
      expect(await first).toBe(7);
      feed(late, MANY);
      // An item of each goes at a time: when the second upload is here, all of the first has gone.
      const sum = client.invoke('sum', next);
      feed(next, MANY);
      expect(await sum).toBe(1275);
    },
  },
  {
    name: 'does not hold up calls behind a stream',
    needs: [NEEDS.uploads],
    async run(context) {
      const client = await context.connect();
      const subject = context.subject<number>();
      const sum = client.invoke('sum', subject);
      const echo = client.invoke('echo', 'past it');
      expect(await deadline(echo, DEADLINE_MS, 'the call waits for the upload')).toBe('past it');
      subject.complete();
      expect(await sum).toBe(0);
    },
  },
];

function feed(subject: Subject<number>, items: readonly number[]): void {
  for (const item of items) subject.next(item);
  subject.complete();
}
