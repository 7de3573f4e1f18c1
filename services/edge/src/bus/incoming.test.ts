import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { Batch, headerOf, senderOf } from './batch-format.ts';
import { LOSSES_SUBJECT } from './batching.ts';
import { Incoming } from './incoming.ts';

/** What has been heard, in order: `subject from text`, `gap from why`, `refused major`. */
let heard: string[];
let incoming: Incoming;

beforeEach(() => {
  heard = [];
  incoming = new Incoming(senderOf(headerOf('me', Buffer.alloc(8, 9))), {
    message: (subject, from, bytes) =>
      void heard.push(`${subject} ${from} ${Buffer.from(bytes.subarray(0, 20)).toString()}`),
    gap: (from, why) => void heard.push(`gap ${from ?? 'anybody'} ${why}`),
    refused: (major) => void heard.push(`refused ${major}`),
  });
});

interface Saying {
  readonly from?: string;
  readonly life?: number;
  readonly number: number;
  readonly previous?: number;
  readonly losses?: number;
  readonly texts?: readonly string[];
}

function batchOf({
  from = 'a',
  life = 1,
  number,
  previous = 0,
  losses = 0,
  texts,
}: Saying): Buffer {
  const batch = new Batch('s', undefined, headerOf(from, Buffer.alloc(8, life)), 0);
  for (const text of texts ?? [`${number}`]) batch.addWhole(Buffer.from(text));
  batch.close(number, previous, 0);
  return batch.finish(losses);
}

const receive = (saying: Saying, subject = 's'): void => incoming.receive(subject, batchOf(saying));

/** A message of so many bytes in as many batches as it takes, numbered from 1 on. */
function partsOf(bytes: number, letter = 'p'): Buffer[] {
  const message = Buffer.alloc(bytes, letter);
  const batches: Buffer[] = [];
  for (let at = 0; at < bytes;) {
    const batch = new Batch('s', undefined, headerOf('a', Buffer.alloc(8, 1)), 0);
    at = batch.addPart(message, at);
    batch.close(batches.length + 1, batches.length, 0);
    batches.push(batch.finish(0));
  }
  return batches;
}

describe('what is missing', () => {
  test('is nothing while each batch follows the one before for its subject', () => {
    receive({ number: 3, previous: 1 });
    receive({ number: 4, previous: 2 }, 't');
    receive({ number: 9, previous: 3 });
    receive({ from: 'b', number: 1 });
    receive({ number: 10, previous: 0 });
    expect(heard).toEqual(['s a 3', 't a 4', 's a 9', 's b 1', 's a 10']);
  });

  test('is told before what follows', () => {
    receive({ number: 1 });
    receive({ number: 3, previous: 2 });
    expect(heard).toEqual(['s a 1', 'gap a missing', 's a 3']);
  });

  test('is told once, of a sender that knows itself', () => {
    receive({ number: 1 });
    receive({ number: 2 }, 't');
    receive({ number: 5, previous: 4, losses: 1 });
    receive({ number: 6, previous: 3, losses: 1 }, 't');
    receive({ number: 7, previous: 5, losses: 1, texts: [] });
    expect(heard).toEqual(['s a 1', 't a 2', 'gap a sender', 's a 5', 't a 6']);
  });

  test('is no news after this edge was cut off, or for a subject that it had given up', () => {
    receive({ number: 1 });
    receive({ number: 2 }, 't');
    incoming.forget('s');
    receive({ number: 5, previous: 4 });
    incoming.reset();
    receive({ number: 8, previous: 7 }, 't');
    expect(heard).toEqual(['s a 1', 't a 2', 's a 5', 't a 8']);
  });

  test('of an edge that says so, is told also if it is new here, or said it after this one was back', () => {
    receive({ from: 'b', number: 5, losses: 3 });
    receive({ from: 'c', number: 9, losses: 3, texts: [] }, LOSSES_SUBJECT);
    incoming.reset();
    receive({ from: 'b', number: 6, losses: 4, texts: [] }, LOSSES_SUBJECT);
    expect(heard).toEqual(['s b 5', 'gap c sender', 'gap b sender']);
  });

  test('may be all that an edge said before it was started again', () => {
    receive({ number: 7 });
    receive({ life: 2, number: 1 });
    receive({ life: 2, number: 2, previous: 1 });
    expect(heard).toEqual(['s a 7', 'gap a restarted', 's a 1', 's a 2']);
  });
});

