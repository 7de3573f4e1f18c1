import { readdirSync } from 'node:fs';
import { readText, readYaml, ROOT } from './deploy-files.ts';

export interface Query {
  /** The panel or alert, for messages. */
  readonly name: string;
  readonly expr: string;
}

interface Dashboard {
  readonly uid: string;
  readonly panels: readonly {
    readonly type: string;
    readonly title: string;
    readonly datasource?: { readonly uid: string };
    readonly targets?: readonly { readonly expr: string }[];
  }[];
}

export function readDashboards(): Dashboard[] {
  const folder = 'deploy/grafana/dashboards/';
  const files = readdirSync(`${ROOT}${folder}`);
  return files.map((file) => JSON.parse(readText(folder + file)) as Dashboard);
}

/** Every query of every panel, with Grafana's variables still in it. */
export function panelQueries(): Query[] {
  return readDashboards().flatMap(({ panels }) =>
    panels.flatMap(({ title, targets = [] }) =>
      targets.map(({ expr }) => ({ name: `${title}: ${expr}`, expr })),
    ),
  );
}

export function alertQueries(): Query[] {
  const file = readYaml('deploy/prometheus/alerts.yml') as {
    groups: { rules: { alert: string; expr: string }[] }[];
  };
  return file.groups.flatMap(({ rules }) =>
    rules.map(({ alert, expr }) => ({ name: alert, expr })),
  );
}
