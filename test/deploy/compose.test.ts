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

const GIVEN = { TRUNKLINE_NEGOTIATE_HUBS: 'chat' };
/** The plugin, or the command of its own that it replaces: both check the file against the schema. */
const compose = [['docker', 'compose'], ['docker-compose']].find(
  ([command, ...args]) => spawnSync(command!, [...args, 'version']).status === 0,
);
const { services, volumes, secrets } = readCompose();

/** Of `edge-1` it is `edge`. */
const targetOf = (service: string): string => service.replace(/-\d$/, '');

describe.each(Object.entries(services))('%s', (name, service) => {
  test('has an image of one version, or is a target of the Dockerfile', () => {
    const target = targetOf(name);
    const ours = { context: '.', dockerfile: 'deploy/docker/Dockerfile', target };
    const theirs = expect.stringMatching(/^[\w/-]+:v?\d+\.\d+\.\d+(?:-alpine)?$/);
    const { image, build } = service;
    expect({ image, build }).toEqual(
      readStages().has(target) ? { build: ours } : { image: theirs },
    );
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

  test('has bounds for memory, processes and CPU, and can change nothing but its own data', () => {
    expect(service).toMatchObject({
      mem_limit: expect.stringMatching(/^\d+[mg]$/),
      pids_limit: expect.any(Number),
      cpus: expect.any(Number),
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(service).not.toHaveProperty('privileged');
    expect(service).not.toHaveProperty('cap_add');
  });

  test('gets its secrets as files, each of which it is told of', () => {
    const { environment = {}, secrets: mounted = [] } = service;
    const files = Object.entries(environment).filter(([key]) => key.endsWith('_FILE'));
    expect(files.map(([, path]) => path)).toEqual(
      mounted.map((secret) => `/run/secrets/${secret}`),
    );
    expect(mounted.filter((secret) => !(secret in secrets))).toEqual([]);
    const bare = Object.entries(environment).filter(([key]) =>
      KNOWN_VARIABLES.includes(`${key}_FILE`),
    );
    // An address is a secret only with a login in it.
    expect(bare.filter(([, value]) => !/^nats:\/\/[^@]+$/.test(value))).toEqual([]);
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

test('no port of an edge is published: clients come through nginx', () => {
  const published = builtServices().flatMap(([, { ports }]) => ports ?? []);
  expect(published).toEqual(['8081:8081', '3000:3000']);
  expect(services['nginx']?.ports).toEqual(['8080:8080', '127.0.0.1:8090:8090']);
});

test('whoever has no account gets no further than this machine', () => {
  expect(services['prometheus']?.ports).toEqual(['127.0.0.1:9090:9090']);
  expect(services['grafana']?.ports).toEqual(['127.0.0.1:3001:3000']);
});

test('hubs to sign for are asked for when missing', () => {
  expect(() => interpolate(readText('docker-compose.yml'), {})).toThrow(
    'set TRUNKLINE_NEGOTIATE_HUBS to',
  );
});

test('secrets are files that git does not see, and the file says how to make each', () => {
  expect(readText('.gitignore').split('\n')).toContain('secrets/');
  for (const [name, { file }] of Object.entries(secrets)) {
    expect(file).toBe(`./secrets/${name}`);
    expect(readText('docker-compose.yml')).toContain(`> secrets/${name}\n`);
    expect(readText('README.md')).toContain(`> secrets/${name}\n`);
  }
});

test('app servers get the edge inside, clients the one outside', () => {
  for (const page of ['docker-compose.yml', 'README.md']) {
    const text = /echo "(.*)" > secrets\/connection-string$/m.exec(readText(page))?.[1] ?? '';
    expect(parseConnectionString(text.replace('$(cat secrets/access-keys)', 'key'))).toMatchObject({
      serverEndpoint: 'http://nginx:8090/',
      clientEndpoint: 'http://localhost:8080/',
      accessKey: 'key',
    });
  }
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
    const stage = readStages().get(targetOf(name)) ?? [];
    const exposed = stage.find((instruction) => instruction.name === 'EXPOSE')?.text.split(' ');
    const checked = new URL(execForm(stage, 'HEALTHCHECK').at(-1) ?? '').port;
    // Those of edges are nginx's.
    const published = ports.length === 0 ? ['8080'] : ports.map((port) => port.replace(/.*:/, ''));
    expect(exposed).toEqual([...new Set([...published, checked])]);
  }
});

test.skipIf(compose === undefined)('docker compose accepts the file (needs docker compose)', () => {
  const options = { cwd: ROOT, env: { ...process.env, ...GIVEN }, encoding: 'utf8' } as const;
  const [command, ...args] = compose!;
  const { status, stderr } = spawnSync(command!, [...args, 'config', '--quiet'], options);
  expect(stderr).toBe('');
  expect(status).toBe(0);
});
