import { describe, expect, test } from 'vitest';
import { encodeClose, encodeErrorCompletion, encodePing } from './control.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

describe('a close', () => {
  test.each([
    [undefined, true, '{"type":7,"allowReconnect":true}'],
    [undefined, false, '{"type":7}'],
    ['bye', true, '{"type":7,"error":"bye","allowReconnect":true}'],
    ['', false, '{"type":7,"error":""}'],
  ])('in JSON, error %j, reconnect %j: %s', (error, allowReconnect, json) => {
    expect(text(encodeClose(false, error, allowReconnect))).toBe(`${json}\x1e`);
  });

  test.each([
    [undefined, true, '049307c0c3'],
    [undefined, false, '049307c0c2'],
    ['bye', true, '079307a3627965c3'],
    ['', false, '049307a0c2'],
  ])('in MessagePack, error %j, reconnect %j: %s', (error, allowReconnect, bytes) => {
    expect(hex(encodeClose(true, error, allowReconnect))).toBe(bytes);
  });
});

test('a ping', () => {
  expect(text(encodePing(false))).toBe('{"type":6}\x1e');
  expect(hex(encodePing(true))).toBe('029106');
});

describe('an error completion', () => {
  test('in JSON', () => {
    expect(text(encodeErrorCompletion(false, '7', 'a "b"'))).toBe(
      '{"type":3,"invocationId":"7","error":"a \\"b\\""}\x1e',
    );
    expect(text(encodeErrorCompletion(false, 'é"', 'x'))).toBe(
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
