/**
 * Writes the reference pages that come from tables in the code: `node scripts/generate-docs.ts`.
 * With `--check` it writes nothing, and fails naming the pages that are stale.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
import { NEGOTIATE_OPTIONS } from '../services/negotiate/src/options.ts';

const FOLDER = new URL('../docs/reference/', import.meta.url);
const GENERATED =
  '<!-- Made by `npm run docs` from tables in the code: change those, not this page. -->';

/** What the labels are that sources give the values of. */
const GIVEN: Readonly<Record<string, string>> = {
  reason: 'one of the [close reasons](close-reasons.md)',
  type: 'the name of a [service message](../protocol.md#to-app-servers), or `unknown`',
};

const PAGES: Readonly<Record<string, () => string[]>> = {
  'metrics.md': metricsPage,
  'close-reasons.md': closeReasonsPage,
  'edge-settings.md': () => settingsPage('edge', EDGE_OPTIONS, EDGE_SECTIONS),
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

function list(items: readonly string[]): string[] {
  return items.length === 0 ? [] : [items.map((item) => `- ${item}`).join('\n')];
}

function current(name: string): string | undefined {
  try {
    return readFileSync(new URL(name, FOLDER), 'utf8');
  } catch {
    return undefined; // not written yet
  }
}

mkdirSync(FOLDER, { recursive: true });
const pages = Object.entries(PAGES).map(
  ([name, blocks]) => [name, `${[GENERATED, ...blocks()].join('\n\n')}\n`] as const,
);
const stale = pages.filter(([name, text]) => current(name) !== text);
if (process.argv.includes('--check')) {
  for (const [name] of stale) {
    console.error(`docs/reference/${name} is stale: run npm run docs`);
    process.exitCode = 1;
  }
} else {
  for (const [name, text] of stale) {
    writeFileSync(new URL(name, FOLDER), text);
    console.log(`wrote ${fileURLToPath(new URL(name, FOLDER))}`);
  }
}
