import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readable, wire } from '../fixtures.test-support.ts';
import { clientProtocol } from './client-protocol.ts';
import { RecordRelay } from './record-relay.ts';

const relayOf = (binary: boolean): RecordRelay =>
  new RecordRelay(clientProtocol(binary ? 'messagepack' : 'json'), Buffer.from('{}'), 10_000);

/** What has come out of a relay, each hand-over as `[text, count]`. */
class Sink {
  readonly server: [string, number][] = [];
  readonly client: [string, number][] = [];

  toServer(bytes: Uint8Array, count: number): void {
    this.server.push([readable(bytes), count]);
  }

  toClient(bytes: Uint8Array, count: number): void {
    this.client.push([readable(bytes), count]);
  }

  strays = 0;

  saidNothing(): void {}

  /** What it was asked to keep of a message that has begun. */
  readonly asked: number[] = [];
  hasRoom = true;

  mayKeep(bytes: number): boolean {
    this.asked.push(bytes);
    return this.hasRoom;
  }

  stray(): void {
    this.strays++;
  }

  readonly released: number[] = [];

  release(memory: Uint8Array): void {
    this.released.push(memory.length);
  }
}

/** All of a client's bytes, in as many slices as that takes. */
function feed(relay: RecordRelay, bytes: Uint8Array, sink: Sink): void {
  for (let done = 0; done < bytes.length;) done += relay.fromClient(bytes.subarray(done), sink);
}

const call = (id: string | number): string =>
  `{"type":1,"invocationId":"${id}","target":"a","arguments":[]}␞`;
const stream = (id: string | number): string =>
  `{"type":4,"invocationId":"${id}","target":"a","arguments":[]}␞`;
const done = (id: string | number): string => `{"type":3,"invocationId":"${id}","result":1}␞`;
const SEND = '{"type":1,"target":"a","arguments":[]}␞';

function relayWith(...fromClient: readonly string[]): { relay: RecordRelay; sink: Sink } {
  const relay = relayOf(false);
  const sink = new Sink();
  for (const text of fromClient) feed(relay, wire(text), sink);
  return { relay, sink };
}

test('much of a message that has begun is kept only where there is room for it', () => {
  const KB = 1024;
  const begin = (bytes: number): Buffer => wire(`${SEND}{"type":1`.padEnd(SEND.length + bytes));
  for (const hasRoom of [true, false]) {
    const sink = Object.assign(new Sink(), { hasRoom });
    const [little, much] = [0, 1].map(
      () => new RecordRelay(clientProtocol('json'), Buffer.from('{}'), 1_000 * KB),
    ) as [RecordRelay, RecordRelay];
    expect(little.fromClient(begin(64 * KB - 2), sink)).toBeGreaterThan(64 * KB);
    expect([sink.asked, little.keptFromClient > 0]).toEqual([[], true]);
    expect(much.fromClient(begin(64 * KB), sink)).toBeGreaterThan(64 * KB);
    expect(sink.server).toHaveLength(2);
    expect([sink.asked.length, much.keptFromClient > 0]).toEqual([1, hasRoom]);
    much.end();
    little.end();
  }
});

test('however a stream is cut, whole messages come out, in order, both ways', () => {
  const messages = fc.array(fc.string({ minLength: 1, maxLength: 200, size: 'max' }), {
    maxLength: 20,
    size: 'max',
  });
  const cuts = fc.array(fc.nat(2000), { maxLength: 10, size: 'max' });
  const given = fc.property(fc.boolean(), messages, cuts, (binary, bodies, places) => {
    const records = bodies.map((body) => record(binary, body));
    const all = Buffer.concat(records);
    const sorted = [...places.map((at) => at % (all.length + 1)), 0, all.length].sort(
      (a, b) => a - b,
    );
    const relay = relayOf(binary);
    const sink = new Sink();
    for (let i = 1; i < sorted.length; i++) {
      const piece = all.subarray(sorted[i - 1], sorted[i]);
      const lent = [Buffer.from(piece), Buffer.from(piece)] as const;
      feed(relay, lent[0], sink);
      relay.toClient(lent[1], sink);
      for (const bytes of lent) bytes.fill(0xff);
    }
    for (const side of [sink.server, sink.client]) {
      expect(side.map(([text]) => text).join('')).toBe(readable(all));
      expect(side.reduce((sum, [, count]) => sum + count, 0)).toBe(records.length);
      const ends = new Set(records.map((_, i) => Buffer.concat(records.slice(0, i + 1)).length));
      let passed = 0;
      for (const [text] of side) expect(ends).toContain((passed += text.length));
    }
  });
  fc.assert(given);
});

