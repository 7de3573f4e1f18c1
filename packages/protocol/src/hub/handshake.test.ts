import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../errors.ts';
import {
  HANDSHAKE_SUCCESS,
  encodeHandshakeError,
  encodeHandshakeRequest,
  readHandshakeRequest,
  readHandshakeResponse,
} from './handshake.ts';
import { handshakeErrors, hubProtocol, isBinaryProtocol } from './protocols.ts';

const LIMIT = 256;

function record(text: string): Buffer {
  return Buffer.from(`${text}\x1e`);
}

function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
  return 'none';
}

describe('request', () => {
  test.each([
    ['{"protocol":"json","version":1}', 'json', 1],
    ['{"protocol": "json", "version": 1}', 'json', 1],
    ['{"version":2,"extra":{"type":1},"protocol":"messagepack"}', 'messagepack', 2],
    ['\n{"protocol":"","version":-1}', '', -1],
    ['{"type":6,"protocol":"json","version":1}', 'json', 1],
  ])('%s', (text, protocol, version) => {
    const bytes = Buffer.concat([record(text), record('{"type":6}')]);
    expect(readHandshakeRequest(bytes, LIMIT)).toStrictEqual({
      protocol,
      version,
      length: text.length + 1,
    });
  });

  test.each([
    '',
    'null',
    '[]',
    '"json"',
    '{"protocol":"json","version":1',
    '{"version":1}',
    '{"protocol":null,"version":1}',
    '{"protocol":"json"}',
    '{"protocol":"json","version":"1"}',
    '{"protocol":"json","version":1.5}',
    '{"protocol":"json","version":1e300}',
    '{"type":6}',
  ])('refuses %s', (text) => {
    expect(codeOf(() => readHandshakeRequest(record(text), LIMIT))).toBe('bad-text');
  });

  test('refuses what is not UTF-8, or starts with a byte order mark', () => {
    const good = encodeHandshakeRequest('json', 1);
    const bad = Uint8Array.from(good);
    bad[14] = 0xff;
    expect(codeOf(() => readHandshakeRequest(bad, LIMIT))).toBe('bad-text');
    const marked = Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), good]);
    expect(codeOf(() => readHandshakeRequest(marked, LIMIT))).toBe('bad-text');
  });

  test.each([
    ['{"protocol":"json"', 'it is not UTF-8 JSON'],
    ['"json"', 'it is not a JSON object'],
    ['{"version":1}', 'its protocol is not a string'],
    ['{"protocol":"json"}', 'its version is not an integer'],
  ])('says of %s that %s', (text, why) => {
    const error = new ProtocolError('bad-text', 0, `not a handshake message: ${why}`);
    expect(() => readHandshakeRequest(record(text), LIMIT)).toThrow(error);
  });

  test('waits for RS as long as it fits the limit, and no longer', () => {
    const bytes = encodeHandshakeRequest('json', 1);
    for (let end = 0; end < bytes.length; end++) {
      expect(readHandshakeRequest(bytes.subarray(0, end), bytes.length)).toBeUndefined();
    }
    expect(readHandshakeRequest(bytes, bytes.length)?.length).toBe(bytes.length);
    expect(() => readHandshakeRequest(bytes, 10)).toThrow(
      new ProtocolError('oversized', 10, 'the handshake is longer than 10 bytes'),
    );
    expect(codeOf(() => readHandshakeRequest(bytes, bytes.length - 1))).toBe('oversized');
    const unended = bytes.subarray(0, -1);
    expect(codeOf(() => readHandshakeRequest(unended, unended.length))).toBe('oversized');
  });

  test('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.maxSafeInteger(), (protocol, version) => {
        const bytes = encodeHandshakeRequest(protocol, version);
        const expected = { protocol, version, length: bytes.length };
        expect(readHandshakeRequest(bytes, 1024)).toStrictEqual(expected);
      }),
    );
  });

  test('throws nothing but ProtocolError on garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const codes = ['none', 'bad-text', 'oversized'];
        expect(codes).toContain(codeOf(() => readHandshakeRequest(bytes, LIMIT)));
        expect(codes).toContain(codeOf(() => readHandshakeResponse(bytes)));
      }),
    );
  });
});

describe('response', () => {
  test('success is {} and RS', () => {
    expect([...HANDSHAKE_SUCCESS]).toStrictEqual([0x7b, 0x7d, 0x1e]);
    expect(readHandshakeResponse(HANDSHAKE_SUCCESS)).toStrictEqual({ length: 3 });
  });

  test.each(['{"minorVersion":1}', '{"error":null}', '{"error":""}'])('%s is one too', (text) => {
    expect(readHandshakeResponse(record(text))).toStrictEqual({ length: text.length + 1 });
  });

  test('carries an error, and leaves what follows', () => {
    const error = handshakeErrors.unknownProtocol('a\x1e"b');
    const bytes = encodeHandshakeError(error);
    const followed = Buffer.concat([bytes, record('{"type":7}')]);
    expect(readHandshakeResponse(followed)).toStrictEqual({ error, length: bytes.length });
    expect(readHandshakeResponse(bytes.subarray(0, -1))).toBeUndefined();
  });

  test.each([
    ['{"type":6}', 'it has a type, as hub messages do'],
    ['{"error":1}', 'its error is not a string'],
    ['[]', 'it is not a JSON object'],
    ['{', 'it is not UTF-8 JSON'],
  ])('refuses %s: %s', (text, why) => {
    const error = new ProtocolError('bad-text', 0, `not a handshake message: ${why}`);
    expect(() => readHandshakeResponse(record(text))).toThrow(error);
  });
});

describe('protocols', () => {
  test('binary or text, ignoring case', () => {
    const names = ['json', 'messagepack', 'blazorpack', 'MessagePack', 'JSON', 'other'];
    expect(names.map(isBinaryProtocol)).toStrictEqual([false, true, true, true, false, false]);
    expect(hubProtocol('Blazorpack')?.name).toBe('blazorpack');
    expect(hubProtocol('toString')).toBeUndefined();
  });

  test('error texts are those of ASP.NET', () => {
    expect([
      handshakeErrors.unknownProtocol('X'),
      handshakeErrors.unsupportedVersion('json', 3),
      handshakeErrors.textOnlyTransport('messagepack'),
      handshakeErrors.canceled(),
      handshakeErrors.unexpected(),
      handshakeErrors.unexpected('Type: message'),
    ]).toStrictEqual([
      "The protocol 'X' is not supported.",
      "The server does not support version 3 of the 'json' protocol.",
      "Cannot use the 'messagepack' protocol on the current transport. The transport does not support 'Binary' transfer format.",
      'Handshake was canceled.',
      'An unexpected error occurred during connection handshake.',
      'An unexpected error occurred during connection handshake. Type: message',
    ]);
  });
});
