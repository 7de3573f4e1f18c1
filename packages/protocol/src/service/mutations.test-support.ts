import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';

/** A value of each kind that MessagePack has, to stand where another is expected. */
const VALUES = [
  'c0',
  'c3',
  '01',
  'ff',
  'cfffffffffffffffff',
  'cb3ff8000000000000',
  'a178',
  'c40178',
  '90',
  '91c0',
  '80',
  '81a17801',
  'd6ff00000000',
].map((hex) => Buffer.from(hex, 'hex'));

/** A message that is not what it was. */
export interface Mutation {
  readonly body: Buffer;
  /** Which element differs; the message has none from here on where elements are missing. */
  readonly element: number;
}

/** The body of a message with each element but its type replaced by each kind of value, and with elements missing. */
export function* mutations(body: Buffer): Generator<Mutation> {
  const elements = elementsOf(body);
  for (let element = 1; element < elements.length; element++) {
    for (const value of VALUES) yield { body: array(elements.with(element, value)), element };
    yield { body: array(elements.slice(0, element)), element };
  }
  yield { body: array([...elements, VALUES[0]!, VALUES[6]!]), element: elements.length };
}

/** `body` behind its length, as it travels. */
export function frameOf(body: Uint8Array): Buffer {
  const writer = new ByteWriter(8 + body.length);
  writer.varInt(body.length);
  writer.raw(body);
  return Buffer.from(writer.view());
}

function elementsOf(body: Buffer): Buffer[] {
  const reader = new ByteReader(body);
  return Array.from({ length: reader.arrayHeader() }, () => {
    const start = reader.offset;
    reader.skip();
    return body.subarray(start, reader.offset);
  });
}

function array(elements: readonly Buffer[]): Buffer {
  const writer = new ByteWriter(8);
  writer.arrayHeader(elements.length);
  return Buffer.concat([writer.view(), ...elements]);
}
