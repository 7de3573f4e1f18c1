import type { ClientProxy, Clients } from '../sending/clients.ts';

/** Whom to send to: a selector of a hub's `Clients`, and its arguments. */
export type Destination = readonly [selector: string, ...names: (string | readonly string[])[]];

/** Finds the selector's proxy on `clients`, inside a hub or outside. */
export function select(clients: Clients, [selector, ...names]: Destination): ClientProxy {
  const member: unknown = Reflect.get(clients, selector);
  const selected: unknown =
    typeof member === 'function' ? Reflect.apply(member, clients, names) : member;
  return selected as ClientProxy;
}
