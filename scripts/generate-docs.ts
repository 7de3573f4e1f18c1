/**
 * Writes the reference pages that come from tables in the code: `node scripts/generate-docs.ts`.
 * With `--check` it writes nothing, and fails naming the pages that are stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { optionsMarkdown, sectionsMarkdown } from '@trunkline/settings';
import type { OptionTable, SectionTable } from '@trunkline/settings';
import { METRICS } from '@trunkline/telemetry';
import type { LabelValues, MetricDefinition } from '@trunkline/telemetry';
import { EDGE_SECTIONS } from '../services/edge/src/hub-settings.ts';
import { EDGE_OPTIONS } from '../services/edge/src/options.ts';
import { PARENT_METRICS } from '../services/edge/src/processes/parent-metrics.ts';
import {
  CLIENT_CLOSE_REASONS,
  SERVER_CLOSE_REASONS,
} from '../services/edge/src/sessions/close-reason.ts';
import type { CloseReason } from '../services/edge/src/sessions/close-reason.ts';
import type { Operation } from '../services/edge/src/sessions/rest/operations.ts';
import { OPERATIONS } from '../services/edge/src/sessions/rest/operations.ts';
import type { Route } from '../services/edge/src/sessions/rest/routes.ts';
import { ROUTES } from '../services/edge/src/sessions/rest/routes.ts';
import { NEGOTIATE_OPTIONS } from '../services/negotiate/src/options.ts';

const FOLDER = new URL('../docs/reference/', import.meta.url);
const SDK_TYPES = new URL('../packages/sdk/src/rest/rest-api.ts', import.meta.url);
const GENERATED =
  '<!-- Made by `npm run docs` from tables in the code: change those, not this page. -->';

/** What the labels are that sources give the values of. */
const GIVEN: Readonly<Record<string, string>> = {
  reason: 'one of the [close reasons](close-reasons.md)',
  operation: 'one of the [operations of the REST API](rest-api.md)',
  type: 'the name of a [service message](../protocol.md#to-app-servers), or `unknown`',
};

const PAGES: Readonly<Record<string, () => string[]>> = {
  'metrics.md': metricsPage,
  'close-reasons.md': closeReasonsPage,
  'edge-settings.md': () => settingsPage('edge', EDGE_OPTIONS, EDGE_SECTIONS),
  'rest-api.md': restPage,
  'negotiate-settings.md': () => settingsPage('negotiate service', NEGOTIATE_OPTIONS),
};

function metricsPage(): string[] {
  return [
    '# Metrics',
    'The edge serves these at `/metrics` on its admin port, in the text format of Prometheus. Dashboards and alert rules for them are in `deploy/`. No label ever names a connection, a user or a group.',
    'With `--processes` the admin port has the metrics of all edges, each sample with the label `edge`, and two of its own, the last ones here.',
    ...Object.entries<MetricDefinition>({ ...METRICS, ...PARENT_METRICS }).flatMap(
      ([name, metric]) => [
        `## ${name}`,
        `${metric.type}. ${metric.meaning}`,
        ...list([
          ...Object.entries(metric.labels).map((label) => labelText(...label)),
          ...(metric.buckets === undefined ? [] : [`buckets up to ${metric.buckets.join(', ')}`]),
        ]),
        `**When it rises:** ${metric.whenItRises}`,
      ],
    ),
  ];
}

function labelText(label: string, values: LabelValues): string {
  if (values === 'open') return `\`${label}\``;
  if (values === 'given') return `\`${label}\`: ${GIVEN[label]}`;
  return `\`${label}\`: ${values.map((value) => `\`${value}\``).join(', ')}`;
}

function closeReasonsPage(): string[] {
  return [
    '# Close reasons',
    'Nothing closes without a reason. It is the `reason` of the metrics `trunkline_client_closes_total` and `trunkline_server_closes_total` and of the log; names that Azure SignalR Service has for the case are the same here.',
    '## Client connections',
    '*Reconnects* says whether a client with automatic reconnection comes back by itself.',
    reasonsTable(CLIENT_CLOSE_REASONS),
    '## Server connections',
    'App servers dial again by themselves after each.',
    reasonsTable(SERVER_CLOSE_REASONS),
  ];
}

function reasonsTable(reasons: Readonly<Record<string, CloseReason>>): string {
  const rows = Object.values(reasons).map(
    ({ label, when, fault, reconnect, code }) =>
      `| \`${label}\` | ${when} | ${fault} | ${reconnect ? 'yes' : 'no'} | ${code} |`,
  );
  const head = [
    '| reason | when | at fault | reconnects | code |',
    '| --- | --- | --- | --- | --- |',
  ];
  return [...head, ...rows].join('\n');
}

