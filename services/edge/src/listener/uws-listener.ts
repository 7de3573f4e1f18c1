import type * as uws from 'uWebSockets.js';
import type { TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import { SettingsError } from '@trunkline/settings';
import type { Doors, Listener } from '../ports/listener.ts';
import { routes, type RouteSettings } from './uws-routes.ts';

/** A legal token has 4,096 characters and rides in the URL, beside the original query and headers. */
const MAX_HEADERS_BYTES = '32768';

export interface ListenerSettings extends RouteSettings {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Whether others that share it too may listen on the port: the system gives each its part of what comes. */
  readonly sharesPort: boolean;
  /** Paths of PEM files. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
}

type Uws = typeof uws;

/**
 * Binds the public port. Requests are copied before anything is done with them, since
 * uWebSockets.js takes them back when a handler returns; sockets are its own objects.
 * Rejects with one line when the address is taken or the native module does not load.
 */
export async function listen(settings: ListenerSettings, doors: Doors): Promise<Listener> {
  const module = await loadUws();
  const app = settings.tls === undefined ? module.App() : secureApp(module, settings.tls);
  routes(app, settings, doors);
  const socket = await bind(app, settings);
  return {
    port: module.us_socket_local_port(socket),
    stopListening: () => module.us_listen_socket_close(socket),
    close: () => void app.close(),
  };
}

/** Its limits are read when the module is loaded, so they are set here, first of all. */
async function loadUws(): Promise<Uws> {
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= MAX_HEADERS_BYTES;
  let module: Uws;
  try {
    module = await import('uWebSockets.js');
  } catch {
    throw new SettingsError(
      `uWebSockets.js has no binary for Node ${process.versions.node} on ${process.platform}-${process.arch}: ` +
        'use Node 20 or 22 (npm run does by itself), or install an upstream build: ' +
        'npm install uWebSockets.js@uNetworking/uWebSockets.js#<version>',
    );
  }
  // No answer says which library it is from. The types do not know this switch.
  (module as unknown as { _cfg(key: string): void })._cfg('silent');
  return module;
}

/** The module itself does not say which file it could not use. */
function secureApp(module: Uws, { cert, key }: { cert: string; key: string }): TemplatedApp {
  try {
    return module.SSLApp({ cert_file_name: cert, key_file_name: key });
  } catch {
    throw new SettingsError(
      `cannot serve TLS with ${cert} and ${key}: give a PEM certificate and the key it was made for`,
    );
  }
}

/** The module takes options beside a host too; its types only know them beside a port. */
type ListenOn = (
  host: string,
  port: number,
  options: number,
  done: (socket: us_listen_socket | false) => void,
) => TemplatedApp;

/** LIBUS_LISTEN_DEFAULT, with which edges that were not meant to would share a port, and take turns. */
const SHARED = 0;
/** LIBUS_LISTEN_EXCLUSIVE_PORT. */
const EXCLUSIVE = 1;
const IN_USE = 'it is in use, or not an address of this machine; choose another --port or --host';

function bind(app: TemplatedApp, settings: ListenerSettings): Promise<us_listen_socket> {
  const { host, port, sharesPort } = settings;
  const listenOn = app.listen.bind(app) as unknown as ListenOn;
  return new Promise((resolve, reject) => {
    listenOn(host, port, sharesPort ? SHARED : EXCLUSIVE, (socket) => {
      if (socket) resolve(socket);
      else reject(new SettingsError(`cannot listen on ${host} port ${port}: ${IN_USE}`));
    });
  });
}
