import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import type { IHttpConnectionOptions } from '@microsoft/signalr';
import { createManager } from '@trunkline/sdk';
import type { ClientOptions } from '@trunkline/sdk';
import { freePort, startEdge, startProcess } from '@trunkline/testing';
import type { StartedEdge, StartedProcess } from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';

import { Client } from '../../conformance/client.ts';
import { ROOT } from '../npm.ts';

/** The port of the examples; here each run of the tests takes one that is free. */
const PORT = /\b3000\b/g;

export const connectionStringOf = (edge: StartedEdge) =>
  formatConnectionString(edge.url, DEVELOPMENT_ACCESS_KEY);

/** The examples as files of a project that has everything installed, and an edge for them. */
export class Stage {
  readonly folder: string;
  readonly port: number;
  readonly edge: StartedEdge;
  /** The examples that have been run. */
  readonly ran = new Set<string>();

  private constructor(folder: string, port: number, edge: StartedEdge) {
    this.folder = folder;
    this.port = port;
    this.edge = edge;
  }

  static async set(examples: ReadonlyMap<string, string>): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-readme-'));
    const [port, edge] = await Promise.all([freePort(), startEdge()]);
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
    for (const [name, code] of examples) {
      await writeFile(join(folder, name), code.replace(PORT, String(port)));
    }
    return new Stage(folder, port, edge);
  }

  async strike(): Promise<void> {
    await this.edge.stop();
    await rm(this.folder, { recursive: true });
  }

  get url(): string {
    return `http://localhost:${this.port}`;
  }

  /** What the compiler has to say of the examples. */
  async compile(): Promise<string> {
    const compilerOptions = {
      module: 'nodenext',
      target: 'es2023',
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      erasableSyntaxOnly: true,
      verbatimModuleSyntax: true,
      allowImportingTsExtensions: true,
      skipLibCheck: true,
      noEmit: true,
      types: ['node'],
    };
    await writeFile(join(this.folder, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    return new Promise((resolve) => {
      execFile(process.execPath, [tsc], { cwd: this.folder }, (_error, stdout) => resolve(stdout));
    });
  }

  /**
   * Runs an example in a process of its own, which is ready when the example's own statements are
   * through. `then` are more, which have its exports as `example`.
   */
  run(name: string, then = '', env: NodeJS.ProcessEnv = {}): Promise<StartedProcess<string>> {
    this.ran.add(name);
    return this.script(`const example = await import('./${name}');\n${then}`, env);
  }

  /** Runs statements beside the examples; ready when they are through. */
  script(statements: string, env: NodeJS.ProcessEnv = {}): Promise<StartedProcess<string>> {
    const code = `${statements}\nconsole.log('through');`;
    return startProcess(process.execPath, ['--input-type=module', '--eval', code], {
      name: statements,
      cwd: this.folder,
      env: { TRUNKLINE_CONNECTION_STRING: connectionStringOf(this.edge), ...env },
      ready: (line) => line === 'through' && line,
    });
  }

  /** A client that negotiates with the app, or where the whole URL says, with this bearer token. */
  visit(path: string, token: string): Promise<Client> {
    return connect(new URL(path, this.url).href, { accessTokenFactory: () => token });
  }

  /** A client of a hub whose app answers no negotiate. */
  join(hub: string, options: ClientOptions = {}, query = ''): Promise<Client> {
    const manager = createManager({ connectionString: connectionStringOf(this.edge) });
    const { url, accessToken } = manager.hub(hub).negotiate(options);
    return connect(url + query, { accessTokenFactory: () => accessToken });
  }
}

/** What a process has not written yet. */
export function unsaid(running: StartedProcess<unknown>, ...texts: string[]): string[] {
  return texts.filter((text) => !running.output().includes(text));
}

async function connect(url: string, options: IHttpConnectionOptions): Promise<Client> {
  const builder = new HubConnectionBuilder().withUrl(url, options);
  const client = new Client(builder.configureLogging(LogLevel.None).build());
  await client.connection.start();
  return client;
}
