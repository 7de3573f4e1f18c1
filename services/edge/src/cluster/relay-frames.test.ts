import { ProtocolError } from '@trunkline/protocol';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeClusterFrame } from './cluster-frames.ts';
import type { RelayFrame } from './relay-frames.ts';
import { decodeRelayFrame, encodeRelayFrame } from './relay-frames.ts';

const bytes = Buffer.from('some bytes');
const FRAMES: readonly RelayFrame[] = [
  {
    kind: 'request',
    relay: 7,
    request: {
      method: 'POST',
      path: '/client/',
      query: 'hub=chat&id=x%20',
      headers: new Map([
        ['host', 'edge'],
        ['cookie', 'a=1; b=ä'],
      ]),
      remoteAddress: '2001:db8::1',
    },
  },
  { kind: 'body', relay: 7, bytes, isLast: false },
  { kind: 'head', relay: 2 ** 40, status: 200, headers: { pragma: 'x' }, bytes, isLast: true },
  { kind: 'part', relay: 1, bytes: bytes.subarray(0, 0), isLast: true },
  { kind: 'cut', relay: 1 },
  { kind: 'gone', relay: 1 },
  { kind: 'taken', relay: 1, of: 'body', bytes: 70_000 },
  { kind: 'taken', relay: 1, of: 'answer', bytes: 1 },
  { kind: 'heard', bytes: 140_000 },
  { kind: 'broken' },
];

test.each(FRAMES)('what is said is understood: $kind', (frame) => {
  const said = Buffer.from(encodeRelayFrame(frame));
  expect(decodeRelayFrame(said)).toEqual(frame);
  // Who knows nothing of relays passes it over.
  expect(decodeClusterFrame(said)).toBeUndefined();
});

test('a kind that is not known is passed over', () => {
  expect(decodeRelayFrame(Buffer.of(0x91, 29))).toBeUndefined();
});

test('bytes that are no frame are refused, whatever they are', () => {
  const cut = fc.constantFrom(...FRAMES).chain((frame) => {
    const said = Buffer.from(encodeRelayFrame(frame));
    return fc.nat(said.length - 1).map((length) => said.subarray(0, length));
  });
  fc.assert(
    fc.property(fc.oneof(cut, fc.uint8Array({ maxLength: 60 })), (some) => {
      expect(refusalOf(Buffer.from(some))).toSatisfy(isOurs);
    }),
  );
});

function refusalOf(some: Buffer): unknown {
  try {
    decodeRelayFrame(some);
    return undefined;
  } catch (error) {
    return error;
  }
}

const isOurs = (error: unknown): boolean => error === undefined || error instanceof ProtocolError;
