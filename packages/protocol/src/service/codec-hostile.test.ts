import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyMessage } from './arbitrary.test-support.ts';
import { decodeServiceMessage } from './decode.ts';
import { encodeServiceMessage } from './encode.ts';
import { bodyOf, bytes, protocolError } from './frames.test-support.ts';
import { MAX_DEPTH, MAX_ELEMENTS } from './limits.ts';
import { OTHER_FORMS, VECTORS, vectorBytes } from './vectors/index.ts';

const BODIES = VECTORS.map((vector) => bodyOf(vectorBytes(vector)));
const SHORT_BODIES = BODIES.filter((body) => body.length < 1000);

/**
 * Whether bytes from outside end as they should: in a message that can be written and read again,
 * in nothing, or in a ProtocolError with a place within the bytes.
 */
function endsWell(body: Uint8Array): boolean {
  let same = true;
  const error = protocolError(() => {
    const message = decodeServiceMessage(body);
    if (message === undefined) return;
    const frame = encodeServiceMessage(message);
    same = encodeServiceMessage(decodeServiceMessage(bodyOf(frame))!).equals(frame);
  });
  return error === undefined ? same : error.offset >= 0 && error.offset <= body.length;
}

/** Whether `body[0, end)` is refused as cut short, with a place within it. */
function isTruncated(body: Uint8Array, end = body.length): boolean {
  const error = protocolError(() => decodeServiceMessage(body, 0, end));
  return error?.code === 'truncated' && error.offset <= end;
}

