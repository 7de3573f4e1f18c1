import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePort, NATS, startNats } from '@trunkline/testing';
import { describe, expect, onTestFinished, test } from 'vitest';

import { makeNatsAccount } from '../../services/edge/src/bus/nats-account.test-support.ts';
import { holdsOnEngine } from './engine-suite.ts';
import { EngineMember, type Settings } from './member.ts';

const why = /authorization violation/i;

describe.skipIf(NATS === undefined)('NATS (needs nats-server)', () => {
  holdsOnEngine({
    scheme: 'nats',
    start: startNats,
    logins: {
      'user and password': {
        config: 'authorization { user: edges, password: "p@ss word" }',
        right: 'edges:p%40ss%20word',
        wrong: 'edges:guessed',
        why,
      },
      'a token': {
        config: 'authorization { token: "s3cret" }',
        right: 's3cret',
        wrong: 'gu3ssed',
        why,
      },
    },
    denied: {
      config: `authorization { users: [{
        user: edges, password: pass, permissions: { subscribe: "other.>", publish: ">" }
      }] }`,
      right: 'edges:pass',
      wrong: '',
      why: /permissions violation for subscription to "trunkline\.test\./i,
    },
    tls: {
      scheme: 'tls',
      configOf: (folder, port) => `
        listen: "127.0.0.1:${port}"
        tls { cert_file: "${folder}/cert.pem", key_file: "${folder}/key.pem" }`,
    },
  });

  async function enter(settings: Settings, edgeId = 'a'): Promise<EngineMember> {
    const member = await EngineMember.join(edgeId, settings);
    onTestFinished(() => member.bus.close());
    return member;
  }
  const isUp = (member: EngineMember): Promise<void> =>
    expect.poll(() => member.isUp, { timeout: 5_000, interval: 5 }).toBe(true);

  test('by a credentials file', async () => {
    const { config, credentials } = makeNatsAccount();
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-bus-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const busCredentials = join(folder, 'user.creds');
    writeFileSync(busCredentials, credentials);
    await using engine = await startNats({ config });
    const bus = `nats://${engine.host}`;
    await isUp(await enter({ bus, busCredentials }));
    const stranger = await enter({ bus });
    await expect.poll(() => stranger.lines.length).toBe(1);
    expect(stranger.lines[0]!['why']).toMatch(why);
  });

  test('a server that takes less than a batch is refused, with one clear line', async () => {
    await using engine = await startNats({ config: 'max_payload: 100KB' });
    const member = await enter({ bus: `nats://${engine.host}` });
    await expect.poll(() => member.lines.length).toBe(1);
    expect(member.lines[0]).toMatchObject({
      msg: 'bus not reached: trying again',
      why: "the server's max_payload is 102400, and edges need 524288",
    });
    expect(member.isUp).toBe(false);
  });

  test('of several servers, edges use one that is there', async () => {
    const routes = [await freePort(), await freePort()];
    const clustered = (own: number, other: number): string => `
      cluster { name: c, listen: "127.0.0.1:${own}", routes: ["nats://127.0.0.1:${other}"] }`;
    await using one = await startNats({ config: clustered(routes[0]!, routes[1]!) });
    await using two = await startNats({ config: clustered(routes[1]!, routes[0]!) });
    const bus = `nats://${one.host},nats://${two.host}`;
    const members = [];
    for (const id of ['a', 'b', 'c', 'd']) members.push(await enter({ bus }, id));
    const [a, b] = members as [EngineMember, EngineMember];
    await Promise.all(members.map(isUp));
    await one.kill();
    await Promise.all(members.map(isUp));
    await b.subscribe('s');
    // Whoever was at the one that is gone says so once it is back.
    await expect.poll(() => (a.publish('s', 'x'), b.messages)).toContain('s x');
    expect(a.lines[0]).toMatchObject({ bus, msg: 'bus joined' });
  });
});
