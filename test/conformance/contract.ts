/**
 * What the app server of the conformance tests offers, in whatever language it is written: the hubs
 * of `hubs.ts` at the paths below, negotiate for users named by `Identity`, and `POST /control`. At
 * SIGTERM it gives its clients a second to go elsewhere, then closes them and ends.
 *
 * `app-server.ts` is one; `kestrel/` is the control, which shows the tests to be right. The control
 * has no edge, so it keeps its clients, and takes no more of `Identity` than `userId`, `claims` and
 * `signInSeconds`.
 *
 * App servers of one app share two things, as they would by a database: journals of what happened to
 * connections that gave a tag in their query, and gates, closed until somebody opens them, which is how
 * a scenario decides what happens first. The tests keep both, at the URL in NOTES_URL. There
 * `POST /journal?name=` adds its body as an entry, and `GET` gives all entries in order, in JSON;
 * `POST /gate?name=` opens a gate, and `GET` is answered once it is open. (Stand-ins for the .NET package
 * keep both to themselves: each is an app alone.)
 */

/** Hubs by path, without the slash; the hub key is the same name behind the server's prefix. */
export const HUB_NAMES = ['main', 'other', 'reach', 'detailed', 'impatient'] as const;

export type HubName = (typeof HUB_NAMES)[number];

/** How long a client of `impatient` may be silent once it has pinged; everywhere else 30 s. */
export const IMPATIENT_MS = 1_000;

/** Whom to send to: a selector of the hub's `clients`, and its arguments. */
export type Destination = readonly [
  selector:
    | 'all'
    | 'allExcept'
    | 'caller'
    | 'client'
    | 'clients'
    | 'group'
    | 'groupExcept'
    | 'groups'
    | 'others'
    | 'othersInGroup'
    | 'user'
    | 'users',
  ...names: (string | readonly string[])[],
];

/** The body of `POST /control`, answered with 204 once it is done. */
export type Control =
  /** Calls `message` on clients, from outside a hub. */
  | { do: 'send'; hub: HubName; to: Destination; args: readonly unknown[] }
  | { do: 'add' | 'remove'; hub: HubName; connectionId: string; group: string };

/** The answer of hub method `about`. */
export interface About {
  connectionId: string;
  userIdentifier: string | null;
  claims: Record<string, string | string[]>;
  headers: Record<string, string>;
  query: [name: string, value: string][];
}
