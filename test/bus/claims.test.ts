import {
  DefaultHttpClient,
  type HttpRequest,
  HttpTransportType,
  type HttpResponse,
  NullLogger,
} from '@microsoft/signalr';
import type { BusEngine } from '@trunkline/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { metric } from '../edge/support/metrics.ts';
import { knows, NATS_ENGINE } from './engines.ts';
import { connectTo, type Place, startPlace } from './place.ts';

/** Sends what is for one address to another one. */
class Rerouted extends DefaultHttpClient {
  readonly #from: string;
  readonly #to: string;

  constructor(from: string, to: string) {
    super(NullLogger.instance);
    this.#from = from;
    this.#to = to;
  }

  override send(request: HttpRequest): Promise<HttpResponse> {
    return super.send({ ...request, url: request.url!.replace(this.#from, this.#to) });
  }
}

describe.skipIf(!NATS_ENGINE.isHere)(
  'the official client, which negotiates at one edge and connects at another (needs nats-server)',
  () => {
    let engine: BusEngine;
    let home: Place;
    let owner: Place;

    beforeAll(async () => {
      engine = await NATS_ENGINE.start();
      const bus = `${NATS_ENGINE.scheme}://${engine.host}`;
      [home, owner] = await Promise.all([startPlace(bus), startPlace(bus)]);
      for (const { edge } of [home, owner]) await knows(edge, 2);
    });
    afterAll(async () => {
      for (const place of [home, owner]) await place[Symbol.asyncDispose]();
      await engine.stop();
    });

    /** As a load balancer that does not stick sends it: requests to one edge, the WebSocket to the other. */
    const connect = () =>
      connectTo(owner, 'ann', {
        transport: HttpTransportType.WebSockets,
        httpClient: new Rerouted(owner.edge.url, home.edge.url),
      });

    it('is found by app servers at both', async () => {
      const { connection, closed, told, id } = await connect();
      expect(connection.connectionId).toBe(id);
      for (const [n, { desk }] of [home, owner, home, owner].entries()) {
        await desk.groups.add(id, `group ${n}`);
        await desk.clients.group(`group ${n}`).told(`group ${n}`);
        await desk.clients.client(id).told(`${n}`);
        await expect.poll(() => told).toContain(`${n}`);
        expect(await desk.connectionExists(id)).toBe(true);
        expect(await desk.clients.client(id).invoke().add(n, 1)).toBe(n + 1);
      }
      expect(told).toEqual([0, 1, 2, 3].flatMap((n) => [`group ${n}`, `${n}`]));
      expect(
        await metric(owner.edge, 'trunkline_cluster_claims_total', { outcome: 'granted' }),
      ).toBe(1);
      const atHome = { hub: 'desk', transport: 'webSockets' };
      expect(await metric(home.edge, 'trunkline_client_connections', atHome)).toBe(0);
      await connection.stop();
      await closed;
      for (const { desk } of [home, owner]) {
        await expect.poll(() => desk.connectionExists(id)).toBe(false);
      }
    });

    it('is in order: what one app server sends arrives as it was sent, and once', async () => {
      const { connection, told, id } = await connect();
      const all = Array.from({ length: 500 }, (_, n) => `${n}`);
      for (const text of all) void home.desk.clients.client(id).told(text);
      await expect.poll(() => told.length, { timeout: 10_000 }).toBe(all.length);
      expect(told).toEqual(all);
      await connection.stop();
    });
  },
);
