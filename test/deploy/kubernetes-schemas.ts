import * as keda from '@kubernetes-models/keda/keda.sh/v1alpha1';
import * as monitoring from '@kubernetes-models/prometheus-operator/monitoring.coreos.com/v1';
import * as apps from 'kubernetes-models/apps/v1';
import * as autoscaling from 'kubernetes-models/autoscaling/v2';
import * as networking from 'kubernetes-models/networking.k8s.io/v1';
import * as policy from 'kubernetes-models/policy/v1';
import * as core from 'kubernetes-models/v1';

/** An object of Kubernetes, of some kind. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

/** A class for a kind of object, whose `validate` holds it against the schema that Kubernetes publishes. */
interface Model {
  readonly apiVersion: string;
  readonly kind: string;
  readonly prototype: { validate(): void };
}

const MODULES = [apps, autoscaling, core, keda, monitoring, networking, policy];
const MODELS = new Map(
  MODULES.flatMap((module) => Object.values<unknown>(module))
    .filter(isModel)
    .map((model) => [`${model.apiVersion} ${model.kind}`, model]),
);

function isModel(exported: unknown): exported is Model {
  return typeof exported === 'function' && 'kind' in exported && 'apiVersion' in exported;
}

/**
 * What is wrong with a manifest: a value that its schema does not allow, or, which schemas let pass and
 * clusters do not, fields that it does not know.
 */
export function faults(manifest: Manifest): string[] {
  const model = MODELS.get(`${manifest.apiVersion} ${manifest.kind}`);
  if (model === undefined) return [`no schema for ${manifest.apiVersion} ${manifest.kind}`];
  const known = new Set<string>();
  try {
    model.prototype.validate.call(watched(manifest, '', known));
  } catch (error) {
    return [(error as Error).message];
  }
  const unknown = pathsOf(manifest).filter((path) => !known.has(path));
  return unknown.map((path) => `${path} is no field`);
}

/** The same value, which notes in `read` what is looked at: a schema looks at the fields it knows. */
function watched(value: unknown, path: string, read: Set<string>): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return new Proxy(value, {
    get(target, key) {
      const field: unknown = Reflect.get(target, key);
      if (typeof key !== 'string' || !Object.hasOwn(target, key)) return field;
      read.add(`${path}/${key}`);
      return watched(field, `${path}/${key}`, read);
    },
  });
}

/** Of everything within it. */
function pathsOf(value: unknown, path = ''): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, field]) => [
    `${path}/${key}`,
    ...pathsOf(field, `${path}/${key}`),
  ]);
}