function record(binary: boolean, body: string): Buffer {
  const bytes = Buffer.from(body.replaceAll('\x1e', ' '), 'latin1');
  if (!binary) return Buffer.concat([bytes, Buffer.of(0x1e)]);
  const { length } = bytes;
  const prefix = length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
  return Buffer.concat([Buffer.of(...prefix), bytes]);
}

test('messages behind a joined one are handed over together again', () => {
  const { relay, sink } = relayWith(SEND.slice(0, 5), SEND.slice(5), SEND + SEND);
  relay.toClient(wire(SEND.slice(0, 5)), sink);
  relay.toClient(wire(SEND.slice(5)), sink);
  relay.toClient(wire(SEND + SEND), sink);
  const wanted = [
    [SEND, 1],
    [SEND + SEND, 2],
  ];
  expect(sink.server).toEqual(wanted);
  expect(sink.client).toEqual(wanted);
});

test("a client's messages are passed on in slices; what is left is for another call", () => {
  const { relay, sink } = relayWith();
  const bytes = wire(SEND.repeat(1300));
  const slices: number[] = [];
  for (let done = 0; done < bytes.length; done += slices.at(-1)!) {
    slices.push(relay.fromClient(bytes.subarray(done), sink));
  }
  expect(slices).toEqual([512, 512, 276].map((messages) => messages * SEND.length));
  expect(sink.server.map(([, count]) => count)).toEqual([512, 512, 276]);
});

test('an unfinished message is kept, and counted, until it ends', () => {
  const { relay, sink } = relayWith(SEND + SEND.slice(0, 30));
  expect(relay.keptFromClient).toBeGreaterThanOrEqual(30);
  relay.toClient(wire(SEND.slice(0, 20)), sink);
  expect(relay.keptToClient).toBeGreaterThanOrEqual(20);
  feed(relay, wire(SEND.slice(30)), sink);
  relay.toClient(wire(SEND.slice(20)), sink);
  expect([relay.keptFromClient, relay.keptToClient]).toEqual([0, 0]);
});

test('a piece of an app server with more messages than any has is refused', () => {
  const { relay, sink } = relayWith();
  relay.toClient(wire('{}␞'.repeat(65_536)), sink);
  expect(() => relay.toClient(wire('{}␞'.repeat(65_537)), sink)).toThrow('65536 hub messages');
  const joined = relayWith();
  joined.relay.toClient(wire('{'), joined.sink);
  expect(() => joined.relay.toClient(wire(`}␞${'{}␞'.repeat(65_537)}`), joined.sink)).toThrow(
    '65536 hub messages',
  );
});

