import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { InvalidDataException } from '../errors.ts';
import type { HubProtocol } from './index.ts';
import { findProtocol, protocolsNamed } from './index.ts';

const json = findProtocol('JSON')!;
const messagePack = findProtocol('messagepack')!;

const parse = (protocol: HubProtocol, bytes: Uint8Array) => {
  const padded = Buffer.concat([Buffer.from('xx'), bytes, Buffer.from('yy')]);
  return protocol.parse(padded, 2, padded.length - 2);
};
const text = (value: string) => Buffer.from(`${value}\x1e`);
const hex = (value: string) => Buffer.from(value.replaceAll(' ', ''), 'hex');

function thrownBy(act: () => void): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return error;
  }
}

/** What both protocols carry unchanged. */
const value = fc
  .jsonValue({ depthSize: 'small' })
  // Minus zero is nothing that JSON has.
  .map((any) => JSON.parse(JSON.stringify(any)) as unknown);
const id = fc.string({ minLength: 1 });
const headers = fc.dictionary(fc.constantFrom('traceparent', 'a', 'é'), fc.string());
const safe = (v: unknown) => !JSON.stringify(v).includes('__proto__');

describe('bytes are', () => {
  const bytes = new Uint8Array([9, 0, 255, 1, 9]).subarray(1, 4);

  test('base64 text in JSON', () => {
    const written = [
      json.result('1', bytes),
      json.streamItem('1', Buffer.from(bytes)),
      json.invocation('m', ['a', bytes, undefined]),
    ];
    expect(written.map((message) => Buffer.from(message).toString())).toEqual([
      '{"type":3,"invocationId":"1","result":"AP8B"}\x1e',
      '{"type":2,"invocationId":"1","item":"AP8B"}\x1e',
      '{"type":1,"target":"m","arguments":["a","AP8B",null]}\x1e',
    ]);
  });

  test('bin in MessagePack', () => {
    expect(Buffer.from(messagePack.result('1', bytes)).toString('hex')).toContain('c40300ff01');
  });
});

test('a call for a stream needs an id', () => {
  expect(() => parse(json, text('{"type":4,"target":"s","arguments":[]}'))).toThrow(
    "Missing required property 'invocationId'.",
  );
  expect(() => parse(messagePack, hex('07 95 04 80 c0 a1 73 90'))).toThrow(InvalidDataException);
});

describe.each(protocolsNamed(['messagepack', 'json']))('$name', (protocol) => {
  test('reads what it writes', () => {
    fc.assert(
      fc.property(id, fc.string(), fc.array(value), headers, (invocationId, target, args, told) => {
        fc.pre(safe(args));
        expect(parse(protocol, protocol.invocation(target, args, invocationId, told))).toEqual({
          type: 1,
          invocationId,
          target,
          args,
          streamIds: [],
          headers: told,
        });
      }),
    );
    fc.assert(
      fc.property(id, value, (invocationId, result) => {
        fc.pre(safe(result));
        const done = { type: 3, invocationId, error: undefined };
        const item = { type: 2, invocationId, item: result };
        expect(parse(protocol, protocol.streamItem(invocationId, result))).toEqual(item);
        const answer = parse(protocol, protocol.result(invocationId, result));
        expect(answer).toEqual({ ...done, result });
        const failure = parse(protocol, protocol.error(invocationId, 'boom'));
        expect(failure).toEqual({ ...done, error: 'boom', result: undefined });
        const end = parse(protocol, protocol.end(invocationId));
        expect(end).toEqual({ ...done, result: undefined });
      }),
    );
  });

  const expected = new InvalidDataException('or nothing');

  test('throws nothing but InvalidDataException, whatever it reads', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 2, maxLength: 64 }), (bytes) => {
        expect(thrownBy(() => parse(protocol, bytes)) ?? expected).toBeInstanceOf(
          InvalidDataException,
        );
      }),
    );
  });
});

