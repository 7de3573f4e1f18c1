import { describe, expect, test } from 'vitest';
import { encodeErrorCompletion } from './control.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

describe('an error completion', () => {
  test('in JSON', () => {
    expect(Buffer.from(encodeErrorCompletion(false, '7', 'a "b"')).toString()).toBe(
      '{"type":3,"invocationId":"7","error":"a \\"b\\""}\x1e',
    );
    expect(Buffer.from(encodeErrorCompletion(false, 'é"', 'x')).toString()).toBe(
      '{"type":3,"invocationId":"é\\"","error":"x"}\x1e',
    );
  });

  test('in MessagePack', () => {
    // [3, {}, "7", 1, "boom"], as in the client protocols reference, section 3.5.
    expect(hex(encodeErrorCompletion(true, '7', 'boom'))).toBe('0b950380a13701a4626f6f6d');
    const long = hex(encodeErrorCompletion(true, 'a'.repeat(36), 'x'.repeat(200)));
    expect(long).toBe(`f401950380d924${'61'.repeat(36)}01d9c8${'78'.repeat(200)}`);
  });
});
