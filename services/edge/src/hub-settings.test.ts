import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { EdgeConfig } from './config.ts';
import { readConfig } from './config.ts';
import type { HubPolicy } from './sessions/hub-policies.ts';
import { routeOf } from './sessions/upstream/rules.ts';

const folder = mkdtempSync(join(tmpdir(), 'trunkline-hubs-'));
const file = join(folder, 'edge.json');
afterAll(() => rmSync(folder, { recursive: true }));

function read(hubs: unknown, ...flags: string[]): EdgeConfig {
  writeFileSync(file, JSON.stringify({ hubs }));
  return readConfig({ argv: ['--dev', '--config', file, ...flags], env: {} });
}

function policy(hubs: unknown, hub: string, ...flags: string[]): HubPolicy {
  const { named, others } = read(hubs, ...flags).hubs;
  return named.get(hub) ?? others;
}

const URL = 'https://app.example/{hub}/{category}/{event}?code=secret';
const RULES = [{ urlTemplate: URL }];

describe('a hub', () => {
  test('waits for app servers, and does with migration as the edge does, unless told', () => {
    const waits = { withoutServer: 'wait', migration: 'never', upstream: [] };
    expect(policy(undefined, 'chat', '--migration', 'never')).toEqual(waits);
    expect(policy({ other: {} }, 'other', '--migration', 'never')).toEqual(waits);
  });

  test('has what stands under its name, ignoring case, and for the rest what stands under *', () => {
    const hubs = {
      '*': { migration: 'always', upstream: RULES },
      Chat: { withoutServer: 'refuse' },
      board: { migration: 'never', upstream: [] },
    };
    expect(policy(hubs, 'chat')).toMatchObject({ withoutServer: 'refuse', migration: 'always' });
    expect(policy(hubs, 'chat').upstream).toHaveLength(1);
    expect(policy(hubs, 'board')).toEqual({
      withoutServer: 'wait',
      migration: 'never',
      upstream: [],
    });
    expect(policy(hubs, 'any')).toMatchObject({ withoutServer: 'upstream', migration: 'always' });
  });

  test('whose clients only listen has no rules, and says so', () => {
    expect(policy({ chat: { withoutServer: 'upstream', upstream: [] } }, 'chat')).toMatchObject({
      withoutServer: 'upstream',
      upstream: [],
    });
  });

  test('has rules in their order, with the patterns of Azure', () => {
    const upstream = [
      {
        urlTemplate: 'http://a/',
        categoryPattern: 'connections',
        eventPattern: 'connected, disconnected',
      },
      {
        urlTemplate: 'http://b/',
        'hub-pattern': ['CHAT'],
        categoryPattern: ['*'],
        eventPattern: '*',
      },
      { urlTemplate: 'http://c/' },
    ];
    const { upstream: rules } = policy({ '*': { upstream } }, 'chat');
    const origin = (hub: string, category: string, event: string) =>
      routeOf(rules, { hub, category, event })?.origin;
    expect(origin('chat', 'connections', 'disconnected')).toBe('http://a');
    expect(origin('chat', 'messages', 'say')).toBe('http://b');
    expect(origin('other', 'messages', 'say')).toBe('http://c');
  });

  test('may have its template in a file', () => {
    const path = join(folder, 'template');
    writeFileSync(path, `${URL}\n`);
    const { upstream } = policy({ chat: { upstream: [{ urlTemplateFile: path }] } }, 'chat');
    expect(upstream[0]!.template.origin).toBe('https://app.example');
  });
});