describe('json', () => {
  test('writes its members in the order of ASP.NET', () => {
    const written = [
      json.invocation('m', [1, undefined]),
      json.streamItem('1', undefined),
      json.result('1', undefined),
      json.error('1', 'x'),
      json.end('1'),
    ];
    expect(written.map((bytes) => Buffer.from(bytes).toString())).toEqual([
      '{"type":1,"target":"m","arguments":[1,null]}\x1e',
      '{"type":2,"invocationId":"1","item":null}\x1e',
      '{"type":3,"invocationId":"1","result":null}\x1e',
      '{"type":3,"invocationId":"1","error":"x"}\x1e',
      '{"type":3,"invocationId":"1"}\x1e',
    ]);
  });

  test.each([
    ['{"arguments":[1],"target":"t","invocationId":"1","streamIds":["2"],"type":4}', 4],
    ['{"type":5,"invocationId":"1"}', 5],
    ['{"type":6}', 6],
    ['{"type":7,"error":null}', 7],
    ['{"type":8,"sequenceId":1}', undefined],
    ['{"type":99}', undefined],
  ])('reads %s', (record, type) => {
    expect(parse(json, text(record))?.type).toBe(type);
  });

  test('takes an empty id for none', () => {
    const message = parse(json, text('{"type":1,"invocationId":"","target":"t","arguments":[]}'));
    expect(message).toMatchObject({ invocationId: undefined });
  });

  test.each([
    ['[]', 'Unexpected JSON Token Type. Expected a JSON Object.'],
    ['{', 'Error reading JSON.'],
    ['{}', "Missing required property 'type'."],
    ['{"type":"1"}', "Expected 'type' to be of type Number."],
    ['{"type":1,"arguments":[]}', "Missing required property 'target'."],
    ['{"type":1,"target":1,"arguments":[]}', "Expected 'target' to be of type String."],
    ['{"type":1,"target":"t"}', "Missing required property 'arguments'."],
    ['{"type":1,"target":"t","arguments":{}}', "Expected 'arguments' to be of type Array."],
    ['{"type":5}', "Missing required property 'invocationId'."],
  ])('refuses %s', (record, why) => {
    expect(() => parse(json, text(record))).toThrow(new InvalidDataException(why));
  });
});

describe('messagepack', () => {
  test.each([
    [
      '0f 95 01 80 a1 30 a4 53 65 6e 64 92 2a a2 68 69',
      { type: 1, invocationId: '0', args: [42, 'hi'] },
    ],
    ['0b 95 01 80 c0 a4 53 65 6e 64 91 2a', { type: 1, invocationId: undefined, target: 'Send' }],
    ['0c 96 01 80 a1 31 a2 55 70 90 91 a1 30', { target: 'Up', streamIds: ['0'] }],
    ['0b 95 04 80 a1 32 a3 43 6e 74 91 03', { type: 4, target: 'Cnt', args: [3] }],
    ['05 93 05 80 a1 32', { type: 5, invocationId: '2' }],
    ['02 91 06', { type: 6 }],
    ['03 92 07 c0', { type: 7, error: undefined }],
    ['0b 95 01 81 a1 61 a1 62 c0 a1 58 90', { type: 1, target: 'X' }],
  ])('reads %s', (bytes, expected) => {
    expect(parse(messagePack, hex(bytes))).toMatchObject(expected);
  });

  test('makes no room for items that are not there', () => {
    const announced = Buffer.alloc(100 * 5);
    for (let at = 0; at < announced.length; at += 5) announced.writeUIntBE(0xdd01c9c380, at, 5);
    const call = Buffer.concat([hex('95 01 80 a1 31 a1 58'), announced]);
    const bytes = Buffer.concat([hex('fb 03'), call]);
    const before = process.memoryUsage().heapUsed;
    expect(thrownBy(() => parse(messagePack, bytes))).toBeInstanceOf(InvalidDataException);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(50 * 2 ** 20);
  });

  test('writes as the reference shows', () => {
    const written = [
      messagePack.invocation('m', ['all']),
      messagePack.streamItem('2', 7),
      messagePack.end('2'),
      messagePack.result('2', 7),
      messagePack.result('2', undefined),
      messagePack.error('2', 'boom'),
      messagePack.streamItem('2', new Date('2000-01-01T00:00:00Z')),
    ];
    expect(written.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual([
      '0b950180c0a16d91a3616c6c',
      '06940280a13207',
      '06940380a13202',
      '07950380a1320307',
      '07950380a13203c0',
      '0b950380a13201a4626f6f6d',
      '0b940280a132d6ff386d4380',
    ]);
  });
});
