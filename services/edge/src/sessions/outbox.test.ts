import { Histogram } from '@trunkline/telemetry';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { SendResult } from '../ports/socket.ts';
import { SYSTEM_TIME } from '../system-time.ts';
import type { FakeServer } from './fixtures.test-support.ts';
import { payloads, TestEdge, turn, wire } from './fixtures.test-support.ts';
import type { Writable } from './outbox.ts';
import { Outbox } from './outbox.ts';
import { MessageType } from '@trunkline/protocol';

class Reader implements Writable {
  unsent: Writable['unsent'];
  readonly written: string[] = [];
  whenWritten = (): void => {};

  write(bytes: Uint8Array): void {
    this.written.push(Buffer.from(bytes).toString());
    this.whenWritten();
  }
}

let seconds: Histogram;
let outbox: Outbox;
beforeEach(() => {
  seconds = new Histogram('trunkline_fanout_duration_seconds');
  outbox = new Outbox(seconds, SYSTEM_TIME);
});

const bytes = (text: string): Uint8Array => Buffer.from(text);

describe('messages for clients', () => {
  test('are written at once as long as nothing has begun', () => {
    const reader = new Reader();
    outbox.send(reader, bytes('a'));
    outbox.send(reader, bytes('b'));
    expect(reader.written).toEqual(['a', 'b']);
  });

  test('are written at the end of what has begun, those of each client together', () => {
    const [one, other] = [new Reader(), new Reader()];
    outbox.begin();
    for (const text of ['a', 'b', 'c']) outbox.send(one, bytes(text));
    outbox.send(other, bytes('x'));
    expect([one.written, other.written]).toEqual([[], []]);
    outbox.end();
    expect([one.written, other.written]).toEqual([['abc'], ['x']]);
    outbox.send(one, bytes('d'));
    expect(one.written).toEqual(['abc', 'd']);
  });

  test('come whole and in order, whoever gets which of them', () => {
    const pieces = fc.array(fc.string({ minLength: 1, maxLength: 5 }), { minLength: 1 });
    const sends = fc.array(fc.tuple(fc.nat(2), fc.nat(9)), { maxLength: 40 });
    const given = fc.property(pieces, fc.array(sends), (texts, passes) => {
      const readers = [new Reader(), new Reader(), new Reader()];
      const expected = ['', '', ''];
      const messages = texts.map(bytes);
      for (const pass of passes) {
        outbox.begin();
        for (const [who, what] of pass) {
          outbox.send(readers[who]!, messages[what % texts.length]!);
          expected[who] += Buffer.from(messages[what % texts.length]!).toString();
        }
        outbox.end();
      }
      expect(readers.map(({ written }) => written.join(''))).toEqual(expected);
      for (const { written } of readers) expect(written.length).toBeLessThanOrEqual(passes.length);
    });
    fc.assert(given, { numRuns: 300 });
  });

  test('that are many bytes together are several writes, and what follows is joined again', () => {
    const [one, other] = [new Reader(), new Reader()];
    const long = 'x'.repeat(40_000);
    const longer = 'z'.repeat(70_000);
    const messages = [long, 'y', long, longer, 'a', longer].map(bytes);
    outbox.begin();
    for (const message of messages) for (const to of [one, other]) outbox.send(to, message);
    outbox.end();
    expect(one.written).toEqual([`${long}y`, long, longer, 'a', longer]);
    expect(other.written).toEqual(one.written);
    outbox.begin();
    for (const text of ['a', 'b']) outbox.send(one, bytes(text));
    outbox.end();
    expect(one.written.at(-1)).toBe('ab');
  });

  test.each([
    ['messages', 1_000, 'x'],
    ['bytes', 10, 'x'.repeat(10_000)],
  ])('are written before the end where many %s wait for each client', (_, most, text) => {
    const readers = [new Reader(), new Reader(), new Reader()];
    outbox.begin();
    let sent = 0;
    while (readers[0]!.written.length === 0) {
      for (const reader of readers) outbox.send(reader, bytes(text));
      sent++;
      outbox.ease();
    }
    expect(sent).toBeGreaterThan(1);
    expect(sent).toBeLessThan(most);
    for (const { written } of readers) expect(written).toEqual([text.repeat(sent)]);
    outbox.send(readers[0]!, bytes('y'));
    outbox.ease();
    expect(readers[0]!.written.length).toBe(1);
    outbox.end();
    expect(readers[0]!.written.at(-1)).toBe('y');
  });

  test('that writing causes are written, too, behind what that client had been sent', () => {
    const [one, other] = [new Reader(), new Reader()];
    one.whenWritten = () => outbox.send(other, bytes('2'));
    outbox.begin();
    outbox.send(one, bytes('a'));
    outbox.send(other, bytes('1'));
    outbox.send(one, bytes('b'));
    outbox.end();
    expect([one.written.join(''), other.written.join('')]).toEqual(['ab', '12']);
    other.whenWritten = () => outbox.send(one, bytes('c'));
    one.whenWritten = () => {};
    outbox.begin();
    outbox.send(one, bytes('!'));
    outbox.send(other, bytes('3'));
    outbox.end();
    expect([one.written.join(''), other.written.join('')]).toEqual(['ab!c', '123']);
  });

  test('can be written early for one of them', () => {
    const [one, other] = [new Reader(), new Reader()];
    outbox.begin();
    outbox.send(one, bytes('a'));
    outbox.send(other, bytes('x'));
    outbox.flush(one);
    expect([one.written, other.written]).toEqual([['a'], []]);
    outbox.send(one, bytes('b'));
    outbox.end();
    expect([one.written, other.written]).toEqual([['a', 'b'], ['x']]);
  });
});

