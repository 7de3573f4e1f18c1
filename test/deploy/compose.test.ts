import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KNOWN_VARIABLES } from '@trunkline/settings';
import { parseConnectionString } from '@trunkline/tokens';
import { describe, expect, test } from 'vitest';
import {
  builtServices,
  execForm,
  interpolate,
  readCompose,
  readStages,
  readText,
  ROOT,
} from './deploy-files.ts';

const SECRETS = {
  TRUNKLINE_ACCESS_KEYS: 'YWNjZXNzIGtleQ==',
  TRUNKLINE_NEGOTIATE_SECRET: 'negotiate secret',
};
/** The plugin, or the command of its own that it replaces: both check the file against the schema. */
const compose = [['docker', 'compose'], ['docker-compose']].find(
  ([command, ...args]) => spawnSync(command!, [...args, 'version']).status === 0,
);
const { services, volumes } = readCompose();

describe.each(Object.entries(services))('%s', (name, service) => {
  test('has an image of one version, or is a target of the Dockerfile', () => {
    const ours = { context: '.', dockerfile: 'deploy/docker/Dockerfile', target: name };
    const theirs = expect.stringMatching(/^[\w/-]+:v?\d+\.\d+\.\d+$/);
    const { image, build } = service;
    expect({ image, build }).toEqual(readStages().has(name) ? { build: ours } : { image: theirs });
  });

  test('has a health check, comes back when it ends, and waits for healthy services', () => {
    const image = readStages().get(service.build?.target ?? '') ?? [];
    const isChecked = service.healthcheck ?? image.find(({ name }) => name === 'HEALTHCHECK');
    expect(isChecked).toBeDefined();
    expect(service.restart).toBe('unless-stopped');
    for (const [other, { condition }] of Object.entries(service.depends_on ?? {})) {
      expect(Object.keys(services)).toContain(other);
      expect(condition).toBe('service_healthy');
    }
  });

  test('mounts what there is', () => {
    const sources = (service.volumes ?? []).map((volume) => volume.replace(/:.*/, ''));
    const missing = sources.filter((source) =>
      source.startsWith('.') ? !existsSync(join(ROOT, source)) : !(source in volumes),
    );
    expect(missing).toEqual([]);
  });
});

test.each(builtServices())('%s is told nothing but settings', (_name, { environment }) => {
  const unknown = Object.keys(environment ?? {}).filter((key) => !KNOWN_VARIABLES.includes(key));
  expect(unknown).toEqual([]);
});

test('the admin port is not published', () => {
  const published = builtServices().flatMap(([, { ports }]) => ports ?? []);
  expect(published).toEqual(['8080:8080', '8081:8081', '3000:3000']);
});

test('whoever has no account gets no further than this machine', () => {
  expect(services['prometheus']?.ports).toEqual(['127.0.0.1:9090:9090']);
  expect(services['grafana']?.ports).toEqual(['127.0.0.1:3001:3000']);
});

test.each(Object.keys(SECRETS))('%s is not in the file, and is asked for when missing', (name) => {
  const others = Object.fromEntries(Object.entries(SECRETS).filter(([key]) => key !== name));
  expect(() => interpolate(readText('docker-compose.yml'), others)).toThrow(`set ${name} to`);
});

test('app servers get the edge inside, clients the one outside', () => {
  const text = services['negotiate']?.environment?.['TRUNKLINE_CONNECTION_STRING'] ?? '';
  expect(services['chat']?.environment).toMatchObject({ TRUNKLINE_CONNECTION_STRING: text });
  expect(parseConnectionString(interpolate(text, SECRETS))).toMatchObject({
    serverEndpoint: 'http://edge:8080/',
    clientEndpoint: 'http://localhost:8080/',
    accessKey: SECRETS.TRUNKLINE_ACCESS_KEYS,
  });
  const elsewhere = { ...SECRETS, TRUNKLINE_PUBLIC_URL: 'https://edge.example.com' };
  expect(parseConnectionString(interpolate(text, elsewhere))).toMatchObject({
    clientEndpoint: 'https://edge.example.com/',
  });
  const given = { ...SECRETS, TRUNKLINE_CONNECTION_STRING: 'Endpoint=http://e;AccessKey=k;' };
  expect(interpolate(text, given)).toBe(given.TRUNKLINE_CONNECTION_STRING);
});

test('every file that an image copies goes into the build', () => {
  const allowed = readText('.dockerignore').split('\n');
  const copied = [...readStages().values()]
    .flat()
    .filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from'))
    .flatMap(({ text }) => text.split(' ').slice(0, -1));
  expect(copied.length).toBeGreaterThan(0);
  expect(copied.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
  expect(copied.filter((path) => !allowed.includes(`!${path}`))).toEqual([]);
});

test('published and checked ports are those that the images expose', () => {
  for (const [name, { ports = [] }] of builtServices()) {
    const stage = readStages().get(name) ?? [];
    const exposed = stage.find((instruction) => instruction.name === 'EXPOSE')?.text.split(' ');
    const checked = new URL(execForm(stage, 'HEALTHCHECK').at(-1) ?? '').port;
    const published = ports.map((port) => port.replace(/.*:/, ''));
    expect(exposed).toEqual([...new Set([...published, checked])]);
  }
});

test.skipIf(compose === undefined)('docker compose accepts the file (needs docker compose)', () => {
  const options = { cwd: ROOT, env: { ...process.env, ...SECRETS }, encoding: 'utf8' } as const;
  const [command, ...args] = compose!;
  const { status, stderr } = spawnSync(command!, [...args, 'config', '--quiet'], options);
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
