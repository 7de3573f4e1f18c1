import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';

import { KNOWN_VARIABLES } from '@trunkline/settings';
import { METRICS } from '@trunkline/telemetry';
import { afterAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';

import { readConfig } from '../../services/edge/src/config.ts';
import { EDGE_OPTIONS } from '../../services/edge/src/options.ts';

import {
  builtServices,
  execForm,
  readCompose,
  readStages,
  readText,
  readYaml,
  ROOT,
} from './deploy-files.ts';
import { faults, type Manifest } from './kubernetes-schemas.ts';

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
}

interface Container {
  readonly image: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe?: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle?: {
    readonly preStop: { readonly exec: { readonly command: [string, string] } };
  };
}

interface Pod {
  readonly containers: [Container];
  readonly terminationGracePeriodSeconds?: number;
  readonly volumes: readonly object[];
}

interface Labels {
  readonly matchLabels: Readonly<Record<string, string>>;
}

interface Workload extends Manifest {
  readonly spec: {
    readonly serviceName: string;
    readonly selector: Labels;
    readonly template: { readonly metadata: { readonly labels: object }; readonly spec: Pod };
  };
}

const BASE = readYaml('deploy/kustomization.yaml') as {
  readonly resources: readonly string[];
  readonly images: readonly { readonly name: string; readonly newTag: string }[];
};
const RESOURCES = BASE.resources.map((path) => `deploy/${path}`);
const EXAMPLES = ['hpa', 'keda', 'podmonitor'].map(
  (name) => `deploy/kubernetes/examples/${name}.yaml`,
);

const read = (path: string): Manifest[] => parse(readText(path));
const parse = (text: string): Manifest[] =>
  parseAllDocuments(text).map((document) => document.toJS() as Manifest);

const manifests = RESOURCES.flatMap(read);
const all = <T extends Manifest>(...kinds: string[]): T[] =>
  manifests.filter(({ kind }) => kinds.includes(kind)) as T[];
const workloads = all<Workload>('StatefulSet', 'Deployment');
const [edge] = workloads.filter(({ metadata }) => metadata.name === 'edge') as [Workload];

describe('schemas', () => {
  test.each([...RESOURCES, ...EXAMPLES])('%s is what Kubernetes takes', (path) => {
    expect(read(path).map((manifest) => [manifest.metadata.name, faults(manifest)])).toEqual(
      read(path).map(({ metadata }) => [metadata.name, []]),
    );
  });

  test('so are the Ingress and its ConfigMap of the guide for proxies', () => {
    expect(read('deploy/proxies/ingress.yaml').flatMap(faults)).toEqual([]);
  });

  test('what is wrong is found: a type, a field that is missing, one that there is not', () => {
    const { spec } = edge;
    const broken = (change: object): string[] =>
      faults({ ...edge, spec: { ...spec, ...change } } as Manifest);
    expect(broken({ replicas: 'two' })).toEqual([
      expect.stringContaining('replicas must be integer'),
    ]);
    expect(broken({ selector: undefined })).toEqual([expect.stringContaining('selector')]);
    expect(broken({ graceSeconds: 5 })).toEqual(['/spec/graceSeconds is no field']);
    expect(faults({ ...edge, kind: 'StatefulSets' })).toEqual([
      'no schema for apps/v1 StatefulSets',
    ]);
  });

  test('every file is in the base or an example, and the guide names it', () => {
    const here = (folder: string): string[] =>
      readdirSync(`${ROOT}${folder}`)
        .filter((name) => name.endsWith('.yaml'))
        .map((name) => `${folder}/${name}`);
    expect(here('deploy/kubernetes')).toEqual([...RESOURCES].toSorted());
    const examples = here('deploy/kubernetes/examples');
    expect(examples).toEqual(expect.arrayContaining(EXAMPLES));
    for (const path of [...RESOURCES, ...examples]) {
      expect(readText('docs/kubernetes.md')).toContain(`](../${path})`);
    }
  });
});

const kustomize = spawnSync('kubectl', ['kustomize', 'deploy'], { cwd: ROOT, encoding: 'utf8' });

