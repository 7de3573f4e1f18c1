import { decode, encode } from '@msgpack/msgpack';
import type { Payloads } from '@trunkline/protocol';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  completionPayloads,
  itemPayloads,
  jsonMessage,
  messagePackMessage,
  messagePayloads,
} from './message-body.ts';
import { RestError } from './rest-error.ts';

const TYPES = ['application/json', 'application/x-msgpack', 'application/octet-stream', undefined];

/** The payloads, each as what a client of its protocol makes of it. */
function read(payloads: Payloads): unknown[] {
  const json = Buffer.from(payloads.get('json')!).toString();
  const messagepack = payloads.get('messagepack')!;
  expect(json.endsWith('\x1e')).toBe(true);
  return [JSON.parse(json.slice(0, -1)), decode(messagepack.subarray(1))];
}

describe('a body', () => {
  test('says the same in both protocols, whichever it came in', () => {
    const json = Buffer.from('{"Target":"m","Arguments":[1,"é",null,{"a":[true]}]}');
    const map = Buffer.from(encode({ target: 'm', arguments: [1, 'é', null, { a: [true] }] }));
    const args = [1, 'é', null, { a: [true] }];
    for (const payloads of [
      messagePayloads('application/json', json),
      messagePayloads('application/x-msgpack', map),
    ]) {
      expect(read(payloads)).toEqual([
        { type: 1, target: 'm', arguments: args },
        [1, {}, null, 'm', args, []],
      ]);
    }
  });

  test('of an item is the bare item', () => {
    const expected = [{ type: 2, invocationId: 's', item: { a: 1 } }, [2, {}, 's', { a: 1 }]];
    const map = Buffer.from(encode({ a: 1 }));
    expect(read(itemPayloads('application/json', Buffer.from(' {"a":1}\n'), 's'))).toEqual(
      expected,
    );
    expect(read(itemPayloads('application/x-msgpack', map, 's'))).toEqual(expected);
  });

  test('that is none ends a stream, with an error or without', () => {
    expect(read(completionPayloads('s', undefined))).toEqual([
      { type: 3, invocationId: 's' },
      [3, {}, 's', 2],
    ]);
    expect(read(completionPayloads('s', 'no'))).toEqual([
      { type: 3, invocationId: 's', error: 'no' },
      [3, {}, 's', 1, 'no'],
    ]);
  });

  test('may begin with one byte order mark, and not with two', () => {
    const marked = (marks: number): Buffer =>
      Buffer.from(`${'\u{feff}'.repeat(marks)}{"target":"m","arguments":[1]}`);
    expect(jsonMessage(marked(1)).args.json.toString()).toBe('[1]');
    expect(outcomeOf(() => jsonMessage(marked(2)))).toBeInstanceOf(RestError);
    const number = Buffer.from('\u{feff}\u{feff}1');
    const item = outcomeOf(() => itemPayloads('application/json', number, 's'));
    expect(item).toBeInstanceOf(RestError);
  });

  test('without arguments has none', () => {
    for (const text of ['{"target":"m"}', '{"target":"m","arguments":null}']) {
      expect(jsonMessage(Buffer.from(text)).args.json.toString()).toBe('[]');
    }
    expect(messagePackMessage(Buffer.from(encode({ target: 'm' }))).args.messagepack).toHaveLength(
      1,
    );
  });

  test('of any bytes is read or refused', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.json().map((text) => Buffer.from(text)),
      fc.jsonValue().map((value) => encode(value)),
      fc.jsonValue().map((value) => encode({ target: 'm', arguments: value })),
      fc.jsonValue().map((value) => Buffer.from(JSON.stringify({ target: 'm', arguments: value }))),
    );
    fc.assert(
      fc.property(bytes, fc.constantFrom(...TYPES), (body, type) => {
        for (const make of [messagePayloads, itemPayloads]) {
          const outcome = outcomeOf(() => make(type, Buffer.from(body), 's'));
          expect(outcome instanceof Map || outcome instanceof RestError).toBe(true);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

function outcomeOf(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
