import { describeOptions, KNOWN_VARIABLES, SettingsError } from '@trunkline/settings';
import { DEVELOPMENT_CONNECTION_STRING } from '@trunkline/tokens';
import { describe, expect, it } from 'vitest';

import { CHAT_OPTIONS, readChatSettings } from './options.ts';

const CONNECTION = 'Endpoint=https://edge.example;AccessKey=k;Version=1.0;';

describe('readChatSettings', () => {
  it('needs to know its edge', () => {
    expect(() => readChatSettings([], {})).toThrow(
      new SettingsError(
        'no connection string: set TRUNKLINE_CONNECTION_STRING, TRUNKLINE_CONNECTION_STRING_FILE or --connection-string, or use --dev',
      ),
    );
  });

  it('has the development edge with --dev', () => {
    expect(readChatSettings(['--dev'], {})).toEqual({
      port: 3000,
      host: '127.0.0.1',
      connectionString: DEVELOPMENT_CONNECTION_STRING,
      logLevel: 'info',
      dev: true,
      devPublic: false,
    });
  });

  it('takes its own variables, a flag first, and leaves those of other processes', () => {
    const env = {
      TRUNKLINE_CHAT_PORT: '4000',
      TRUNKLINE_CHAT_HOST: '127.0.0.2',
      TRUNKLINE_CONNECTION_STRING: CONNECTION,
      TRUNKLINE_LOG_LEVEL: 'warn',
      TRUNKLINE_PORT: '9000',
      TRUNKLINE_HOST: '127.0.0.3',
    };
    expect(readChatSettings(['--port', '0'], env)).toEqual({
      port: 0,
      host: '127.0.0.2',
      connectionString: CONNECTION,
      logLevel: 'warn',
      dev: false,
      devPublic: false,
    });
  });

  it('has no variable that would stop another process of its environment', () => {
    const own = describeOptions(CHAT_OPTIONS, false).map((option) => option.env);
    expect(KNOWN_VARIABLES).toEqual(expect.arrayContaining(own));
  });

  it.each([
    [['--prot', '1'], {}, 'unknown flag --prot (see --help)'],
    [
      ['--connection-string', 'Endpoint=nowhere;AccessKey=k'],
      {},
      'connection string: Endpoint is not an absolute http or https URL',
    ],
    [['--port', 'x'], {}, "--port: 'x' is not an integer from 0 to 65535"],
    [
      ['--dev'],
      { TRUNKLINE_CHAT_PROT: '1' },
      'TRUNKLINE_CHAT_PROT is not a setting; unset it or correct its name (see --help)',
    ],
  ])('refuses %j with %j', (argv, env, message) => {
    expect(() => readChatSettings(argv, env)).toThrow(new SettingsError(message));
  });
});
