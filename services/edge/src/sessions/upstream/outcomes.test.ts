import { describe, expect, test } from 'vitest';
import { readable, wire } from '../wire.test-support.ts';
import type { EventOutcome } from './outcomes.ts';
import { completionFor, isWorthRetrying, labelOf } from './outcomes.ts';

const answer = (status: number, body: string | Uint8Array = ''): EventOutcome => ({
  kind: 'answer',
  status,
  body: typeof body === 'string' ? wire(body) : body,
});
const failed = (what: string): string =>
  `{"type":3,"invocationId":"7","error":"Invocation failed, ${what}"}␞`;
const UNREACHABLE = { kind: 'unreachable', refused: false, message: 'x' } as const;
const NO_COMPLETION = 'error: the answer of the upstream does not complete the invocation.';

describe('what a caller gets', () => {
  const DONE = '{"type":3,"invocationId":"7","result":1.50}␞';
  test.each<[string, EventOutcome, string]>([
    ['a completion, as it came', answer(200, DONE), DONE],
    ['with more before it', answer(200, `{"type":6}␞${DONE}`), `{"type":6}␞${DONE}`],
    ['nothing', answer(200), '{"type":3,"invocationId":"7"}␞'],
    ['no content', answer(204), '{"type":3,"invocationId":"7"}␞'],
    ['200 with words', answer(200, 'OK'), failed(NO_COMPLETION)],
    ['a completion without its end', answer(200, DONE.slice(0, -1)), failed(NO_COMPLETION)],
    ['half a message behind it', answer(200, `${DONE}{"type"`), failed(NO_COMPLETION)],
    ['another completion', answer(200, DONE.replace('7', '8')), failed(NO_COMPLETION)],
    ['an item of a stream', answer(200, '{"type":2,"invocationId":"7"}␞'), failed(NO_COMPLETION)],
    ['a Close', answer(200, `${DONE}{"type":7}␞`), failed(NO_COMPLETION)],
    ['a handshake response before it', answer(200, `{}␞${DONE}`), failed(NO_COMPLETION)],
    ['a handshake response', answer(200, '{}␞'), failed(NO_COMPLETION)],
    ['201', answer(201, DONE), failed('status code 201')],
    ['302', answer(302), failed('status code 302')],
    ['404', answer(404, DONE), failed('status code 404')],
    ['500', answer(500), failed('status code 500')],
    ['too much', { kind: 'too_large' }, failed('response too large.')],
    ['half an answer', { kind: 'broken', message: 'it closed' }, failed('error: it closed.')],
    ['nobody there', UNREACHABLE, failed('status code 500')],
    ['no answer', { kind: 'timeout', answering: false }, failed('status code 500')],
    ['an answer without end', { kind: 'timeout', answering: true }, failed('response cancelled.')],
    ['an open breaker', { kind: 'breaker' }, failed('status code 503')],
    ['no rule', { kind: 'unmatched' }, failed('error: no upstream takes it.')],
  ])('for %s', (_name, outcome, expected) => {
    expect(readable(completionFor(outcome, '7', false))).toBe(expected);
  });

  test('in MessagePack', () => {
    const hex = (outcome: EventOutcome): string =>
      Buffer.from(completionFor(outcome, '7', true)).toString('hex');
    expect(hex(answer(204))).toBe('06940380a13702');
    const done = Buffer.from('07950380a1370307', 'hex');
    expect(hex(answer(200, done))).toBe(done.toString('hex'));
    expect(hex(answer(200, done.subarray(0, 6)))).toContain('0380a13701');
    // The length of a message has five bytes at most.
    const endless = Buffer.from('ffffffffffff', 'hex');
    expect(hex(answer(200, endless))).toContain('0380a13701');
    expect(hex(answer(200, '{"type":3,"invocationId":"7"}␞'))).toContain('0380a13701');
  });
});

test.each<[EventOutcome, string, boolean]>([
  [answer(200), 'ok', false],
  [answer(204), 'ok', false],
  [answer(300), 'refused', false],
  [answer(302), 'refused', false],
  [answer(404), 'refused', false],
  [answer(408), 'refused', true],
  [answer(429), 'refused', true],
  [answer(500), 'server_error', true],
  [answer(503), 'server_error', true],
  [UNREACHABLE, 'unreachable', true],
  [{ ...UNREACHABLE, refused: true }, 'address_refused', false],
  [{ kind: 'timeout', answering: false }, 'timeout', true],
  [{ kind: 'broken', message: '' }, 'broken', true],
  [{ kind: 'too_large' }, 'too_large', false],
  [{ kind: 'breaker' }, 'breaker_open', true],
  [{ kind: 'unmatched' }, 'unmatched', false],
])('%j is %s, and told again: %s', (outcome, label, again) => {
  expect(labelOf(outcome)).toBe(label);
  expect(isWorthRetrying(outcome)).toBe(again);
});
