import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProtocolError } from '@trunkline/protocol';
import type { GuestFrame } from './guest-frames.ts';
import {
  decodeGuestFrame,
  encodeFromHost,
  encodeGuestFrame,
  encodeToHost,
  isGuestFrame,
} from './guest-frames.ts';

const text = fc.string({ unit: 'grapheme' });
const bytes = fc.uint8Array().map((array) => Buffer.from(array));
const n = fc.nat(2 ** 40);
const optional = fc.option(text, { nil: undefined });
const introduction = fc
  .record({
    tokenPayload: text,
    headers: fc.array(text),
    queryString: text,
    diagnostic: fc.boolean(),
  })
  .map(({ diagnostic, ...rest }) => (diagnostic ? { ...rest, diagnostic: true as const } : rest));
const kinds = <K extends GuestFrame['kind']>(...all: K[]): fc.Arbitrary<K> =>
  fc.constantFrom(...all);
const rare = fc.oneof(
  fc.record({
    kind: kinds('open'),
    n,
    hub: text,
    id: text,
    userId: optional,
    transport: fc.constantFrom('webSockets', 'serverSentEvents', 'longPolling'),
    introduction,
    sticky: fc.constantFrom('Disabled', 'Preferred', 'Required'),
    serverId: text,
    protocol: text,
    handshake: bytes,
    migratedFrom: optional,
  }),
  fc.record({
    kind: kinds('placed'),
    n,
    serverId: text,
    migrationLevel: fc.nat(2),
    software: fc.record({
      reopensClients: fc.boolean(),
      passesAnswers: fc.boolean(),
      losesEarlyAnswers: fc.boolean(),
      restsStreams: fc.boolean(),
      updatesClaims: fc.boolean(),
    }),
  }),
  fc.record({ kind: kinds('welcomed', 'noRoom', 'quiet', 'lineLost', 'over'), n }),
  fc.record({ kind: kinds('left'), n, to: optional }),
  fc.record({ kind: kinds('write', 'answered'), n, bytes }),
  fc.record({ kind: kinds('closedByHost'), n, error: text }),
  fc.record({ kind: kinds('hostLost'), n, isDeparting: fc.boolean() }),
  fc.record({ kind: kinds('moveAway'), n, ms: fc.nat() }),
  fc.record({ kind: kinds('close'), n, reason: text, error: optional }),
  fc.record({ kind: kinds('taken'), n, bytes: fc.nat() }),
);

test('what is written is what is read', () => {
  const given = fc.property(rare, (frame) => {
    const written = Buffer.from(encodeGuestFrame(frame as Parameters<typeof encodeGuestFrame>[0]));
    expect(isGuestFrame(written)).toBe(true);
    expect(decodeGuestFrame(written)).toEqual(frame);
  });
  fc.assert(given, { numRuns: 500 });
});

test('and so it is of data, both ways', () => {
  const given = fc.property(n, fc.nat(), bytes, (n, count, data) => {
    const there = Buffer.from(encodeToHost(n, count, data));
    expect(decodeGuestFrame(there)).toEqual({ kind: 'toHost', n, count, bytes: data });
    const back = Buffer.from(encodeFromHost(n, data));
    expect(decodeGuestFrame(back)).toEqual({ kind: 'fromHost', n, bytes: data });
    expect([there, back].map(isGuestFrame)).toEqual([true, true]);
  });
  fc.assert(given, { numRuns: 200 });
});

test('a kind that is not known is passed over', () => {
  expect(decodeGuestFrame(Buffer.of(0x92, 49, 1))).toBeUndefined();
});

test('bytes that are no frame are refused as such, and nothing else happens', () => {
  const given = fc.property(rare, fc.nat(), fc.nat(255), (frame, place, value) => {
    const written = Buffer.from(encodeGuestFrame(frame as Parameters<typeof encodeGuestFrame>[0]));
    const at = place % written.length;
    written[at] = value;
    for (const bytes of [written, written.subarray(0, at)]) {
      expect(errorOf(() => decodeGuestFrame(bytes))).toSatisfy(
        (error) => error === undefined || error instanceof ProtocolError,
      );
    }
  });
  fc.assert(given, { numRuns: 1000 });
});

function errorOf(run: () => unknown): unknown {
  try {
    run();
    return undefined;
  } catch (error) {
    return error;
  }
}
