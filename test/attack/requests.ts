import { userToken } from '../edge/support/tokens.ts';
import { StreamClient } from '../edge/support/request-clients.ts';
import { type Attack, each, every, keepUp, type Target } from './attack.ts';
import { greetingClient, head, Wire } from './wire.ts';

/** Attacks that need no more than requests. */

const MIB = 1024 * 1024;
const POSTERS = 18;
const BODY_BYTES = 8 * MIB;
const SILENT = 1_500;
const SILENT_FILES = 4_096;
const HUBS = 3_000;

/** Paths of clients of one token, to post to. */
async function posters({ url, hub }: Target): Promise<{ token: string; paths: string[] }> {
  const token = userToken(hub, 'attacker');
  const clients = await each(POSTERS, POSTERS, () => StreamClient.connect(url, { hub, token }));
  return { token, paths: clients.map(({ connection }) => connection.path) };
}

const postHead = (path: string, token: string, bytes: number): string =>
  head('POST', path, { Authorization: `Bearer ${token}`, 'Content-Length': `${bytes}` });

const postHeads: Attack = {
  name: 'post-heads',
  what: 'one token posts heads without bodies, 300 a second',
  served: true,
  async prepare(target) {
    const { token, paths } = await posters(target);
    return (signal) =>
      every(1000 / 300, signal, async (index) => {
        const wire = await Wire.open(target.url);
        await wire.send(postHead(paths[index % paths.length]!, token, BODY_BYTES));
      });
  },
};

const largeBodies: Attack = {
  name: 'large-bodies',
  what: `one token has ${POSTERS} posts of 8 MiB under way, each without its last byte`,
  served: true,
  async prepare(target) {
    const { token, paths } = await posters(target);
    const body = Buffer.alloc(BODY_BYTES - 1, 'x');
    return (signal) =>
      keepUp(POSTERS, signal, async (index) => {
        const wire = await Wire.open(target.url);
        await wire.send(postHead(paths[index]!, token, BODY_BYTES));
        await wire.send(body);
        await wire.ended;
      });
  },
};

const negotiates: Attack = {
  name: 'negotiates',
  what: 'one token negotiates as fast as it is answered, on 32 sockets, and never connects',
  served: false,
  async prepare({ url, hub }) {
    const authorization = `Bearer ${userToken(hub, 'attacker')}`;
    const request = head('POST', `/client/negotiate?hub=${hub}&negotiateVersion=1`, {
      Authorization: authorization,
      'Content-Length': '0',
    });
    return (signal) =>
      keepUp(32, signal, async () => {
        const wire = await Wire.open(url);
        while (!signal.aborted && !wire.over) await wire.ask(request);
      });
  },
};

const hubNames: Attack = {
  name: 'hub-names',
  what: `clients of ${HUBS.toLocaleString('en')} hubs that nobody serves`,
  served: false,
  prepare: async ({ url }) => {
    return async (signal) => {
      let hubs = 0;
      await keepUp(32, signal, async () => {
        const wire = await greetingClient({ url, hub: `hub${hubs++ % HUBS}` }, 'attacker');
        wire.close();
      });
    };
  },
};

const silentSockets: Attack = {
  name: 'silent-sockets',
  what: `${SILENT.toLocaleString('en')} sockets that say nothing, at an edge of ${SILENT_FILES.toLocaleString('en')} open files`,
  served: false,
  openFiles: SILENT_FILES,
  prepare: async ({ url }) => {
    return (signal) =>
      keepUp(SILENT, signal, async () => {
        const wire = await Wire.open(url);
        await wire.ended;
      });
  },
};

export const REQUEST_ATTACKS: readonly Attack[] = [
  postHeads,
  largeBodies,
  negotiates,
  hubNames,
  silentSockets,
];
