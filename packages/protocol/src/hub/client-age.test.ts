import { expect, test } from 'vitest';

import { isTooOldToAnswer, oldVersion, tooOldToAnswer } from './client-age.ts';

const versionOf = (headers: Record<string, string>) => oldVersion((name) => headers[name]);

test.each([
  ['Microsoft SignalR/6.0 (6.0.25; Linux; NodeJS; v22)', 'Microsoft SignalR/6.0'],
  ['Microsoft SignalR/3.1 (3.1.31; …)', 'Microsoft SignalR/3.1'],
  ['Microsoft SignalR/7.0 (7.0.14; …)', undefined],
  ['Microsoft SignalR/10.0 (…)', undefined],
  ['Mozilla/5.0', undefined],
  ['', undefined],
])('a client that calls itself %j is %s', (agent, version) => {
  expect(versionOf({ 'user-agent': agent })).toBe(version);
});

test('a header of its own counts before the one that browsers do not let go', () => {
  const own = { 'x-signalr-user-agent': 'Microsoft SignalR/6.0 (…)' };
  expect(versionOf({ ...own, 'user-agent': 'Mozilla/5.0' })).toBe('Microsoft SignalR/6.0');
  expect(versionOf({})).toBeUndefined();
});

test('the error of who asks is known by its text', () => {
  const error = tooOldToAnswer('c1', 'Microsoft SignalR/6.0');
  expect(error).toBe(
    "Connection 'c1' cannot answer: it is Microsoft SignalR/6.0, and client results need 7.0.",
  );
  expect(isTooOldToAnswer(error)).toBe(true);
  expect(isTooOldToAnswer("Connection 'c1' does not exist.")).toBe(false);
});