describe('open calls', () => {
  test('are those that the hub has not completed', () => {
    const { relay, sink } = relayWith(call(0), stream(1), call('x'), SEND);
    expect(relay.calls?.ids()).toEqual(['0', '1', 'x']);
    relay.toClient(wire(done(1) + done('x')), sink);
    expect(relay.calls?.ids()).toEqual(['0']);
    relay.toClient(wire(done(0)), sink);
    expect(relay.calls).toBeUndefined();
  });

  test('take nothing while there are none', () => {
    const { relay, sink } = relayWith(SEND, '{"type":6}␞', done(7));
    expect(relay.calls).toBeUndefined();
    relay.toClient(wire(done(7) + call(8)), sink);
    expect(relay.calls).toBeUndefined();
  });

  test('are still open after a stream item, a cancellation, or a completion from the client', () => {
    const { relay, sink } = relayWith(stream(3), '{"type":5,"invocationId":"3"}␞', done(3));
    relay.toClient(wire('{"type":2,"invocationId":"3","item":1}␞'), sink);
    expect(relay.calls?.ids()).toEqual(['3']);
  });

  test('are known when a call comes in pieces', () => {
    const { relay, sink } = relayWith(call(4).slice(0, 20), call(4).slice(20));
    expect(relay.calls?.ids()).toEqual(['4']);
    relay.toClient(wire(done(4).slice(0, 20)), sink);
    expect(relay.calls?.ids()).toEqual(['4']);
    relay.toClient(wire(done(4).slice(20)), sink);
    expect(relay.calls).toBeUndefined();
  });

  test('of one client are never those of another, though trackers are used again', () => {
    const first = relayWith(call(1));
    first.relay.toClient(wire(done(1)), first.sink);
    const second = relayWith(call(2));
    const third = relayWith(call(3));
    expect(second.relay.calls?.ids()).toEqual(['2']);
    expect(third.relay.calls?.ids()).toEqual(['3']);
  });

  test('are tracked in binary protocols', () => {
    const relay = relayOf(true);
    const sink = new Sink();
    // [1, {}, "5", "a", []] and [3, {}, "5", 2].
    relay.fromClient(Buffer.from('0895018 0a135a16190'.replaceAll(' ', ''), 'hex'), sink);
    expect(relay.calls?.ids()).toEqual(['5']);
    relay.toClient(Buffer.from('06940380a13502', 'hex'), sink);
    expect(relay.calls).toBeUndefined();
  });
});

describe('a close message', () => {
  test('of the hub is noticed', () => {
    const { relay, sink } = relayWith();
    relay.toClient(wire('{"type":6}␞'), sink);
    expect(relay.sawClose).toBe(false);
    relay.toClient(wire('{"type":7}␞'), sink);
    expect(relay.sawClose).toBe(true);
  });

  test('of the hub is the last that its client is told', () => {
    const { relay, sink } = relayWith();
    relay.toClient(wire(`${SEND}{"type":7}␞${SEND}{"type":7}␞`), sink);
    relay.toClient(wire(SEND), sink);
    relay.fromClient(wire(SEND), sink);
    expect(sink.client).toEqual([[`${SEND}{"type":7}␞`, 2]]);
    expect(sink.server).toEqual([[SEND, 1]]);
  });

  test('of the client is noticed, and its hub may answer', () => {
    const { relay, sink } = relayWith('{"type":7}␞');
    expect(relay.sawClose).toBe(true);
    relay.toClient(wire('{"type":7}␞'), sink);
    expect(sink.client).toEqual([['{"type":7}␞', 1]]);
  });
});

describe('messages that belong to no call and no reconnection', () => {
  const ACK = '{"type":8,"sequenceId":1}␞';
  const SEQUENCE = '{"sequenceId":1,"type":9}␞';
  const NO_ID = '{"type":3,"invocationId":"","error":"no such method"}␞';

  test('are left out, and what is around them passes in order', () => {
    const { relay, sink } = relayWith(ACK + call(1) + SEND + SEQUENCE + NO_ID + SEND, NO_ID);
    expect(sink.server).toEqual([
      [call(1) + SEND, 2],
      [SEND, 1],
    ]);
    expect(relay.calls?.ids()).toEqual(['1']);
    relay.toClient(wire(SEND + ACK + done(1) + SEQUENCE), sink);
    expect(sink.client).toEqual([
      [SEND, 1],
      [done(1), 1],
    ]);
    expect(relay.calls).toBeUndefined();
  });

  test('are left out when they come in pieces', () => {
    const { sink } = relayWith(SEND + ACK.slice(0, 9), ACK.slice(9) + SEND + NO_ID.slice(0, 20));
    expect(sink.server).toEqual([
      [SEND, 1],
      [SEND, 1],
    ]);
  });

  test('are left out of binary protocols', () => {
    const relay = relayOf(true);
    const sink = new Sink();
    // [8, 36], [9, 300], [3, {}, "", 1, "x"] and [6].
    const strays = '03920824 059209cd012c 07950380a001a178'.replaceAll(' ', '');
    relay.fromClient(Buffer.from(`${strays}029106`, 'hex'), sink);
    expect(sink.server).toEqual([['\x02\x91\x06', 1]]);
  });
});
