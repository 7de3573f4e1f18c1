import { readFileSync } from 'node:fs';

import type { TrunklineError } from './errors.ts';
import { badOptions } from './errors.ts';

const VARIABLE = 'TRUNKLINE_CONNECTION_STRING';
/** Names a file that holds what the variable would: a process' variables can be seen by others. */
const FILE_VARIABLE = `${VARIABLE}_FILE`;

/** What has it in its options, or leaves it to the environment. */
interface Named {
  readonly connectionString?: string | undefined;
}

/** As given, or the environment's; empty where neither says. Throws TrunklineError `bad-options`. */
export function namedConnectionString({ connectionString }: Named): string {
  if (connectionString !== undefined) return connectionString;
  const { [VARIABLE]: given = '', [FILE_VARIABLE]: path = '' } = process.env;
  if (path === '') return given;
  if (given === '') return contentOf(path);
  throw badOptions(`both ${VARIABLE} and ${FILE_VARIABLE} are set: give one of them`);
}

/** The same where there must be one. */
export function connectionStringOf(options: Named): string {
  const found = namedConnectionString(options);
  if (found !== '') return found;
  throw noConnectionString();
}

export function noConnectionString(): TrunklineError {
  return badOptions(`give a connectionString, or set ${VARIABLE} or ${FILE_VARIABLE}`);
}

/** Without the line break at its end, which editors leave there. */
function contentOf(path: string): string {
  const text = read(path).replace(/[\r\n]+$/, '');
  if (text !== '') return text;
  throw badOptions(`${FILE_VARIABLE}: ${path} is empty`);
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code = 'unknown error' } = error as { code?: string };
    throw badOptions(`${FILE_VARIABLE}: ${path} cannot be read (${code})`);
  }
}
