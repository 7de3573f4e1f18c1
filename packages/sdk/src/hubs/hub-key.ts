import { HUB_NAME, HUB_NAME_RULE } from '@trunkline/protocol';

import { badOptions } from '../errors.ts';
import type { Hub, HubType } from './hub.ts';

/** As the .NET package has it (service protocol reference, section 1.2). */
const APPLICATION_NAME = /^[a-zA-Z][a-zA-Z0-9_]*$/;

interface Mapping {
  readonly path: string;
  readonly hubClass: HubType<Hub<never>>;
  /** Whether the app has said the key, rather than leaving it to the path. */
  readonly said: boolean;
}

/** The hub keys of one server: which mapping has which, and that none is shared by chance. */
export class HubKeys {
  readonly #applicationName: string | undefined;
  readonly #mappings = new Map<string, Mapping>();

  /** Throws TrunklineError `bad-options` for a name that no application can have. */
  constructor(applicationName: string | undefined) {
    this.#applicationName = checkedApplicationName(applicationName);
  }

  /**
   * The key of a hub on `path`: `hub`, or else the path with `_` for its inner slashes, in lower case
   * behind the name of the application. Throws TrunklineError `bad-options` for a name that no hub
   * can have, for a key that another class has, and for one that two paths of one class come to
   * without saying so.
   */
  claim(path: string, hubClass: HubType<Hub<never>>, hub: string | undefined): string {
    const key = hubKey(hub ?? nameOf(path), this.#applicationName);
    if (key === undefined) throw badOptions(noName(path, hub, this.#applicationName));
    const mapping = { path, hubClass, said: hub !== undefined };
    const other = this.#mappings.get(key);
    if (other === undefined) this.#mappings.set(key, mapping);
    else requireShared(key, mapping, other);
    return key;
  }
}

/** The key for a hub's name in an application; undefined where that is no name of a hub. */
export function hubKey(name: string, applicationName: string | undefined): string | undefined {
  const full = applicationName === undefined ? name : `${applicationName}_${name}`;
  return HUB_NAME.test(name) && HUB_NAME.test(full) ? full.toLowerCase() : undefined;
}

/** As given. Throws TrunklineError `bad-options` for a name that no application can have. */
export function checkedApplicationName(name: string | undefined): string | undefined {
  if (name === undefined || APPLICATION_NAME.test(name)) return name;
  throw badOptions(
    `applicationName takes a letter and then letters, digits and '_', unlike '${name}'`,
  );
}

function nameOf(path: string): string {
  return path.slice(1).replaceAll('/', '_');
}

function noName(path: string, hub: string | undefined, application: string | undefined): string {
  const behind = application === undefined ? '' : ` with applicationName '${application}'`;
  return hub === undefined
    ? `the path '${path}'${behind} gives no hub key: give the option hub; ${HUB_NAME_RULE}`
    : `hub '${hub}' of '${path}'${behind} is no hub key: ${HUB_NAME_RULE}`;
}

function requireShared(key: string, mapping: Mapping, other: Mapping): void {
  const both = `'${other.path}' and '${mapping.path}' have one hub key, '${key}'`;
  if (mapping.hubClass !== other.hubClass) {
    throw badOptions(`${both}, and two classes: give one of them another key by the option hub`);
  }
  if (mapping.said || other.said) return;
  throw badOptions(`${both}: give the option hub, the same where they share their clients`);
}