describe('cut short', () => {
  test('a vector is an error at every place', () => {
    for (const body of SHORT_BODIES) {
      for (let end = 0; end < body.length; end++) {
        expect(isTruncated(body.subarray(0, end))).toBe(true);
        // The rest is still there, behind the end.
        expect(isTruncated(body, end)).toBe(true);
      }
    }
  });

  test('any message is an error at every place', () => {
    fc.assert(
      fc.property(anyMessage, fc.double({ min: 0, max: 0.999, noNaN: true }), (message, part) => {
        const body = bodyOf(encodeServiceMessage(message));
        expect(isTruncated(body, Math.floor(body.length * part))).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ['OpenConnection without claims', '92 04 a163'],
    ['CloseConnection without an error', '92 05 a163'],
    ['ConnectionData without a payload', '92 06 a163'],
    ['ServiceEvent without ext', '95 16 02 a161 02 a0'],
    ['ServiceMapping without ext', '94 25 a169 a163 a173'],
  ])('%s is an error', (_, body) => {
    expect(isTruncated(bytes(body))).toBe(true);
  });
});

describe('nothing but a ProtocolError', () => {
  test('for a vector with any bit turned', () => {
    for (const form of [...SHORT_BODIES, ...OTHER_FORMS.map((v) => bodyOf(vectorBytes(v)))]) {
      const body = Buffer.from(form);
      for (let bit = 0; bit < body.length * 8; bit++) {
        body[bit >> 3]! ^= 1 << (bit & 7);
        expect(endsWell(body)).toBe(true);
        body[bit >> 3]! ^= 1 << (bit & 7);
      }
    }
  });

  test('for a message with any bytes in place of others', () => {
    const patch = fc.tuple(
      fc.nat(200),
      fc.uint8Array({ maxLength: 9 }).map((by) => Buffer.from(by)),
    );
    fc.assert(
      fc.property(fc.constantFrom(...SHORT_BODIES), fc.array(patch), (form, patches) => {
        const body = Buffer.from(form);
        for (const [at, by] of patches) by.copy(body, at % body.length);
        expect(endsWell(body)).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  test('for any bytes, most of them headers', () => {
    const headers = fc.oneof(fc.nat(255), fc.integer({ min: 0x80, max: 0xa3 }), fc.nat(45));
    const body = fc
      .tuple(fc.integer({ min: 0x91, max: 0x98 }), fc.nat(41), fc.array(headers))
      .map(([array, type, rest]) => Uint8Array.of(array, type, ...rest));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), body), (any) => {
        expect(endsWell(any)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });
});

describe('absurd announcements fail at once', () => {
  const huge = 'ffffffff';
  test.each([
    ['array', `dd${huge}`],
    ['array in an array', `dd${huge}dd${huge}`],
    ['text', `92 03 db${huge}`],
    ['binary', `93 06 a163 c6${huge}`],
    ['strings', `94 07 dd${huge} 80 80`],
    ['payloads', `94 0a 90 df${huge} 80`],
    ['claims', `96 04 a163 df${huge} 80 a0 80`],
    ['headers', `96 04 a163 80 81 a178 dd${huge} a0 80`],
    ['extensions', `94 06 a163 c400 df${huge}`],
    ['unknown extension, array', `94 06 a163 c400 81 63 dd${huge}`],
    ['unknown extension, map', `94 06 a163 c400 81 63 df${huge}`],
    ['unknown extension, text', `94 06 a163 c400 81 63 db${huge}`],
    ['unknown extension, binary', `94 06 a163 c400 81 63 c6${huge}`],
    ['unknown extension, ext type', `94 06 a163 c400 81 63 c9${huge}`],
  ])('%s of 4 G', (_, hex) => {
    const body = bytes(hex);
    for (let run = 0; run < 2000; run++) {
      expect(isTruncated(body)).toBe(true);
    }
  });

  test.each([
    ['number', '95 12 a163 a167 ce80000000 80'],
    ['number of eight bytes', '95 12 a163 a167 cf0000000100000000 80'],
    ['number that no double holds', '95 12 a163 a167 cfffffffffffffffff 80'],
    ['negative number', '95 12 a163 a167 d3ffffffff00000000 80'],
    ['data type', '94 06 a163 c400 81 05 ce80000000'],
  ])('%s over 32 bits', (_, hex) => {
    expect(protocolError(() => decodeServiceMessage(bytes(hex)))?.code).toBe('oversized');
  });

  test('more elements than any message has', () => {
    const many = (count: number) => {
      const head = bytes('93 07 dd', count.toString(16).padStart(8, '0'));
      return Buffer.concat([head, Buffer.alloc(count, 0xa0), bytes('80')]);
    };
    expect(protocolError(() => decodeServiceMessage(many(MAX_ELEMENTS)))).toBeUndefined();
    expect(protocolError(() => decodeServiceMessage(many(MAX_ELEMENTS + 1)))?.code).toBe(
      'oversized',
    );
  });

  test('values nested deeper than any message has', () => {
    for (const nesting of ['91', '81 01', 'dc0001', 'de000101']) {
      const body = bytes('94 06 a163 c400 81 63', nesting.repeat(MAX_DEPTH + 1), '01');
      expect(protocolError(() => decodeServiceMessage(body))?.code).toBe('too-deep');
    }
    const deepest = bytes('94 06 a163 c400 81 63', '91'.repeat(1_000_000));
    expect(protocolError(() => decodeServiceMessage(deepest))?.code).toBe('too-deep');
  });
});

test.each([
  ['not an array', '80'],
  ['no type', '91 a131'],
  ['a nested ping', '92 03 91 a161'],
  ['an id that is nil', '93 06 c0 c400'],
  ['an id that is a number', '93 06 01 c400'],
  ['a payload that is text', '93 06 a163 a161'],
  ['ids that are nil', '94 07 c0 80 80'],
  ['payloads that are an array', '94 0a 90 90 80'],
  ['claims of a new connection that are nil', '96 04 a163 c0 80 a0 80'],
  ['extensions that are nil', '94 06 a163 c400 c0'],
  ['an extension with a text key', '94 06 a163 c400 81 a131 01'],
  ['a byte that starts no value', '94 06 a163 c400 81 63 c1'],
  ['a negative tracing id', '94 06 a163 c400 81 01 ff'],
  ['a negative tracing id of eight bytes', '94 06 a163 c400 81 01 d3ffffffffffffffff'],
  ['a tracing id that is text', '94 06 a163 c400 81 01 a131'],
  ['a flag that is a number', '94 06 a163 c400 81 06 01'],
  ['a number that is text', '95 12 a163 a167 a131 80'],
])('%s is of the wrong type', (_, hex) => {
  const error = protocolError(() => decodeServiceMessage(bytes(hex)));
  expect(error?.code).toBe('wrong-type');
});
