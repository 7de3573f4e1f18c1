import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BusSettings } from './bus-address.ts';
import { readBusAddress } from './bus-address.ts';

let folder: string;
let file: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'trunkline-address-'));
  file = join(folder, 'file');
  writeFileSync(file, 'content');
});
afterAll(() => rmSync(folder, { recursive: true }));

const read = (bus: string, more: Partial<BusSettings> = {}) =>
  readBusAddress({ bus, busCa: undefined, busCredentials: undefined, ...more });
const NONE = { user: undefined, password: undefined, ca: undefined };

test('the embedded bus has no address', () => {
  expect(read('memory')).toEqual({ kind: 'memory' });
});

describe('NATS', () => {
  test('is one server or several, each at its port or the usual one', () => {
    expect(read('nats://a,nats://b:5222, nats://[::1]')).toEqual({
      ...NONE,
      kind: 'nats',
      servers: ['a:4222', 'b:5222', '[::1]:4222'],
      tls: false,
      credentials: undefined,
      shown: 'nats://a:4222,nats://b:5222,nats://[::1]:4222',
    });
  });

  test('takes a login from any of them, percent-decoded, and shows it nowhere', () => {
    const address = read('nats://a,nats://us%40er:p%3Aw@b');
    expect(address).toMatchObject({ user: 'us@er', password: 'p:w' });
    expect(address).toMatchObject({ shown: 'nats://a:4222,nats://b:4222' });
    expect(read('nats://token@a')).toMatchObject({ user: 'token', password: undefined });
  });

  test('has TLS by its scheme, with an authority and credentials from files', () => {
    const credentials = Buffer.from('content');
    expect(read('tls://a', { busCa: file, busCredentials: file })).toMatchObject({
      kind: 'nats',
      tls: true,
      ca: 'content',
      credentials,
    });
  });
});

test('Redis is one server, with a password and perhaps a user; its database does not matter', () => {
  expect(read('redis://:pw@a/3')).toEqual({
    ...NONE,
    kind: 'redis',
    host: 'a',
    port: 6379,
    password: 'pw',
    tls: false,
    shown: 'redis://a:6379',
  });
  expect(read('rediss://u:pw@[::1]:7000', { busCa: file })).toMatchObject({
    host: '::1',
    port: 7000,
    user: 'u',
    tls: true,
    ca: 'content',
  });
});

test.each<[string, Partial<BusSettings>, string]>([
  ['memory', { busCa: '/ca.pem' }, '--bus-ca is for a bus with TLS, and --bus is not that'],
  ['memory', { busCredentials: '/c' }, '--bus-credentials is for NATS, and --bus is not that'],
  ['nats://a', { busCa: '/ca.pem' }, '--bus-ca is for tls:// and rediss://, and --bus is not that'],
  ['redis://a', { busCredentials: '/c' }, '--bus-credentials is for NATS, and --bus is not that'],
  ['tls://a', { busCa: '/none' }, '--bus-ca: cannot read /none'],
  ['nats://a', { busCredentials: '/none' }, '--bus-credentials: cannot read /none'],
  ['nats://a,redis://b', {}, '--bus: several servers must all have the same scheme'],
  ['redis://a,redis://b', {}, '--bus: of Redis, name one server'],
  ['redis://u@a', {}, '--bus: of Redis, a user needs a password: redis://user:password@host'],
  ['nats://u:%zz@a', {}, '--bus: user and password must be percent-encoded where they have a %'],
  ['kafka://u:secret@x', {}, '--bus: kafka://x is not memory, nats://host[:port]'],
  ['s3cret', {}, '--bus: the value is not memory, nats://host[:port]'],
  ['nats:s3cret@a', {}, '--bus: the value is not memory'],
  ['nats://', {}, '--bus: the value is not memory'],
  ['nats://a,', {}, '--bus: the value is not memory'],
])('%s with %o is refused in one line without a secret', (bus, more, line) => {
  const refuse = (): unknown => read(bus, more);
  expect(refuse).toThrow(line);
  expect(refuse).not.toThrow(/s3cret|:secret/);
});
