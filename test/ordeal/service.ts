import { fileURLToPath } from 'node:url';

import {
  askProcess,
  type BusEngine,
  deadline,
  freePort,
  startEdge,
  type StartedEdge,
  startProcess,
  type StartedProcess,
} from '@trunkline/testing';
import { DEVELOPMENT_ACCESS_KEY, formatConnectionString } from '@trunkline/tokens';

import { knows, NATS_ENGINE } from '../bus/engines.ts';
import type { Target } from './balancer.ts';

const BALANCER = fileURLToPath(new URL('./balancer.ts', import.meta.url));
const APP = fileURLToPath(new URL('./app-server.ts', import.meta.url));
/** A balancer needs two open files for each connection, more than one has for all. */
const BALANCERS = 2;
const ANSWER_MS = 60_000;
const DRAIN_SECONDS = 30;
/** For an edge that drains, and for an app server. */
const STOP_MS = 60_000;

/** Edges on NATS behind load balancers, and app servers that dial one of these. */
export class Service implements AsyncDisposable {
  readonly #engine: BusEngine;
  readonly #balancers: readonly StartedProcess<string>[];
  /** The arguments of each edge: it comes back at the same ports. */
  readonly #args: readonly (readonly string[])[];
  /** Between two messages of an app server to the same group, in milliseconds. */
  readonly #paceMs: number;
  readonly edges: StartedEdge[];
  readonly apps: StartedProcess<true>[] = [];
  #rolls = 0;

  static async start(edges: number, apps: number, paceMs: number): Promise<Service> {
    const engine = await NATS_ENGINE.start();
    const args: string[][] = [];
    for (let edge = 0; edge < edges; edge++) {
      const bus = `${NATS_ENGINE.scheme}://${engine.host}`;
      const ports = ['--port', `${await freePort()}`, '--admin-port', `${await freePort()}`];
      const drain = ['--drain-timeout', `${DRAIN_SECONDS}`];
      args.push(['--bus', bus, '--edge-id', `edge-${edge + 1}`, ...drain, ...ports]);
    }
    const started = await Promise.all(args.map((one) => startEdge({ args: one })));
    for (const edge of started) await knows(edge, edges);
    const balancers = await Promise.all(
      Array.from({ length: BALANCERS }, () => startBalancer(started)),
    );
    const service = new Service(engine, balancers, args, started, paceMs);
    for (let app = 0; app < apps; app++) await service.startApp(app);
    return service;
  }

  private constructor(
    engine: BusEngine,
    balancers: readonly StartedProcess<string>[],
    args: readonly (readonly string[])[],
    edges: StartedEdge[],
    paceMs: number,
  ) {
    this.#engine = engine;
    this.#balancers = balancers;
    this.#args = args;
    this.edges = edges;
    this.#paceMs = paceMs;
  }

  /** Where clients and app servers come in: all lead to the same. */
  get urls(): string[] {
    return this.#balancers.map(({ ready }) => `http://127.0.0.1:${ready}`);
  }

  async killEdge(at: number): Promise<void> {
    this.edges[at]!.child.kill('SIGKILL');
    await this.edges[at]!.exited;
  }

  /** SIGTERM, as an orchestrator ends it: it drains first. */
  stopEdge(at: number): Promise<void> {
    return stop(this.edges[at]!, 'an edge');
  }

  async startEdge(at: number): Promise<void> {
    this.edges[at] = await startEdge({ args: this.#args[at]! });
    for (const edge of this.edges) await knows(edge, this.edges.length);
  }

  async startApp(at: number): Promise<void> {
    const args = [APP, '--name', `app-${at + 1}`, '--pace', `${this.#paceMs}`];
    this.apps[at] = await startProcess(process.execPath, args, {
      name: 'app server',
      ipc: true,
      env: {
        TRUNKLINE_CONNECTION_STRING: formatConnectionString(this.urls[0]!, DEVELOPMENT_ACCESS_KEY),
      },
      ready: (line) => line === 'serving' || undefined,
    });
  }

  stopApp(at: number): Promise<void> {
    return stop(this.apps[at]!, 'an app server');
  }

  /** A message to each group, by the first app server; answers its number. */
  callRoll(): Promise<number> {
    return askProcess(this.apps[0]!, ++this.#rolls, ANSWER_MS, 'the roll was not called');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of [...this.apps, ...this.edges]) child.kill('SIGKILL');
    await Promise.all([...this.apps, ...this.edges].map(({ exited }) => exited));
    await Promise.all(this.#balancers.map((balancer) => balancer.stop()));
    await this.#engine.stop();
  }
}

function startBalancer(edges: readonly StartedEdge[]): Promise<StartedProcess<string>> {
  const targets = edges.map(({ url, adminUrl }): Target => ({
    port: Number(new URL(url).port),
    adminUrl,
  }));
  return startProcess(process.execPath, [BALANCER, JSON.stringify(targets)], {
    name: 'load balancer',
    ready: (line) => /^listening on (\d+)$/.exec(line)?.[1],
  });
}

async function stop({ child, exited }: StartedProcess<unknown>, name: string): Promise<void> {
  child.kill('SIGTERM');
  await deadline(exited, STOP_MS, `${name} has not ended ${STOP_MS / 1000} s after SIGTERM`);
}