describe('what is wrong with hubs', () => {
  const upstream = (rule: object) => ({ chat: { upstream: [rule] } });
  test.each<[unknown, string]>([
    [[], 'hubs must be an object, {...}'],
    [{ chat: 1 }, 'hubs.chat must be an object, {...}'],
    [{ '1chat': {} }, "hubs: '1chat' is not a hub, nor * for every hub: "],
    [{ chat: {}, CHAT: {} }, 'hubs.CHAT is given twice: upper and lower case are one hub'],
    [
      { chat: { withoutServers: 'wait' } },
      'hubs.chat.withoutServers is no setting: hubs.chat takes withoutServer, migration, upstream',
    ],
    [
      { chat: { withoutServer: 'hang' } },
      "hubs.chat.withoutServer: 'hang' is not one of wait, upstream, refuse",
    ],
    [
      { chat: { withoutServer: 'upstream' } },
      "hubs.chat.withoutServer is 'upstream' without hubs.chat.upstream: give its rules, or [] where clients only listen",
    ],
    [
      { chat: { migration: 'maybe' } },
      "hubs.chat.migration: 'maybe' is not one of app, always, never",
    ],
    [{ chat: { upstream: {} } }, 'hubs.chat.upstream must be a list, [{...}, ...]'],
    [{ chat: { upstream: ['x'] } }, 'hubs.chat.upstream[0] must be an object, {...}'],
    [upstream({}), 'hubs.chat.upstream[0].urlTemplate is missing: give the upstream'],
    [
      upstream({ url: URL }),
      'hubs.chat.upstream[0].url is no setting: hubs.chat.upstream[0] takes urlTemplate, urlTemplateFile, hubPattern, categoryPattern, eventPattern',
    ],
    [
      upstream({ urlTemplate: 'app.example/secret' }),
      'hubs.chat.upstream[0].urlTemplate is not an absolute http or https URL',
    ],
    [
      upstream({ urlTemplate: 'https://{event}.example/secret' }),
      'hubs.chat.upstream[0].urlTemplate has a placeholder in its host',
    ],
    [
      upstream({ urlTemplate: URL, categoryPattern: 'connections,message' }),
      "hubs.chat.upstream[0].categoryPattern: 'message' is no category: give connections, messages or *",
    ],
    [
      upstream({ urlTemplate: URL, eventPattern: 7 }),
      'hubs.chat.upstream[0].eventPattern: the value has the wrong type, give a list of texts',
    ],
    [
      upstream({ urlTemplate: URL, urlTemplateFile: 'x' }),
      'hubs.chat.upstream[0].urlTemplateFile is given twice: give urlTemplate once',
    ],
    [upstream({ urlTemplateFile: join(folder, 'missing') }), 'missing cannot be read (ENOENT)'],
    [{ '*': { upstream: [{}] }, chat: {} }, 'hubs.*.upstream[0].urlTemplate is missing'],
  ])('%j', (hubs, says) => {
    let message = '';
    try {
      read(hubs);
    } catch (error) {
      ({ message } = error as Error);
    }
    expect(message).toContain(says);
    expect(message).toContain(hubs === undefined ? '' : 'hubs');
    expect(message).not.toContain('secret');
    expect(message).not.toContain('\n');
  });
});

describe('upstreams', () => {
  test('are called on this machine with --dev alone, unless permitted', () => {
    expect(read({}).upstream.http.allow.check('127.0.0.1')).toBe(true);
    const flags = ['--upstream-allow', '169.254.0.0/16,::1'];
    const { allow } = read({}, ...flags).upstream.http;
    expect([allow.check('127.0.0.1'), allow.check('169.254.1.1')]).toEqual([false, true]);
    const key = 'a-key-of-mine-0123456789abcdefghijklmnop';
    const production = readConfig({ argv: ['--access-keys', key], env: {} });
    expect(production.upstream.http.allow.check('127.0.0.1')).toBe(false);
  });

  test.each([
    [['--upstream-allow', 'localhost'], "'localhost' is no address: --upstream-allow takes"],
    [['--upstream-cert', file], 'needs both --upstream-cert and --upstream-key'],
    [['--upstream-ca', join(folder, 'missing.pem')], 'cannot read the TLS file'],
    [['--upstream-timeout', '0'], '--upstream-timeout'],
    [['--upstream-proxy', 'secret:word'], '--upstream-proxy: the value is not'],
  ])('are not %j', (flags, says) => {
    expect(() => read({}, ...flags)).toThrow(says);
  });
});
