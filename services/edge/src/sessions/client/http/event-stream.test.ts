import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { SendResult } from '../../../ports/socket.ts';
import { FakeExchange } from '../../fake-exchange.test-support.ts';
import { turn, wire } from '../../fixtures.test-support.ts';
import { EventStream, eventOf } from './event-stream.ts';
import { TestSurroundings } from './transport.test-support.ts';

/** The data of the events in `stream`, as a browser's EventSource reads them (HTML standard). */
function eventsIn(stream: string): string[] {
  const events: string[] = [];
  let data: string[] = [];
  for (const line of stream.split(/\r\n|\n|\r/)) {
    if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
    else if (line === '' && data.length > 0) {
      events.push(data.join('\n'));
      data = [];
    }
  }
  return events;
}

describe('an event', () => {
  test('is one line of data, and a blank one', () => {
    expect(eventOf(wire('{}␞')).toString()).toBe('data: {}\x1e\r\n\r\n');
  });

  test('has a line for each line of its payload, without the CR before an LF', () => {
    expect(eventOf(wire('a\r\n\nb')).toString()).toBe('data: a\r\ndata: \r\ndata: b\r\n\r\n');
  });

  test('brings any text to an EventSource, line breaks of every kind as LF', () => {
    const unit = fc.constantFrom('\r', '\n', ' ', ':', 'data: ', 'é', '{"type":6}', '\x1e', '😀');
    const given = fc.property(fc.string({ unit, minLength: 1 }), (payload) => {
      const stream = eventOf(Buffer.from(payload)).toString();
      expect(eventsIn(stream)).toEqual([payload.replaceAll(/\r\n|\r/g, '\n')]);
    });
    fc.assert(given, { numRuns: 1000 });
  });
});

let around: TestSurroundings;
let exchange: FakeExchange;
let stream: EventStream;

beforeEach(() => begin());

function begin(queueBytes?: number): void {
  around = new TestSurroundings();
  exchange = new FakeExchange();
  stream = new EventStream(exchange, around.options(queueBytes));
}

const say = (text: string): number => stream.send(wire(text));
const events = (): string[] => eventsIn(exchange.body);

describe('an event stream', () => {
  test('begins with a comment, by headers that keep proxies from holding it back', () => {
    expect(exchange.answered).toEqual({
      status: 200,
      headers: {
        'content-type': 'text/event-stream',
        'cache-control': 'no-cache,no-store',
        pragma: 'no-cache',
        'content-encoding': 'identity',
        'x-accel-buffering': 'no',
      },
      body: ':\r\n',
    });
  });

  test('sends what was said in one turn as one event', async () => {
    expect(say('a␞')).toBe(SendResult.Sent);
    expect(say('b␞')).toBe(SendResult.Sent);
    expect(events()).toEqual([]);
    await turn();
    say('c␞');
    await turn();
    expect(events()).toEqual(['a␞b␞', 'c␞']);
    expect(stream.getBufferedAmount()).toBe(0);
  });

  test('keeps back what the peer does not take, and tells when it has', async () => {
    exchange.takes = false;
    say('a␞');
    await turn();
    expect(say('b␞')).toBe(SendResult.Queued);
    expect(say('c␞')).toBe(SendResult.Queued);
    await turn();
    expect(events()).toEqual(['a␞']);
    expect(stream.getBufferedAmount()).toBe('data: a␞\r\n\r\n'.length + 4);
    exchange.drain();
    expect(events()).toEqual(['a␞', 'b␞c␞']);
    expect(stream.getBufferedAmount()).toBe(0);
    expect(around.drained).toBe(1);
  });

  test('tells at the end of a turn that the peer does not take what it was sent', async () => {
    say('a␞');
    await turn();
    expect(around.queued).toBe(0);
    exchange.takes = false;
    say('b␞');
    expect(around.queued).toBe(0);
    await turn();
    expect(around.queued).toBe(1);
    // From now on whoever sends is answered so.
    expect(say('c␞')).toBe(SendResult.Queued);
    await turn();
    expect(around.queued).toBe(1);
  });

  test('tells so as well where it goes on before the end of the turn', () => {
    exchange.takes = false;
    say('a␞');
    stream.drained();
    expect(around.queued).toBe(1);
  });

  test('has nobody to tell once it has ended', () => {
    exchange.takes = false;
    say('a␞');
    stream.end(1000);
    stream.flush();
    expect(around.queued).toBe(0);
  });

  test('waits with what was said before the peer was slow and after', async () => {
    exchange.takes = false;
    say('a␞');
    await turn();
    // Taken, written to and slow again within one turn, at whose end the stream is to be flushed.
    exchange.takes = true;
    exchange.drain();
    say('b␞');
    exchange.takes = false;
    stream.flush();
    say('c␞');
    await turn();
    expect(events()).toEqual(['a␞', 'b␞']);
    expect(stream.getBufferedAmount()).toBe('data: b␞\r\n\r\n'.length + 2);
    exchange.drain();
    expect(events()).toEqual(['a␞', 'b␞', 'c␞']);
  });

  test('takes no more than its limit, with what the peer has not taken', async () => {
    begin(20);
    exchange.takes = false;
    say('a␞');
    await turn();
    expect(stream.getBufferedAmount()).toBe(12);
    expect(say('12345678␞')).toBe(SendResult.Queued);
    expect(say('9␞')).toBe(SendResult.Dropped);
    exchange.drain();
    expect(events()).toEqual(['a␞', '12345678␞']);
  });

  test('ends behind its last words, however much waits', async () => {
    exchange.takes = false;
    say('a␞');
    await turn();
    say('b␞');
    stream.end(1001);
    expect(events()).toEqual(['a␞', 'b␞']);
    expect(exchange.wasEnded).toBe(true);
    expect(around).toMatchObject({ disconnected: [1001], forgotten: 1 });
  });

  test('has nothing more to send in the turn in which it ends', async () => {
    say('a␞');
    stream.end(1000);
    stream.end(1000);
    stream.close();
    await turn();
    expect(events()).toEqual(['a␞']);
    expect(around).toMatchObject({ disconnected: [1000], forgotten: 1 });
  });

  test('is cut when it is closed, and what waits is lost', async () => {
    say('a␞');
    stream.close();
    await turn();
    expect(exchange.wasCut).toBe(true);
    expect(events()).toEqual([]);
    expect(around).toMatchObject({ disconnected: [1006], forgotten: 1 });
  });

  test('is over when the client goes, which is how clients end it', async () => {
    say('a␞');
    exchange.leave();
    await turn();
    expect(events()).toEqual([]);
    expect(around).toMatchObject({ disconnected: [1000], forgotten: 1 });
  });
});

test('every message comes once and in order, however turns and a slow peer fall', async () => {
  const step = fc.constantFrom('say', 'say', 'turn', 'stall', 'drain');
  const given = fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
    begin(Infinity);
    let said = 0;
    for (const step of steps) {
      if (step === 'say') say(`${said++}␞`);
      else if (step === 'turn') await turn();
      else if (step === 'stall') exchange.takes = false;
      else exchange.drain();
    }
    stream.end(1000);
    expect(events().join('')).toBe(Array.from({ length: said }, (_, n) => `${n}␞`).join(''));
    expect(around).toMatchObject({ disconnected: [1000], forgotten: 1 });
  });
  await fc.assert(given);
});
