import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FENCED = /^```tsx?\n\/\/ ([\w./[\]-]+)\n(.*?)^```$/gms;

export interface Outcome {
  readonly code: number;
  readonly output: string;
}

/** Writes the programs of a guide into a folder, under the paths that they begin with. */
export async function writePrograms(name: string, folder: string): Promise<void> {
  const page = await readFile(join(ROOT, 'docs', 'guides', name), 'utf8');
  for (const [, path = '', code = ''] of page.matchAll(FENCED)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, code);
  }
}

/** The programs of a guide as files of a project that has everything installed. */
export class Guide implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async of(name: string): Promise<Guide> {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-guide-'));
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    await writePrograms(name, folder);
    return new Guide(folder);
  }

  /** Runs Node in the project, to its end. */
  node(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    return new Promise((resolve) => {
      const options = { cwd: this.folder, env: { ...process.env, ...env } };
      execFile(process.execPath, args, options, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
      });
    });
  }

  /** What the compiler has to say of the programs. */
  async compile(): Promise<string> {
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2023',
      lib: ['es2023', 'esnext.disposable'],
      strict: true,
      allowImportingTsExtensions: true,
      noEmit: true,
      skipLibCheck: true,
      types: ['node'],
    };
    await writeFile(join(this.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    return (await this.node([join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')])).output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true });
  }
}
