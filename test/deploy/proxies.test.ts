import { readdirSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { readText, ROOT } from './deploy-files.ts';

const FILES = readdirSync(`${ROOT}deploy/proxies`);
const YAML = FILES.filter((name) => /\.ya?ml$/.test(name));

test('the guide links every file, and no other', () => {
  const links = [...readText('docs/proxies.md').matchAll(/\]\(\.\.\/deploy\/proxies\/([^)]+)\)/g)];
  expect(new Set(links.map(([, name]) => name))).toEqual(new Set(FILES));
});

describe.each(YAML)('%s', (name) => {
  test('is YAML, each document an object', () => {
    const documents = parseAllDocuments(readText(`deploy/proxies/${name}`));
    expect(documents.map(({ errors, warnings }) => [...errors, ...warnings]).flat()).toEqual([]);
    for (const document of documents) expect(document.toJS()).toBeTypeOf('object');
  });
});

/** Traefik's other file says how it listens. */
describe.each(FILES.filter((name) => name !== 'traefik.yml'))('%s', (name) => {
  const settings = readText(`deploy/proxies/${name}`).replaceAll(/#.*/g, '');

  test('sends /client/ to the edge and the rest to the app', () => {
    expect(settings).toContain('/client/');
    expect(settings).toMatch(/\b8080\b/);
    expect(settings).toMatch(/\b3000\b/);
  });

  test('keeps the other doors of the edge inside, and pins nobody', () => {
    expect(settings).not.toMatch(/\/(?:server|api)\/(?!health)|\b9464\b/);
    expect(settings).not.toMatch(/sticky|affinity|ip_hash|insert\b|cookie/i);
  });
});
