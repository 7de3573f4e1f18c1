import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ConnectionStringError,
  formatConnectionString,
  parseConnectionString,
} from './connection-string.ts';
import { DEVELOPMENT_CONNECTION_STRING } from './development.ts';
import { parseUrl } from './parse-url.ts';

const KEY = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH';

describe('parseConnectionString', () => {
  it('reads the shape the emulator prints', () => {
    expect(
      parseConnectionString(`Endpoint=http://localhost;Port=8888;AccessKey=${KEY};Version=1.0;`),
    ).toEqual({
      endpoint: 'http://localhost:8888',
      clientEndpoint: 'http://localhost:8888/',
      serverEndpoint: 'http://localhost:8888/',
      accessKey: KEY,
      audienceBase: 'http://localhost/',
      version: '1.0',
    });
  });

  it('ignores case of keys, blanks, unknown keys, empty pieces and pieces without =', () => {
    const text = ` endpoint = https://H.example/ ;; ACCESSKEY= a=b== ;Colour=red;;rubbish`;
    expect(parseConnectionString(text)).toMatchObject({
      endpoint: 'https://h.example',
      accessKey: 'a=b==',
      audienceBase: 'https://h.example/',
    });
  });

  it('applies Port to Endpoint only, and takes the audience from Endpoint only', () => {
    const text = `Endpoint=http://a:1/base/;Port=2;ClientEndpoint=https://c:3/x;ServerEndpoint=http://s;AccessKey=k`;
    expect(parseConnectionString(text)).toMatchObject({
      endpoint: 'http://a:2/base',
      clientEndpoint: 'https://c:3/x/',
      serverEndpoint: 'http://s/',
      audienceBase: 'http://a/',
    });
  });

  it('keeps the brackets of an IPv6 host', () => {
    expect(parseConnectionString('Endpoint=http://[::1]:5;AccessKey=k')).toMatchObject({
      endpoint: 'http://[::1]:5',
      audienceBase: 'http://[::1]/',
    });
  });

  it.each(['1.0', '1.1-preview', '1.10.3'])('takes version %s', (version) => {
    const text = `Endpoint=http://h;AccessKey=k;Version=${version}`;
    expect(parseConnectionString(text).version).toBe(version);
  });

  it.each(['1', '65535'])('takes port %s', (port) => {
    const { endpoint } = parseConnectionString(`Endpoint=http://h;AccessKey=k;Port=${port}`);
    expect(endpoint).toBe(`http://h:${port}`);
  });

  it.each([
    ['nothing', '', 'Endpoint is missing'],
    ['one piece', 'AccessKey=k', 'Endpoint is missing'],
    ['no key', 'Endpoint=http://h;Version=1.0', 'AccessKey is missing'],
    ['an empty key', 'Endpoint=http://h;AccessKey=', 'AccessKey is missing'],
    ['a repeated key', 'Endpoint=http://h;AccessKey=k;accesskey=k', 'accesskey is given twice'],
    ['no scheme', 'Endpoint=localhost:80;AccessKey=k', 'Endpoint is not an absolute http'],
    ['another scheme', 'Endpoint=ws://h;AccessKey=k', 'Endpoint is not an absolute http'],
    ['one that ends in http', 'Endpoint=xhttp://h;AccessKey=k', 'Endpoint is not an absolute http'],
    ['a query', 'Endpoint=http://h/?a;AccessKey=k', 'Endpoint must be scheme'],
    ['a fragment', 'Endpoint=http://h/#a;AccessKey=k', 'Endpoint must be scheme'],
    ['a user', 'Endpoint=http://u@h;AccessKey=k', 'Endpoint must be scheme'],
    ['a password', 'Endpoint=http://:p@h;AccessKey=k', 'Endpoint must be scheme'],
    ['a bad ClientEndpoint', 'Endpoint=http://h;ClientEndpoint=h;AccessKey=k', 'ClientEndpoint is'],
    ['port 0', 'Endpoint=http://h;Port=0;AccessKey=k', "Port '0'"],
    ['a port too high', 'Endpoint=http://h;Port=65536;AccessKey=k', "Port '65536'"],
    ['a port in words', 'Endpoint=http://h;Port=http;AccessKey=k', "Port 'http'"],
    ['a letter before the port', 'Endpoint=http://h;Port=x80;AccessKey=k', "Port 'x80'"],
    ['a power of ten as the port', 'Endpoint=http://h;Port=8e3;AccessKey=k', "Port '8e3'"],
    ['version 2', 'Endpoint=http://h;AccessKey=k;Version=2.0', "Version '2.0'"],
    ['version 1.x', 'Endpoint=http://h;AccessKey=k;Version=1.x', "Version '1.x'"],
    ['an Azure identity', 'Endpoint=http://h;AccessKey=k;AuthType=AAD', 'AuthType aad'],
  ])('refuses %s in one line', (_, text, message) => {
    expect(() => parseConnectionString(text)).toThrow(ConnectionStringError);
    expect(() => parseConnectionString(text)).toThrow(`connection string: ${message}`);
  });
});

describe('formatConnectionString', () => {
  it('writes Port only where the endpoint has one', () => {
    expect(formatConnectionString('http://h:8080', KEY)).toBe(
      `Endpoint=http://h;Port=8080;AccessKey=${KEY};Version=1.0;`,
    );
    expect(formatConnectionString('https://h/base/', KEY)).toBe(
      `Endpoint=https://h/base;AccessKey=${KEY};Version=1.0;`,
    );
  });

  it.each(['', 'a;b', ' a', 'a\n'])('refuses the key %j, which would not be read back', (key) => {
    expect(() => formatConnectionString('http://h', key)).toThrow(ConnectionStringError);
  });

  it('refuses an endpoint that is no http URL', () => {
    expect(() => formatConnectionString('h:8080', KEY)).toThrow(
      new ConnectionStringError('Endpoint is not an absolute http or https URL'),
    );
  });

  it('makes the documented development connection string', () => {
    expect(DEVELOPMENT_CONNECTION_STRING).toBe(
      'Endpoint=http://127.0.0.1;Port=8080;AccessKey=trunkline-development-key-not-for-production-00000000;Version=1.0;',
    );
  });

  it('is read back as it was', () => {
    const keys = fc
      .string({ minLength: 1, unit: 'grapheme' })
      .filter((key) => !key.includes(';') && key.trim() === key);
    fc.assert(
      fc.property(fc.webAuthority(), keys, (authority, accessKey) => {
        fc.pre(parseUrl(`http://${authority}`) !== undefined && !authority.includes('@'));
        const endpoint = new URL(`http://${authority}`).origin;
        const text = formatConnectionString(endpoint, accessKey);
        expect(parseConnectionString(text)).toMatchObject({ endpoint, accessKey });
      }),
    );
  });
});
