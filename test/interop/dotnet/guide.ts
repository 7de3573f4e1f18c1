import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { BUILT, type Part } from './part.ts';

const DOCS = fileURLToPath(new URL('../../../docs/', import.meta.url));
/** The project that the guide makes. Tests share its programs, so each has its settings to itself. */
const FOLDER = `${BUILT}/guide/Shop`;

export const SHOP: Part = { project: 'Shop', how: 'of the guide', folder: FOLDER };

/** A block of code that is a file: the last words in front of it are its name and a colon. */
const FILE = /`([\w.]+)`:\n\n^( *)```\w+\n(.*?)^\2```$/gms;

/** The files of a page in order, as a reader would save them. */
export async function filesOf(page: string): Promise<[name: string, text: string][]> {
  const text = await readFile(`${DOCS}${page}`, 'utf8');
  return Array.from(text.matchAll(FILE), ([, name, indent, code]) => [
    name!,
    code!.replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
  ]);
}

/** Writes the app of the guide as a project of its own, without the settings of those here. */
export async function writeShop(): Promise<void> {
  await mkdir(FOLDER, { recursive: true });
  await writeFile(`${FOLDER}/Directory.Build.props`, '<Project />');
  for (const [name, text] of await filesOf('aspnet-core.md')) {
    if (!name.endsWith('.json')) await writeFile(`${FOLDER}/${name}`, text);
  }
}

/** A folder to start the app in, with these settings for edges at other addresses. */
export async function settingsFolder(
  name: string,
  settings: string,
  edgeUrls: readonly string[],
): Promise<string> {
  const folder = `${BUILT}/guide/${name}`;
  const ports = edgeUrls.map((url) => new URL(url).port);
  const text = settings.replaceAll(/Port=808(\d)/g, (_, at) => `Port=${ports[Number(at)]}`);
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}/appsettings.json`, text);
  return folder;
}
