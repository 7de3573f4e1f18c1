import { HUB_NAME, HUB_NAME_RULE } from '@trunkline/protocol';
import type { Section } from '@trunkline/settings';
import { defineSections, SettingsError } from '@trunkline/settings';
import type { GivenPolicies, HubPolicy } from './sessions/hub-policies.ts';
import { WITHOUT_SERVER } from './sessions/hub-policies.ts';
import type { MigrationPolicy } from './sessions/migration-policy.ts';
import { MIGRATION_POLICIES } from './sessions/migration-policy.ts';
import type { UpstreamRule } from './sessions/upstream/rules.ts';
import { CATEGORIES } from './sessions/upstream/rules.ts';
import { TemplateError, UrlTemplate } from './sessions/upstream/url-template.ts';

/** The name under which stand settings of every hub that does not have its own. */
const EVERY_HUB = '*';

/** What stands in the config file alone. Names of upstream rules are those of Azure's templates. */
export const EDGE_SECTIONS = defineSections({
  hubs: {
    kind: 'named',
    what: 'hub',
    names: new RegExp(`${HUB_NAME.source}|^\\*$`),
    namesAre: `a hub, nor * for every hub: ${HUB_NAME_RULE}`,
    help: 'Settings of single hubs, by hub; those under * are for hubs that do not have their own. Read again on SIGHUP.',
    of: {
      withoutServer: {
        kind: 'choice',
        choices: WITHOUT_SERVER,
        help: 'What becomes of clients while no app server of the hub is connected. wait: for one, as long as --server-wait says; upstream: events go to upstreams; refuse: they are turned away at once. upstream where there are upstream rules, else wait.',
      },
      migration: {
        kind: 'choice',
        choices: MIGRATION_POLICIES,
        help: 'As --migration, for this hub.',
      },
      upstream: {
        kind: 'items',
        help: 'Which upstream is told of an event: the first rule that it passes says so. [] for a hub whose clients only listen.',
        of: {
          urlTemplate: {
            kind: 'string',
            secret: true,
            help: 'URL with placeholders {hub}, {category} and {event}, which are escaped, in its path or query. Never shown, since it may hold a key.',
          },
          hubPattern: {
            kind: 'list',
            help: 'Hubs, or *. All when not given: of use under *.',
          },
          categoryPattern: {
            kind: 'list',
            help: 'connections, messages or *. All when not given.',
          },
          eventPattern: {
            kind: 'list',
            help: 'connected, disconnected, methods that clients call, or *; upper and lower case differ. All when not given.',
          },
        },
      },
    },
  },
});

type Hubs = NonNullable<Section<typeof EDGE_SECTIONS>['hubs']>;
type HubSection = Hubs extends ReadonlyMap<string, infer H> ? H : never;
type RuleSection = NonNullable<HubSection['upstream']>[number];

/**
 * The policies of hubs from the config file. A hub's setting that it does not have itself is that of
 * `*`, and at last that of the edge.
 * @throws SettingsError
 */
export function readHubs(hubs: Hubs | undefined, migration: MigrationPolicy): GivenPolicies {
  const every = hubs?.get(EVERY_HUB);
  const others = policyOf(EVERY_HUB, every, { migration });
  const named = new Map<string, HubPolicy>();
  for (const [name, section] of hubs ?? []) {
    if (name === EVERY_HUB) continue;
    const key = name.toLowerCase();
    if (named.has(key)) {
      throw new SettingsError(`hubs.${name} is given twice: upper and lower case are one hub`);
    }
    named.set(key, policyOf(name, section, { migration: others.migration, every }));
  }
  return { named, others };
}

function policyOf(
  name: string,
  own: HubSection | undefined,
  rest: { migration: MigrationPolicy; every?: HubSection | undefined },
): HubPolicy {
  const given = own?.upstream ?? rest.every?.upstream;
  const place = `hubs.${own?.upstream === undefined ? EVERY_HUB : name}`;
  const upstream = given?.map((rule, index) => ruleOf(rule, `${place}.upstream[${index}]`));
  const usual = (upstream?.length ?? 0) > 0 ? 'upstream' : 'wait';
  const withoutServer = own?.withoutServer ?? rest.every?.withoutServer ?? usual;
  if (withoutServer === 'upstream' && upstream === undefined) {
    throw new SettingsError(
      `hubs.${name}.withoutServer is 'upstream' without hubs.${name}.upstream: give its rules, or [] where clients only listen`,
    );
  }
  return { withoutServer, migration: own?.migration ?? rest.migration, upstream: upstream ?? [] };
}

function ruleOf(rule: RuleSection, place: string): UpstreamRule {
  const { urlTemplate, hubPattern, categoryPattern, eventPattern } = rule;
  if (urlTemplate === undefined) {
    throw new SettingsError(
      `${place}.urlTemplate is missing: give the upstream's URL, such as https://app.example/{hub}/{category}/{event}`,
    );
  }
  const wrong = categoryPattern?.find((one) => one !== '*' && !isCategory(one));
  if (wrong !== undefined) {
    throw new SettingsError(
      `${place}.categoryPattern: '${wrong}' is no category: give ${CATEGORIES.join(', ')} or *`,
    );
  }
  return {
    template: templateOf(urlTemplate, `${place}.urlTemplate`),
    hubs: patternOf(hubPattern?.map((hub) => hub.toLowerCase())),
    categories: patternOf(categoryPattern),
    events: patternOf(eventPattern),
  };
}

function isCategory(text: string): boolean {
  return CATEGORIES.some((category) => category === text);
}

/** Undefined lets all pass, as `*` does. */
function patternOf(names: readonly string[] | undefined): ReadonlySet<string> | undefined {
  return names === undefined || names.includes('*') ? undefined : new Set(names);
}

function templateOf(text: string, place: string): UrlTemplate {
  try {
    return new UrlTemplate(text);
  } catch (error) {
    if (error instanceof TemplateError) throw new SettingsError(`${place} ${error.message}`);
    throw error;
  }
}
