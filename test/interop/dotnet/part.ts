import { execFile, type ExecFileException } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { startProcess, type StartedProcess } from '@trunkline/testing';
import { expect, test } from 'vitest';

import { DOTNET, DOTNET_ENV } from '../../conformance/start-kestrel.ts';

const FOLDER = fileURLToPath(new URL('./', import.meta.url));
/** Where git does not look. */
export const BUILT = `${FOLDER}dist`;

/** Enough to bring every package over a slow line. */
const RESTORE_TIMEOUT_MS = 90_000;
/** Enough to build the SDK, too, on a busy machine. */
export const BUILD_TIMEOUT_MS = 180_000;
const START_TIMEOUT_MS = 30_000;
const RUN_TIMEOUT_MS = 120_000;

const OUTPUT_LIMIT = 64 * 1024 * 1024;

/** A project as some tests want it built. */
export interface Part {
  readonly project:
    | 'BackplaneApp'
    | 'HubApp'
    | 'BlazorApp'
    | 'ClientProgram'
    | 'ManagementProgram'
    | 'Shop';
  /** The folder of this name here when not given. */
  readonly folder?: string;
  /** What sets it apart from other parts of the project, for people and for a folder's name. */
  readonly how: string;
  readonly properties?: Readonly<Record<string, string>>;
}

/** How a program is started, where it is not one of those here, with nothing to be told. */
export interface StartOptions {
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** What it says in front of its URL; `listening ` when not given. */
  readonly saying?: string;
}

/** A program that has said its URL. */
export type StartedApp = StartedProcess<string> & { readonly url: string };

/** A part whose packages are there. It is built before it first runs. */
export class RestoredPart {
  readonly #dotnet: string;
  readonly #part: Part;
  #program: Promise<string> | undefined;

  constructor(dotnet: string, part: Part) {
    this.#dotnet = dotnet;
    this.#part = part;
  }

  /** Waits for the URL. Rejects with what the compiler says, and as `startProcess` does. */
  async start(env: NodeJS.ProcessEnv, options: StartOptions = {}): Promise<StartedApp> {
    const { args = [], cwd = FOLDER, saying = 'listening ' } = options;
    const started = await startProcess(this.#dotnet, [await this.build(), ...args], {
      name: this.#part.project,
      env: { ...DOTNET_ENV, ...env },
      cwd,
      ready: (line) => line.includes(saying) && line.slice(line.indexOf(saying) + saying.length),
      readyTimeout: START_TIMEOUT_MS,
    });
    return { ...started, url: started.ready };
  }

  /** What it writes until it ends. Rejects when that takes too long, or is not with 0. */
  async run(...args: readonly string[]): Promise<string> {
    const program = await this.build();
    return execute(this.#dotnet, [program, ...args], RUN_TIMEOUT_MS);
  }

  /** Resolves with the path of the program, when it is built. Rejects with what the compiler says. */
  build(): Promise<string> {
    this.#program ??= build(this.#dotnet, this.#part);
    return this.#program;
  }
}

/**
 * Defines the tests of a part, or where it cannot be built, for want of `dotnet` or of a package,
 * a single one that is skipped and says why.
 */
export async function withPart(
  part: Part,
  define: (part: RestoredPart) => void | Promise<void>,
): Promise<void> {
  const restored = await restore(part);
  if (typeof restored !== 'string') return define(restored);
  test.skipIf(true)(`${part.project} ${part.how}: ${restored}`, () => expect.unreachable());
}

/** The part, or why it cannot be restored. */
export async function restore(part: Part): Promise<RestoredPart | string> {
  if (DOTNET === undefined) return 'there is no .NET SDK, 8 or later, on the PATH';
  try {
    await execute(DOTNET, ['restore', ...argsOf(part)], RESTORE_TIMEOUT_MS);
    return new RestoredPart(DOTNET, part);
  } catch (error) {
    const problem = problemOf((error as Error).message);
    if (problem === undefined) throw error;
    return problem;
  }
}

const COMPLAINT = /error (NU\d+: \S.*?)(?:\. |\.?$)|^(it took longer than \d+ ms)$/gm;

/** What NuGet complains of, each once, or that it has not ended; nothing where it is our mistake. */
export function problemOf(output: string): string | undefined {
  const complaints = output.matchAll(COMPLAINT);
  const different = new Set(Array.from(complaints, ([, complaint, late]) => complaint ?? late));
  return different.size === 0 ? undefined : [...different].join('; ');
}

/** Gives the path of the program. */
async function build(dotnet: string, part: Part): Promise<string> {
  const args = ['build', ...argsOf(part), '--no-restore', '--configuration=Release'];
  await execute(dotnet, args, BUILD_TIMEOUT_MS);
  return `${artifacts(part)}/bin/${part.project}/release/${part.project}.dll`;
}

function argsOf(part: Part): string[] {
  const properties = Object.entries({ ArtifactsPath: artifacts(part), ...part.properties });
  const own = properties.map(([name, value]) => `${name}=${value}`);
  const all = [...own, process.env['INTEROP_PROPERTIES'] ?? ''].filter((text) => text !== '');
  const folder = part.folder ?? `${FOLDER}${part.project}`;
  return [folder, '--verbosity=quiet', ...all.map((text) => `-p:${text}`)];
}

/** What it writes until it ends. Rejects with that when it takes too long, or ends not with 0. */
async function execute(command: string, args: readonly string[], timeout: number): Promise<string> {
  const options = { env: { ...process.env, ...DOTNET_ENV }, timeout, maxBuffer: OUTPUT_LIMIT };
  try {
    return (await promisify(execFile)(command, args, options)).stdout;
  } catch (error) {
    const { stdout, stderr, killed, message } = error as ExecFileException & Output;
    const late = killed === true ? `it took longer than ${timeout} ms` : message;
    throw new Error(`${stdout}${stderr}\n${late}`.slice(-16_384), { cause: error });
  }
}

interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** Parts do not share what is built: NuGet and MSBuild keep one state for a project and folder. */
function artifacts({ project, how }: Part): string {
  return `${BUILT}/${project} ${how}`.replaceAll(' ', '-');
}
