import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const GENERATED = new Set(['node_modules', 'dist', 'test-results']);
const exclude = (name: string): boolean => GENERATED.has(name);
const FILES = ['{*,.*}', '{docs,deploy,packages,samples,scripts,services,test}/**/*']
  .flatMap((pattern) => globSync(pattern, { cwd: ROOT, exclude }))
  .map((path) => `/${path}`);
const PAGES = FILES.filter((path) => path.endsWith('.md')).map((path) => path.slice(1));

/** Files of the reader's own that pages name: an ASP.NET Core app's settings. */
const READERS = new Set(['appsettings.json', 'instrumentation.ts', 'hubs/server.ts']);

const read = (page: string): string => readFileSync(join(ROOT, page), 'utf8');

/** A page without its blocks of code, which are programs and output rather than words about us. */
const prose = (page: string): string => read(page).replaceAll(/^```.*?^```$/gms, '');

/** What a heading's link ends in, as GitHub makes it. */
function anchors(page: string): string[] {
  const headings = [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, text]) => text!);
  return headings.map((text) =>
    text
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** The relative links of a page that lead nowhere. */
function brokenLinks(page: string): string[] {
  const links = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link!);
  return links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = '', anchor] = link.split('#');
    const target = path === '' ? page : join(dirname(page), path);
    if (!existsSync(join(ROOT, target))) return true;
    return anchor !== undefined && !anchors(target).includes(anchor);
  });
}

/** The files and folders named in backticks that are not in the repository, at any depth. */
function missingPaths(page: string): string[] {
  const words = [...prose(page).matchAll(/`([\w@.-]+(?:\/[\w@.-]+)*\/?)`/g)].map(
    ([, word]) => word!,
  );
  const paths = words.filter((word) =>
    /\/$|\.(?:ts|mjs|js|json|ya?ml|md|svg|png|html)$/.test(word),
  );
  return paths.filter((path) => {
    if (READERS.has(path)) return false;
    const part = `/${path}`;
    const there = (file: string): boolean =>
      path.endsWith('/') ? file.includes(part) : file.endsWith(part);
    return !FILES.some(there);
  });
}

/** The npm scripts that a page tells to run and package.json does not have. */
function unknownScripts(page: string): string[] {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
  const named = [...read(page).matchAll(/\bnpm (?:run )?(start|test|(?<=run )[\w:-]+)/g)];
  return named.map(([, name]) => name!).filter((name) => scripts[name] === undefined);
}

test('there are pages', () => {
  expect(PAGES).toContain('README.md');
  expect(PAGES).toContain('docs/operators.md');
});

describe.each(PAGES)('%s', (page) => {
  test('links to what there is', () => {
    expect(brokenLinks(page)).toEqual([]);
  });

  test('names files that there are', () => {
    expect(missingPaths(page)).toEqual([]);
  });

  test('names scripts that there are', () => {
    expect(unknownScripts(page)).toEqual([]);
  });
});
