import { type BusEngine, freePort, type StartedEdge, TcpProxy } from '@trunkline/testing';
import { expect, vi } from 'vitest';

import { metric } from '../../edge/support/metrics.ts';
import type { Engine } from '../engines.ts';
import { PATIENCE, Place } from './place.ts';

/** Three edges on an engine of their own; things happen to the engine, or to the third. */
export class Trio implements AsyncDisposable {
  readonly #kind: Engine;
  engine: BusEngine;
  /** Between the engine and the third edge. */
  readonly network: TcpProxy;
  readonly places: readonly [Place, Place, Place];

  static async start(kind: Engine): Promise<Trio> {
    const engine = await kind.start({ port: await freePort() });
    const network = await TcpProxy.start(`http://${engine.host}`);
    const hosts = [engine.host, engine.host, new URL(network.url).host];
    const places = await Promise.all(
      ['a', 'b', 'c'].map((name, at) => Place.start(name, `${kind.scheme}://${hosts[at]}`)),
    );
    const trio = new Trio(kind, engine, network, places as [Place, Place, Place]);
    await trio.knowEachOther();
    return trio;
  }

  private constructor(
    kind: Engine,
    engine: BusEngine,
    network: TcpProxy,
    places: readonly [Place, Place, Place],
  ) {
    this.#kind = kind;
    this.engine = engine;
    this.network = network;
    this.places = places;
  }

  /** The one that things happen to. */
  get third(): Place {
    return this.places[2];
  }

  begin(): void {
    for (const place of this.places) place.begin(this.places.filter((other) => other !== place));
  }

  async end(): Promise<void> {
    await Promise.all(this.places.map((place) => place.end()));
  }

  async knowEachOther(): Promise<void> {
    for (const { edge } of this.places) await knows(edge, this.places.length);
  }

  /** At the same port. */
  async startEngineAgain(): Promise<void> {
    this.engine = await this.#kind.start({ port: this.engine.port });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.engine.thaw();
    await Promise.all(this.places.map((place) => place[Symbol.asyncDispose]()));
    await this.network[Symbol.asyncDispose]();
    await this.engine.stop();
  }
}

/** Waits until an edge knows of so many, itself included. */
async function knows(edge: StartedEdge, members: number): Promise<void> {
  const look = async () => expect(await metric(edge, 'trunkline_cluster_members')).toBe(members);
  await vi.waitFor(look, PATIENCE);
}
