import type { Authorize } from '../clients/authorization.ts';
import type { HubRoute } from '../clients/host.ts';
import { badOptions } from '../errors.ts';
import type { HubOptions, HubSettings, ServerSettings } from '../options.ts';
import { hubSettings } from '../options.ts';
import { checkOptions } from '../option-tables/check.ts';
import { MAP_OPTIONS } from '../option-tables/tables.ts';
import { protocolsNamed } from '../protocols/index.ts';
import type { HubFilter } from './filters.ts';
import { filterSet } from './filters.ts';
import type { AnyHub, Hub, HubClass, HubType } from './hub.ts';
import { methodTable } from './method-table.ts';
import { warnOfUnlisted } from './unlisted.ts';

export interface MapOptions extends HubOptions {
  /**
   * The hub key: clients and servers of one key belong together, so two paths with one key share
   * their clients. Default: from the path, `live_board` for `/live/board`.
   */
  readonly hub?: string;
  /**
   * Makes the hub objects, a new one for each call and each lifecycle hook, of the class that is
   * mapped. Default: its constructor, without arguments. What it throws fails the call.
   */
  readonly create?: () => AnyHub;
  /** Who may connect. Default: everybody whom negotiate's own handler lets through. */
  readonly authorize?: Authorize;
  /** Around this hub's calls and lifecycle hooks, inside those of the server. */
  readonly filters?: readonly HubFilter[];
}

/** A hub on a path, where `taken` are those of the others. Throws TrunklineError `bad-options`. */
export function hubRoute(
  path: string,
  hubClass: HubType<Hub<never>>,
  options: MapOptions,
  server: ServerSettings,
  taken: readonly string[],
): HubRoute {
  const known = checkedPath(path, taken);
  checkOptions(`server.hub('${path}')`, MAP_OPTIONS, options);
  const { hub: _hub, create, authorize, filters = [], ...own } = options;
  const settings = hubSettings(server.hubOptions, own);
  const methods = methodTable(hubClass);
  warnOfUnlisted(hubClass, methods, server.logger);
  return {
    path: known,
    hubClass,
    create: maker(path, hubClass, create),
    methods,
    filters: filterSet([...server.filters, ...filters]),
    authorize,
    settings,
    protocols: protocolsNamed(settings.supportedProtocols, settings.useBigInt),
  };
}

/** What makes hub objects. Throws TrunklineError `bad-options` when it makes something else. */
function maker(
  path: string,
  hubClass: HubType<Hub<never>>,
  create: MapOptions['create'],
): () => Hub<never> {
  if (create === undefined) return () => new (hubClass as HubClass<never>)();
  return () => {
    const hub = create();
    if (hub instanceof hubClass) return hub;
    throw badOptions(`the option create of '${path}' must answer an object of the mapped class`);
  };
}

function checkedPath(path: string, negotiatePaths: readonly string[]): string {
  if (typeof path !== 'string' || !path.startsWith('/') || /[?#]/.test(path)) {
    throw badOptions(`a hub's path starts with / and has no query, unlike '${path}'`);
  }
  const checked = path.replace(/\/$/, '');
  const negotiatePath = `${checked}/negotiate`.toLowerCase();
  if (negotiatePaths.some((other) => other.toLowerCase() === negotiatePath)) {
    throw badOptions(`'${path}' is mapped twice`);
  }
  return checked;
}

/** What the hub's options ask of the service. */
export function systemClaims(settings: HubSettings) {
  const seconds = Math.round(settings.handshakeTimeout / 1000);
  return {
    handshakeTimeoutSeconds: Math.min(30, Math.max(1, seconds)),
    detailedErrors: settings.enableDetailedErrors,
  };
}
