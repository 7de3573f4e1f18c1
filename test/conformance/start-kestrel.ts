import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { findProgram } from '@trunkline/foundation';
import { startProcess } from '@trunkline/testing';

import { type AppServer, controlAt } from './start-app-server.ts';

const FOLDER = fileURLToPath(new URL('./kestrel/', import.meta.url));
/** Where Directory.Build.props has everything that is built. */
const BUILT = `${FOLDER}dist`;
const PROGRAM = `${BUILT}/bin/ConformanceServer/release/ConformanceServer.dll`;

const BUILD_TIMEOUT_MS = 180_000;
const OLDEST_SDK = 8;

/** What `dotnet` would else say, send, write to the home folder, or leave running behind it. */
export const DOTNET_ENV = {
  DOTNET_CLI_HOME: BUILT,
  DOTNET_CLI_TELEMETRY_OPTOUT: '1',
  DOTNET_CLI_USE_MSBUILD_SERVER: '0',
  DOTNET_GENERATE_ASPNET_CERTIFICATE: 'false',
  DOTNET_NOLOGO: '1',
  MSBUILDDISABLENODEREUSE: '1',
  UseSharedCompilation: 'false',
  // A package source that is out of reach is asked twice, not six times.
  NUGET_ENABLE_ENHANCED_HTTP_RETRY: 'true',
  NUGET_ENHANCED_MAX_NETWORK_TRY_COUNT: '2',
};

/** The machine's `dotnet`, if it has the SDK in a version that serves, 8 or later. */
export const DOTNET = findSdk();

function findSdk(): string | undefined {
  const dotnet = findProgram('dotnet');
  if (dotnet === undefined) return undefined;
  // A machine with the runtime alone has a `dotnet` that fails here.
  const env = { ...process.env, ...DOTNET_ENV };
  const { stdout } = spawnSync(dotnet, ['--version'], { encoding: 'utf8', env, timeout: 30_000 });
  return Number.parseInt(stdout, 10) >= OLDEST_SDK ? dotnet : undefined;
}

let built: Promise<unknown> | undefined;

/** Rejects, with what the compiler says, when that fails or takes longer than three minutes. */
async function build(dotnet: string): Promise<void> {
  const options = { env: { ...process.env, ...DOTNET_ENV }, timeout: BUILD_TIMEOUT_MS };
  try {
    await promisify(execFile)(dotnet, ['build', FOLDER, '-c=Release', '-v=quiet'], options);
  } catch (error) {
    const { message, stdout } = error as Error & { stdout: string };
    throw new Error(`${message}\n${stdout.slice(-4096)}`, { cause: error });
  }
}

/**
 * Starts the control of the conformance tests: the same hubs in C#, on ASP.NET Core's own SignalR.
 * Builds it before the first start. Rejects as `startProcess` does, and also without `DOTNET`.
 */
export async function startKestrel(notesUrl: string): Promise<AppServer> {
  if (DOTNET === undefined) throw new Error('there is no .NET SDK, 8 or later, on the PATH');
  built ??= build(DOTNET);
  await built;
  const server = await startProcess(DOTNET, [PROGRAM], {
    name: 'Kestrel',
    env: { ...DOTNET_ENV, NOTES_URL: notesUrl },
    ready: (line) => line.startsWith('connected ') && line.slice('connected '.length),
  });
  const url = server.ready;
  return {
    ...server,
    url,
    edgeUrl: undefined,
    clientUrl: url,
    prefix: '',
    control: controlAt(url),
  };
}
