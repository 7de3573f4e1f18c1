import { expect, test } from 'vitest';
import { oneLine } from './one-line.ts';

test('what breaks a line or steers a terminal is spelled out, and the rest is as it was', () => {
  expect(oneLine("Version '1\r\ns' of 東京, \u001b[31mred\u0007\u0085\u2028")).toBe(
    "Version '1\\r\\ns' of 東京, \\u001b[31mred\\u0007\\u0085\\u2028",
  );
});
