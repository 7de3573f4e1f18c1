import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KNOWN_VARIABLES, describeOptions, SettingsError } from '@trunkline/settings';
import { NEGOTIATE_OPTIONS, readNegotiateSettings } from './options.ts';

const connectionString = 'Endpoint=http://h;Port=1;AccessKey=hush;Version=1.0;';
const secret = 'a-secret-that-nobody-guesses-0123456789';

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
      TRUNKLINE_NEGOTIATE_SECRET: secret,
      TRUNKLINE_NEGOTIATE_PORT: '0',
      TRUNKLINE_NEGOTIATE_HUBS: 'Chat, news',
      TRUNKLINE_NEGOTIATE_AUDIENCE: 'our-apps',
      TRUNKLINE_NEGOTIATE_ISSUER: 'https://sign-in.example',
    };
    expect(readNegotiateSettings([], env)).toMatchObject({
      port: 0,
      host: '0.0.0.0',
      admission: {
        dev: false,
        secret,
        audience: 'our-apps',
        issuer: 'https://sign-in.example',
      },
      hubs: new Set(['chat', 'news']),
      connection: { endpoint: 'http://h:1', accessKey: 'hush' },
    });
  });

  it('takes both from files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-negotiate-'));
    const env = {
      TRUNKLINE_CONNECTION_STRING_FILE: join(folder, 'connection-string'),
      TRUNKLINE_NEGOTIATE_SECRET_FILE: join(folder, 'secret'),
    };
    writeFileSync(env.TRUNKLINE_CONNECTION_STRING_FILE, `${connectionString}\n`);
    writeFileSync(env.TRUNKLINE_NEGOTIATE_SECRET_FILE, `${secret}\n`);
    expect(readNegotiateSettings(['--hubs', 'chat'], env)).toMatchObject({
      admission: { secret },
      connection: { accessKey: 'hush' },
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

  it('refuses to start without a connection string, a secret or hubs', () => {
    expect(refusal([])).toBe(
      'no connection string: set TRUNKLINE_CONNECTION_STRING, TRUNKLINE_CONNECTION_STRING_FILE or --connection-string, or use --dev',
    );
    expect(refusal(['--connection-string', connectionString])).toBe(
      'no secret to verify callers with: set TRUNKLINE_NEGOTIATE_SECRET, TRUNKLINE_NEGOTIATE_SECRET_FILE or --secret, or use --dev',
    );
    expect(refusal(['--connection-string', connectionString, '--secret', secret])).toBe(
      'no hubs: set TRUNKLINE_NEGOTIATE_HUBS or --hubs to those that callers may be sent to, or use --dev',
    );
  });

  it('refuses a secret that can be guessed, and hubs that are none', () => {
    const given = ['--connection-string', connectionString, '--hubs', 'chat'];
    expect(refusal([...given, '--secret', 's'])).toContain('--secret: a key of 1 bytes');
    expect(refusal(['--dev', '--hubs', 'chat,1x'])).toBe(
      "--hubs: '1x' is none: a hub name has 1 to 128 characters, letters, digits and underscores, and begins with a letter",
    );
  });

  it('takes origins as they are meant, and refuses what is none', () => {
    const origins = 'https://App.example/, https://b.example:443';
    expect(readNegotiateSettings(['--dev'], { TRUNKLINE_ALLOWED_ORIGINS: origins })).toMatchObject({
      allowedOrigins: ['https://app.example', 'https://b.example'],
    });
    expect(readNegotiateSettings(['--dev'], {}).allowedOrigins).toEqual(['*']);
    expect(refusal(['--dev', '--allowed-origins', 'app.example'])).toBe(
      "'app.example' is no origin: --allowed-origins takes * or scheme://host[:port], without a path",
    );
  });

  it('refuses a bad connection string without showing it', () => {
    const message = refusal(['--dev', '--connection-string', 'AccessKey=hush']);
    expect(message).toContain('connection string: Endpoint is missing');
    expect(message).not.toContain('hush');
  });
});
