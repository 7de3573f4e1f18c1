import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '@trunkline/protocol';
import { answerOf } from '../model/asker.ts';
import type { ClusterFrame, HeardFrame } from './cluster-frames.ts';
import { NO_STATUS } from './edge-status.ts';
import { CommandHead, decodeClusterFrame, encodeClusterFrame } from './cluster-frames.ts';

const text = fc.string({ unit: 'grapheme' });
const bytes = fc.uint8Array().map((array) => Buffer.from(array));
const question = fc.nat(0xffff_ffff);
const host = fc.record({ serverId: text, open: fc.nat(), clients: fc.nat() });
const frames: fc.Arbitrary<ClusterFrame> = fc.oneof(
  fc.record({ kind: fc.constant('command' as const), question, hub: text, body: bytes }),
  fc.record({ kind: fc.constant('rules' as const), question, hub: text, after: fc.nat() }),
  fc.record({
    kind: fc.constant('answer' as const),
    question,
    answer: fc
      .tuple(fc.nat(5), text, fc.option(bytes, { nil: undefined }))
      .map((parts) => answerOf(...parts)),
  }),
  fc.record({
    kind: fc.constant('heartbeat' as const),
    beat: fc.record({
      edgeId: text,
      incarnation: text,
      startedAt: fc.nat(2 ** 45),
      tag: text,
      status: fc.record({
        publicUrl: text,
        clients: fc.nat(),
        isDraining: fc.boolean(),
        handsOver: fc.boolean(),
        hubs: fc.array(fc.record({ name: text, hosts: fc.array(host) })),
        clientHubs: fc.array(text),
      }),
    }),
    isAsking: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('claim' as const),
    question,
    id: text,
    version: fc.nat(1),
    hub: text,
    userId: fc.option(text, { nil: undefined }),
  }),
  fc.record({
    kind: fc.constant('scattered' as const),
    question,
    tags: fc.array(text),
    ids: fc.array(text),
  }),
  fc.record({ kind: fc.constant('located' as const), ids: fc.array(text) }),
  fc.constant({ kind: 'leaving' as const }),
  fc.constant({ kind: 'passedOver' as const }),
);

/** What was said, of what is heard. */
function said(heard: HeardFrame): ClusterFrame {
  if (heard.kind !== 'command') return heard;
  const { bytes, start, end, ...rest } = heard;
  return { ...rest, body: bytes.subarray(start, end) };
}

test('a command that nobody answers is its head and its body', () => {
  fc.assert(
    fc.property(text, fc.array(bytes, { minLength: 1 }), (hub, bodies) => {
      const head = new CommandHead(hub);
      for (const body of bodies) {
        const heard = decodeClusterFrame(Buffer.concat([head.before(body), body]));
        expect(said(heard!)).toEqual({ kind: 'command', question: 0, hub, body });
      }
    }),
  );
});

describe('a command that begins as the one before', () => {
  const BODY = Buffer.from('body');

  function hear(hub: string, body: Uint8Array, cut = 0): ClusterFrame {
    const whole = Buffer.concat([new CommandHead(hub).before(body), body]);
    return said(decodeClusterFrame(whole.subarray(0, whole.length - cut))!);
  }

  test('is of the same hub, and of another where its beginning differs', () => {
    for (const hub of ['chat', 'chat', 'chats', 'chap', 'chat', 'chats']) {
      expect(hear(hub, BODY)).toEqual({ kind: 'command', question: 0, hub, body: BODY });
    }
  });

  test('is refused where it is cut off', () => {
    hear('chat', BODY);
    for (let cut = 1; cut < BODY.length + 10; cut++) {
      expect(() => hear('chat', BODY, cut)).toThrow(ProtocolError);
    }
  });

  test('is read to its end, whatever is behind', () => {
    hear('chat', BODY);
    const whole = Buffer.concat([new CommandHead('chat').before(BODY), BODY, Buffer.of(1, 2)]);
    expect(said(decodeClusterFrame(whole)!)).toMatchObject({ body: BODY });
  });

  test('is not taken for one by a byte in the name of its hub', () => {
    // The letter begins with the byte that announces a long binary.
    const hub = '\u0186a';
    const frame = { kind: 'command', question: 0, hub, body: Buffer.alloc(0) } as const;
    for (let times = 0; times < 2; times++) {
      expect(said(decodeClusterFrame(Buffer.from(encodeClusterFrame(frame)))!)).toEqual(frame);
      expect(hear(`${hub}aaaaa`, BODY)).toMatchObject({ hub: `${hub}aaaaa` });
    }
  });

  test('and for whose answer somebody waits is read as that', () => {
    hear('chat', BODY);
    const asked = { kind: 'command', question: 7, hub: 'chat', body: Buffer.alloc(300) } as const;
    expect(said(decodeClusterFrame(Buffer.from(encodeClusterFrame(asked)))!)).toEqual(asked);
    expect(hear('chat', BODY)).toMatchObject({ question: 0 });
  });
});

test('what is written is what is read', () => {
  const given = fc.property(frames, (frame) => {
    expect(said(decodeClusterFrame(Buffer.from(encodeClusterFrame(frame)))!)).toEqual(frame);
  });
  fc.assert(given, { numRuns: 500 });
});

test('a kind that is not known is passed over, and so is more than is known', () => {
  expect(decodeClusterFrame(Buffer.of(0x91, 99))).toBeUndefined();
  expect(decodeClusterFrame(Buffer.of(0x93, 4, 1, 2))).toEqual({ kind: 'leaving' });
});

test('an edge of an older version says nothing of how it is', () => {
  const identity = { edgeId: 'a', incarnation: 'i', startedAt: 1, tag: 'tag1' };
  const beat = { ...identity, status: NO_STATUS };
  const told = Buffer.from(encodeClusterFrame({ kind: 'heartbeat', beat, isAsking: true }));
  // The same array with six elements, and none behind them.
  const status = Buffer.of(0x96, 0xa0, 0, 0xc2, 0xc2, 0x90, 0x90);
  const older = Buffer.from(told.subarray(0, told.length - status.length));
  older[0] = 0x96;
  expect(decodeClusterFrame(older)).toEqual({ kind: 'heartbeat', beat, isAsking: true });
  // Or a status of five elements, from when hubs of clients were not told.
  const old = Buffer.from(told.subarray(0, -1));
  old[old.length - status.length + 1] = 0x95;
  expect(decodeClusterFrame(old)).toEqual({ kind: 'heartbeat', beat, isAsking: true });
});

test('what is no frame is refused, wherever it breaks off', () => {
  const given = fc.property(
    frames,
    fc.double({ min: 0, max: 0.99, noNaN: true }),
    (frame, part) => {
      const whole = Buffer.from(encodeClusterFrame(frame));
      const cut = whole.subarray(0, Math.floor(whole.length * part));
      expect(() => decodeClusterFrame(cut)).toThrow(ProtocolError);
    },
  );
  fc.assert(given, { numRuns: 500 });
});
