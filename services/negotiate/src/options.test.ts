import { describe, expect, it } from 'vitest';
import { KNOWN_VARIABLES, describeOptions, SettingsError } from '@trunkline/settings';
import { NEGOTIATE_OPTIONS, readNegotiateSettings } from './options.ts';

const connectionString = 'Endpoint=http://h;Port=1;AccessKey=hush;Version=1.0;';

function refusal(argv: string[], env: Record<string, string> = {}): string {
  try {
    readNegotiateSettings(argv, env);
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error('the settings were accepted');
}

describe('readNegotiateSettings', () => {
  it('needs nothing with --dev', () => {
    expect(readNegotiateSettings(['--dev'], {})).toMatchObject({
      port: 8081,
      host: '127.0.0.1',
      admission: { dev: true },
      connection: { endpoint: 'http://127.0.0.1:8080' },
    });
  });

  it('takes connection string and secret from the environment', () => {
    const env = {
      TRUNKLINE_CONNECTION_STRING: connectionString,
      TRUNKLINE_NEGOTIATE_SECRET: 's',
      TRUNKLINE_NEGOTIATE_PORT: '0',
    };
    expect(readNegotiateSettings([], env)).toMatchObject({
      port: 0,
      host: '0.0.0.0',
      admission: { dev: false, secret: 's' },
      connection: { endpoint: 'http://h:1', accessKey: 'hush' },
    });
  });

  it("leaves other processes' settings alone", () => {
    const env = Object.fromEntries(KNOWN_VARIABLES.map((name) => [name, '1']));
    const own = describeOptions(NEGOTIATE_OPTIONS, true).map((option) => option.env);
    for (const name of own) delete env[name];
    expect(readNegotiateSettings(['--dev'], env).port).toBe(8081);
  });

  it('has no variable that other processes do not know of', () => {
    const own = describeOptions(NEGOTIATE_OPTIONS, true).map((option) => option.env);
    expect(KNOWN_VARIABLES).toEqual(expect.arrayContaining(own));
  });

  it('refuses to start without a connection string or a secret', () => {
    expect(refusal([])).toBe(
      'no connection string: set TRUNKLINE_CONNECTION_STRING or --connection-string, or use --dev',
    );
    expect(refusal(['--connection-string', connectionString])).toBe(
      'no secret to verify callers with: set TRUNKLINE_NEGOTIATE_SECRET or --secret, or use --dev',
    );
  });

  it('refuses a bad connection string without showing it', () => {
    const message = refusal(['--dev', '--connection-string', 'AccessKey=hush']);
    expect(message).toContain('connection string: Endpoint is missing');
    expect(message).not.toContain('hush');
  });
});
