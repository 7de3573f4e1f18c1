import type { EventNames, UrlTemplate } from './url-template.ts';

/** What happens in a serverless hub, and an upstream is told of. */
export const CATEGORIES = ['connections', 'messages'] as const;
export type Category = (typeof CATEGORIES)[number];

/** Which events go to one upstream. A set that is not there lets all pass. */
export interface UpstreamRule {
  readonly template: UrlTemplate;
  /** Lower case, as hubs are. */
  readonly hubs: ReadonlySet<string> | undefined;
  readonly categories: ReadonlySet<string> | undefined;
  /** Compared letter by letter. */
  readonly events: ReadonlySet<string> | undefined;
}

/** Where an event goes: one upstream, never several. */
export interface Route {
  readonly origin: string;
  readonly path: string;
}

/** A longer name is no event's: it would not fit into headers and URLs. */
const MAX_EVENT_LENGTH = 1024;

/** Where the first rule that an event passes sends it; undefined when there is none. */
export function routeOf(rules: readonly UpstreamRule[], names: EventNames): Route | undefined {
  const { hub, category, event } = names;
  if (event.length > MAX_EVENT_LENGTH) return undefined;
  const rule = rules.find(
    ({ hubs, categories, events }) =>
      hubs?.has(hub) !== false &&
      categories?.has(category) !== false &&
      events?.has(event) !== false,
  );
  const path = rule?.template.pathFor(names);
  return path === undefined ? undefined : { origin: rule!.template.origin, path };
}
