import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { classifyText } from './classify-text.ts';
import { RecordInfo } from './record-info.ts';

interface Known {
  type: number;
  id: string | undefined;
}

const info = new RecordInfo();

/** Classifies a record that lies between others. */
function classify(
  text: string,
  before = '{"type":9}\x1e',
  after = '"invocationId":"5"}\x1e',
): Known {
  const bytes = Buffer.from(`${before}${text}\x1e${after}`);
  const start = Buffer.byteLength(before);
  const end = start + Buffer.byteLength(text) + 1;
  classifyText(bytes, start, end, info);
  const known = { type: info.type, id: info.idText(bytes) };
  expect(info.id).toBe(numberOf(known.id));
  expect(info.idEnd === 0 || (info.idStart > start && info.idEnd < end)).toBe(true);
  classifyText(bytes, start, end - 1, info);
  expect({ type: info.type, id: info.idText(bytes) }).toStrictEqual(known);
  return known;
}

function numberOf(id: string | undefined): number {
  const number = Number(id);
  return String(number | 0) === id && number >= 0 ? number : -1;
}

/** What JSON.parse finds; types are told by their text, since 1.0 is none. */
function expected(text: string, typeText: string | undefined): Known {
  const message = JSON.parse(text) as Record<string, unknown>;
  const type = /^\d+$/.test(typeText ?? '') && Number(typeText) < 2 ** 31 ? Number(typeText) : 0;
  const id = message['invocationId'];
  const has = type >= 1 && type <= 5 && typeof id === 'string' && id !== '';
  return { type, id: has ? id : undefined };
}

const space = fc.stringMatching(/^[ \t\r\n]{0,2}$/);