test('nothing comes twice, and nothing of this edge itself', () => {
  receive({ number: 2 });
  receive({ number: 2 });
  receive({ number: 1 });
  receive({ from: 'me', life: 9, number: 3 });
  expect(heard).toEqual(['s a 2']);
});

test('nothing comes that was said before a loss that is known, behind what was said after it', () => {
  receive({ number: 5, losses: 1 });
  receive({ number: 2 }, 't');
  receive({ number: 4, losses: 0 });
  receive({ number: 6, previous: 5, losses: 1 });
  expect(heard).toEqual(['s a 5', 's a 6']);
});

describe('long messages', () => {
  test('are put together', () => {
    for (const batch of partsOf(1_500_000)) incoming.receive('s', batch);
    expect(heard).toEqual([`s a ${'p'.repeat(20)}`]);
  });

  test('are not passed on without a part', () => {
    const [first, , third] = partsOf(1_500_000);
    incoming.receive('s', first!);
    incoming.receive('s', third!);
    expect(heard).toEqual(['gap a missing']);
  });

  test('whose beginning was said before this edge listened are none of its business', () => {
    const [, second, third] = partsOf(1_500_000);
    incoming.receive('s', second!);
    incoming.receive('s', third!);
    expect(heard).toEqual([]);
  });

  test('that do not go on are given up after ten looks', () => {
    const [first, second] = partsOf(1_000_000);
    incoming.receive('s', first!);
    for (let i = 0; i < 10; i++) incoming.expire();
    expect(heard).toEqual([]);
    incoming.expire();
    expect(heard).toEqual(['gap a unreadable']);
    incoming.receive('s', second!);
    expect(heard).toHaveLength(1);
  });

  test('take no more than 64 MB together', () => {
    const first = partsOf(15 * 1024 * 1024)[0]!;
    for (const subject of ['s', 't', 'u', 'v']) incoming.receive(subject, first);
    expect(heard).toEqual([]);
    incoming.receive('w', first);
    expect(heard).toEqual(['gap a unreadable']);
    incoming.receive('x', first);
    expect(heard).toHaveLength(1);
  });

  test('that claim to be longer than any are not begun', () => {
    const first = partsOf(1_000_000)[0]!;
    first.writeUInt32BE(16 * 1024 * 1024 + 1, headerOf('a', Buffer.alloc(8)).length + 5);
    incoming.receive('s', first);
    expect(heard).toEqual(['gap a unreadable']);
  });
});

describe('batches of other releases', () => {
  test('of another major version are refused, whatever else they are', () => {
    const batch = batchOf({ number: 1 });
    batch[0] = 2;
    incoming.receive('s', batch);
    incoming.receive('s', Buffer.of(7));
    expect(heard).toEqual(['refused 2', 'refused 7']);
  });

  test('of a newer minor version are read, and what is new in them passed over', () => {
    const old = batchOf({ number: 1, texts: ['known'] });
    const end = old.readUInt16BE(2);
    const frame = Buffer.concat([Buffer.of(77, 0, 0, 0, 3), Buffer.from('new')]);
    const batch = Buffer.concat([
      old.subarray(0, end),
      Buffer.from('more'),
      frame,
      old.subarray(end),
    ]);
    batch[1] = 9;
    batch.writeUInt16BE(end + 4, 2);
    incoming.receive('s', batch);
    expect(heard).toEqual(['s a known']);
  });
});

describe('garbage', () => {
  test('is a gap, whoever it is from', () => {
    incoming.receive('s', Buffer.alloc(0));
    incoming.receive('s', Buffer.of(1, 0, 0));
    const batch = batchOf({ number: 1 });
    incoming.receive('s', batch.subarray(0, -1));
    expect(heard).toEqual(['gap anybody unreadable', 'gap anybody unreadable', 'gap a unreadable']);
  });

  test('breaks nothing, however it is made', () => {
    const good = [batchOf({ number: 1, texts: ['one', 'two'] }), ...partsOf(600_000)];
    const mutated = fc
      .tuple(fc.constantFrom(...good), fc.array(fc.tuple(fc.nat(100), fc.nat(255))), fc.nat(100))
      .map(([batch, changes, cut]) => {
        const bytes = Buffer.from(batch);
        for (const [at, value] of changes) bytes[at % bytes.length] = value;
        return bytes.subarray(0, bytes.length - cut);
      });
    const random = fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(fc.oneof(mutated, random), { maxLength: 10 }), (batches) => {
        for (const batch of batches) incoming.receive('s', batch);
      }),
    );
    heard = [];
    receive({ from: 'good', number: 1 });
    expect(heard).toEqual(['s good 1']);
  });
});
