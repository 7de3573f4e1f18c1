import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, afterEach, describe, expect, test, vi } from 'vitest';

import { TEST_KEY } from './fake-service.test-support.ts';
import { Hub } from './hubs/hub.ts';
import { createManager } from './rest/manager.ts';
import { createServer } from './server.ts';

const VARIABLE = 'TRUNKLINE_CONNECTION_STRING';
const FILE_VARIABLE = 'TRUNKLINE_CONNECTION_STRING_FILE';
const connectionString = `Endpoint=http://from.a.file;AccessKey=${TEST_KEY};Version=1.0;`;
const folder = mkdtempSync(join(tmpdir(), 'trunkline-'));

afterEach(() => vi.unstubAllEnvs());
afterAll(() => rmSync(folder, { recursive: true }));

function environment(variable: string | undefined, file: string | undefined): void {
  vi.stubEnv(VARIABLE, variable);
  vi.stubEnv(FILE_VARIABLE, file);
}

function fileWith(text: string): string {
  const path = join(folder, 'connection-string');
  writeFileSync(path, text);
  return path;
}

class Chat extends Hub {}

/** Makes one, and answers what says where it connects to. */
const makers = {
  createServer(options = {}): string {
    const server = createServer(options);
    server.hub('/chat', Chat);
    return server.health.hubs[0]!.endpoints[0]!.name;
  },
  createManager: (options = {}): string => createManager(options).hub('chat').negotiate().url,
};

describe.each(['createServer', 'createManager'] as const)(
  '%s without a connection string',
  (door) => {
    const make = makers[door];

    test.each(['', '\n', '\r\n'])('reads it from a file that ends in %j', (end) => {
      environment(undefined, fileWith(`${connectionString}${end}`));
      expect(make()).toContain('from.a.file');
    });

    test('takes no notice of variables that are empty', () => {
      environment('', fileWith(connectionString));
      expect(make()).toContain('from.a.file');
      environment(connectionString, '');
      expect(make()).toContain('from.a.file');
    });

    test('fails for both variables', () => {
      environment(connectionString, fileWith(connectionString));
      expect(() => make()).toThrow(
        `both ${VARIABLE} and ${FILE_VARIABLE} are set: give one of them`,
      );
    });

    test('fails for a file that is not there, or empty', () => {
      environment(undefined, '/no/such/file');
      expect(() => make()).toThrow(`${FILE_VARIABLE}: /no/such/file cannot be read (ENOENT)`);
      const empty = fileWith('\n');
      environment(undefined, empty);
      expect(() => make()).toThrow(`${FILE_VARIABLE}: ${empty} is empty`);
    });

    test('does not look there for one that it is given', () => {
      environment(connectionString, '/no/such/file');
      const own = connectionString.replace('from.a.file', 'given');
      expect(make({ connectionString: own })).toContain('given');
    });
  },
);