/** JSON text of `value`: some characters escaped without need, some space. */
function stringText(value: string, escape: readonly boolean[]): string {
  const plain = [
    ...JSON.stringify(value)
      .slice(1, -1)
      .matchAll(/\\u....|\\.|[^\\]/gsu),
  ];
  const letters = plain.map(([letter], i) =>
    escape[i % escape.length] && letter.length === 1
      ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`
      : letter,
  );
  return `"${letters.join('')}"`;
}

const decoy = fc.constantFrom(
  { type: 5, invocationId: '9' },
  [{ type: 3, invocationId: '9', arguments: ['{"type":2}'] }],
  '","type":4}',
  ',"invocationId":"8","type":4}',
  '\\","type":1,"invocationId":"9"}',
  'x'.repeat(40) + '\\'.repeat(3) + '"type":1',
  '}',
  ']',
  '\\',
);
const value = fc
  .tuple(fc.oneof(decoy, fc.jsonValue({ noUnicodeString: false })), fc.nat(3))
  .map(([value, indent]) => JSON.stringify(value, null, indent));
const escapes = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });
const typeValue = fc.oneof(
  { weight: 9, arbitrary: fc.nat(10).map(String) },
  fc.constantFrom('2147483647', '2147483648', '-1', '1.0', '1e0', '"1"', 'null', '{"type":1}'),
);
const idValue = fc.oneof(
  fc.nat().map((id) => `"${id}"`),
  fc.constantFrom('"2147483647"', '"2147483648"', '"007"', '"s1"', '"-1"', '"+1"', '"1 "'),
  fc.constantFrom('""', '1', 'null', '["1"]', '{"invocationId":"1"}', 'true'),
  fc.tuple(fc.string({ unit: 'grapheme' }), escapes).map(([id, escape]) => stringText(id, escape)),
);
const otherKey = fc.oneof(
  fc.constantFrom('target', 'arguments', 'headers', 'streamIds', 'Type', 'types', 'typ', ''),
  fc.constantFrom('x","type', 'a\\', 'invocationID', 'invocationId1', '"type":1'),
);
const keyText = (key: string) =>
  fc.oneof(fc.constant([false]), escapes).map((escape) => ({ key, text: stringText(key, escape) }));

/** The members of a message in any order, and its type's text. */
const anyObject = fc
  .tuple(
    fc.option(fc.tuple(keyText('type'), typeValue)),
    fc.option(fc.tuple(keyText('invocationId'), idValue)),
    fc.uniqueArray(fc.tuple(otherKey.chain(keyText), value), {
      selector: ([{ key }]) => key,
      maxLength: 4,
    }),
  )
  .chain(([type, id, others]) => {
    const members = [type, id, ...others].filter((member) => member !== null);
    return fc.record({
      typeText: fc.constant(type?.[1]),
      members: fc.shuffledSubarray(members, { minLength: members.length }),
    });
  });
const anyMessage = fc
  .tuple(anyObject, fc.oneof(fc.constant(['']), fc.array(space, { minLength: 1 })))
  .map(([{ typeText, members }, spaces]) => {
    let at = 0;
    const gap = () => spaces[at++ % spaces.length] ?? '';
    const texts = members.map(
      ([key, text]) => `${gap()}${key.text}${gap()}:${gap()}${text}${gap()}`,
    );
    return { typeText, text: `${gap()}{${texts.join(',') || gap()}}${gap()}` };
  });

describe('messages as real peers write them', () => {
  test.each<[string, number, string | undefined]>([
    ['{"type":1,"invocationId":"7","target":"Add","arguments":[40,2]}', 1, '7'],
    ['{"type":1,"target":"Log","arguments":["x"]}', 1, undefined],
    ['{"type":1,"invocationId":"8","target":"U","arguments":[1],"streamIds":["3","4"]}', 1, '8'],
    ['{"type":4,"invocationId":"9","target":"Counter","arguments":[10,500]}', 4, '9'],
    ['{"type":2,"invocationId":"9","item":{"n":1}}', 2, '9'],
    ['{"type":3,"invocationId":"9"}', 3, '9'],
    ['{"type":3,"invocationId":"7","result":42}', 3, '7'],
    ['{"type":3,"invocationId":"7","error":"boom"}', 3, '7'],
    ['{"type":3,"invocationId":"s1","result":null}', 3, 's1'],
    ['{"type":5,"invocationId":"9"}', 5, '9'],
    ['{"type":6}', 6, undefined],
    ['{"type": 6}', 6, undefined],
    ['{"type":7}', 7, undefined],
    ['{"type":7,"error":"Connection closed with an error.","allowReconnect":true}', 7, undefined],
    ['{"type":8,"sequenceId":36}', 8, undefined],
    ['{"type":9,"sequenceId":5}', 9, undefined],
    ['{"sequenceId":5,"type":9}', 9, undefined],
    ['{"target":"Add","arguments":[40,2],"invocationId":"7","type":1}', 1, '7'],
    ['{"target":"Log","arguments":["x"],"type":1}', 1, undefined],
    ['{"target":"U","arguments":[],"invocationId":"0","streamIds":["1"],"type":1}', 1, '0'],
    ['{"arguments":[40,2],"invocationId":"7","target":"Add","type":1}', 1, '7'],
    ['{"arguments":[],"invocationId":"7","streamIds":[],"target":"Add","type":1}', 1, '7'],
    ['{"arguments":[40,2],"target":"Log","type":1}', 1, undefined],
    ['{"invocationId":"9","item":{"n":1},"type":2}', 2, '9'],
    ['{"invocationId":"s1","result":{"type":5},"type":3}', 3, 's1'],
    ['{"error":"boom","invocationId":"2","type":3}', 3, '2'],
    ['{"invocationId":"9","type":5}', 5, '9'],
    ['{"x\\"invocationId":"7","type":1}', 1, undefined],
    ['{"invocationId":"5","x\\"invocationId":"7","type":1}', 1, '5'],
    ['{"invocationId":"5","x\\"invocationId":"7","target":"T","type":1}', 1, '5'],
    ['{"x\\"invocationId":"7","target":"T","type":1}', 1, undefined],
    ['{"type": 1, "headers": {}, "invocationId": "a-b", "target": "T", "arguments": []}', 1, 'a-b'],
  ])('%s', (text, type, id) => {
    expect(classify(text)).toStrictEqual({ type, id });
  });
});

test.each([
  ['\\u0030', '0'],
  ['1\\u0037', '17'],
  ['\\u0030\\u0037', '07'],
  ['\\u0037x', '7x'],
  ['x\\u0037', 'x7'],
  ['214748364\\u0037', '2147483647'],
  ['214748364\\u0038', '2147483648'],
])('an id that is written as %s is %s, a number where that counts as one', (written, id) => {
  expect(classify(`{"type":3,"invocationId":"${written}"}`)).toStrictEqual({ type: 3, id });
});

describe('what is no hub message', () => {
  test.each([
    '',
    ' ',
    '{}',
    '[1]',
    'null',
    '"type"',
    '{"typ":1}',
    '{"typ":6}',
    '{"a":6,"typ":6}',
    '{"xu0074ype":6}',
    '{"\\b0074ype":6}',
    '{"as long as four escapes ":6}',
    '[{"type":1}]',
    '{"a":{"type":1}}',
    '{"type":1',
    '{"type":1,"target":"x',
    '{"type":1,"target":"x"}]',
    '{"type":1,"target":"x"}{"type":1}',
    '{"type" 1}',
    '{type:1}',
    '{"type":1,}',
    '{"type":3,"invocationId":"\\x"}',
    '{"type":3,"invocationId":"\\ud8"}',
  ])('%s', (text) => {
    expect(classify(text)).toStrictEqual({ type: 0, id: undefined });
  });
});

test('finds what JSON.parse finds, whatever the order, space, escapes and decoys', () => {
  fc.assert(
    fc.property(anyMessage, ({ typeText, text }) => {
      expect(classify(text)).toStrictEqual(expected(text, typeText));
    }),
    { numRuns: 2000 },
  );
});

test('finds what JSON.parse finds with the members at the end that TypeScript clients write', () => {
  const tail = fc.constantFrom<readonly string[]>(
    ['invocationId', 'type'],
    ['invocationId', 'target', 'type'],
    ['target', 'type'],
    ['type'],
  );
  fc.assert(
    fc.property(
      tail,
      fc.array(value, { maxLength: 2 }),
      idValue,
      fc.nat(10),
      fc.oneof(decoy, fc.string({ unit: 'binary', maxLength: 200 })),
      (keys, others, id, type, target) => {
        const values: Record<string, string> = {
          invocationId: id,
          target: JSON.stringify(target),
          type: String(type),
        };
        const members = [
          ...others.map((text, i) => `${JSON.stringify(`"${i}\\`)}:${text}`),
          ...keys.map((key) => `"${key}":${values[key]}`),
        ];
        const text = `{${members.join(',')}}`;
        expect(classify(text)).toStrictEqual(expected(text, String(type)));
      },
    ),
    { numRuns: 1000 },
  );
});

test('takes anything: no throw, and a range within the record', () => {
  const pieces = fc.constantFrom(
    ...Array.from('{}[],:"\\ 1\x1eé'),
    ...'"type" "invocationId" "7" \\u0074 \\\\" ,"type":1} {"type":1 "invocationId":"'.split(' '),
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 30 }), fc.uint8Array(), (texts, noise) => {
      for (const bytes of [Buffer.from(texts.join('')), noise]) {
        for (let start = 0; start <= bytes.length; start += 3) {
          classifyText(bytes, start, bytes.length, info);
          expect(info.idEnd === 0 || info.idStart > start).toBe(true);
          expect(info.idEnd).toBeLessThanOrEqual(bytes.length);
          const id = info.idText(bytes);
          expect(id === undefined || info.type !== 0).toBe(true);
        }
      }
    }),
    { numRuns: 1000 },
  );
});

test.each([
  ['deep nesting', `{"a":${'['.repeat(500_000)}${']'.repeat(500_000)},"type":3}`],
  ['escaped quotes', `{"a":"${'\\"'.repeat(500_000)}","type":3}`],
  ['escaped backslashes', `{"a":"${'\\\\'.repeat(500_000)}","type":3}`],
  ['escaped keys', `{${'"\\u0074ypf":1,'.repeat(80_000)}"type":3}`],
  ['bad ids', `{${'"invocationId":"\\x",'.repeat(50_000)}"invocationId":"","type":3}`],
])('a megabyte of %s is one pass', (_, text) => {
  expect(classify(text)).toStrictEqual({ type: 3, id: undefined });
});