describe.skipIf(kustomize.error !== undefined)('kubectl kustomize deploy (needs kubectl)', () => {
  test('puts all together, with the NATS configuration that is shipped', () => {
    expect(kustomize.stderr).toBe('');
    const built = parse(kustomize.stdout);
    expect(built.flatMap(faults)).toEqual([]);
    expect(built).toHaveLength(manifests.length + 1);
    const config = built.find(({ kind }) => kind === 'ConfigMap') as Manifest & { data: object };
    expect(config.data).toEqual({ 'nats.conf': readText('deploy/nats.conf') });
    const nats = built.find(
      ({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'nats',
    );
    expect((nats as Workload).spec.template.spec.volumes).toEqual([
      { name: 'config', configMap: { name: config.metadata.name } },
    ]);
  });

  test('takes the layer of the guide, with what is in the guide for autoscaling', () => {
    const [layer, more] = [...readText('docs/kubernetes.md').matchAll(/```yaml\n(.*?)```/gs)];
    const folder = mkdtempSync(join(tmpdir(), 'trunkline-layer-'));
    const base = relative(realpathSync(folder), `${ROOT}deploy`);
    const text = `${layer![1]}${more![1]!.replace('patches:\n', '')}`;
    writeFileSync(join(folder, 'kustomization.yaml'), text.replace('trunkline/deploy', base));
    const built = spawnSync('kubectl', ['kustomize', folder], { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    expect(built.stderr).toBe('');
    const layered = parse(built.stdout);
    expect(layered.flatMap(faults)).toEqual([]);
    const edges = layered.find(
      ({ kind, metadata }) => kind === 'StatefulSet' && metadata.name === 'edge',
    );
    expect(edges).toMatchObject({ metadata: { namespace: 'live' } });
    expect(edges).not.toHaveProperty('spec.replicas');
    for (const said of [
      'registry.example.com/trunkline-edge:0.1.0',
      'TRUSTED_PROXIES',
      'chat,orders',
    ]) {
      expect(built.stdout).toContain(said);
    }
  });

  test('names the images that this release has', () => {
    const { version } = JSON.parse(readText('package.json')) as { version: string };
    expect(BASE.images.map(({ newTag }) => newTag)).toEqual([version, version]);
    const used = parse(kustomize.stdout).flatMap((one) =>
      'spec' in one ? ((one as Workload).spec.template?.spec.containers ?? []) : [],
    );
    expect(used.map(({ image }) => image).toSorted()).toEqual([
      readCompose().services['nats']!.image,
      `trunkline-edge:${version}`,
      `trunkline-negotiate:${version}`,
    ]);
  });
});

describe.each(workloads.map((workload) => [workload.metadata.name, workload] as const))(
  '%s',
  (name, { spec: { selector, template } }) => {
    const pod = template.spec;
    const [container] = pod.containers;

    test('is selected by its own labels', () => {
      expect(template.metadata.labels).toMatchObject(selector.matchLabels);
      expect(selector.matchLabels).toEqual({ 'app.kubernetes.io/name': name });
    });

    test('may do nothing but its work', () => {
      expect(pod).toMatchObject({
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      });
      expect(container).toMatchObject({
        resources: { requests: expect.anything(), limits: { memory: expect.any(String) } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        },
      });
    });

    test('is probed where it listens', () => {
      const { startupProbe, livenessProbe, readinessProbe } = container;
      const names = container.ports.map((port) => port.name);
      for (const probe of [startupProbe ?? livenessProbe, livenessProbe, readinessProbe]) {
        expect(names).toContain(probe.httpGet.port);
      }
    });

    test('is told nothing but settings, and of secrets where they are', () => {
      const env = container.env ?? [];
      expect(env.map((one) => one.name).filter((one) => !KNOWN_VARIABLES.includes(one))).toEqual(
        [],
      );
      const files = env.flatMap(({ name, value = '' }) => (name.endsWith('_FILE') ? [value] : []));
      const items = files.map((file) => {
        const key = file.replace('/run/secrets/trunkline/', '');
        return { key, path: key };
      });
      const secret = { secretName: 'trunkline', defaultMode: 0o440, items };
      const mounted = pod.volumes.filter((volume) => 'secret' in volume);
      expect(mounted).toEqual(files.length === 0 ? [] : [{ name: 'secrets', secret }]);
      for (const file of files) {
        expect(readText('docs/kubernetes.md')).toContain(
          `--from-file=secrets/${file.split('/').at(-1)}`,
        );
      }
    });
  },
);

test('each image of ours is built, listens where its manifest says, and is checked as elsewhere', () => {
  for (const target of ['edge', 'negotiate']) {
    const { spec } = workloads.find(({ metadata }) => metadata.name === target)!;
    const [container] = spec.template.spec.containers;
    const stage = readStages().get(target) ?? [];
    const exposed = stage.find(({ name }) => name === 'EXPOSE')?.text.split(' ');
    expect(container.ports.map(({ containerPort }) => `${containerPort}`)).toEqual(exposed);
    const { httpGet } = container.readinessProbe;
    const port = container.ports.find(({ name }) => name === httpGet.port)?.containerPort;
    expect(`http://127.0.0.1:${port}${httpGet.path}`).toBe(execForm(stage, 'HEALTHCHECK').at(-1));
  }
  expect(builtServices().map(([, { build }]) => build!.target)).toEqual(
    expect.arrayContaining(['edge', 'negotiate']),
  );
});

describe('the edge', () => {
  const [container] = edge.spec.template.spec.containers;
  const folder = mkdtempSync(join(tmpdir(), 'trunkline-kubernetes-'));
  writeFileSync(join(folder, 'access-keys'), 'k'.repeat(40));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('starts with its settings: joined by NATS, its id the name of its pod', () => {
    const given = (container.env ?? []).map(({ name, value = 'edge-0' }) => [
      name,
      value.replace('/run/secrets/trunkline', folder),
    ]);
    const { ports } = container;
    expect(readConfig({ argv: [], env: Object.fromEntries(given) })).toMatchObject({
      edgeId: 'edge-0',
      adminHost: '0.0.0.0',
      bus: { kind: 'nats', servers: ['nats:4222'] },
      port: ports.find(({ name }) => name === 'public')!.containerPort,
      adminPort: ports.find(({ name }) => name === 'admin')!.containerPort,
    });
  });

  test('is given the time that it takes to leave', () => {
    const [command, seconds] = container.lifecycle!.preStop.exec.command;
    expect(command).toBe('sleep');
    const { terminationGracePeriodSeconds = 30 } = edge.spec.template.spec;
    expect(terminationGracePeriodSeconds).toBeGreaterThanOrEqual(
      Number(seconds) + EDGE_OPTIONS.drainTimeout.default + 8,
    );
  });

  test('has one disruption at a time, and an admin port for monitoring alone', () => {
    const names = all('PodDisruptionBudget').map(({ metadata }) => metadata.name);
    expect(names).toContain('edge');
    const [policy] = all('NetworkPolicy').filter(({ metadata }) => metadata.name === 'edge');
    expect(policy).toMatchObject({
      spec: {
        podSelector: edge.spec.selector,
        ingress: [
          { ports: [{ port: 'public' }] },
          { ports: [{ port: 'admin' }], from: [{ namespaceSelector: expect.anything() }] },
        ],
      },
    });
  });
});

test('services have pods behind them, and ports that those have', () => {
  const services = all<Manifest & { spec: { selector: object; ports: { targetPort: string }[] } }>(
    'Service',
  );
  expect(services.map(({ metadata }) => metadata.name).toSorted()).toEqual([
    'edge',
    'edge-admin',
    'edge-pods',
    'nats',
    'negotiate',
  ]);
  for (const { spec } of services) {
    const behind = workloads.filter(
      (workload) =>
        JSON.stringify(workload.spec.selector.matchLabels) === JSON.stringify(spec.selector),
    );
    expect(behind).toHaveLength(1);
    const ports = behind[0]!.spec.template.spec.containers[0].ports.map(({ name }) => name);
    for (const { targetPort } of spec.ports) expect(ports).toContain(targetPort);
  }
  for (const { spec } of workloads.filter(({ kind }) => kind === 'StatefulSet')) {
    expect(services.map(({ metadata }) => metadata.name)).toContain(spec.serviceName);
  }
});

test('examples scale the edges by a metric that they have, and scrape the port that has it', () => {
  const metric = 'trunkline_client_connections';
  expect(METRICS).toHaveProperty(metric);
  const target = { scaleTargetRef: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'edge' } };
  const [[hpa], [scaled], [monitor]] = EXAMPLES.map(read) as [Manifest[], Manifest[], Manifest[]];
  expect(hpa).toMatchObject({
    spec: { ...target, metrics: [{ pods: { metric: { name: metric } } }] },
  });
  expect(scaled).toMatchObject({
    spec: { ...target, triggers: [{ metadata: { query: `sum(${metric})` } }] },
  });
  expect(monitor).toMatchObject({
    spec: { selector: edge.spec.selector, podMetricsEndpoints: [{ port: 'admin' }] },
  });
  const adapter = readYaml('deploy/kubernetes/examples/prometheus-adapter.yaml');
  expect(adapter).toMatchObject({
    rules: { custom: [{ seriesQuery: expect.stringContaining(metric) }] },
  });
});