test('memory that messages lie in is given back once they are written, or at once', () => {
  const memory = [new Uint8Array(100_000), new Uint8Array(100_000)];
  outbox.release(memory[0]!);
  outbox.begin();
  outbox.release(memory[1]!);
  expect(memory.map(({ length }) => length)).toEqual([0, 100_000]);
  outbox.end();
  expect(memory.map(({ length }) => length)).toEqual([0, 0]);
});

test('each send to many is timed up to its last write, within something that has begun or not', () => {
  let now = 0;
  outbox = new Outbox(seconds, { now: () => now });
  const reader = new Reader();
  const count = (): number => seconds.cumulative().at(-1)![1];
  const send = (text: string): void =>
    outbox.fanOut(() => {
      outbox.send(reader, bytes(text));
      now += 1000;
    });
  send('a');
  expect([reader.written, count(), seconds.sum]).toEqual([['a'], 1, 1]);
  outbox.begin();
  for (const text of ['b', 'c']) send(text);
  expect(count()).toBe(1);
  outbox.end();
  // Both from the begin of the first.
  expect([reader.written, count(), seconds.sum]).toEqual([['a', 'bc'], 3, 1 + 2 * 2]);
  send('d');
  expect(seconds.sum).toBe(6);
});

describe('one piece of an app server', () => {
  let edge: TestEdge;
  let server: FakeServer;
  beforeEach(async () => {
    edge = new TestEdge();
    server = await edge.server();
  });

  const broadcast = (text: string) =>
    ({
      type: MessageType.BroadcastData,
      excludedConnectionIds: [],
      payloads: payloads({ json: text }),
    }) as const;
  const direct = (connectionId: string, text: string) =>
    ({ type: MessageType.ConnectionData, connectionId, payload: wire(text) }) as const;

  test('makes one write for each client, in order, and a Close comes behind it', async () => {
    const one = await edge.client(server);
    const other = await edge.client(server);
    server.says(
      broadcast('{"type":6,"n":1}␞'),
      direct(one.id, '{"type":6,"n":2}␞'),
      broadcast('{"type":6,"n":3}␞'),
      {
        type: MessageType.CloseConnection,
        connectionId: one.id,
        errorMessage: 'bye',
        headers: new Map(),
      },
    );
    expect(one.heard).toEqual([
      '{"type":6,"n":1}␞{"type":6,"n":2}␞{"type":6,"n":3}␞',
      '{"type":7,"error":"bye"}␞',
    ]);
    expect(other.heard).toEqual(['{"type":6,"n":1}␞{"type":6,"n":3}␞']);
  });

  test('may lie in several frames of the service protocol that come in halves', async () => {
    const client = await edge.client(server);
    const text = `{"type":6,"n":"${'x'.repeat(1000)}"}␞`;
    const frames = [broadcast(text), broadcast('{"type":6}␞')];
    server.saysInPieces(frames, 300);
    expect(client.heard.join('')).toBe(`${text}{"type":6}␞`);
  });

  test('that is long is written in the course of it, and nothing of it is kept for long', async () => {
    const clients = [await edge.client(server), await edge.client(server)];
    const messages = Array.from({ length: 5_000 }, (_, n) => broadcast(`{"type":6,"n":${n}}␞`));
    let most = 0;
    const writes = vi.spyOn(clients[0]!.socket, 'send').mockImplementation((bytes) => {
      most = Math.max(most, bytes.length);
      return SendResult.Sent;
    });
    server.says(...messages);
    for (let turns = 0; turns < 100; turns++) await turn();
    expect(clients[1]!.heard.join('').split('␞').length).toBe(5_001);
    expect(writes.mock.calls.length).toBeLessThan(100);
    expect(most).toBeLessThan(10_000);
  });

  test('does not reach a client that has gone meanwhile, nor is it lost for others', async () => {
    const slow = await edge.client(server);
    const other = await edge.client(server);
    slow.socket.answer = SendResult.Dropped;
    server.says(broadcast('{"type":6,"n":1}␞'), broadcast('{"type":6,"n":2}␞'));
    expect(slow.socket.cut).toBe(true);
    expect(other.heard).toEqual(['{"type":6,"n":1}␞{"type":6,"n":2}␞']);
    expect(edge.closes).toEqual({ SlowClient: 1 });
  });
});
