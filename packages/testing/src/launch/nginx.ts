import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

import { CERTIFICATE, makeCertificate } from './certificate.ts';
import { findProgram } from '@trunkline/foundation';
import { freePort } from './free-port.ts';
import { startProcess, type StartedProcess } from './process.ts';
import { TcpProxy } from './tcp-proxy.ts';

const GUIDE = new URL('../../../../deploy/proxies/nginx.conf', import.meta.url);

/** The machine's nginx, if it has one; suites that need it are skipped where it has not. */
export const NGINX = findProgram('nginx');

/** Between finding a port free and binding it, somebody else may have taken it. */
const PORTS_TRIED = 3;

/** nginx with TLS in front of an edge and an app. */
export interface StartedNginx extends StartedProcess<true> {
  /** `https://localhost:<port>`, without a slash at its end. */
  readonly url: string;
  /** The authority that vouches for it, in PEM. */
  readonly ca: string;
  /**
   * The way to the app, which may come later, since it is told `url`: set `app.target`. Until then
   * everything but `/client/` is answered with 502.
   */
  readonly app: TcpProxy;
  /** What it logged of the requests that are over. */
  accessLog(): string;
}

/**
 * Starts nginx on a free port of 127.0.0.1 with the guide's own configuration, in which addresses,
 * ports and paths are replaced: `/client/` goes to the edge, everything else to the app.
 *
 *     await using nginx = await startNginx(edge.url);
 *     await using chat = await startChat({ edgeUrl: edge.url, clientUrl: nginx.url });
 *     nginx.app.target = chat.url;
 *
 * Clients must trust `ca`; for all that this process opens from then on:
 * `tls.setDefaultCACertificates([...tls.getCACertificates(), nginx.ca])`.
 * Rejects as `startProcess` does, and also where there is no nginx or no openssl.
 */
export async function startNginx(edgeUrl: string): Promise<StartedNginx> {
  if (NGINX === undefined) throw new Error('there is no nginx on the PATH or in /usr/sbin');
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-nginx-'));
  const app = await TcpProxy.start();
  const clear = async (): Promise<void> => {
    rmSync(folder, { recursive: true });
    await app[Symbol.asyncDispose]();
  };
  try {
    const ca = await makeCertificate(folder);
    const { nginx, port } = await onFreePort(folder, edgeUrl, app.url);
    const exited = nginx.exited.then(async (exit) => {
      await clear();
      return exit;
    });
    const stop: StartedNginx['stop'] = async () => {
      await nginx.stop();
      return exited;
    };
    return {
      ...nginx,
      url: `https://localhost:${port}`,
      ca,
      app,
      accessLog: () => readFileSync(join(folder, 'trunkline.log'), 'utf8'),
      exited,
      stop,
      [Symbol.asyncDispose]: async () => void (await stop()),
    };
  } catch (error) {
    await clear();
    throw error;
  }
}

interface Running {
  readonly nginx: StartedProcess<true>;
  readonly port: number;
}

/** nginx does not choose a port by itself: it is told one that is free. */
async function onFreePort(
  folder: string,
  edgeUrl: string,
  appUrl: string,
  tries = PORTS_TRIED,
): Promise<Running> {
  const port = await freePort();
  writeFileSync(join(folder, 'trunkline.conf'), guide({ port, folder, edgeUrl, appUrl }));
  writeFileSync(join(folder, 'nginx.conf'), surroundings());
  try {
    const nginx = await startProcess(NGINX!, ['-e', 'stderr', '-p', folder, '-c', 'nginx.conf'], {
      name: 'nginx',
      ready: (line) => line.includes('start worker process '),
    });
    return { nginx, port };
  } catch (error) {
    const taken = (error as Error).message.includes('Address already in use');
    if (!taken || tries === 1) throw error;
    return onFreePort(folder, edgeUrl, appUrl, tries - 1);
  }
}

interface Places {
  readonly port: number;
  readonly folder: string;
  readonly edgeUrl: string;
  readonly appUrl: string;
}

/** The guide's configuration for this machine. Throws when it no longer has what is replaced. */
function guide({ port, folder, edgeUrl, appUrl }: Places): string {
  const replacements = [
    ['listen 443 ', `listen 127.0.0.1:${port} `],
    ['127.0.0.1:8080', new URL(edgeUrl).host],
    ['127.0.0.1:3000', new URL(appUrl).host],
    ['/etc/ssl/certs/live.example.com.pem', join(folder, CERTIFICATE.cert)],
    ['/etc/ssl/private/live.example.com.key', join(folder, CERTIFICATE.key)],
    ['/var/log/nginx/', `${folder}/`],
  ] as const;
  return replacements.reduce(
    (text, [from, to]) => {
      if (!text.includes(from)) throw new Error(`deploy/proxies/nginx.conf does not have ${from}`);
      return text.replace(from, () => to);
    },
    readFileSync(GUIDE, 'utf8'),
  );
}

/** What a distribution's own nginx.conf has around the guide's, but all of it in our folder. */
function surroundings(): string {
  const { uid, username } = userInfo();
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `
daemon off;
pid nginx.pid;
error_log stderr notice;
# Root's workers would be somebody else, who may not enter the folder.
${uid === 0 ? `user ${username};` : ''}
events { worker_connections 4096; }
http {
  ${kinds.map((kind) => `${kind}_temp_path ${kind};`).join('\n  ')}
  include trunkline.conf;
}
`;
}
