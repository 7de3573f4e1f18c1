import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { ROOT } from '../npm.ts';

const README = join(ROOT, 'packages', 'sdk', 'README.md');
const FENCED = /^```(\w*)\n(.*?)^```$/gms;
const FIRST_LINE = /^\/\/ ([\w-]+\.ts)\b/;
const IMPORTED = /(?:from|import\() ?'\.\/([\w-]+\.ts)'/g;

/** Examples that are a hub, which an app has to map, with the name of the class. */
export const HUB_EXAMPLES = {
  'room.ts': 'Room',
  'moderated.ts': 'Moderated',
  'asking.ts': 'Asking',
  'numbers.ts': 'Numbers',
  'reports.ts': 'Reports',
};

/**
 * The TypeScript of the SDK's README by the file name in the first line of each block. Throws for a
 * block without one, and for a name that comes twice.
 */
export async function readExamples(): Promise<Map<string, string>> {
  const examples = new Map<string, string>();
  for (const [, language, code = ''] of (await readFile(README, 'utf8')).matchAll(FENCED)) {
    if (language === 'sh') continue;
    const name = FIRST_LINE.exec(code)?.[1];
    if (language !== 'ts' || name === undefined || examples.has(name)) {
      throw new Error(`an example of the README needs a file name of its own:\n${code}`);
    }
    examples.set(name, code);
  }
  return examples;
}

/** The examples that an example imports. */
export function importsOf(code: string): string[] {
  return [...code.matchAll(IMPORTED)].map(([, name]) => name!);
}
