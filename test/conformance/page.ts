import { LIBRARIES, type Version, VERSIONS } from './libraries.ts';
import type { Chapter, Need, Scenario } from './scenario.ts';
import {
  CHAPTERS,
  CONTROL_JOINT_RUNS,
  CONTROL_RUNS,
  JOINT_RUNS,
  JOINT_SCENARIOS,
  type Run,
  RUNS,
} from './scenario-table.ts';
import { COMPANY, FRONT_NAMES, kindName, KINDS, VARIANTS, type Way, WAYS } from './variants.ts';

/** Where the page is committed. */
export const PAGE = new URL('../../docs/conformance.md', import.meta.url);

/** Whether this run has passed. */
export type Outcome = (run: Run) => boolean;

const PASSED = '✓';
const FAILED = '✗';
const ABSENT = '–';

const SCENARIOS = CHAPTERS.flatMap(({ scenarios }) => scenarios);

/** In the order of their notes on the page. */
const NEEDS: readonly Need[] = [...new Set(SCENARIOS.flatMap(({ needs }) => needs ?? []))];

/** The page in Markdown. What is not a matter of the outcome follows from the definitions alone. */
export function renderPage(passed: Outcome): string {
  const blocks = [
    '<!-- Written by `npm run test:conformance` once everything has passed. -->',
    '# Conformance',
    introduction(),
    legend(),
    ...CHAPTERS.flatMap((chapter) => [`## ${chapter.title}`, chapterTable(chapter, passed)]),
    '## Many kinds of clients together',
    `Each of these ran with each front, with clients of these kinds at the same time: ${list(COMPANY.map(kindName))}.`,
    JOINT_SCENARIOS.map((scenario) => {
      const runs = JOINT_RUNS.filter((run) => run.scenario === scenario);
      return `- ${mark(runs, passed)} ${scenario.name}`;
    }).join('\n'),
    '## The control',
    control(),
    '## Notes',
    NEEDS.map(({ why }, at) => `${at + 1}. ${why}`).join('\n'),
  ];
  return `${blocks.join('\n\n')}\n`;
}

function introduction(): string {
  const versions = VERSIONS.map((version) => {
    const { signalr, messagepack } = LIBRARIES[version];
    return `${signalr.VERSION} with MessagePack ${messagepack.VERSION}`;
  });
  return [
    'What the official JavaScript client, `@microsoft/signalr`, which was `@aspnet/signalr` at version 1, was seen to do with an edge and an app server of `packages/sdk/`, both in processes of their own.',
    `Its versions here are ${list(versions)}.`,
    `${SCENARIOS.length} scenarios ran with ${VARIANTS.length} variants of the client where they apply, ${RUNS.length} runs in all.`,
    `Variants are made of version, transport, hub protocol and front: ${list(FRONT_NAMES)}.`,
    'Clients without negotiate open a WebSocket at the edge and nothing else; all others are sent there by the app server.',
    '`npm run test:conformance` runs them all and writes this page; `npm test` runs a choice in which every two of scenario, version, transport, hub protocol and front meet, the versions between the newest, the oldest that reconnects and the oldest being one.',
  ].join('\n');
}

function legend(): string {
  const ways = WAYS.map(({ name, protocols }) => `${name} (${protocols.join(', ')})`);
  const cell = WAYS.map(({ protocols }) => PASSED.repeat(protocols.length)).join(' ');
  return [
    `A cell has a mark for each transport and hub protocol: \`${cell}\` are ${list(ways)}.`,
    `${PASSED} has passed with both fronts; ${ABSENT} does not apply, and the scenario's notes say why.`,
  ].join('\n');
}

function control(): string {
  const scenarios = [...SCENARIOS, ...JOINT_SCENARIOS];
  const reasons = new Set(scenarios.flatMap(({ withoutControl }) => withoutControl ?? []));
  const spared = [...reasons].map((reason) => {
    const names = scenarios.filter(({ withoutControl }) => withoutControl === reason);
    return `- ${reason} ${names.map(({ name }) => `“${name}”`).join(', ')}`;
  });
  return [
    'Whether the tests are right, ASP.NET Core shows: the same hubs in C#, on its own SignalR and Kestrel, with no edge.',
    `With JSON, every version and every transport, ${CONTROL_RUNS.length + CONTROL_JOINT_RUNS.length} of the runs were had there, too, and passed.`,
    'It was not asked these:\n',
    ...spared,
  ].join('\n');
}

function chapterTable({ scenarios }: Chapter, passed: Outcome): string {
  const head = ['scenario', ...VERSIONS.map((version) => LIBRARIES[version].signalr.VERSION)];
  const rows = scenarios.map((scenario) => [
    escape(scenario.name) + notes(scenario),
    ...VERSIONS.map((version) => cell(scenario, version, passed)),
  ]);
  return [head, head.map(() => '---'), ...rows]
    .map((columns) => `| ${columns.join(' | ')} |`)
    .join('\n');
}

function notes({ needs = [] }: Scenario): string {
  return needs.map((need) => ` <sup>[${NEEDS.indexOf(need) + 1}](#notes)</sup>`).join('');
}

function cell(scenario: Scenario, version: Version, passed: Outcome): string {
  return WAYS.map((way) => marks(scenario, version, way, passed)).join(' ');
}

/** One for each hub protocol that goes this way. */
function marks(scenario: Scenario, version: Version, way: Way, passed: Outcome): string {
  const kinds = KINDS.filter((kind) => kind.version === version && kind.way === way);
  return kinds
    .map((kind) => {
      const runs = RUNS.filter((run) => run.scenario === scenario && run.variant.kind === kind);
      return runs.length === 0 ? ABSENT : mark(runs, passed);
    })
    .join('');
}

function mark(runs: readonly Run[], passed: Outcome): string {
  return runs.every(passed) ? PASSED : FAILED;
}

function list(items: readonly string[]): string {
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1)}`;
}

function escape(text: string): string {
  return text.replaceAll(/[|_*<]/g, (character) => `\\${character}`);
}