function settingsPage(process: string, table: OptionTable, sections: SectionTable = {}): string[] {
  return [
    `# Settings of the ${process}`,
    'A flag wins over its variable, and a variable over the `--config` file, whose keys are the flags in camel case: `--log-level` is `logLevel`. A value that is not allowed, and a setting that does not exist, stop the start with one line.',
    optionsMarkdown(table, true),
    ...(Object.keys(sections).length === 0
      ? []
      : [
          '## In the config file only',
          'Sections within the `--config` file. What is wrong there stops the start, or leaves what there was at SIGHUP, with the place of the mistake.',
          sectionsMarkdown(sections),
        ]),
  ];
}

function restPage(): string[] {
  return [
    '# Operations of the REST API',
    'The same as an OpenAPI document is at `/admin/openapi.json` on the admin port of an edge. What is the same as with Azure SignalR Service, and what is not, is in [REST](../rest.md).',
    ...Object.entries<Operation>(OPERATIONS).flatMap(([id, operation]) => [
      `## ${id}`,
      `${operation.summary} Since ${operation.since}.`,
      routesTable(ROUTES.filter((route) => route.id === id)),
      ...list([
        ...(operation.query?.length ? [`query: ${operation.query.map(code).join(', ')}`] : []),
        ...(operation.body === undefined ? [] : [`body: ${operation.body}`]),
        ...(operation.anonymous === true ? ['without a token'] : []),
      ]),
    ]),
  ];
}

function routesTable(routes: readonly Route[]): string {
  const rows = routes.map(
    ({ method, template, success, absent }) =>
      `| \`${method} ${template}\` | ${success} | ${absent === undefined ? '' : code(absent)} |`,
  );
  return ['| request | answer | 404 with |', '| --- | --- | --- |', ...rows].join('\n');
}

const code = (text: string): string => `\`${text}\``;

function list(items: readonly string[]): string[] {
  return items.length === 0 ? [] : [items.map((item) => `- ${item}`).join('\n')];
}

/** The calls of the dated versions as types, for the SDK, which knows nothing of the edge. */
function sdkTypes(): string {
  const routes = ROUTES.filter(({ style, isAlias }) => style === 'dated' && !isAlias);
  const templates = [...new Set(routes.map(({ template }) => template))];
  const codes = [...new Set(ROUTES.flatMap(({ absent }) => absent ?? []))];
  const members = templates.map((template) => {
    const calls = routes
      .filter((route) => route.template === template)
      .map(({ method, operation }) => `    readonly ${method}: ${union(operation.query ?? [])};`);
    return [`  readonly ${key(template.replace('/api/', ''))}: {`, ...calls, '  };'].join('\n');
  });
  return `// Made by \`npm run docs\` from the edge's table of REST operations: change that, not this file.

/** The paths below \`/api/\`, their methods, and the query parameters of each. */
export interface RestApi {
${members.join('\n')}
}

/** What \`x-ms-error-code\` says where what a call names is not there. */
export type AbsentCode =
${codes.map((one) => `  | '${one}'`).join('\n')};
`;
}

const key = (text: string): string => (/^\w+$/.test(text) ? text : `'${text}'`);

function union(texts: readonly string[]): string {
  return texts.length === 0 ? 'never' : texts.map((text) => `'${text}'`).join(' | ');
}

function current(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined; // not written yet
  }
}

mkdirSync(FOLDER, { recursive: true });
const pages = Object.entries(PAGES).map(
  ([name, blocks]) =>
    [new URL(name, FOLDER), `${[GENERATED, ...blocks()].join('\n\n')}\n`] as const,
);
const stale = [...pages, [SDK_TYPES, sdkTypes()] as const].filter(
  ([file, text]) => current(file) !== text,
);
const check = process.argv.includes('--check');
for (const [file, text] of stale) {
  const name = relative(process.cwd(), fileURLToPath(file));
  if (check) {
    console.error(`${name} is stale: run npm run docs`);
    process.exitCode = 1;
  } else {
    writeFileSync(file, text);
    console.log(`wrote ${name}`);
  }
}
