// The first thing that runs on a fresh clone: plain JavaScript for any Node from 20 on, with nothing
// installed. Installs what is missing, builds, then runs a task with the Node that is pinned.
//
//   node scripts/bootstrap.mjs <start|serverless|test|conformance|sim|bench|scale|ordeal|soak|fuzz|guides|attack> [arguments of the task]

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { endWithNpm } from './end-with-npm.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const BIN = join(ROOT, 'node_modules', '.bin');
const TASKS = {
  start: ['scripts/start.ts'],
  serverless: ['scripts/serverless.ts'],
  test: ['node_modules/vitest/vitest.mjs', 'run'],
  conformance: [
    'node_modules/vitest/vitest.mjs',
    'run',
    '--config=test/conformance/vitest.config.ts',
  ],
  sim: ['test/sim/main.ts'],
  bench: ['test/bench/main.ts'],
  scale: ['test/scale/main.ts'],
  ordeal: ['test/ordeal/main.ts'],
  soak: ['test/soak/main.ts'],
  fuzz: ['test/fuzz/main.ts'],
  guides: ['test/guides/next.ts'],
  attack: ['test/attack/main.ts'],
};

const [task, ...rest] = process.argv.slice(2);
const script = TASKS[task];
if (script === undefined)
  fail(`unknown task '${task}': give one of ${Object.keys(TASKS).join(', ')}`);
if (Number.parseInt(process.versions.node, 10) < 20) {
  fail(`Node ${process.versions.node} is too old: use 20 or later`);
}
process.chdir(ROOT);
if (!isInstalled()) {
  console.error('Installing packages (once, about half a minute) ...');
  run(process.execPath, [npmCli(), 'ci', '--no-audit', '--no-fund']);
}
// Node 22 comes with the packages; it must be first on the PATH of everything below.
process.env.PATH = BIN + delimiter + process.env.PATH;
// Every process below loads the same code: the second one need not compile it again.
process.env.NODE_COMPILE_CACHE ??= join(ROOT, 'node_modules', '.cache', 'node-compile');
const node = pinnedNode();
run(node, ['node_modules/typescript/bin/tsc', '-b']);
run(node, ['services/bundle.mjs']);
hand(node, [...script, ...rest]);

/** Whether node_modules holds what the lockfile asks for, optional packages aside. */
function isInstalled() {
  const hidden = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(hidden)) return false;
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const there = JSON.parse(readFileSync(hidden, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || optional === true || there[path]?.version === version,
  );
}

function npmCli() {
  const cli = process.env.npm_execpath;
  if (cli === undefined || !cli.endsWith('.js')) fail('run this through npm: npm start, npm test');
  return cli;
}

/** Systems that the pinned Node does not exist for use the one they have. */
function pinnedNode() {
  const names = process.platform === 'win32' ? ['node.cmd', 'node.exe'] : ['node'];
  const found = names.map((name) => join(BIN, name)).find((path) => existsSync(path));
  return found ?? process.execPath;
}

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error !== undefined) fail(error.message);
  if (status !== 0) process.exit(status ?? 1);
}

/** Becomes the task: same terminal, same signals, same exit code. */
function hand(command, args) {
  // The channel tells what runs on and on when this process is gone, however it went.
  const channel = task === 'start' || task === 'serverless' ? ['ipc'] : [];
  const child = spawn(command, args, { stdio: ['inherit', 'inherit', 'inherit', ...channel] });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => child.kill(signal));
  }
  // As the processes below do: they would open the debugger, and end this process.
  for (const signal of ['SIGUSR1', 'SIGUSR2']) process.on(signal, () => {});
  endWithNpm();
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 1));
  child.on('error', (error) => fail(error.message));
}

function fail(message) {
  console.error(`trunkline: ${message}`);
  process.exit(1);
}
